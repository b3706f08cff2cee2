// The tumour's outline, where the tumour is known.

import { STEPS } from "./data.js";

/** @typedef {import("./data.js").Picture} Picture */
/** @typedef {{tumour: Path2D, oedema: Path2D}} Outline */

const OEDEMA = 3; // of a mask's labels; the others are the tumour's core and rim

/** @type {WeakMap<Picture, Uint8Array>} */
const masks = new WeakMap();
/** @type {WeakMap<Picture, Outline>} */
const outlines = new WeakMap();

/**
 * Return a mask's labels: 0 none, 1 core, 2 rim, 3 oedema.
 * @param {Picture} packed
 */
function labelsOf(packed) {
  let found = masks.get(packed);
  if (!found) {
    found = Uint8Array.from(packed.values, (value) => Math.round(value * STEPS));
    masks.set(packed, found);
  }
  return found;
}

/**
 * Return which pixels are the tumour's core and rim, those that the tables' scores are taken on.
 * @param {Picture} packed
 * @returns {(place: number) => boolean}
 */
export function insideOf(packed) {
  const labels = labelsOf(packed);
  return (place) => labels[place] > 0 && labels[place] !== OEDEMA;
}

/**
 * Return the outlines of tumour and oedema, along the pixels' edges.
 * @param {Picture} packed
 */
export function outlineOf(packed) {
  let found = outlines.get(packed);
  if (!found) {
    const labels = labelsOf(packed);
    found = {
      tumour: edges(packed, insideOf(packed)),
      oedema: edges(packed, (place) => labels[place] > 0),
    };
    outlines.set(packed, found);
  }
  return found;
}

/**
 * @param {Picture} packed
 * @param {(place: number) => boolean} inside
 */
function edges({ width, height }, inside) {
  const path = new Path2D();
  const at = (/** @type {number} */ x, /** @type {number} */ y) =>
    x >= 0 && y >= 0 && x < width && y < height && inside(y * width + x);
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (at(x, y) !== at(x - 1, y)) {
        path.moveTo(x, y);
        path.lineTo(x, y + 1);
      }
      if (at(x, y) !== at(x, y - 1)) {
        path.moveTo(x, y);
        path.lineTo(x + 1, y);
      }
    }
  }
  return path;
}
