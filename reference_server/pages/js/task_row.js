// One task as a row that changes in place: built once, then only what differs is written (contract §6 task_update).

const WORDS = {
  queued: "Queued", assigned: "Assigned", running: "Running", completed: "Completed", failed: "Failed",
  canceled: "Canceled",
};
// Progress by state, for pushes that don't say theirs (contract §4).
const PROGRESS = { queued: 10, assigned: 25, running: 50, completed: 100, failed: 0, canceled: 0 };
const FINISHED = ["completed", "failed", "canceled"];

/** Make an empty row for a task. */
export function makeRow(taskId) {
  const row = element("li", "task");
  row.dataset.taskId = taskId;
  const badge = element("span", "badge");
  badge.dataset.status = "";
  const action = element("div", "task-action");
  row.append(element("span", "task-query"), badge, action, element("div", "task-facts"));
  return row;
}

/** Write a task of REST into its row, unless a push already told something newer. */
export function writeTask(row, task) {
  write(row.querySelector(".task-query"), task.query);
  writeFacts(row.querySelector(".task-facts"), task);
  if (writeState(row, task)) writeError(row, task.status === "failed" ? task.error : undefined);
}

/** Write state and progress into a row; gives false, and changes nothing, when it shows a later revision. */
export function writeState(row, { status, progress, revision }) {
  const shown = Number(row.dataset.revision ?? 0);
  if (revision != null && revision < shown) return false;
  if (revision != null) row.dataset.revision = String(revision);
  const badge = row.querySelector("[data-status]");
  badge.dataset.status = status;
  write(badge, WORDS[status] ?? status);
  writeProgress(row, status, progress ?? PROGRESS[status] ?? 0);
  writeAction(row, status);
  return true;
}

function writeProgress(row, status, progress) {
  const bar = row.querySelector("progress");
  if (FINISHED.includes(status)) {
    bar?.remove();
    return;
  }
  const shown = bar ?? row.appendChild(newBar());
  shown.value = progress;
}

function newBar() {
  const bar = element("progress", "progress");
  bar.max = 100;
  bar.setAttribute("aria-label", "Progress");
  return bar;
}

function writeAction(row, status) {
  const action = row.querySelector(".task-action");
  if (FINISHED.includes(status)) {
    // The keyboard must not fall off the page with the button that it is on.
    const held = action.contains(document.activeElement);
    action.replaceChildren();
    if (held) document.getElementById("main").focus({ preventScroll: true });
  } else if (action.childElementCount === 0) {
    const button = element("button", "button button-small button-danger");
    button.type = "button";
    button.dataset.cancel = row.dataset.taskId;
    button.textContent = "Cancel";
    action.append(button);
  }
  const query = row.querySelector(".task-query").textContent;
  action.firstElementChild?.setAttribute("aria-label", `Cancel task: ${query.slice(0, 80)}`);
}

function writeFacts(place, task) {
  const facts = [
    ["time", ago(task.created_at), task.created_at],
    ["span", `${task.priority} priority`],
    task.assigned_to ? ["span", task.assigned_to] : null,
    task.status === "completed" ? ["span", `cost ${task.actual_cost}`] : ["span", `budget ${task.budget}`],
  ].filter(Boolean);
  place.replaceChildren(
    ...facts.map(([tag, text, time]) => {
      const fact = element(tag, "");
      fact.textContent = text;
      if (time) {
        fact.dateTime = time;
        fact.title = new Date(time).toLocaleString();
      }
      return fact;
    }),
  );
}

function writeError(row, error) {
  const shown = row.querySelector(".task-error");
  if (!error) {
    shown?.remove();
    return;
  }
  write(shown ?? row.appendChild(element("p", "task-error")), error);
}

/** Say how long ago a moment was; clocks may differ, so never in the future. */
export function ago(timestamp) {
  const seconds = Math.max(0, (Date.now() - Date.parse(timestamp)) / 1000);
  if (seconds < 60) return "just now";
  const [size, unit] = seconds < 3600 ? [60, "min"] : seconds < 86_400 ? [3600, "h"] : [86_400, "d"];
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

function element(tag, className) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  return made;
}

// Writing the same text again would end a selection in it.
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}
