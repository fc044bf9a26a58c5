// What the API's page is built of: elements with text only, entries that fold, tables, and examples.

const unbuilt = new WeakMap();

/** Make an element; strings become text, never markup. */
export function nodes(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A paragraph of the documents, in which words between backticks are code. */
export function prose(text, name = "p", attributes = { class: "soft" }) {
  const parts = text.split("`").map((part, at) => (at % 2 ? nodes("code", {}, part) : part));
  return nodes(name, attributes, ...parts);
}

/**
 * An entry that folds: a badge, its name, what it says, and what is inside, which is built when it is first opened.
 * `words` are what it is found by.
 */
export function entry({ id, tone = "", name, says = "", marks = [], words, build }) {
  const badge = tone ? [nodes("span", { class: "method", "data-tone": tone }, tone)] : [];
  const tags = marks.map((mark) => nodes("span", { class: "mark" }, mark));
  const head = nodes("summary", { class: "entry-head" }, ...badge, nodes("span", { class: "entry-name" }, name), ...tags);
  if (says) head.append(nodes("span", { class: "entry-says" }, says));
  const inside = nodes("div", { class: "entry-inside" });
  const made = nodes("details", { class: "card entry", id, "data-name": name, "data-tone": tone }, head, inside);
  made.dataset.words = [name, tone, says, ...marks, words].join(" ").toLowerCase();
  unbuilt.set(made, () => inside.append(...build()));
  made.addEventListener("toggle", () => made.open && fill(made));
  return made;
}

/** Open or fold an entry; one that opens is whole at once, since `toggle` comes only later. */
export function setOpen(entry, open) {
  entry.open = open;
  if (open) fill(entry);
}

function fill(entry) {
  unbuilt.get(entry)?.();
  unbuilt.delete(entry);
}

/** A part of an entry, with its title. */
export function part(title, ...children) {
  return nodes("section", { class: "part" }, nodes("h3", {}, title), ...children);
}

/** A table with a header row; cells are text or elements. It scrolls by itself where it is too wide. */
export function table(label, columns, rows) {
  const head = nodes("tr", {}, ...columns.map((column) => nodes("th", { scope: "col" }, column)));
  const lines = rows.map((cells) => nodes("tr", {}, ...cells.map((cell) => nodes("td", {}, cell))));
  const whole = nodes("table", { "aria-label": label }, nodes("thead", {}, head), nodes("tbody", {}, ...lines));
  return nodes("div", { class: "wide", tabindex: "0", role: "group", "aria-label": label }, whole);
}

/** An example as it goes over the wire. */
export function example(says, value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const block = nodes("pre", { tabindex: "0", "aria-label": says }, nodes("code", {}, text));
  return nodes("figure", { class: "example" }, nodes("figcaption", { class: "faint" }, says), block);
}
