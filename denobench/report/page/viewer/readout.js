// A table of all methods: the value under the pointer, and what a region scores.

import { make } from "./dom.js";
import { clamp, moments, psnr, ssimOf } from "./maths.js";
import { insideOf } from "./outline.js";
import { similarity } from "./paint.js";
import { REFERENCE } from "./state.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./tiles.js").Shown} Shown */
/** @typedef {import("./maths.js").Region} Region */

const SIDES = /** @type {const} */ (["x", "y", "width", "height"]);

export class Readout {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.where = make("p", { class: "where" });
    this.body = make("tbody");
    const heads = viewer.content.reference
      ? ["", "Value", "Error", "PSNR (dB)", "SSIM", "Mean", "SD"]
      : ["", "Value", "Mean", "SD"];
    this.table = make(
      "table",
      { class: "readout" },
      make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)))),
      this.body,
    );
    this.pointed = ["x", "y"].map((name) => number(`Pointer ${name}`, () => this.pointAt()));
    this.sides = SIDES.map((name) => number(`Region ${name}`, () => this.drawRegion()));
    this.inside = make("input", {
      type: "checkbox",
      change: () => viewer.set({ inside: this.inside.checked }),
    });
    this.tumour = make("label", {}, this.inside, "Score the tumour, core and rim");
    const none = make(
      "button",
      { type: "button", click: () => viewer.set({ region: null, inside: false }) },
      "Whole image",
    );
    const fields = [...this.pointed, ...this.sides].map((each) => each.element);
    this.element = make(
      "details",
      { class: "readouts controls", toggle: () => this.update() },
      make("summary", {}, "Values and region"),
      make("div", { class: "bar-of" }, ...fields, none, this.tumour),
      this.where,
      make(
        "div",
        { class: "wide", tabindex: 0, role: "region", "aria-label": "Values and region" },
        this.table,
      ),
    );
    /** @type {{shown: Shown, value: HTMLElement, error: HTMLElement}[]} */
    this.rows = [];
  }

  /** Point at the pixel that the numbers name. */
  pointAt() {
    const [x, y] = this.pointed.map(({ input }) => input.valueAsNumber);
    if (Number.isInteger(x) && Number.isInteger(y)) this.viewer.point(this.kept({ x, y }));
  }

  /** Draw the region that the numbers name, once all are there. */
  drawRegion() {
    const { width, height } = this.size();
    const [x, y, across, down] = this.sides.map(({ input }) => input.valueAsNumber);
    if (![x, y, across, down].every(Number.isInteger)) return;
    const from = this.kept({ x, y });
    const region = {
      ...from,
      width: Math.min(Math.max(1, across), width - from.x),
      height: Math.min(Math.max(1, down), height - from.y),
    };
    void this.viewer.set({ region, inside: false });
  }

  size() {
    return /** @type {Shown} */ (this.viewer.shown.get(REFERENCE)).picture;
  }

  /** @param {{x: number, y: number}} point */
  kept({ x, y }) {
    const { width, height } = this.size();
    return {
      x: Math.min(Math.max(0, x), width - 1),
      y: Math.min(Math.max(0, y), height - 1),
    };
  }

  /** What is scored: a region, the tumour in it or the whole image; and which of its pixels. */
  scored() {
    const { tumour, state } = this.viewer;
    const { width, height } = this.size();
    const whole = { x: 0, y: 0, width, height };
    if (state.inside && tumour) return { region: whole, part: insideOf(tumour) };
    return { region: state.region ?? whole, part: undefined };
  }

  /** Compute the region's scores again. */
  update() {
    if (!this.element.open) return;
    const { viewer } = this;
    const { region } = viewer.state;
    this.tumour.hidden = !viewer.tumour;
    this.inside.checked = viewer.state.inside;
    this.sides.forEach(({ input }, place) => {
      if (region) input.value = String(region[SIDES[place]]);
      else if (document.activeElement !== input) input.value = "";
    });
    this.rows = [...viewer.given(), ...viewer.methods()].map((id) => {
      const shown = /** @type {Shown} */ (viewer.shown.get(id));
      return { shown, value: make("td"), error: make("td") };
    });
    this.body.replaceChildren(...this.rows.map((row) => this.rowOf(row)));
    this.point();
  }

  /** @param {{shown: Shown, value: HTMLElement, error: HTMLElement}} row */
  rowOf({ shown, value, error }) {
    const { region, part } = this.scored();
    const clean = this.size();
    const { mean, sd } = moments(shown.picture, region, part);
    const texts = [text(mean, 4), text(sd, 4)];
    const cells = [value];
    if (this.viewer.content.reference) {
      const own = shown.id === REFERENCE;
      const similar = own ? NaN : ssimOf(similarity(clean, shown.picture), region, part);
      texts.unshift(
        text(own ? NaN : psnr(clean, shown.picture, region, part), 2),
        text(similar, 3),
      );
      cells.push(error);
    }
    const title = make("th", { scope: "row" }, make("bdi", {}, shown.title));
    return make("tr", {}, title, ...cells, ...texts.map((each) => make("td", {}, each)));
  }

  /** Write the values under the pointer. */
  point() {
    if (!this.element.open || !this.viewer.shown.size) return;
    const { pointer, state, tumour } = this.viewer;
    const { region } = state;
    const scored =
      state.inside && tumour
        ? "Scores of the tumour, core and rim. "
        : region
          ? `Region ${region.width} × ${region.height} at x ${region.x}, y ${region.y}. `
          : "Scores of the whole image; draw a region for its own. ";
    this.where.textContent = scored + (pointer ? `Pointer at x ${pointer.x}, y ${pointer.y}.` : "");
    this.pointed.forEach(({ input }, place) => {
      if (pointer) input.value = String(place ? pointer.y : pointer.x);
    });
    const clean = this.size();
    for (const { shown, value, error } of this.rows) {
      const place = pointer ? pointer.y * clean.width + pointer.x : -1;
      const found = place < 0 ? NaN : shown.picture.values[place];
      value.textContent = text(found, 4);
      const own = shown.id === REFERENCE;
      error.textContent = own ? "" : text(clamp(found) - clean.values[place], 4);
    }
  }
}

/**
 * @param {string} label
 * @param {() => void} changed
 */
function number(label, changed) {
  const input = make("input", { type: "number", step: 1, min: 0, input: changed });
  return { input, element: make("label", { class: "field" }, make("span", {}, label), input) };
}

/**
 * @param {number} value
 * @param {number} digits
 */
function text(value, digits) {
  if (Number.isNaN(value)) return "–";
  return Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "∞";
}
