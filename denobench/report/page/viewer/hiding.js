// Which methods are hidden, everywhere on the page at once.

import { make } from "./dom.js";

/**
 * What hides methods and tells who shows them: the viewer, whose address says which they are, or, on
 * a page without pictures, `hiding()`.
 * @typedef {{state: {hidden: string[]}, listeners: (() => void)[],
 *   set: (change: {hidden: string[]}) => unknown}} Hiding
 */

/** @returns {Hiding} */
export function hiding() {
  /** @type {Hiding} */
  const found = {
    state: { hidden: [] },
    listeners: [],
    set: (change) => {
      Object.assign(found.state, change);
      for (const tell of found.listeners) tell();
    },
  };
  return found;
}

/**
 * Return a box for every method that can be hidden.
 * @param {import("./data.js").Content} content
 * @param {Hiding} hides
 */
export function methodBoxes(content, hides) {
  const boxes = content.methods
    .filter((each) => !each.identity)
    .map((each) => ({ each, box: make("input", { type: "checkbox" }) }));
  const update = () => {
    for (const { each, box } of boxes) box.checked = !hides.state.hidden.includes(each.id);
  };
  for (const { each, box } of boxes) {
    box.addEventListener("change", () => {
      const names = new Set(hides.state.hidden);
      if (!names.delete(each.id)) names.add(each.id);
      hides.set({ hidden: [...names] });
    });
  }
  hides.listeners.push(update);
  update();
  return make(
    "details",
    { class: "chosen" },
    make("summary", {}, "Methods shown"),
    make(
      "div",
      { class: "methods" },
      ...boxes.map(({ each, box }) => make("label", {}, box, make("bdi", {}, each.label))),
    ),
  );
}
