// The API's documents as a page: reads openapi.json and asyncapi.json, shows all they hold, and searches it.

import { nodes, setOpen } from "./api_docs_nodes.js";
import { operationsOf, restOf } from "./api_docs_rest.js";
import { socketOf } from "./api_docs_socket.js";

const TIMEOUT_MS = 10_000;
const body = document.getElementById("docs-body");
const query = document.getElementById("docs-query");
const unfold = document.getElementById("docs-unfold");
const none = document.getElementById("docs-none");

start();

async function start() {
  try {
    const [rest, socket] = await Promise.all([read("/openapi.json"), read("/asyncapi.json")]);
    show([...operationsOf(rest), ...socketOf(socket), ...restOf(rest)]);
  } catch {
    const fault = document.getElementById("docs-fault");
    fault.textContent = "The documents can't be read just now. Load the page again.";
    fault.hidden = false;
  }
  body.setAttribute("aria-busy", "false");
}

async function read(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function show(sections) {
  for (const { id, title, lead, entries } of sections) {
    const heading = nodes("h2", { id, class: "docs-section-title" }, title);
    body.append(nodes("section", { "aria-labelledby": id }, heading, ...lead, ...entries));
  }
  document.getElementById("docs-toc").append(...sections.map(contentsOf));
  query.addEventListener("input", search);
  document.addEventListener("keydown", focusSearch);
  unfold.addEventListener("click", unfoldAll);
  document.getElementById("docs-clear").addEventListener("click", clear);
  for (const place of document.querySelectorAll("[data-origin]")) place.textContent = location.origin;
  addEventListener("hashchange", goToHash);
  search();
  goToHash();
}

function contentsOf({ id, title, entries }) {
  const links = entries.map((entry) => {
    const { name, tone } = entry.dataset;
    const badge = tone ? [nodes("span", { class: "method", "data-tone": tone }, tone)] : [];
    return nodes("li", { "data-of": entry.id }, nodes("a", { href: `#${entry.id}` }, ...badge, nodes("span", {}, name)));
  });
  return nodes("li", { "data-of": id }, nodes("a", { class: "docs-toc-head", href: `#${id}` }, title), nodes("ul", {}, ...links));
}

/** Leave what holds every word that is searched for; a section without any goes too. */
function search() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const section of body.children) {
    const entries = [...section.querySelectorAll(".entry")];
    for (const entry of entries) {
      entry.hidden = !words.every((word) => entry.dataset.words.includes(word));
      hideInContents(entry.id, entry.hidden);
    }
    const left = entries.filter((entry) => !entry.hidden).length;
    section.hidden = left === 0;
    hideInContents(section.querySelector("h2").id, section.hidden);
    found += left;
  }
  document.getElementById("docs-count").textContent = words.length === 0 ? `${found} entries` : `${found} found`;
  none.hidden = found > 0;
}

function clear() {
  query.value = "";
  search();
  query.focus();
}

function hideInContents(id, hidden) {
  document.querySelector(`[data-of="${CSS.escape(id)}"]`).hidden = hidden;
}

function focusSearch(event) {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
  event.preventDefault();
  query.focus();
}

function unfoldAll() {
  const open = unfold.getAttribute("aria-pressed") !== "true";
  unfold.setAttribute("aria-pressed", String(open));
  unfold.textContent = open ? "Fold all" : "Unfold all";
  for (const entry of body.querySelectorAll(".entry")) setOpen(entry, open);
}

/** Open what the address names, whether a link led there or the address was typed in. */
function goToHash() {
  const entry = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!entry || !body.contains(entry)) return;
  if (entry.hidden) {
    query.value = "";
    search();
  }
  if (entry.matches("details")) setOpen(entry, true);
  entry.scrollIntoView();
  entry.querySelector("summary")?.focus({ preventScroll: true });
}
