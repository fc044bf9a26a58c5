// What a message of the server means for a page: badges, toasts and what to read again (contract §6).
//
// Text from the server is quoted into toasts as text. Unknown types, fields and malformed messages mean nothing.
// The Python twin is harness/client/pushes.py.

export const KNOWN_TYPES = ["system", "task_update", "agent_update", "pong"];
const LEVELS = ["info", "success", "warning", "error"];
const TASK_STATUSES = ["queued", "assigned", "running", "completed", "failed", "canceled"];
const AGENT_ACTIONS = ["registered", "updated", "deleted"];

/** Read a frame's text; null when it is no JSON object with a `type`. */
export function parse(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value) || typeof value.type !== "string") return null;
  return { type: value.type, data: isObject(value.data) ? value.data : {} };
}

/** Tell whether this can be a connection's first message (§5, row `system`). */
export function isWelcome(message) {
  return message.type === "system" && typeof message.data.client_id === "string";
}

/** Give what a page does on a message that is neither welcome nor pong. */
export function effectsOf({ type, data }) {
  switch (type) {
    case "system":
      return system(data);
    case "task_update":
      return taskUpdate(data);
    case "agent_update":
      return agentUpdate(data);
    default:
      return [];
  }
}

function system({ message, level }) {
  if (typeof message !== "string") return [];
  return [toast(LEVELS.includes(level) ? level : "info", message, "system")];
}

function taskUpdate(data) {
  const { task_id, status } = data;
  if (typeof task_id !== "string" || !TASK_STATUSES.includes(status)) return [];
  const progress = whole(data.progress);
  const badge = { type: "badge", task_id, status, progress, revision: whole(data.revision) };
  return [badge, ...taskToast(status, data), { type: "reload", what: "tasks", id: task_id }];
}

function taskToast(status, { query, error }) {
  const name = typeof query === "string" ? `Task "${query}"` : "Task";
  if (status === "completed") return [toast("success", `${name} completed!`, "task")];
  if (status === "failed") {
    const because = typeof error === "string" && error ? `: ${error}` : "";
    return [toast("error", `${name} failed${because}`, "task")];
  }
  return [];
}

function agentUpdate({ agent_id, name, action }) {
  const known = AGENT_ACTIONS.includes(action);
  if (typeof agent_id !== "string" || typeof name !== "string" || !known) return [];
  return [toast("info", `Agent "${name}" ${action}`, "agent"), { type: "reload", what: "agents", id: agent_id }];
}

function toast(level, text, about) {
  return { type: "toast", level, text, about };
}

function whole(value) {
  return Number.isSafeInteger(value) ? value : null;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
