// The bar of choices above the tiles.

import { centre, copyLink, fullScreen, reset, save, seek } from "./actions.js";
import { choice, make } from "./dom.js";
import { methodBoxes } from "./hiding.js";
import { HELP } from "./keys.js";
import { MODES, modesOf, paintBar, rangeOf } from "./paint.js";
import { described, placeOf } from "./words.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./state.js").State} State */

/** @type {[string, number, number][]} */
const PRESETS = [
  ["Full", 0, 1],
  ["Dark half", 0, 0.5],
  ["Middle", 0.25, 0.75],
  ["Bright half", 0.5, 1],
];

/** @param {Viewer} viewer */
export function buildControls(viewer) {
  const { content } = viewer;
  const images = [...new Set(content.views.map((each) => each.image))];
  const image = choice(
    "Image",
    images.map((each) => [each, each]),
    (value) => viewer.set({ image: value }),
  );
  const present = content.noises.filter(({ name }) =>
    content.views.some((each) => each.noise === name),
  );
  const noise = choice(
    "Noise",
    present.map((each) => [each.name, each.title]),
    (value) => viewer.set({ noise: value }),
  );
  const level = choice("σ", [], (value) => viewer.set({ level: Number(value) }));
  const slice = make("input", {
    type: "range",
    step: 1,
    input: () => viewer.set({ slice: slices[slice.valueAsNumber] }),
  });
  /** @type {number[]} */
  let slices = [];
  const sliced = make("label", { class: "field" }, make("span", {}, "Slice"), slice);
  const modes = modesOf(content.reference).map(
    (name) => /** @type {[string, string]} */ ([name, MODES[name].name]),
  );
  const mode = choice("Show", modes, (value) =>
    viewer.set({ mode: /** @type {State["mode"]} */ (value) }),
  );
  const layout = choice(
    "Tiles",
    [
      ["1", "One"],
      ["2", "Two"],
      ["4", "Four"],
      ["all", "All"],
    ],
    (value) => viewer.set({ layout: /** @type {State["layout"]} */ (value) }),
  );
  const active = choice("Method", [], (value) => viewer.set({ active: value }));
  const other = choice("Beside", [], (value) => viewer.set({ other: value }));
  const tool = choice(
    "Drag",
    [
      ["window", "Window"],
      ["pan", "Pan"],
      ["region", "Region"],
    ],
    (value) => viewer.set({ tool: /** @type {State["tool"]} */ (value) }),
  );
  const preset = choice(
    "Window",
    [["", "As set"], ...PRESETS.map(([name]) => /** @type {[string, string]} */ ([name, name]))],
    (value) => {
      const found = PRESETS.find(([name]) => name === value);
      if (found) viewer.set({ low: found[1], high: found[2] });
    },
  );
  const number = (/** @type {string} */ label, /** @type {(value: number) => void} */ set) => {
    const input = make("input", {
      type: "number",
      step: 0.01,
      change: () => Number.isFinite(input.valueAsNumber) && set(input.valueAsNumber),
    });
    return { input, element: make("label", { class: "field" }, make("span", {}, label), input) };
  };
  const low = number("Level", (value) => centre(viewer, value, width(viewer)));
  const high = number("Width", (value) => centre(viewer, middle(viewer), Math.max(0.001, value)));
  const reach = number("Errors up to", (value) => viewer.set({ reach: Math.max(1e-4, value) }));
  const toggle = (/** @type {string} */ text, /** @type {() => void} */ act) =>
    make("button", { type: "button", click: act, "aria-pressed": "false" }, text);
  const press = (/** @type {string} */ text, /** @type {() => void} */ act) =>
    make("button", { type: "button", click: act }, text);
  const outline = toggle("Tumour outline", () => viewer.set({ outline: !viewer.state.outline }));
  const inverted = toggle("Invert", () => viewer.set({ inverted: !viewer.state.inverted }));
  const wipe = toggle("Wipe", () => viewer.set({ layout: "1", wipe: viewer.wiped() ? -1 : 0.5 }));
  const slider = make("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.005,
    "aria-label": "Where the wipe is",
    input: () => viewer.set({ wipe: slider.valueAsNumber }),
  });
  const help = make("dialog", { class: "help", "aria-label": "Keys" });
  help.append(
    make(
      "dl",
      {},
      ...HELP.flatMap(([keys, text]) => [
        make("dt", {}, make("kbd", {}, keys)),
        make("dd", {}, text),
      ]),
    ),
    press("Close", () => help.close()),
  );
  const bar = make("canvas", { class: "bar" });
  const ends = [make("span"), make("span"), make("span")];
  const where = make("p", { class: "what" });
  const region = press("Magnify region", () => viewer.zoomToRegion());
  const group = (/** @type {string} */ name, /** @type {HTMLElement[]} */ ...parts) =>
    make("div", { class: "bar-of", role: "group", "aria-label": name }, ...parts);
  const seeking = group(
    "Find an image",
    press("Worst image", () => seek(viewer, "worst")),
    press("Best image", () => seek(viewer, "best")),
    press("Largest difference", () => seek(viewer, "differs")),
  );
  const more = make(
    "details",
    { class: "more" },
    make("summary", {}, "Window, zoom, find, save"),
    make(
      "div",
      { class: "groups" },
      group("Window", preset.element, low.element, high.element, reach.element, inverted),
      group(
        "View",
        tool.element,
        press("Zoom in", () => viewer.zoom(1.5)),
        press("Zoom out", () => viewer.zoom(1 / 1.5)),
        region,
        press("Reset", () => reset(viewer)),
        wipe,
        slider,
        outline,
      ),
      seeking,
      group(
        "Keep",
        press("Full screen", () => fullScreen(viewer)),
        press("Save PNG", () => save(viewer)),
        press("Copy link", () => copyLink(viewer)),
        press("Keys", () => help.showModal()),
      ),
    ),
  );
  more.open = matchMedia("(min-width: 40rem)").matches;
  const element = make(
    "div",
    { class: "controls" },
    make(
      "div",
      { class: "bar-of main" },
      image.element,
      sliced,
      noise.element,
      level.element,
      mode.element,
      layout.element,
      active.element,
      other.element,
    ),
    more,
    methodBoxes(content, viewer),
    make(
      "div",
      { class: "scale" },
      where,
      make("span", { class: "key" }, ends[0], bar, ...ends.slice(1)),
    ),
    help,
  );

  const update = () => {
    const { state } = viewer;
    const range = rangeOf(state.mode, state, state.reach);
    image.select.value = state.image;
    slices = viewer.slices();
    slice.max = String(Math.max(0, slices.length - 1));
    slice.value = String(slices.indexOf(state.slice));
    sliced.hidden = slices.length < 2;
    where.textContent = described(viewer);
    slice.setAttribute("aria-valuetext", placeOf(viewer));
    noise.select.value = state.noise;
    fill(
      level.select,
      viewer.levelsOf(state.image, state.noise).map((each) => [String(each), String(each)]),
      String(state.level),
    );
    const named = [...viewer.given(), ...viewer.methods()].map(
      (id) => /** @type {[string, string]} */ ([id, viewer.shown.get(id)?.title ?? id]),
    );
    fill(active.select, named, state.active);
    fill(other.select, named, state.other);
    image.element.hidden = images.length < 2;
    noise.element.hidden = present.length < 2;
    level.element.hidden = content.views.every((each) => each.level === state.level);
    seeking.hidden = !content.cells.image.length; // of files alone
    outline.hidden = !viewer.tumour;
    outline.setAttribute("aria-pressed", String(state.outline));
    region.disabled = !state.region;
    reach.element.hidden = !["error", "signed", "residual"].includes(state.mode);
    for (const each of [preset, low, high]) each.element.hidden = state.mode !== "image";
    mode.select.value = state.mode;
    layout.select.value = state.layout;
    tool.select.value = state.tool;
    const fits = PRESETS.find(([, from, to]) => from === state.low && to === state.high);
    preset.select.value = fits ? fits[0] : "";
    low.input.value = String(Number(middle(viewer).toFixed(4)));
    high.input.value = String(Number(width(viewer).toFixed(4)));
    reach.input.value = String(Number(state.reach.toPrecision(3)));
    inverted.setAttribute("aria-pressed", String(state.inverted));
    wipe.setAttribute("aria-pressed", String(viewer.wiped()));
    slider.hidden = !viewer.wiped();
    slider.value = String(state.wipe);
    other.element.hidden = state.layout !== "2" && !viewer.wiped();
    paintBar(bar, state.mode, state.inverted);
    ends[0].textContent = shortened(range.low);
    ends[1].textContent = shortened(range.high);
    ends[2].textContent = MODES[state.mode].title;
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", "Colours from the least to the greatest value");
  };
  return { element, update, help, more };
}

/** @param {Viewer} viewer */
const width = (viewer) => viewer.state.high - viewer.state.low;
/** @param {Viewer} viewer */
const middle = (viewer) => (viewer.state.high + viewer.state.low) / 2;

/**
 * @param {HTMLSelectElement} select
 * @param {[string, string][]} options
 * @param {string} value
 */
function fill(select, options, value) {
  const key = JSON.stringify(options);
  if (select.dataset.options !== key) {
    select.replaceChildren(...options.map(([each, text]) => make("option", { value: each }, text)));
    select.dataset.options = key;
  }
  select.value = value;
}

/** @param {number} value */
function shortened(value) {
  return String(Number(value.toPrecision(3))).replace("-", "−");
}
