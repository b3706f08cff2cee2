// One picture on the screen: painted at its own size, shown through the view that all share.

import { make } from "./dom.js";
import { paint } from "./paint.js";

/** @typedef {import("./data.js").Picture} Picture */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./paint.js").Range} Range */

/**
 * @typedef {{id: string, title: string, note: string, picture: Picture}} Shown
 * What a tile shows: an answer, the reference or the noisy image.
 */

export class Tile {
  /** @param {number} place */
  constructor(place) {
    this.source = document.createElement("canvas");
    this.against = document.createElement("canvas");
    this.canvas = make("canvas", { class: "pixels" });
    this.key = make("kbd", {}, place < 10 ? String((place + 1) % 10) : "");
    this.title = make("span", { class: "tile-title" });
    this.note = make("span", { class: "tile-note" });
    this.value = make("span", { class: "tile-value" });
    this.caption = make("figcaption", {}, this.title, this.note, this.value);
    this.element = make("figure", { class: "tile" }, this.canvas, this.caption);
    /** @type {Shown | null} */
    this.shown = null;
    this.painted = "";
  }

  /**
   * Show a picture; it is painted again only if something about it changed.
   * @param {Shown} shown
   * @param {Picture} clean
   * @param {Picture} noisy
   * @param {State} state
   * @param {Range} range
   */
  show(shown, clean, noisy, state, range) {
    const key = [
      shown.id,
      state.image,
      state.noise,
      state.level,
      state.mode,
      range.low,
      range.high,
      state.inverted,
    ].join();
    this.shown = shown;
    this.title.textContent = shown.title;
    this.note.textContent = shown.note;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${shown.title} ${shown.note}`.trim());
    if (key === this.painted) return;
    paint(this.source, shown.picture, clean, noisy, state.mode, range, state.inverted);
    this.painted = key;
  }

  /**
   * Return how the image lies on the canvas, in its own pixels.
   * @param {State} state
   */
  placed(state) {
    const { width, height } = this.source;
    const scale = Math.min(this.canvas.width / width, this.canvas.height / height) * state.zoom;
    return {
      scale,
      left: this.canvas.width / 2 - state.x * width * scale,
      top: this.canvas.height / 2 - state.y * height * scale,
    };
  }

  /**
   * Draw the view, and what another picture shows left of the wipe.
   * @param {State} state
   * @param {boolean} marked
   * @param {{x: number, y: number} | null} pointer in pixels of the image
   * @param {boolean} wiped
   */
  draw(state, marked, pointer, wiped) {
    const ratio = window.devicePixelRatio || 1;
    const box = this.canvas.getBoundingClientRect();
    const [width, height] = [Math.round(box.width * ratio), Math.round(box.height * ratio)];
    if (!width || !height) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    drawView(context, this, state, wiped);
    if (pointer) {
      const { scale, left, top } = this.placed(state);
      context.strokeStyle = "#ffd23f";
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
 * Draw a tile's view on any canvas of the same shape.
 * @param {CanvasRenderingContext2D} context
 * @param {Tile} tile
 * @param {State} state
 * @param {boolean} wiped
 */
export function drawView(context, tile, state, wiped) {
  const { canvas } = context;
  const { width, height } = tile.source;
  const scale = Math.min(canvas.width / width, canvas.height / height) * state.zoom;
  const left = canvas.width / 2 - state.x * width * scale;
  const top = canvas.height / 2 - state.y * height * scale;
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
    context.fillStyle = "#ffd23f";
    context.fillRect(edge - 1, 0, 2, canvas.height);
  }
  if (state.region) {
    context.strokeStyle = "#ffd23f";
    context.lineWidth = Math.max(1, canvas.width / 400);
    const { x, y, width: across, height: down } = state.region;
    context.strokeRect(left + x * scale, top + y * scale, across * scale, down * scale);
  }
}
