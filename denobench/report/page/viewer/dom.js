// Elements, made without any markup: text stays text.

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | ((event: any) => void)>} [given]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, given = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/**
 * Return a labelled choice.
 * @param {string} label
 * @param {[string, string][]} options values and texts
 * @param {(value: string) => void} chosen
 */
export function choice(label, options, chosen) {
  const select = make("select", { change: () => chosen(select.value) });
  for (const [value, text] of options) select.append(make("option", { value }, text));
  return { element: make("label", { class: "field" }, make("span", {}, label), select), select };
}

/**
 * Offer content as a file.
 * @param {Blob} blob
 * @param {string} name
 */
export function download(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
