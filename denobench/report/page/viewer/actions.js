// What buttons and keys do.

import { decoded } from "./data.js";
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
    inside: false,
    reach: viewer.first().reach,
  });
}

/** @param {Viewer} viewer */
export function fullScreen(viewer) {
  if (document.fullscreenElement) void document.exitFullscreen();
  else if (viewer.root.requestFullscreen) {
    viewer.controls.more.open = false; // its room is the images'
    void viewer.root.requestFullscreen();
  }
}

/** @param {Viewer} viewer */
export async function save(viewer) {
  const blob = await compose(viewer);
  if (blob) download(blob, "view.png");
}

/** @param {Viewer} viewer */
export async function copyLink(viewer) {
  viewer.write();
  try {
    await navigator.clipboard.writeText(location.href);
    viewer.status.textContent = "The link is copied.";
  } catch {
    viewer.status.textContent = `The link is in the address line: ${location.hash}`;
  }
}

/**
 * Go to the image, among those kept at this level, where the method does best or worst, or where it
 * differs most from the picture beside it.
 * @param {Viewer} viewer
 * @param {"best" | "worst" | "differs"} kind
 */
export function seek(viewer, kind) {
  const { content, state } = viewer;
  const [metric] = content.metrics;
  const sign = (metric.higher ? 1 : -1) * (kind === "worst" ? -1 : 1);
  const beside =
    state.other in viewer.view().scores
      ? state.other
      : viewer.methods().find((id) => id !== state.active);
  const value = (/** @type {import("./data.js").View} */ view) => {
    const own = decoded(view.scores[state.active]?.[metric.name]);
    if (kind !== "differs") return sign * own;
    return Math.abs(own - decoded(view.scores[beside ?? ""]?.[metric.name]));
  };
  const views = content.views
    .filter(
      (each) =>
        each.noise === state.noise && each.level === state.level && !Number.isNaN(value(each)),
    )
    .sort((a, b) => value(b) - value(a));
  if (!views.length) return;
  const count = new Set(views.map((each) => each.image)).size;
  const names = viewer.shown.get(state.active)?.title ?? state.active;
  const other =
    kind === "differs" && beside ? ` and ${viewer.shown.get(beside)?.title ?? beside}` : "";
  viewer.status.textContent = `${views[0].image}: ${{ best: "best", worst: "worst", differs: "largest difference" }[kind]} of ${count} images in ${metric.title}, ${names}${other}.`;
  void viewer.set({ image: views[0].image });
}
