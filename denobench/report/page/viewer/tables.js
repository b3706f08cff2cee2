// Tables: sorted, filtered, columns hidden, copied.

import { make } from "./dom.js";

/** @typedef {import("./data.js").Content} Content */
/**
 * @param {Content | null} content
 * @param {import("./hiding.js").Hiding} hides
 */
export function bindTables(content, hides) {
  const tables = /** @type {NodeListOf<HTMLTableElement>} */ (
    document.querySelectorAll("table.data")
  );
  for (const table of tables) {
    for (const head of /** @type {NodeListOf<HTMLElement>} */ (
      table.querySelectorAll("th[data-sort]")
    ))
      bindSort(table, head);
    const wide = table.closest(".wide");
    wide?.before(tools(table));
  }
  const ids = new Map(content?.methods.map((each) => [each.label, each.id]) ?? []);
  hides.listeners.push(() => {
    const { hidden } = hides.state;
    for (const table of tables) {
      for (const row of rowsOf(table)) {
        const id = ids.get(row.cells[0]?.querySelector(".cell")?.textContent ?? "");
        row.classList.toggle("hidden-method", id !== undefined && hidden.includes(id));
      }
    }
  });
}

/** @param {HTMLTableElement} table */
function rowsOf(table) {
  return [...table.tBodies]
    .flatMap((body) => [...body.rows])
    .filter((row) => !row.classList.contains("track"));
}

/**
 * @param {HTMLTableElement} table
 * @param {HTMLElement} head
 */
function bindSort(table, head) {
  const place = Number(head.dataset.sort);
  const sort = () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (/** @type {HTMLTableRowElement} */ row) => {
      const { value: told } = row.cells[place].dataset;
      return told === undefined ? (row.cells[place].textContent ?? "") : Number(told);
    };
    /** @param {string | number} a @param {string | number} b */
    const compare = (a, b) => {
      if (typeof a === "number" && typeof b === "number") return a === b ? 0 : a < b ? -1 : 1;
      return typeof a === "number" ? -1 : typeof b === "number" ? 1 : a.localeCompare(b);
    };
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("track"));
      rows.sort((a, b) => (down ? -1 : 1) * compare(value(a), value(b)));
      body.append(...rows);
    }
  };
  head.addEventListener("click", sort);
  head.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    sort();
  });
}

/** @param {HTMLTableElement} table */
function tools(table) {
  const told = make("span", { role: "status", class: "soft" });
  const filter = make("input", {
    type: "search",
    "aria-label": "Filter rows",
    placeholder: "Filter rows",
    input: () => {
      const wanted = filter.value.toLocaleLowerCase();
      for (const row of rowsOf(table))
        row.hidden = !(row.textContent ?? "").toLocaleLowerCase().includes(wanted);
    },
  });
  const heads = /** @type {HTMLElement[]} */ ([...table.querySelectorAll("th[data-sort]")]);
  const boxes = heads.slice(1).map((head) => {
    const place = Number(head.dataset.sort);
    const box = make("input", {
      type: "checkbox",
      change: () => showColumn(table, place, box.checked),
    });
    box.checked = true;
    return make("label", {}, box, nameOf(head));
  });
  const copy = (/** @type {string} */ kind) =>
    make(
      "button",
      {
        type: "button",
        click: async () => {
          const text = FORMATS[kind](contentOf(table));
          try {
            await navigator.clipboard.writeText(text);
          } catch {
            const area = make("textarea", { "aria-hidden": "true" });
            area.value = text;
            document.body.append(area);
            area.select();
            document.execCommand("copy");
            area.remove();
          }
          told.textContent = `Copied as ${kind}.`;
        },
      },
      kind,
    );
  return make(
    "details",
    { class: "tools" },
    make("summary", {}, "Filter, columns, copy"),
    make(
      "div",
      { class: "bar-of" },
      filter,
      ...boxes,
      make("span", {}, "Copy as"),
      ...Object.keys(FORMATS).map(copy),
      told,
    ),
  );
}

/** @param {HTMLElement} head */
function nameOf(head) {
  return [head.dataset.group, head.textContent].filter(Boolean).join(" ");
}

/**
 * @param {HTMLTableElement} table
 * @param {number} place
 * @param {boolean} shown
 */
function showColumn(table, place, shown) {
  for (const row of rowsOf(table)) row.cells[place].hidden = !shown;
  for (const head of /** @type {NodeListOf<HTMLElement>} */ (
    table.querySelectorAll("th[data-sort]")
  )) {
    if (Number(head.dataset.sort) === place) head.hidden = !shown;
  }
  let first = 0;
  for (const group of /** @type {NodeListOf<HTMLTableCellElement>} */ (
    table.querySelectorAll("th.group")
  )) {
    const width = Number(group.dataset.columns);
    const left = [...Array(width).keys()].filter((each) => {
      const head = /** @type {HTMLElement | null} */ (
        table.querySelector(`th[data-sort="${first + each}"]`)
      );
      return head && !head.hidden;
    }).length;
    group.hidden = left === 0;
    group.colSpan = Math.max(1, left);
    first += width;
  }
}

/**
 * Return what can be seen of a table: its head, then its rows.
 * @param {HTMLTableElement} table
 */
function contentOf(table) {
  const heads = /** @type {HTMLElement[]} */ ([...table.querySelectorAll("th[data-sort]")]).filter(
    (each) => !each.hidden,
  );
  const rows = rowsOf(table).filter(
    (row) => !row.hidden && !row.classList.contains("hidden-method"),
  );
  const text = (/** @type {Element} */ cell) =>
    (cell.querySelector(".cell")?.textContent ?? cell.textContent ?? "").trim();
  return [
    heads.map(nameOf),
    ...rows.map((row) => [...row.cells].filter((cell) => !cell.hidden).map(text)),
  ];
}

/** @type {Record<string, (rows: string[][]) => string>} */
export const FORMATS = {
  Markdown: ([head, ...rows]) => {
    const line = (/** @type {string[]} */ cells) =>
      `| ${cells.map((each) => each.replace(/[\\`*_[\]<>|#~$&]/g, "\\$&")).join(" | ")} |`;
    return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
  },
  LaTeX: ([head, ...rows]) => {
    const escapes = /** @type {Record<string, string>} */ ({
      "\\": "\\textbackslash{}",
      "~": "\\textasciitilde{}",
      "^": "\\textasciicircum{}",
      "−": "$-$",
      σ: "$\\sigma$",
      Δ: "$\\Delta$",
      "∞": "$\\infty$",
      "–": "--",
      "<": "\\textless{}",
      ">": "\\textgreater{}",
    });
    const cell = (/** @type {string} */ text) =>
      text.replace(/[\\~^−σΔ∞–<>]|[&%$#_{}]/g, (letter) => escapes[letter] ?? `\\${letter}`);
    const line = (/** @type {string[]} */ cells) => `${cells.map(cell).join(" & ")} \\\\`;
    return [
      `\\begin{tabular}{l${"r".repeat(head.length - 1)}}`,
      "\\toprule",
      line(head),
      "\\midrule",
      ...rows.map(line),
      "\\bottomrule",
      "\\end{tabular}",
    ].join("\n");
  },
  CSV: (rows) => {
    const cell = (/** @type {string} */ text) => {
      const told = text.replace(/^−(?=[\d∞])/, "-");
      const safe = /^[=+@\t\r]|^-(?![\d∞.])/.test(told) ? `'${told}` : told;
      return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    };
    return rows.map((row) => row.map(cell).join(",")).join("\r\n");
  },
};
