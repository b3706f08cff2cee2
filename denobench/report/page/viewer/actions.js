// What buttons and keys do.

import { download } from "./dom.js";
import { compose } from "./save.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */

/**
 * @param {Viewer} viewer
 * @param {number} level
 * @param {number} across
 */
export function centre(viewer, level, across) {
  return viewer.set({ low: level - across / 2, high: level + across / 2 });
}

/** @param {Viewer} viewer */
export function reset(viewer) {
  viewer.set({
    zoom: 1,
    x: 0.5,
    y: 0.5,
    low: 0,
    high: 1,
    inverted: false,
    region: null,
    reach: viewer.first().reach,
  });
}

/** @param {Viewer} viewer */
export function fullScreen(viewer) {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void viewer.root.requestFullscreen();
}

/** @param {Viewer} viewer */
export async function save(viewer) {
  const blob = await compose(viewer);
  if (blob) download(blob, "view.png");
}

/** @param {Viewer} viewer */
export async function copyLink(viewer) {
  try {
    await navigator.clipboard.writeText(location.href);
    viewer.status.textContent = "The link is copied.";
  } catch {
    viewer.status.textContent = `The link is in the address line: ${location.hash}`;
  }
}
