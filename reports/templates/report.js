"use strict";
const rows = [...document.querySelectorAll("[data-status]")];
const buttons = [...document.querySelectorAll("[data-filter]")];
const search = document.querySelector("#search");
const none = document.querySelector("#none");
let wanted = "all";

function show() {
  const words = search.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits = (wanted === "all" || row.dataset.status === wanted) && row.textContent.toLowerCase().includes(words);
    row.hidden = !fits;
    shown += fits;
  }
  for (const family of document.querySelectorAll("details.family")) {
    const left = family.querySelectorAll("[data-status]:not([hidden])").length;
    family.hidden = left === 0;
    if (left && (words || wanted !== "all")) family.open = true;
  }
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.filter === wanted));
  none.hidden = shown > 0;
}

for (const button of buttons) button.addEventListener("click", () => { wanted = button.dataset.filter; show(); });
if (search) {
  document.querySelector(".filters").hidden = false;
  search.addEventListener("input", show);
}

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const text = button.dataset.copy || button.previousElementSibling.textContent;
    try { await navigator.clipboard.writeText(text); button.textContent = "Copied"; } catch { button.textContent = "Select it"; }
    setTimeout(() => { button.textContent = button.dataset.label; }, 1500);
  });
}

for (const head of document.querySelectorAll("table.sorts th")) {
  const button = head.querySelector("button");
  if (!button) continue;
  button.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = head.closest("table").tBodies[0];
    const key = (row) => row.cells[head.cellIndex].dataset.value ?? row.cells[head.cellIndex].textContent.trim();
    const order = (one, two) => key(one).localeCompare(key(two), "en", { numeric: true }) * (up ? 1 : -1);
    body.append(...[...body.rows].sort(order));
  });
}

addEventListener("beforeprint", () => {
  for (const family of document.querySelectorAll("details")) family.open = true;
});
