// What is chosen in the viewer, and its form in the address.

/** @typedef {import("./paint.js").Mode} Mode */
/** @typedef {import("./maths.js").Region} Region */
/** @typedef {"1" | "2" | "4" | "all"} Layout */
/** @typedef {"window" | "pan" | "region"} Tool */

/**
 * @typedef {{image: string, slice: number, noise: string, level: number, layout: Layout,
 *   active: string, other: string, wipe: number, mode: Mode, low: number, high: number,
 *   reach: number, inverted: boolean, outline: boolean, zoom: number, x: number, y: number,
 *   tool: Tool, region: Region | null, inside: boolean, hidden: string[]}} State
 *
 * `active` and `other` are methods' ids, or `reference` or `noisy`; `slice` counts from 1 in a
 * volume and is 0 elsewhere; `wipe` is where the two meet, from 0 to 1, or -1 for no wipe; `x`, `y`
 * is the centre of the view, from 0 to 1; `inside` scores the tumour in place of the region.
 */

export const MARK = "#view?";
export const REFERENCE = "reference";
export const NOISY = "noisy";

/** @typedef {"image" | "slice" | "noise" | "level" | "active"} Named */

/** @type {Omit<State, Named>} */
const PLAIN = {
  layout: "all",
  other: "reference",
  wipe: -1,
  mode: "image",
  low: 0,
  high: 1,
  reach: 0.1,
  inverted: false,
  outline: false,
  zoom: 1,
  x: 0.5,
  y: 0.5,
  tool: "window",
  region: null,
  inside: false,
  hidden: [],
};

/**
 * @param {Pick<State, Named>} first
 * @returns {State}
 */
export function plain(first) {
  return { ...PLAIN, hidden: [], ...first };
}

/**
 * Write what differs from the plain state as an address's end.
 * @param {State} state
 */
export function toAddress(state) {
  const words = new URLSearchParams();
  for (const [name, value] of Object.entries(state)) {
    if (name === "region") {
      if (state.region)
        words.set(
          name,
          [state.region.x, state.region.y, state.region.width, state.region.height].join(","),
        );
    } else if (name === "hidden") {
      for (const each of state.hidden) words.append(name, each);
    } else if (!(name in PLAIN) || value !== /** @type {Record<string, unknown>} */ (PLAIN)[name]) {
      words.set(
        name,
        typeof value === "number" ? String(Number(value.toPrecision(7))) : String(value),
      );
    }
  }
  return MARK + words.toString();
}

const SWITCHES = ["inverted", "outline", "inside"];
const NUMBERS = ["slice", "level", "wipe", "low", "high", "reach", "zoom", "x", "y"];

/**
 * Read an address's end; what it does not say, or says wrongly, stays as in `first`.
 * @param {string} hash
 * @param {State} first
 * @returns {State}
 */
export function fromAddress(hash, first) {
  if (!hash.startsWith(MARK)) return first;
  const words = new URLSearchParams(hash.slice(MARK.length));
  const found = { ...first };
  /** @type {Record<string, readonly string[]>} */
  const choices = {
    layout: ["1", "2", "4", "all"],
    mode: ["image", "error", "signed", "residual", "ssim"],
    tool: ["window", "pan", "region"],
  };
  const record = /** @type {Record<string, unknown>} */ (found);
  for (const [name, text] of words) {
    if (name in choices && choices[name].includes(text)) record[name] = text;
    else if (SWITCHES.includes(name)) record[name] = text === "true";
    else if (["image", "noise", "active", "other"].includes(name)) record[name] = text;
    else if (NUMBERS.includes(name)) {
      const value = Number(text);
      if (text !== "" && Number.isFinite(value)) record[name] = value;
    }
  }
  found.zoom = Math.min(64, Math.max(1, found.zoom));
  if (found.high <= found.low) [found.low, found.high] = [first.low, first.high];
  found.reach = Math.max(1e-4, found.reach);
  const region = (words.get("region") ?? "").split(",").map(Number);
  if (region.length === 4 && region.every((each) => Number.isInteger(each) && each >= 0)) {
    const [x, y, width, height] = region;
    found.region = width && height ? { x, y, width, height } : null;
  }
  found.hidden = words.getAll("hidden");
  return found;
}
