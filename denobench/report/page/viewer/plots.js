// Live plots: scores over level or runtime, and every image's score, drawn by Plotly.

import { decoded, inflated, printed } from "./data.js";
import { choice, make } from "./dom.js";
import { methodBoxes } from "./hiding.js";

/** @typedef {import("./data.js").Content} Content */
/** @typedef {import("./data.js").Method} Method */
/** @typedef {import("./data.js").Metric} Metric */
/** @typedef {import("./viewer.js").Viewer} Viewer */
/** @typedef {import("./hiding.js").Hiding} Hiding */
/**
 * @typedef {{metric: string, noise: string, over: "level" | "time", level: number,
 *   images: "gain" | "score", logScore: boolean, logLevel: boolean}} Chosen
 */

/**
 * Put the plots' section together; the library is unpacked when it comes into view.
 * @param {HTMLElement} root
 * @param {Content} content
 * @param {Viewer | null} viewer
 * @param {Hiding} hides
 * @param {Promise<void>} shown the viewer's first view, which the library does not keep waiting
 */
export function bindPlots(root, content, viewer, hides, shown) {
  const [first] = content.noises;
  const middle = (/** @type {number[]} */ levels) => levels[Math.floor((levels.length - 1) / 2)];
  /** @type {Chosen} */
  const chosen = {
    metric: content.metrics[0].name,
    noise: first.name,
    over: "level",
    level: middle(first.levels),
    images: content.reference && content.methods.some((each) => each.identity) ? "gain" : "score",
    logScore: false,
    logLevel: false,
  };
  /** @type {any} */
  let plotly = null;
  const [means, images] = [make("div", { class: "plot" }), make("div", { class: "plot" })];
  const told = make("p", { class: "soft", role: "status" });
  const draw = () => plotly && drawAll(plotly, means, images, content, chosen, hides.state.hidden);
  const pick = (/** @type {Partial<Chosen>} */ change) => {
    Object.assign(chosen, change);
    fillLevels();
    draw();
  };
  const metric = choice(
    "Score",
    content.metrics.map((each) => [each.name, each.title]),
    (value) => pick({ metric: value }),
  );
  const noise = choice(
    "Noise",
    content.noises.map((each) => [each.name, each.title]),
    (value) => {
      const found = content.noises.find((each) => each.name === value);
      if (found) pick({ noise: value, level: middle(found.levels) });
    },
  );
  const over = choice(
    "Over",
    [
      ["level", "Level"],
      ["time", "Runtime"],
    ],
    (value) => pick({ over: value === "time" ? "time" : "level" }),
  );
  const level = choice("σ", [], (value) => pick({ level: Number(value) }));
  const gained = choice(
    "Every image",
    [
      ["gain", "Gain over doing nothing"],
      ["score", "Score"],
    ],
    (value) => pick({ images: value === "gain" ? "gain" : "score" }),
  );
  const box = (/** @type {"logScore" | "logLevel"} */ name) => {
    const input = make("input", {
      type: "checkbox",
      change: () => pick({ [name]: input.checked }),
    });
    return input;
  };
  const fillLevels = () => {
    const levels = content.noises.find((each) => each.name === chosen.noise)?.levels ?? [];
    level.select.replaceChildren(
      ...levels.map((each) => make("option", { value: each }, String(each))),
    );
    level.select.value = String(chosen.level);
  };
  over.element.hidden = !Object.keys(content.times).length;
  noise.element.hidden = content.noises.length < 2;
  gained.element.hidden = chosen.images === "score";
  fillLevels();
  root.append(
    make("h2", {}, "Plots"),
    make(
      "div",
      { class: "bar-of controls" },
      metric.element,
      noise.element,
      over.element,
      level.element,
      gained.element,
      make("label", {}, box("logScore"), " Logarithmic score"),
      make("label", {}, box("logLevel"), " Logarithmic σ"),
    ),
    methodBoxes(content, hides),
    make("div", { class: "plots" }, means, images),
    make("p", { class: "soft" }, content.views.length ? "A click on a point opens its image." : ""),
    told,
  );
  hides.listeners.push(draw);
  for (const box of [means, images]) box.dataset.told = "";
  const watch = new IntersectionObserver(
    async (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      await new Promise((go) => requestAnimationFrame(() => setTimeout(go))); // it is painted
      plotly = await library();
      draw();
      opens(images, content, viewer, told, () => chosen);
      root.dataset.ready = "true";
    },
    { rootMargin: "200px" },
  );
  void shown.then(() => watch.observe(root)); // the viewer has its height, and they their place
}

/** Unpack the plotting library, and run it: the page's policy names its digest. */
async function library() {
  const code = document.createElement("script");
  code.textContent = await (await inflated("plotly")).text();
  document.head.append(code);
  return /** @type {any} */ (window).Plotly;
}

/**
 * @param {any} plotly
 * @param {HTMLElement} means
 * @param {HTMLElement} images
 * @param {Content} content
 * @param {Chosen} chosen
 * @param {string[]} hidden
 */
function drawAll(plotly, means, images, content, chosen, hidden) {
  const methods = content.methods
    .filter((each) => !hidden.includes(each.id))
    .map((each) => ({ ...each, colour: onScreen(each.colour) }));
  const metric = /** @type {Metric} */ (
    content.metrics.find((each) => each.name === chosen.metric)
  );
  const style = getComputedStyle(document.body);
  const [ink, soft, rule] = ["--ink", "--soft", "--rule"].map((name) =>
    style.getPropertyValue(name).trim(),
  );
  const axis = { gridcolor: rule, zeroline: false, linecolor: ink, automargin: true };
  const named = escaped(metric.title + (metric.unit && ` (${metric.unit})`));
  const kind = chosen.logScore ? "log" : "linear";
  const score = { ...axis, title: { text: named }, type: kind };
  const layout = {
    font: { color: ink, family: "system-ui, sans-serif", size: 12 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 55, r: 10, t: 34, b: 45 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: soft, activecolor: ink },
    hovermode: "closest",
    height: 460,
  };
  const options = {
    displaylogo: false,
    showSendToCloud: false, // nothing leaves the page
    responsive: true,
    modeBarButtonsToRemove: ["select2d", "lasso2d"],
  };
  const time = chosen.over === "time";
  const levels = content.noises.find((each) => each.name === chosen.noise)?.levels ?? [];
  const across = time
    ? { ...axis, type: "log", title: { text: `Time per ${content.unit} (ms)` } }
    : {
        ...axis,
        title: { text: "σ as a fraction of full scale" },
        type: levels.length < 2 ? "category" : chosen.logLevel ? "log" : "linear",
      };
  plotly.react(
    means,
    meanTraces(content, chosen, methods, metric),
    {
      ...layout,
      showlegend: true,
      height: 340 + 20 * legendRows(methods, means.clientWidth),
      legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", maxheight: 1 },
      xaxis: across,
      yaxis: score,
      title: titled(time ? `σ = ${chosen.level}` : "Means"),
    },
    options,
  );
  const gain = chosen.images === "gain";
  const listed = methods.filter((each) => !gain || !each.identity);
  const names = listed.map((each) => escaped(each.label));
  plotly.react(
    images,
    imageTraces(content, chosen, listed, metric),
    {
      ...layout,
      showlegend: false,
      xaxis: gain
        ? {
            ...axis,
            title: { text: `Gain in ${named}` },
            zeroline: true,
            zerolinecolor: soft,
          }
        : score,
      yaxis: {
        ...axis,
        type: "category",
        categoryarray: names.toReversed(),
        categoryorder: "array",
      },
      title: titled(`Every image, σ = ${chosen.level}`),
    },
    options,
  );
}

/**
 * Return how many rows a legend has below a plot, about.
 * @param {Method[]} methods
 * @param {number} width of the plot
 */
function legendRows(methods, width) {
  const entry = 50 + 6.5 * Math.max(...methods.map((each) => each.label.length));
  return Math.ceil(methods.length / Math.max(1, Math.floor((width - 65) / entry)));
}

/**
 * Return a colour that is seen on the page: those of the figures are for white paper.
 * @param {string} colour
 */
function onScreen(colour) {
  if (!matchMedia("(prefers-color-scheme: dark)").matches) return colour;
  let parts = [1, 3, 5].map((place) => Number.parseInt(colour.slice(place, place + 2), 16));
  const light = () =>
    [0.2126, 0.7152, 0.0722].reduce((sum, share, i) => sum + share * (parts[i] / 255) ** 2.2, 0);
  while (light() < 0.14) parts = parts.map((each) => each + 0.1 * (255 - each));
  return `rgb(${parts.map(Math.round).join(", ")})`;
}

/**
 * Return a title that leaves room for the plot's buttons.
 * @param {string} text
 */
function titled(text) {
  return { text, font: { size: 13 }, x: 0.01, xanchor: "left" };
}

/**
 * @param {Content} content
 * @param {Chosen} chosen
 * @param {Method[]} methods
 * @param {Metric} metric
 */
function meanTraces(content, chosen, methods, metric) {
  const time = chosen.over === "time";
  return methods.flatMap((method) => {
    const found = content.scores.filter(
      (each) =>
        each.method === method.id &&
        each.noise === chosen.noise &&
        each.metric === chosen.metric &&
        (!time || each.level === chosen.level),
    );
    const at = time
      ? found.map(() => decoded(content.times[method.id]))
      : found.map((each) => each.level);
    const mean = found.map((each) => decoded(each.mean));
    if (!at.some(Number.isFinite) || !mean.some(Number.isFinite)) return [];
    const label = escaped(method.label);
    return [
      {
        x: at,
        y: mean,
        name: label,
        mode: time ? "markers" : "lines+markers",
        line: { color: method.colour, dash: method.dashed ? "dash" : "solid" },
        marker: { color: method.colour, size: 8 },
        error_y: {
          type: "data",
          symmetric: false,
          array: found.map((each, i) => decoded(each.high) - mean[i]),
          arrayminus: found.map((each, i) => mean[i] - decoded(each.low)),
          thickness: 1,
          color: method.colour,
        },
        text: found.map((each, i) => `${label}<br>σ = ${each.level}: ${printed(metric, mean[i])}`),
        hoverinfo: "text",
      },
    ];
  });
}

/**
 * @param {Content} content
 * @param {Chosen} chosen
 * @param {Method[]} methods
 * @param {Metric} metric
 */
function imageTraces(content, chosen, methods, metric) {
  const { cells } = content;
  const valueAt = (/** @type {number} */ i) => decoded(cells.scores[chosen.metric][i]);
  const nothing = chosen.images === "gain" ? ofNothing(content, chosen, valueAt) : null;
  return methods.map((method) => {
    const places = cells.method.flatMap((id, i) =>
      id === method.id && cells.noise[i] === chosen.noise && cells.level[i] === chosen.level
        ? [i]
        : [],
    );
    const sign = metric.higher ? 1 : -1;
    const values = places.map((i) =>
      nothing ? sign * (valueAt(i) - (nothing.get(cells.image[i]) ?? NaN)) : valueAt(i),
    );
    const told = (/** @type {number} */ i, /** @type {number} */ value) =>
      nothing
        ? `${value > 0 ? "+" : ""}${printed(metric, value)} to ${printed(metric, valueAt(i))}`
        : printed(metric, value);
    const label = escaped(method.label);
    return {
      x: values,
      y: places.map(() => label),
      type: "box",
      boxpoints: "all",
      jitter: 0.6,
      pointpos: 0,
      fillcolor: "rgba(0,0,0,0)",
      line: { color: method.colour, width: 1 },
      marker: { color: method.colour, size: 5, opacity: 0.7 },
      orientation: "h",
      text: places.map(
        (i, place) => `${escaped(cells.image[i])}<br>${label}: ${told(i, values[place])}`,
      ),
      customdata: places.map((i) => [cells.image[i], method.id]),
      hoverinfo: "text",
      hoveron: "points",
    };
  });
}

/**
 * Return what doing nothing scores, by image.
 * @param {Content} content
 * @param {Chosen} chosen
 * @param {(place: number) => number} valueAt
 */
function ofNothing({ cells, methods }, chosen, valueAt) {
  const nothing = methods.find((each) => each.identity)?.id;
  return new Map(
    cells.method.flatMap((id, i) =>
      id === nothing && cells.noise[i] === chosen.noise && cells.level[i] === chosen.level
        ? [/** @type {[string, number]} */ ([cells.image[i], valueAt(i)])]
        : [],
    ),
  );
}

/**
 * Let a click on a point open its image with its method.
 * @param {HTMLElement} plot
 * @param {Content} content
 * @param {Viewer | null} viewer
 * @param {HTMLElement} told
 * @param {() => Chosen} chosen
 */
function opens(plot, content, viewer, told, chosen) {
  /** @type {any} */ (plot).on("plotly_click", (/** @type {any} */ event) => {
    const [image, method] = event.points[0]?.customdata ?? [];
    const { noise, level } = chosen();
    const kept = content.views.some(
      (each) => each.image === image && each.noise === noise && each.level === level,
    );
    told.textContent = kept
      ? ""
      : `${image} is not among the images that the run kept; raise gallery in its config.`;
    if (!kept || !viewer) return;
    void viewer.set({ image, noise, level, active: method });
    document.getElementById("look")?.scrollIntoView();
  });
}

/**
 * Return text that Plotly, which knows some tags, shows as it is.
 * @param {string} text
 */
function escaped(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("$", "\u{ff04}");
}
