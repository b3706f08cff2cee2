// The view as a picture, with its captions, at twice the size.

import { MODES, rangeOf } from "./paint.js";
import { drawView } from "./tiles.js";
import { described } from "./words.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */

const SCALE = 2;

/**
 * @param {Viewer} viewer
 * @returns {Promise<Blob | null>}
 */
export function compose(viewer) {
  const { state } = viewer;
  const tiles = viewer.arranged().map((_, place) => viewer.tiles[place]);
  const box = tiles[0].canvas.getBoundingClientRect();
  const [width, height, text] = [
    Math.round(box.width * SCALE),
    Math.round(box.height * SCALE),
    44 * SCALE,
  ];
  const across = Math.min(
    tiles.length,
    Math.max(1, Math.round(viewer.stage.getBoundingClientRect().width / box.width)),
  );
  const canvas = document.createElement("canvas");
  canvas.width = across * width;
  canvas.height = Math.ceil(tiles.length / across) * (height + text) + 24 * SCALE;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  tiles.forEach((tile, place) => {
    const part = document.createElement("canvas");
    part.width = width - 4 * SCALE;
    part.height = height;
    drawView(
      /** @type {CanvasRenderingContext2D} */ (part.getContext("2d")),
      tile,
      state,
      viewer.wiped(),
      viewer.tumour,
    );
    const [left, top] = [(place % across) * width, Math.floor(place / across) * (height + text)];
    context.drawImage(part, left, top);
    context.fillStyle = "#1d2329";
    context.font = `600 ${13 * SCALE}px system-ui, sans-serif`;
    write(context, tile.title.textContent ?? "", left, top + height + 16 * SCALE, part.width);
    context.font = `${12 * SCALE}px system-ui, sans-serif`;
    write(context, tile.note.textContent ?? "", left, top + height + 32 * SCALE, part.width);
  });
  const { low, high } = rangeOf(state.mode, state, state.reach);
  const range = [low, high].map((each) => String(Number(each.toPrecision(3))).replace("-", "−"));
  const caption = `${described(viewer)}. ${MODES[state.mode].title}, ${range.join(" to ")}.`;
  write(context, caption, 0, canvas.height - 8 * SCALE, canvas.width);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/**
 * Write a line, shortened where it is too long.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} left
 * @param {number} bottom
 * @param {number} width
 */
function write(context, text, left, bottom, width) {
  const letters = [...text];
  let shown = text;
  while (letters.length && context.measureText(shown).width > width) {
    letters.pop();
    shown = `${letters.join("")}…`;
  }
  context.fillText(shown, left, bottom);
}
