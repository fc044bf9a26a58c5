// The dashboard: four figures, recent tasks, and the form that makes more of them (contract §7 dashboard).

import { call } from "./api.js";
import { handleForm } from "./forms.js";
import { openPage } from "./page.js";
import { readUser } from "./session.js";
import { checkTask, taskBody } from "./task_form.js";
import { makeRow, writeState, writeTask } from "./task_row.js";
import { showToast } from "./toasts.js";

const RECENT = 10;
const GROUP_FROM = 10_000;

const list = document.querySelector("[data-recent-tasks]");
const form = document.getElementById("task-form");
const FIGURES = {
  "active-agents": { path: "/agents?status=active&limit=1", read: ({ total }) => whole(total) },
  "success-rate": { path: "/orchestrator/metrics", read: ({ success_rate: rate }) => `${rate.toFixed(1)}%` },
  connections: { path: "/ws/stats", read: ({ stats }) => whole(stats.current_connections) },
};

showSkeletons();
greet();
const page = await openPage({ load, onBadge });
if (page) {
  list.addEventListener("click", ({ target }) => target.dataset.cancel && cancel(target));
  form.elements.query.addEventListener("input", countQuery);
  handleForm(form, { check: checkTask, send: submit, busyText: "Submitting…" });
}

/** Read everything; what could be read is shown even when the rest could not. */
async function load() {
  const reads = [loadTasks(), ...Object.entries(FIGURES).map(([name, figure]) => loadFigure(name, figure))];
  const outcomes = await Promise.allSettled(reads);
  const failed = outcomes.filter(({ status }) => status === "rejected").map(({ reason }) => reason);
  // Whoever asks for the longest wait decides when to come back.
  failed.sort((one, other) => (other.retryAfter ?? 0) - (one.retryAfter ?? 0));
  if (failed.length > 0) throw failed[0];
  document.getElementById("updated").textContent = `Updated ${new Date().toLocaleTimeString()}`;
}

async function loadFigure(name, { path, read }) {
  try {
    showFigure(name, read(await call("GET", path)));
  } catch (error) {
    showNoFigure(name);
    throw error;
  }
}

async function loadTasks() {
  try {
    const { tasks, total } = await call("GET", `/tasks?limit=${RECENT}`);
    showFigure("my-tasks", whole(total));
    showTasks(tasks, total);
  } catch (error) {
    showNoFigure("my-tasks");
    showUnread();
    throw error;
  }
}

function showFigure(name, text) {
  const place = document.querySelector(`[data-metric="${name}"]`);
  place.removeAttribute("aria-busy");
  if (place.textContent !== text) place.textContent = text;
}

// A figure that was read once stays; one that never was says so instead of shimmering on.
function showNoFigure(name) {
  if (document.querySelector(`[data-metric="${name}"]`).hasAttribute("aria-busy")) showFigure(name, "–");
}

function showTasks(tasks, total) {
  const rows = new Map([...list.querySelectorAll("[data-task-id]")].map((row) => [row.dataset.taskId, row]));
  const first = list.hasAttribute("aria-busy");
  const wanted = tasks.map((task) => {
    const row = rows.get(task.id) ?? makeRow(task.id);
    // What arrives while one looks is pointed out; what was there before is not.
    if (!first && !rows.has(task.id)) row.classList.add("task-new");
    writeTask(row, task);
    return row;
  });
  // Moving a row takes the keyboard's place away, so only what is out of place is touched.
  for (const child of [...list.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((row, index) => list.children[index] === row || list.insertBefore(row, list.children[index] ?? null));
  list.removeAttribute("aria-busy");
  list.hidden = tasks.length === 0;
  document.getElementById("recent-empty").hidden = tasks.length > 0;
  document.getElementById("recent-unread").hidden = true;
  const note = total > tasks.length ? `newest ${tasks.length} of ${whole(total)}` : "";
  document.getElementById("recent-note").textContent = note;
}

// What was read once stays; only a list that was never read is replaced by words.
function showUnread() {
  if (!list.hasAttribute("aria-busy")) return;
  list.replaceChildren();
  document.getElementById("recent-unread").hidden = false;
}

function onBadge(badge) {
  const row = list.querySelector(`[data-task-id="${CSS.escape(badge.task_id)}"]`);
  if (row) writeState(row, badge);
}

async function submit(values) {
  await call("POST", "/tasks/submit", { body: taskBody(values) });
  form.elements.query.value = "";
  countQuery();
  form.elements.query.focus();
  // Seen in the list at once; only those who listen need to be told.
  document.getElementById("submit-said").textContent = "Task submitted.";
  page.reload();
}

async function cancel(button) {
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  try {
    await call("DELETE", `/tasks/${encodeURIComponent(button.dataset.cancel)}`);
    showToast("info", "Task canceled.");
  } catch (error) {
    if (error.name !== "ApiError") throw error;
    if (error.status !== 401) showToast(error.status === 409 ? "warning" : "error", error.message);
  } finally {
    button.removeAttribute("aria-busy");
    page.reload();
  }
}

function countQuery() {
  document.getElementById("submit-said").textContent = "";
  const { value } = form.elements.query;
  document.getElementById("query-count").textContent = `${[...value].length} / 10000`;
}

function greet() {
  const name = readUser()?.full_name.trim().split(/\s+/)[0];
  if (name) document.getElementById("greeting").textContent = `Hello ${name}, here is what your agents are doing.`;
}

function showSkeletons() {
  for (let count = 0; count < 4; count += 1) {
    const row = document.createElement("li");
    row.className = "task";
    row.setAttribute("aria-hidden", "true");
    for (const className of ["skeleton", "skeleton skeleton-short"]) {
      const bar = document.createElement("span");
      bar.className = className;
      row.append(bar);
    }
    list.append(row);
  }
}

// Thousands are grouped only where it takes longer to count the digits than to read them.
function whole(number) {
  return number < GROUP_FROM ? String(number) : number.toLocaleString("en");
}
