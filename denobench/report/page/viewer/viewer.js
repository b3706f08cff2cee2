// The viewer: what is chosen becomes tiles, a table of values, and an address.

import { buildControls } from "./controls.js";
import { decoded, picture, printed } from "./data.js";
import { make } from "./dom.js";
import { bindKeys } from "./keys.js";
import { modeFor, paint, rangeOf, valuesOf } from "./paint.js";
import { bindPointer } from "./pointer.js";
import { Readout } from "./readout.js";
import { fromAddress, NOISY, plain, REFERENCE, toAddress } from "./state.js";
import { Tile } from "./tiles.js";
import { absent } from "./words.js";

/** @typedef {import("./data.js").Content} Content */
/** @typedef {import("./data.js").View} View */
/** @typedef {import("./data.js").Picture} Picture */
/** @typedef {import("./state.js").State} State */
/** @typedef {import("./tiles.js").Shown} Shown */

export class Viewer {
  /**
   * @param {HTMLElement} root
   * @param {Content} content
   */
  constructor(root, content) {
    this.root = root;
    this.content = content;
    this.state = this.first();
    /** @type {Map<string, Shown>} */
    this.shown = new Map();
    /** @type {Picture | null} what residuals are taken from */
    this.noisy = null;
    /** @type {Picture | null} the tumour's mask, where it is known */
    this.tumour = null;
    /** @type {Tile[]} */
    this.tiles = [];
    /** @type {string | null} a picture that is shown for as long as a key is held */
    this.held = null;
    /** @type {{x: number, y: number} | null} */
    this.pointer = null;
    this.loading = 0;
    this.loaded = 0;
    this.frame = 0;
    this.writing = 0;
    /** @type {(() => void)[]} called when methods are hidden or shown */
    this.listeners = [];
    this.stage = make("div", { class: "stage" });
    this.status = make("p", { class: "soft", role: "status" });
    this.absent = make("p", { class: "soft" });
    this.readout = new Readout(this);
    this.controls = buildControls(this);
    root.append(this.controls.element, this.stage, this.absent);
    root.append(this.status, this.readout.element);
    bindKeys(this);
    bindPointer(this);
    new ResizeObserver(() => this.redraw()).observe(this.stage);
    window.addEventListener("hashchange", () => this.restore());
  }

  /** @returns {State} */
  first() {
    const view = this.content.views[this.content.start];
    const { image, slice, noise, level } = view;
    const active = this.methodsOf(view)[0] ?? REFERENCE;
    const state = plain({ image, slice, noise, level, active });
    state.reach = Number(Math.max(0.01, level).toPrecision(2));
    return state;
  }

  /** @param {View | undefined} view */
  methodsOf(view) {
    return this.content.methods.map((each) => each.id).filter((id) => view && id in view.answers);
  }

  /**
   * @param {string} image
   * @param {string} noise
   */
  levelsOf(image, noise) {
    const found = this.content.views.filter((each) => each.image === image && each.noise === noise);
    return [...new Set(found.map((each) => each.level))].sort((a, b) => a - b);
  }

  /** The slices there are of the volume that is shown, in order; none of an image. */
  slices() {
    const { image, noise, level } = this.state;
    return this.content.views
      .filter((each) => each.image === image && each.noise === noise && each.level === level)
      .map((each) => each.slice)
      .filter(Boolean)
      .sort((a, b) => a - b);
  }

  /** The view that the state names, or the nearest there is. */
  view() {
    const { image, slice, noise, level } = this.state;
    const far = (/** @type {View} */ each) =>
      Number(each.image !== image) * 1e12 +
      Number(each.noise !== noise) * 1e9 +
      Number(each.level !== level) * 1e6 +
      Math.abs(each.slice - slice);
    return this.content.views.reduce((a, b) => (far(b) < far(a) ? b : a));
  }

  /** The methods that are shown, in the order of their keys. */
  methods() {
    return this.methodsOf(this.view()).filter((id) => !this.state.hidden.includes(id));
  }

  /** Take over what the address says. */
  restore() {
    clearTimeout(this.writing);
    this.state = fromAddress(location.hash, this.first());
    for (const tell of this.listeners) tell();
    return this.load(false);
  }

  /**
   * Change what is chosen.
   * @param {Partial<State>} change
   */
  set(change) {
    const before = this.state;
    this.state = { ...before, ...change };
    const moved = ["image", "slice", "noise", "level"].some((name) => name in change);
    if ("hidden" in change) for (const tell of this.listeners) tell();
    if (moved) return this.load(true);
    this.update();
    return Promise.resolve();
  }

  /**
   * Unpack a view's pictures, the reference first, and show them.
   * @param {boolean} written whether the address is to follow
   */
  async load(written) {
    const view = this.view();
    const { image, slice, noise, level } = view;
    Object.assign(this.state, { image, slice, noise, level });
    const turn = ++this.loading;
    const ids = this.methodsOf(view);
    const answers = ids.map((id) => view.answers[id]);
    const places = [view.clean, view.noisy ?? view.clean, view.tumour ?? view.clean, ...answers];
    const pictures = await Promise.all(places.map((place) => picture(this.content, place)));
    if (turn !== this.loading) return;
    this.loaded = turn;
    const labels = new Map(this.content.methods.map((each) => [each.id, each.label]));
    const nothing = this.content.methods.find((each) => each.identity);
    this.shown.clear();
    this.shown.set(REFERENCE, {
      id: REFERENCE,
      title: this.content.reference ? "Reference" : "Noisy",
      note: "",
      picture: pictures[0],
    });
    const note = nothing ? this.scores(view, nothing.id) : "";
    this.noisy = pictures[1];
    this.tumour = view.tumour === null ? null : pictures[2];
    if (view.noisy !== null && this.content.reference)
      this.shown.set(NOISY, { id: NOISY, title: "Noisy", note, picture: pictures[1] });
    ids.forEach((id, place) => {
      const title = labels.get(id) ?? id;
      this.shown.set(id, { id, title, note: this.scores(view, id), picture: pictures[place + 3] });
    });
    const { region } = this.state;
    const { width, height } = pictures[0];
    if (region && (region.x + region.width > width || region.y + region.height > height))
      this.state.region = null;
    this.absent.textContent = absent(this.content, ids);
    if (!this.shown.has(this.state.active)) this.state.active = ids[0] ?? REFERENCE;
    if (!this.shown.has(this.state.other)) this.state.other = REFERENCE;
    this.update(written);
    this.root.dataset.ready = String(turn);
  }

  /**
   * Return the scores of a method's answer, as tables print them.
   * @param {View} view
   * @param {string} id
   */
  scores(view, id) {
    const scores = view.scores[id];
    if (!scores || !Object.keys(scores).length) return "";
    const main = this.content.metrics.filter(
      (each) => each.name === "psnr" || each.name === "ssim",
    );
    const shown = (main.length ? main : this.content.metrics.slice(0, 2)).filter(
      (each) => !Number.isNaN(decoded(scores[each.name])),
    );
    // A run scores a volume as a whole, whichever of its slices is shown.
    const whole = view.slice && this.content.cells.image.length && shown.length ? "volume " : "";
    const texts = shown
      .map((each) => printed(each, decoded(scores[each.name])) + (each.unit && ` ${each.unit}`))
      .join(" / ");
    return whole + texts;
  }

  /** What there is beside the methods' answers. */
  given() {
    return [REFERENCE, NOISY].filter((id) => this.shown.has(id));
  }

  /** What stands in the tiles, in order. */
  arranged() {
    const { layout, active, other } = this.state;
    const methods = this.methods();
    if (layout === "1") return [this.held ?? active];
    if (layout === "2") return [other, this.held ?? active];
    if (layout === "4") {
      const start = Math.max(0, methods.indexOf(active));
      const rest = methods.slice(start, start + 3);
      return [REFERENCE, ...rest, ...methods.filter((id) => !rest.includes(id))].slice(0, 4);
    }
    const all = [...this.given(), ...methods];
    return this.held ? all.map(() => /** @type {string} */ (this.held)) : all;
  }

  /** @param {boolean} written */
  update(written = true) {
    const clean = this.shown.get(REFERENCE);
    if (!clean) return;
    const { stage, state } = this;
    const ids = this.arranged();
    const methods = this.methods();
    stage.dataset.layout = state.layout;
    stage.dataset.tool = state.tool;
    stage.toggleAttribute("data-zoomed", state.zoom > 1);
    while (this.tiles.length < ids.length) this.tiles.push(new Tile());
    if (stage.childElementCount !== ids.length)
      stage.replaceChildren(...this.tiles.slice(0, ids.length).map((tile) => tile.element));
    stage.style.setProperty("--shape", `${clean.picture.width} / ${clean.picture.height}`);
    ids.forEach((id, place) => {
      const shown = this.shown.get(id);
      const key = methods.indexOf(id) + 1;
      if (shown)
        this.tiles[place].show(shown, this.painting(id), key && key < 11 ? String(key % 10) : "");
    });
    const against = this.shown.get(state.other);
    if (this.wiped() && against) {
      const [tile] = this.tiles;
      paint(tile.against, against.picture, this.painting(state.other));
      tile.name(`${against.title} | ${tile.shown?.title}`, `${against.note} | ${tile.shown?.note}`);
    }
    this.controls.update();
    this.readout.update();
    this.redraw();
    if (!written) return;
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.write(), 100);
  }

  /** Put what is chosen into the address: when it rests, since that takes longer than a flip. */
  write() {
    clearTimeout(this.writing);
    history.replaceState(null, "", toAddress(this.state));
  }

  /**
   * How a picture is painted.
   * @param {string} id
   * @returns {import("./tiles.js").Painting}
   */
  painting(id) {
    const { mode, low, high, reach, inverted } = this.state;
    const clean = /** @type {Shown} */ (this.shown.get(REFERENCE)).picture;
    const own = modeFor(id, mode, this.content.reference);
    return {
      clean,
      noisy: this.noisy ?? clean,
      tumour: this.tumour,
      mode: own,
      range: rangeOf(own, { low, high }, reach),
      inverted,
      view: this.loaded,
    };
  }

  /** Whether the only tile shows two pictures. */
  wiped() {
    return this.state.layout === "1" && this.state.wipe >= 0;
  }

  /** Draw all tiles in the next frame. */
  redraw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const ids = this.arranged();
      ids.forEach((id, place) => {
        const tile = this.tiles[place];
        if (!tile?.shown) return;
        tile.draw(
          this.state,
          id === this.state.active && ids.length > 1,
          this.pointer,
          this.wiped(),
          this.tumour,
        );
        tile.value.textContent = this.valueAt(tile.shown);
      });
    });
  }

  /** @param {Shown} shown */
  valueAt(shown) {
    if (!this.pointer) return "";
    const { clean, noisy, mode } = this.painting(shown.id);
    const place = this.pointer.y * clean.width + this.pointer.x;
    const value = shown.picture.values[place];
    const text = value.toFixed(4).replace("-", "−");
    if (shown.id === REFERENCE && mode !== "residual") return text;
    const own = mode === "residual" || mode === "ssim" ? mode : "signed";
    if (own === "signed" && !this.content.reference) return text;
    const found = valuesOf(own, shown.picture, clean, noisy)(place);
    const sign = found < 0 ? "−" : own === "ssim" ? "" : "+";
    return `${text} (${sign}${Math.abs(found).toFixed(4)})`;
  }

  /** @param {{x: number, y: number} | null} pointer */
  point(pointer) {
    this.pointer = pointer;
    this.readout.point();
    this.redraw();
  }

  /**
   * Show a method, by its place among the keys.
   * @param {number} place
   */
  flip(place) {
    const id = this.methods()[place];
    if (id) this.set({ active: id });
  }

  /** @param {number} step */
  step(step) {
    const methods = this.methods();
    if (!methods.length) return;
    const place = methods.indexOf(this.state.active);
    this.set({ active: methods[(place + step + methods.length) % methods.length] });
  }

  /**
   * Go to another image, slice or level.
   * @param {"image" | "slice" | "level"} what
   * @param {number} step
   * @returns {boolean} whether there is another
   */
  move(what, step) {
    const { image, noise } = this.state;
    /** @type {(string | number)[]} */
    const all = {
      image: [...new Set(this.content.views.map((each) => each.image))],
      slice: this.slices(),
      level: this.levelsOf(image, noise),
    }[what];
    const own = this.state[what];
    const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(own) + step))];
    if (next === own || next === undefined) return false;
    void this.set({ [what]: next });
    return true;
  }

  /**
   * Zoom by a factor, about a point of the image, from 0 to 1.
   * @param {number} factor
   * @param {{x: number, y: number}} [about]
   */
  zoom(factor, about = { x: this.state.x, y: this.state.y }) {
    const zoom = Math.min(64, Math.max(1, this.state.zoom * factor));
    const kept = this.state.zoom / zoom;
    this.pan(
      about.x + (this.state.x - about.x) * kept,
      about.y + (this.state.y - about.y) * kept,
      zoom,
    );
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} [zoom]
   */
  pan(x, y, zoom = this.state.zoom) {
    const edge = 0.5 / zoom;
    const kept = (/** @type {number} */ value) => Math.min(1 - edge, Math.max(edge, value));
    this.set({ x: kept(x), y: kept(y), zoom });
  }

  /** Magnify the region for all, or the whole image again. */
  zoomToRegion() {
    const { region } = this.state;
    const clean = this.shown.get(REFERENCE)?.picture;
    if (!region || !clean) return;
    const zoom = 0.9 * Math.min(clean.width / region.width, clean.height / region.height);
    const x = (region.x + region.width / 2) / clean.width;
    const y = (region.y + region.height / 2) / clean.height;
    this.pan(x, y, Math.min(64, Math.max(1, zoom)));
  }
}
