// What the page does: the viewer as soon as its first pictures are there, the rest once all is.

import { parsed, readContent } from "./data.js";
import { hiding } from "./hiding.js";
import { bindPlots } from "./plots.js";
import { bindTables } from "./tables.js";
import { Viewer } from "./viewer.js";

async function start() {
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
  await parsed();
  const hides = viewer ?? hiding();
  bindTables(content, hides);
  const plots = document.getElementById("plots");
  if (content?.scores.length && plots) {
    plots.hidden = false;
    bindPlots(plots, content, viewer, hides, shown);
  }
  for (const tell of hides.listeners) tell(); // of what the address hides
}

void start();
