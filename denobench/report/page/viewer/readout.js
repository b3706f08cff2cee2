// A table of all methods: the value under the pointer, and what a region scores.

import { make } from "./dom.js";
import { moments, psnr, ssimOf } from "./maths.js";
import { similarity } from "./paint.js";
import { REFERENCE } from "./state.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./tiles.js").Shown} Shown */

export class Readout {
  /** @param {Viewer} viewer */
  constructor(viewer) {
    this.viewer = viewer;
    this.where = make("p", { class: "where" });
    this.body = make("tbody");
    const heads = ["", "Value", "Error", "PSNR (dB)", "SSIM", "Mean", "SD"].map((text) =>
      make("th", { scope: "col" }, text),
    );
    this.table = make(
      "table",
      { class: "readout" },
      make("thead", {}, make("tr", {}, ...heads)),
      this.body,
    );
    this.element = make(
      "details",
      { class: "readouts", toggle: () => this.update() },
      make("summary", {}, "Values and region"),
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

  /** Compute the region's scores again. */
  update() {
    if (!this.element.open) return;
    const { viewer } = this;
    const clean = /** @type {Shown} */ (viewer.shown.get(REFERENCE)).picture;
    const region = viewer.state.region ?? { x: 0, y: 0, width: clean.width, height: clean.height };
    this.rows = [...viewer.given(), ...viewer.methods()].map((id) => {
      const shown = /** @type {Shown} */ (viewer.shown.get(id));
      return { shown, value: make("td"), error: make("td") };
    });
    this.body.replaceChildren(
      ...this.rows.map(({ shown, value, error }) => {
        const { mean, sd } = moments(shown.picture, region);
        const own = shown.id === REFERENCE || !viewer.content.reference;
        const scores = own
          ? [NaN, NaN]
          : [psnr(clean, shown.picture, region), ssimOf(similarity(clean, shown.picture), region)];
        const texts = [text(scores[0], 2), text(scores[1], 3), text(mean, 4), text(sd, 4)];
        return make(
          "tr",
          {},
          make("th", { scope: "row" }, shown.title),
          value,
          error,
          ...texts.map((each) => make("td", {}, each)),
        );
      }),
    );
    this.point();
  }

  /** Write the values under the pointer. */
  point() {
    const { pointer, state } = this.viewer;
    const region = state.region
      ? `Region ${state.region.width} × ${state.region.height} at x ${state.region.x}, y ${state.region.y}. `
      : "Scores of the whole image; draw a region for its own. ";
    this.where.textContent = region + (pointer ? `Pointer at x ${pointer.x}, y ${pointer.y}.` : "");
    const clean = this.viewer.shown.get(REFERENCE)?.picture;
    if (!clean || !this.element.open) return;
    for (const { shown, value, error } of this.rows) {
      const place = pointer ? pointer.y * clean.width + pointer.x : -1;
      const found = place < 0 ? NaN : shown.picture.values[place];
      value.textContent = text(found, 4);
      error.textContent = shown.id === REFERENCE ? "" : text(found - clean.values[place], 4);
    }
  }
}

/**
 * @param {number} value
 * @param {number} digits
 */
function text(value, digits) {
  if (Number.isNaN(value)) return "–";
  return Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "∞";
}
