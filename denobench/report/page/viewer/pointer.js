// Mouse, pen and touch on the tiles: values, window, pan, region, wheel and pinch.

import { centre } from "./actions.js";

/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./tiles.js").Tile} Tile */

const NOTCH = 60; // of a wheel, in pixels: a slice

/** @param {Viewer} viewer */
export function bindPointer(viewer) {
  const { stage } = viewer;
  /** @type {Map<number, PointerEvent>} */
  const down = new Map();
  /** @type {{tile: Tile, event: PointerEvent, state: import("./state.js").State, spread: number} | null} */
  let start = null;

  let turned = 0;

  /** @param {Event} event */
  const tileOf = (event) => viewer.tiles.find((tile) => tile.canvas === event.target);
  const spread = () => {
    const [one, two] = down.values();
    return two ? Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY) : 0;
  };

  stage.addEventListener("pointerdown", (event) => {
    const tile = tileOf(event);
    if (!tile) return;
    tile.canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, event);
    start = { tile, event, state: viewer.state, spread: spread() };
  });

  stage.addEventListener("pointermove", (event) => {
    const tile = tileOf(event);
    if (tile) viewer.point(tile.pixelAt(viewer.state, event));
    if (!start || !down.has(event.pointerId)) return;
    down.set(event.pointerId, event);
    if (down.size > 1) {
      if (start.spread)
        viewer.zoom((spread() / start.spread) * (start.state.zoom / viewer.state.zoom));
    } else {
      drag(viewer, start.tile, start.state, start.event, event);
    }
  });

  for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) {
    stage.addEventListener(name, (event) => {
      const clicked =
        start &&
        name === "pointerup" &&
        Math.hypot(event.clientX - start.event.clientX, event.clientY - start.event.clientY) < 4;
      if (
        clicked &&
        start?.tile.shown &&
        viewer.content.methods.some((each) => each.id === start?.tile.shown?.id)
      )
        viewer.set({ active: start.tile.shown.id });
      down.delete(event.pointerId);
      if (!down.size) start = null;
    });
  }

  stage.addEventListener("pointerleave", () => viewer.point(null));
  stage.addEventListener("dblclick", () => viewer.set({ zoom: 1, x: 0.5, y: 0.5 }));
  stage.addEventListener(
    "wheel",
    (event) => {
      const tile = tileOf(event);
      if (!tile) return;
      if (viewer.slices().length > 1 && !event.ctrlKey) {
        turned += event.deltaMode ? event.deltaY * 20 : event.deltaY;
        const step = Math.trunc(turned / NOTCH);
        turned -= step * NOTCH;
        // At the last slice the page scrolls on.
        if (!step || viewer.move("slice", step)) event.preventDefault();
        return;
      }
      if (
        !(event.ctrlKey || viewer.state.zoom > 1 || document.fullscreenElement || event.deltaY < 0)
      )
        return;
      event.preventDefault();
      const point = tile.pointAt(viewer.state, event);
      viewer.zoom(Math.exp(-event.deltaY / 400), {
        x: point.x / tile.source.width,
        y: point.y / tile.source.height,
      });
    },
    { passive: false },
  );
}

/**
 * @param {Viewer} viewer
 * @param {Tile} tile
 * @param {import("./state.js").State} before
 * @param {PointerEvent} from
 * @param {PointerEvent} to
 */
function drag(viewer, tile, before, from, to) {
  const box = tile.canvas.getBoundingClientRect();
  const [across, along] = [
    (to.clientX - from.clientX) / box.width,
    (to.clientY - from.clientY) / box.height,
  ];
  // A finger that drags a magnified image means to move it.
  const moves = to.pointerType === "touch" && before.zoom > 1 && before.tool === "window";
  const tool = to.shiftKey || moves ? "pan" : before.tool;
  if (viewer.wiped() && Math.abs((from.clientX - box.left) / box.width - before.wipe) < 0.04) {
    viewer.set({ wipe: Math.min(1, Math.max(0, before.wipe + across)) });
  } else if (tool === "pan") {
    const { scale } = tile.placed(before);
    const ratio = tile.canvas.width / box.width;
    viewer.pan(
      before.x - ((to.clientX - from.clientX) * ratio) / (scale * tile.source.width),
      before.y - ((to.clientY - from.clientY) * ratio) / (scale * tile.source.height),
    );
  } else if (tool === "region") {
    viewer.set({ region: regionOf(tile, before, from, to), inside: false });
  } else if (before.mode === "image") {
    // As at a workstation: across widens the window, along moves its level.
    const width = Math.max(0.005, (before.high - before.low) * Math.exp(across * 2));
    void centre(viewer, (before.high + before.low) / 2 - along * (before.high - before.low), width);
  } else {
    viewer.set({ reach: Math.max(1e-4, before.reach * Math.exp(across * 2)) });
  }
}

/**
 * @param {Tile} tile
 * @param {import("./state.js").State} state
 * @param {PointerEvent} from
 * @param {PointerEvent} to
 */
function regionOf(tile, state, from, to) {
  const [one, two] = [tile.pointAt(state, from), tile.pointAt(state, to)];
  const inside = (/** @type {number} */ value, /** @type {number} */ end) =>
    Math.min(end, Math.max(0, value));
  const { width, height } = tile.source;
  const left = Math.floor(inside(Math.min(one.x, two.x), width - 1));
  const top = Math.floor(inside(Math.min(one.y, two.y), height - 1));
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.ceil(inside(Math.max(one.x, two.x), width)) - left),
    height: Math.max(1, Math.ceil(inside(Math.max(one.y, two.y), height)) - top),
  };
}
