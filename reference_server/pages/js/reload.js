// When a page reads REST again: causes come as they like, loads stay few (contract §6, row `reloads`).
//
// Pure, like client_core.js: step(state, event) gives [state, effects]. Events are cause, timer, done; effects are
// load and set_timer. The Python twin is harness/client/reload.py.

const GATHER_MS = 100;
const APART_MS = 1000;
const RETRY_AFTER_S_MAX = 3600;

/** Give the state of a page that has read nothing yet. */
export function start() {
  return { in_flight: false, pending: false, started_ms: null, due_ms: null };
}

/** Take one event and give the new state and what to do. */
export function step(state, event) {
  switch (event.type) {
    case "cause":
      return cause(state, event.at_ms);
    case "timer":
      return due(state, event.at_ms);
    case "done":
      return done(state, event.at_ms, event.retry_after ?? null);
    default:
      throw new TypeError(`unknown reload event '${event.type}'`);
  }
}

function cause(state, atMs) {
  // What is being read may have been read before this cause: it needs a load of its own.
  if (state.in_flight) return [{ ...state, pending: true }, []];
  if (state.due_ms !== null) return [state, []];
  return wait(state, atMs + GATHER_MS);
}

function due(state, atMs) {
  if (state.due_ms === null) return [state, []];
  if (atMs < state.due_ms) return [state, [{ type: "set_timer", at_ms: state.due_ms }]];
  return [{ ...start(), in_flight: true, started_ms: atMs }, [{ type: "load" }]];
}

function done(state, atMs, retryAfterS) {
  if (!state.in_flight) return [state, []];
  const ended = { ...state, in_flight: false, pending: false };
  if (retryAfterS !== null) {
    return wait(ended, atMs + Math.min(Math.max(retryAfterS, 1), RETRY_AFTER_S_MAX) * 1000);
  }
  return state.pending ? wait(ended, atMs) : [ended, []];
}

function wait(state, dueMs) {
  const at_ms = state.started_ms === null ? dueMs : Math.max(dueMs, state.started_ms + APART_MS);
  return [{ ...state, due_ms: at_ms }, [{ type: "set_timer", at_ms }]];
}
