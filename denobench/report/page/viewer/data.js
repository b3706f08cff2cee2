// What the report embeds: its types, and pictures unpacked when they are looked at.

/**
 * @typedef {{id: string, label: string, track: string, identity: boolean, colour: string,
 *   dashed: boolean}} Method
 * @typedef {{name: string, title: string, unit: string, digits: number, higher: boolean}} Metric
 * @typedef {{name: string, title: string, levels: number[]}} Noise
 * @typedef {number | "inf" | "-inf" | null} Coded
 * @typedef {{noise: string, level: number, metric: string, method: string, mean: Coded,
 *   low: Coded, high: Coded}} Mean
 * @typedef {{noise: string[], level: number[], image: string[], method: string[],
 *   scores: Record<string, Coded[]>}} Cells
 * @typedef {{image: string, slice: number, depth: number, noise: string, level: number,
 *   clean: number, noisy: number | null, tumour: number | null, answers: Record<string, number>,
 *   scores: Record<string, Record<string, Coded>>}} View
 * @typedef {{width: number, height: number, low: number, planes: number}} Packing
 * @typedef {{methods: Method[], metrics: Metric[], noises: Noise[], times: Record<string, Coded>,
 *   scores: Mean[], cells: Cells, views: View[], reference: boolean, start: number,
 *   unit: string, pictures: Packing[]}} Content
 * @typedef {{width: number, height: number, values: Float64Array}} Picture
 */

export const STEPS = 65535;

/** @returns {Content | null} */
export function readContent() {
  const found = document.getElementById("viewer-data");
  return found ? JSON.parse(found.textContent ?? "") : null;
}

/**
 * Return a number that JSON cannot hold.
 * @param {Coded | undefined} coded
 */
export function decoded(coded) {
  if (coded === "inf") return Infinity;
  if (coded === "-inf") return -Infinity;
  return coded ?? NaN;
}

/**
 * Return a score as tables print it.
 * @param {Metric} metric
 * @param {number} value
 */
export function printed(metric, value) {
  if (Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return value.toFixed(metric.digits).replace("-", "−");
}

/** @type {Map<number, Promise<Picture>>} those looked at last come last */
const unpacked = new Map();
const ROOM = 48e6; // pixels that stay unpacked: eight bytes each

/**
 * Return a picture, unpacked when it is looked at; those looked at longest ago are let go.
 * @param {Content} content
 * @param {number} place
 */
export function picture(content, place) {
  const { pictures } = content;
  const found = unpacked.get(place) ?? unpack(content, place);
  unpacked.delete(place);
  unpacked.set(place, found);
  let pixels = 0;
  for (const each of [...unpacked.keys()].reverse()) {
    pixels += pictures[each].width * pictures[each].height;
    if (pixels > ROOM && each !== place) unpacked.delete(each);
  }
  return found;
}

/** Wait for the whole document. */
export async function parsed() {
  if (document.readyState === "loading")
    await new Promise((go) => document.addEventListener("DOMContentLoaded", go));
}

/**
 * Return what an element holds: base64 of what was deflated. The first view's are there before
 * the script, the others' text may still arrive.
 * @param {string} id
 */
export async function inflated(id) {
  if (!document.getElementById(id)?.nextElementSibling) await parsed();
  const text = atob((document.getElementById(id)?.textContent ?? "").trim());
  const packed = new Uint8Array(text.length);
  for (let place = 0; place < text.length; place++) packed[place] = text.charCodeAt(place);
  const { readable, writable } = new DecompressionStream("deflate");
  const writer = writable.getWriter();
  void writer.write(packed).then(() => writer.close());
  return new Response(readable);
}

/**
 * @param {Content} content
 * @param {number} place
 */
async function unpack(content, place) {
  const bytes = new Uint8Array(await (await inflated(`picture-${place}`)).arrayBuffer());
  return restore(content.pictures[place], bytes);
}

/**
 * Put byte planes together, and add up what each pixel changed from its left neighbour.
 * @param {Packing} packing
 * @param {Uint8Array} bytes
 * @returns {Picture}
 */
export function restore({ width, height, low, planes }, bytes) {
  const size = width * height;
  const values = new Float64Array(size);
  const mask = planes === 2 ? 0xffff : 0xffffff;
  for (let row = 0; row < height; row++) {
    let sum = 0;
    for (let place = row * width; place < (row + 1) * width; place++) {
      let change = bytes[place] | (bytes[size + place] << 8);
      if (planes === 3) change |= bytes[2 * size + place] << 16;
      sum = (sum + change) & mask;
      values[place] = (sum + low) / STEPS;
    }
  }
  return { width, height, values };
}
