// The keyboard.

import { fullScreen, reset, save } from "./actions.js";
import { modesOf } from "./paint.js";
import { NOISY, REFERENCE } from "./state.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */

/** @type {[string, string][]} */
export const HELP = [
  ["1 … 9, 0", "Show a method in place"],
  ["r", "Reference, as long as it is held"],
  ["n", "Noisy image, as long as it is held"],
  ["← →", "Method before or after"],
  ["[ ]", "Image before or after"],
  ["Page ↑ ↓", "Slice before or after, in volumes; the wheel does so, too"],
  [", .", "Level below or above"],
  ["m", "Next mode: image, errors, residual, SSIM"],
  ["t", "Next number of tiles"],
  ["w", "Wipe between the method and another picture"],
  ["o", "Outline of the tumour, where it is known"],
  ["i", "Invert"],
  ["+ −", "Zoom; the wheel does so, too, in volumes with Ctrl"],
  ["Shift + arrows", "Pan"],
  ["z", "Magnify the region"],
  ["h", "Reset view and window"],
  ["f", "Full screen"],
  ["s", "Save the view as PNG"],
  ["?", "These keys"],
  ["Drag", "Level and width of the window, or as far as errors reach; or what Drag says"],
  ["Click", "Choose the method"],
  ["Double click", "The whole image again"],
  ["Pinch", "Zoom"],
];

const HELD = /** @type {Record<string, string>} */ ({ r: REFERENCE, n: NOISY });
const LAYOUTS = /** @type {const} */ (["1", "2", "4", "all"]);

/** @param {Viewer} viewer */
export function bindKeys(viewer) {
  let seen = false;
  new IntersectionObserver(([entry]) => (seen = entry.isIntersecting)).observe(viewer.stage);
  document.addEventListener("keydown", (event) => {
    if (!listens(event, viewer, seen)) return;
    const held = HELD[event.key];
    if (held && viewer.shown.has(held)) {
      if (viewer.held !== held) {
        viewer.held = held;
        viewer.update(false);
      }
    } else if (!pressed(viewer, event)) {
      return;
    }
    event.preventDefault();
  });
  const release = () => {
    if (viewer.held === null) return;
    viewer.held = null;
    viewer.update(false);
  };
  document.addEventListener("keyup", (event) => event.key in HELD && release());
  window.addEventListener("blur", release);
}

/**
 * @param {KeyboardEvent} event
 * @param {Viewer} viewer
 * @param {boolean} seen
 */
function listens(event, viewer, seen) {
  const target = /** @type {HTMLElement} */ (event.target);
  const typing = target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");
  const inside = viewer.root.contains(target);
  return (
    (seen || inside) &&
    !typing &&
    !viewer.controls.help.open &&
    !(event.ctrlKey || event.metaKey || event.altKey)
  );
}

/**
 * @param {Viewer} viewer
 * @param {KeyboardEvent} event
 * @returns {boolean} whether the key means something here
 */
function pressed(viewer, event) {
  const { state } = viewer;
  const { key } = event;
  const modes = modesOf(viewer.content.reference);
  if (/^[0-9]$/.test(key)) {
    viewer.flip((Number(key) + 9) % 10);
    return true;
  }
  const step = 0.1 / state.zoom;
  const moves = /** @type {Record<string, [number, number]>} */ ({
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  });
  if (key === "PageUp" || key === "PageDown") {
    if (viewer.slices().length < 2) return false; // the page scrolls
    viewer.move("slice", key === "PageUp" ? -1 : 1);
    return true;
  }
  if (key in moves && event.shiftKey) {
    viewer.pan(state.x + moves[key][0] * step, state.y + moves[key][1] * step);
    return true;
  }
  /** @type {Record<string, () => unknown>} */
  const actions = {
    ArrowLeft: () => viewer.step(-1),
    ArrowRight: () => viewer.step(1),
    "[": () => viewer.move("image", -1),
    "]": () => viewer.move("image", 1),
    ",": () => viewer.move("level", -1),
    ".": () => viewer.move("level", 1),
    m: () => viewer.set({ mode: modes[(modes.indexOf(state.mode) + 1) % modes.length] }),
    t: () => viewer.set({ layout: LAYOUTS[(LAYOUTS.indexOf(state.layout) + 1) % LAYOUTS.length] }),
    w: () => viewer.set({ layout: "1", wipe: viewer.wiped() ? -1 : 0.5 }),
    i: () => viewer.set({ inverted: !state.inverted }),
    o: () => viewer.set({ outline: !state.outline }),
    "+": () => viewer.zoom(1.25),
    "=": () => viewer.zoom(1.25),
    "-": () => viewer.zoom(0.8),
    z: () => viewer.zoomToRegion(),
    h: () => reset(viewer),
    f: () => fullScreen(viewer),
    s: () => save(viewer),
    "?": () => viewer.controls.help.showModal(),
  };
  if (event.shiftKey && key !== "?" && key !== "+") return false;
  if (
    (key === "ArrowLeft" || key === "ArrowRight") &&
    /** @type {HTMLElement} */ (event.target).matches("input")
  )
    return false;
  if (!Object.hasOwn(actions, key)) return false;
  actions[key]();
  return true;
}
