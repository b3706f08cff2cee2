// Numbers into colours: a picture or a map, its window, its colour bar.

import { clamp, ssimMap } from "./maths.js";
import { NOISY, REFERENCE } from "./state.js";

/** @typedef {import("./data.js").Picture} Picture */
/** @typedef {"image" | "error" | "signed" | "residual" | "ssim"} Mode */
/** @typedef {{low: number, high: number}} Range */
/** @typedef {import("./tiles.js").Painting} Painting */

/** @type {Record<Mode, {name: string, title: string, map: "grey" | "magma" | "balance"}>} */
export const MODES = {
  image: { name: "Image", title: "Intensity", map: "grey" },
  error: { name: "Absolute error", title: "Absolute error |answer − reference|", map: "magma" },
  signed: { name: "Signed error", title: "Signed error, answer − reference", map: "balance" },
  residual: { name: "Residual", title: "Residual, noisy − answer", map: "grey" },
  ssim: { name: "Local SSIM", title: "Local SSIM", map: "magma" },
};

/**
 * Return the modes there are: without a reference nobody knows an error.
 * @param {boolean} reference
 */
export function modesOf(reference) {
  const all = /** @type {Mode[]} */ (Object.keys(MODES));
  return reference ? all : all.filter((mode) => mode === "image" || mode === "residual");
}

/**
 * Return how a picture is shown in a mode: the reference has no error and the noisy image no
 * residual, so they are shown as they are, to see where one is.
 * @param {string} id
 * @param {Mode} mode
 * @param {boolean} reference whether there is one; else the noisy image stands in its place
 * @returns {Mode}
 */
export function modeFor(id, mode, reference) {
  if (id === REFERENCE) return mode === "residual" && reference ? mode : "image";
  return id === NOISY && mode === "residual" ? "image" : mode;
}

// Matplotlib's magma, and blue over white to red, which colour-blind readers tell apart.
const ANCHORS = {
  grey: [0x000000, 0xffffff],
  magma: [0x000004, 0x1c1044, 0x4f127b, 0x812581, 0xb5367a, 0xe55064, 0xfb8761, 0xfec287, 0xfcfdbf],
  balance: [0x053061, 0x2e77b5, 0x92c5de, 0xf7f7f7, 0xf4a582, 0xc13639, 0x67001f],
};

/** @type {Map<string, Uint32Array>} */
const tables = new Map();

/**
 * Return 256 colours, as a canvas holds them.
 * @param {"grey" | "magma" | "balance"} name
 * @param {boolean} inverted
 */
export function colours(name, inverted) {
  const key = `${name}${inverted}`;
  let found = tables.get(key);
  if (!found) {
    const anchors = ANCHORS[name];
    found = new Uint32Array(256);
    for (let i = 0; i < 256; i++) {
      const place = ((inverted ? 255 - i : i) / 255) * (anchors.length - 1);
      const left = Math.min(Math.floor(place), anchors.length - 2);
      const mix = (/** @type {number} */ shift) => {
        const [a, b] = [anchors[left], anchors[left + 1]].map((each) => (each >> shift) & 255);
        return Math.round(a + (b - a) * (place - left));
      };
      found[i] = ((255 << 24) | (mix(0) << 16) | (mix(8) << 8) | mix(16)) >>> 0;
    }
    tables.set(key, found);
  }
  return found;
}

/**
 * Return the range of values that a mode shows: the image's window, or as far as errors reach.
 * @param {Mode} mode
 * @param {Range} window
 * @param {number} reach
 * @returns {Range}
 */
export function rangeOf(mode, window, reach) {
  if (mode === "image") return window;
  if (mode === "ssim") return { low: 0, high: 1 };
  return mode === "error" ? { low: 0, high: reach } : { low: -reach, high: reach };
}

/** @type {WeakMap<Picture, Picture>} */
const maps = new WeakMap();

/**
 * Return the local SSIM of an answer, computed once.
 * @param {Picture} clean
 * @param {Picture} answer
 */
export function similarity(clean, answer) {
  let found = maps.get(answer);
  if (!found) {
    found = ssimMap(clean, answer);
    maps.set(answer, found);
  }
  return found;
}

/**
 * Return what a mode shows at every pixel.
 * @param {Mode} mode
 * @param {Picture} answer
 * @param {Picture} clean
 * @param {Picture} noisy
 * @returns {(place: number) => number}
 */
export function valuesOf(mode, answer, clean, noisy) {
  const a = answer.values;
  const c = clean.values;
  const n = noisy.values;
  if (mode === "error") return (i) => Math.abs(clamp(a[i]) - c[i]);
  if (mode === "signed") return (i) => clamp(a[i]) - c[i];
  if (mode === "residual") return (i) => n[i] - a[i];
  if (mode === "ssim") {
    const map = similarity(clean, answer).values;
    return (i) => map[i];
  }
  return (i) => a[i];
}

/**
 * Paint a picture at its own size.
 * @param {HTMLCanvasElement} canvas
 * @param {Picture} answer
 * @param {Pick<Painting, "clean" | "noisy" | "mode" | "range" | "inverted">} painting
 */
export function paint(canvas, answer, { clean, noisy, mode, range, inverted }) {
  const { width, height } = answer;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const table = colours(MODES[mode].map, inverted);
  const scale = 255 / Math.max(range.high - range.low, 1e-9);
  const value = valuesOf(mode, answer, clean, noisy);
  for (let i = 0; i < pixels.length; i++) {
    const place = (value(i) - range.low) * scale;
    pixels[i] = table[place <= 0 ? 0 : place >= 255 ? 255 : (place + 0.5) | 0];
  }
  context.putImageData(image, 0, 0);
}

/**
 * Paint a colour bar.
 * @param {HTMLCanvasElement} canvas
 * @param {Mode} mode
 * @param {boolean} inverted
 */
export function paintBar(canvas, mode, inverted) {
  canvas.width = 256;
  canvas.height = 1;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(256, 1);
  new Uint32Array(image.data.buffer).set(colours(MODES[mode].map, inverted));
  context.putImageData(image, 0, 0);
}
