// What is looked at, in words.

/** @typedef {import("./viewer.js").Viewer} Viewer */

/**
 * Say what is looked at, as a caption does.
 * @param {Viewer} viewer
 */
export function described(viewer) {
  const { content, state } = viewer;
  const noise = content.noises.find((each) => each.name === state.noise)?.title;
  const parts = [state.image, placeOf(viewer), noise && `${noise} noise, σ = ${state.level}`];
  return parts.filter(Boolean).join(", ");
}

/**
 * Say which slice of how many is shown.
 * @param {Viewer} viewer
 */
export function placeOf(viewer) {
  const { slice, depth } = viewer.view();
  return slice ? `slice ${slice} of ${depth}` : "";
}

/**
 * Say which methods have no answer in a view: they failed, do not run on it, or were not kept.
 * @param {import("./data.js").Content} content
 * @param {string[]} ids of those that have one
 */
export function absent(content, ids) {
  const left = content.methods.filter((each) => !each.identity && !ids.includes(each.id));
  const names = left.map((each) => each.label);
  return names.length ? `No answer here: ${names.join(", ")}.` : "";
}
