// One picture on the screen: painted at its own size, shown through the view that all share.

import { make } from "./dom.js";
import { outlineOf } from "./outline.js";
import { paint } from "./paint.js";

/** @typedef {import("./data.js").Picture} Picture */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./paint.js").Range} Range */
/** @typedef {import("./paint.js").Mode} Mode */

/**
 * @typedef {{id: string, title: string, note: string, picture: Picture}} Shown
 * What a tile shows: an answer, the reference or the noisy image.
 *
 * @typedef {{clean: Picture, noisy: Picture, tumour: Picture | null, mode: Mode, range: Range,
 *   inverted: boolean, view: number}} Painting
 * How pictures are painted; `view` counts the views that were loaded.
 */

const YELLOW = "#ffd23f";
const CYAN = "#27d3ee";

export class Tile {
  constructor() {
    this.source = document.createElement("canvas");
    this.against = document.createElement("canvas");
    this.canvas = make("canvas", { class: "pixels" });
    this.key = make("kbd");
    this.title = make("bdi");
    this.note = make("span", { class: "tile-note" });
    this.value = make("span", { class: "tile-value" });
    this.caption = make(
      "figcaption",
      {},
      make("span", { class: "tile-title" }, this.key, this.title),
      make("span", { class: "tile-line" }, this.note, this.value),
    );
    this.element = make("figure", { class: "tile" }, this.canvas, this.caption);
    /** @type {Shown | null} */
    this.shown = null;
    this.painted = "";
  }

  /**
   * Show a picture; it is painted again only if something about it changed.
   * @param {Shown} shown
   * @param {Painting} painting
   * @param {string} key that shows it
   */
  show(shown, painting, key) {
    this.shown = shown;
    this.key.textContent = key;
    this.key.hidden = !key;
    this.name(shown.title, shown.note);
    const { mode, range, inverted, view } = painting;
    const painted = [shown.id, view, mode, range.low, range.high, inverted].join();
    if (painted === this.painted) return;
    paint(this.source, shown.picture, painting);
    this.painted = painted;
  }

  /**
   * @param {string} title
   * @param {string} note
   */
  name(title, note) {
    this.title.textContent = title;
    this.note.textContent = note;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${title} ${note}`.trim());
  }

  /**
   * Return how the image lies on the canvas, in its own pixels.
   * @param {State} state
   */
  placed(state) {
    return placed(this.canvas, this.source, state);
  }

  /**
   * Draw the view, and what another picture shows left of the wipe.
   * @param {State} state
   * @param {boolean} marked
   * @param {{x: number, y: number} | null} pointer in pixels of the image
   * @param {boolean} wiped
   * @param {Picture | null} tumour
   */
  draw(state, marked, pointer, wiped, tumour) {
    const ratio = window.devicePixelRatio || 1;
    const box = this.canvas.getBoundingClientRect();
    const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (!width || !height) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    drawView(context, this, state, wiped, tumour);
    if (pointer) {
      const { scale, left, top } = this.placed(state);
      context.strokeStyle = YELLOW;
      context.lineWidth = ratio;
      context.strokeRect(
        left + pointer.x * scale,
        top + pointer.y * scale,
        Math.max(scale, 3),
        Math.max(scale, 3),
      );
    }
    this.element.classList.toggle("active", marked);
  }

  /**
   * Return which pixel lies under a point of the screen, or null outside the image.
   * @param {State} state
   * @param {{clientX: number, clientY: number}} event
   */
  pixelAt(state, event) {
    const point = this.pointAt(state, event);
    const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
    const inside = x >= 0 && y >= 0 && x < this.source.width && y < this.source.height;
    return inside ? { x, y } : null;
  }

  /**
   * Return the point of the image under a point of the screen.
   * @param {State} state
   * @param {{clientX: number, clientY: number}} event
   */
  pointAt(state, event) {
    const box = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / box.width;
    const { scale, left, top } = this.placed(state);
    return {
      x: ((event.clientX - box.left) * ratio - left) / scale,
      y: ((event.clientY - box.top) * ratio - top) / scale,
    };
  }
}

/**
 * Return how an image lies on a canvas, in the canvas's pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {{width: number, height: number}} image
 * @param {State} state
 */
function placed(canvas, { width, height }, state) {
  const scale = Math.min(canvas.width / width, canvas.height / height) * state.zoom;
  return {
    scale,
    left: canvas.width / 2 - state.x * width * scale,
    top: canvas.height / 2 - state.y * height * scale,
  };
}

/**
 * Draw a tile's view on any canvas of the same shape.
 * @param {CanvasRenderingContext2D} context
 * @param {Tile} tile
 * @param {State} state
 * @param {boolean} wiped
 * @param {Picture | null} tumour
 */
export function drawView(context, tile, state, wiped, tumour) {
  const { canvas } = context;
  const { width, height } = tile.source;
  const { scale, left, top } = placed(canvas, tile.source, state);
  context.fillStyle = "#000";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = scale < 1; // magnified pixels stay pixels
  context.drawImage(tile.source, left, top, width * scale, height * scale);
  if (wiped) {
    const edge = state.wipe * canvas.width;
    context.save();
    context.beginPath();
    context.rect(0, 0, edge, canvas.height);
    context.clip();
    context.drawImage(tile.against, left, top, width * scale, height * scale);
    context.restore();
    context.fillStyle = YELLOW;
    context.fillRect(edge - 1, 0, 2, canvas.height);
  }
  const line = Math.max(1, canvas.width / 400);
  if (tumour && state.outline) {
    const { tumour: core, oedema } = outlineOf(tumour);
    context.save();
    context.setTransform(scale, 0, 0, scale, left, top);
    context.strokeStyle = CYAN;
    context.lineWidth = (0.5 * line) / scale;
    context.stroke(oedema);
    context.lineWidth = (1.5 * line) / scale;
    context.stroke(core);
    context.restore();
  }
  if (state.region && !state.inside) {
    context.strokeStyle = YELLOW;
    context.lineWidth = line;
    const { x, y, width: across, height: down } = state.region;
    context.strokeRect(left + x * scale, top + y * scale, across * scale, down * scale);
  }
}
