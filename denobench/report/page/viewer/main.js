// What the page does once it is there.

import { readContent } from "./data.js";
import { hiding } from "./hiding.js";
import { bindPlots } from "./plots.js";
import { bindTables } from "./tables.js";
import { Viewer } from "./viewer.js";

function start() {
  const content = readContent();
  const root = document.getElementById("viewer");
  /** @type {Viewer | null} */
  let viewer = null;
  /** @type {Promise<void>} */
  let shown = Promise.resolve();
  if (content?.views.length && root) {
    for (const id of ["look", "to-viewer"]) document.getElementById(id)?.removeAttribute("hidden");
    viewer = new Viewer(root, content);
    shown = viewer.restore();
  }
  const hides = viewer ?? hiding();
  bindTables(content, hides);
  const plots = document.getElementById("plots");
  if (content?.scores.length && plots) {
    plots.hidden = false;
    bindPlots(plots, content, viewer, hides, shown);
  }
  for (const tell of hides.listeners) tell(); // of what the address hides
}

start();
