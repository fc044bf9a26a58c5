// The browser client's core: one pure step from (state, event) to [state, effects] (contract §6).
//
// No I/O, no clock, no chance: a shell (socket.js) brings events with their time in milliseconds and a draw of
// 0 to 1000, and carries out the effects. The Python twin is harness/client/core.py; both run the shared vectors
// of contract/client_vectors.json, so a change here is a change there.

import { effectsOf, isWelcome, KNOWN_TYPES, parse } from "./pushes.js";

const PING_PERIOD_MS = 25_000;
const PONG_TIMEOUT_MS = 10_000;
const RECONNECT_DELAYS_MS = [1000, 2000, 4000, 8000, 16_000];
const RECONNECT_DELAY_MS_MAX = 30_000;
const ATTEMPTS_MAX = 5;
const JITTER_PERCENT = 10;
const SETTLED_AFTER_MS = 5000;
const STALE_PONG_MS = 35_000;
const FADE_AFTER_MS = 3000;
const ERROR_SHOWN_MS = 500;
const RETRY_AFTER_S_MAX = 3600;
const DRAW_MAX = 1000;
const CLOSE_NORMAL = 1000;
// Sent when the peer seems gone; a page may send 1000 and 3000 to 4999 only.
const CLOSE_NO_PONG = 4000;
const TOKEN_ENDED = 4401;
const TOO_MANY_SOCKETS = 4409;
const NO_RECONNECT_CODES = [1002, 1003, 1007, 1008, 1009, TOKEN_ENDED, TOO_MANY_SOCKETS];

const LOST = "Lost connection to server. Please refresh the page.";
const TOO_MANY = "Too many open pages; this one is paused.";
const SESSION_ENDED = "You have been signed out. Please sign in again.";
const SIGNED_OUT = "You have signed out.";

/** Give the state of a page that has not connected yet; `url` is the socket's, without a token. */
export function start(url, visible = true) {
  return {
    url, phase: "idle", socket: null, sockets: 0, attempts: 0, welcomed: false, visible, opened_ms: null,
    pinged_ms: null, ponged_ms: null, lost_ms: null, rest_text: "", timers: {},
  };
}

/** Take one event and give the new state and what the shell shall do, in order. */
export function step(state, event) {
  const turn = new Turn(state, event);
  if (event.type in SOCKET_EVENTS) {
    // A late event of an old socket changes nothing (§6 reconnect).
    if (event.socket === state.socket) SOCKET_EVENTS[event.type](turn, event);
  } else if (event.type === "timer") {
    fire(turn, event.name);
  } else if (event.type === "me") {
    if (state.phase === "refused") takeMe(turn, event);
  } else {
    PAGE_EVENTS[event.type](turn, event);
  }
  return [turn.state, turn.effects];
}

/** One step in the making: the state so far and the effects so far. */
class Turn {
  constructor(state, event) {
    this.state = state;
    this.atMs = event.at_ms;
    this.draw = event.draw ?? 0;
    this.effects = [];
  }

  change(fields) {
    this.state = { ...this.state, ...fields };
  }

  do(type, fields = {}) {
    this.effects.push({ type, ...fields });
  }

  log(line) {
    this.do("log", { line });
  }

  setTimer(name, at_ms) {
    this.change({ timers: { ...this.state.timers, [name]: at_ms } });
    this.do("set_timer", { name, at_ms });
  }

  cancel(names) {
    for (const name of names) {
      if (name in this.state.timers) {
        this.forgetTimer(name);
        this.do("cancel_timer", { name });
      }
    }
  }

  forgetTimer(name) {
    const { [name]: _gone, ...kept } = this.state.timers;
    this.change({ timers: kept });
  }

  indicate(state, text, faded = false) {
    this.do("indicator", { state, text, faded });
  }

  toast(level, text, about) {
    this.do("toast", { level, text, about });
  }
}

const PAGE_EVENTS = {
  connect(turn) {
    if (["idle", "stopped", "given_up"].includes(turn.state.phase)) dialAfresh(turn);
  },
  disconnect(turn) {
    if (turn.state.phase === "signed_out") return;
    leave(turn, "stopped");
    rest(turn, "Disconnected");
  },
  logout(turn) {
    signOut(turn, "logout");
  },
  session_ended(turn) {
    signOut(turn, "ended");
  },
  visibility(turn, event) {
    takeVisibility(turn, event.visible);
  },
  online(turn) {
    doubt(turn);
  },
  pagehide(turn) {
    if (!["idle", "stopped", "signed_out"].includes(turn.state.phase)) leave(turn, "away");
  },
  pageshow(turn, event) {
    if (!event.persisted || turn.state.phase !== "away") return;
    dialAfresh(turn);
    // What was cached may be hours old: read again even if the socket should not come back.
    turn.do("reload", { what: "all", id: null });
  },
};

function dialAfresh(turn) {
  turn.change({ attempts: 0 });
  dial(turn);
}

function dial(turn) {
  turn.cancel(["reconnect", "error"]);
  const number = turn.state.sockets + 1;
  turn.change({ phase: "connecting", socket: number, sockets: number, welcomed: false, lost_ms: null });
  turn.log(`connecting ${turn.state.url}`);
  turn.indicate("connecting", "Connecting...");
  turn.do("open_socket", { socket: number });
}

/** Close what is live, forget every wait, and stay in `phase`. */
function leave(turn, phase, code = CLOSE_NORMAL) {
  const socket = turn.state.socket;
  dropSocket(turn);
  turn.cancel(["reconnect", "error"]);
  turn.change({ phase, lost_ms: null });
  if (socket !== null) {
    turn.log("disconnected");
    turn.do("close_socket", { socket, code });
  }
}

function dropSocket(turn) {
  turn.cancel(["ping", "pong", "settled", "fade"]);
  turn.change({ socket: null, welcomed: false, opened_ms: null, pinged_ms: null, ponged_ms: null });
}

/** Show `disconnected` with words, but let a connection error be seen for its time first. */
function rest(turn, text) {
  turn.change({ rest_text: text });
  if (!("error" in turn.state.timers)) turn.indicate("disconnected", text);
}

function signOut(turn, reason) {
  if (turn.state.phase === "signed_out") return;
  leave(turn, "signed_out");
  rest(turn, "Signed out");
  const ended = reason === "ended";
  turn.toast(ended ? "warning" : "info", ended ? SESSION_ENDED : SIGNED_OUT, "session");
  turn.do("signed_out", { reason });
}

function takeVisibility(turn, visible) {
  const came = visible && !turn.state.visible;
  turn.change({ visible });
  if (!visible) {
    turn.cancel(["ping"]);
  } else if (came && turn.state.phase === "paused") {
    dial(turn);
  } else if (came && !doubt(turn) && turn.state.phase === "open") {
    const last = turn.state.pinged_ms ?? turn.state.opened_ms ?? 0;
    turn.setTimer("ping", Math.max(turn.atMs, last + PING_PERIOD_MS));
  }
}

/** Treat the socket as lost when its last pong is too old; tell whether it was. */
function doubt(turn) {
  const { ponged_ms } = turn.state;
  const stale = ponged_ms !== null && turn.atMs - ponged_ms > STALE_PONG_MS;
  if (stale) lose(turn);
  return stale;
}

function lose(turn) {
  leave(turn, "waiting", CLOSE_NO_PONG);
  schedule(turn, turn.atMs);
}

/** Give the next attempt its time, counted from the loss, or give up. */
function schedule(turn, sinceMs) {
  const attempt = turn.state.attempts + 1;
  if (attempt > ATTEMPTS_MAX) {
    turn.change({ phase: "given_up", lost_ms: null });
    rest(turn, "Disconnected. Please refresh the page.");
    turn.toast("error", LOST, "connection");
    return;
  }
  const base = RECONNECT_DELAYS_MS[attempt - 1];
  const longer = Math.floor((base * JITTER_PERCENT * turn.draw) / (100 * DRAW_MAX));
  const delay = Math.min(base + longer, RECONNECT_DELAY_MS_MAX);
  turn.change({ phase: "waiting", attempts: attempt, lost_ms: null });
  turn.log(`attempt ${attempt}/${ATTEMPTS_MAX}`);
  rest(turn, `Disconnected. Attempt ${attempt}/${ATTEMPTS_MAX} in ${base / 1000} s`);
  turn.setTimer("reconnect", Math.max(turn.atMs, sinceMs + delay));
}

/** Act on why a handshake may have been refused; browsers hide its status (§6 refused before open). */
function takeMe(turn, event) {
  if (event.status === 401) {
    signOut(turn, "ended");
  } else if (event.status === 429) {
    const waitS = Math.min(Math.max(event.retry_after ?? 1, 1), RETRY_AFTER_S_MAX);
    turn.change({ phase: "waiting", lost_ms: null });
    rest(turn, `Disconnected. Trying again in ${waitS} s`);
    turn.setTimer("reconnect", turn.atMs + waitS * 1000);
  } else {
    schedule(turn, turn.state.lost_ms ?? turn.atMs);
  }
}

function fire(turn, name) {
  const dueMs = turn.state.timers[name];
  if (dueMs === undefined) return;
  if (turn.atMs < dueMs) {
    // Clocks and timers disagree by a millisecond now and then; a timer dropped for that would never come.
    turn.do("set_timer", { name, at_ms: dueMs });
    return;
  }
  turn.forgetTimer(name);
  TIMERS[name](turn);
}

const TIMERS = {
  ping,
  pong: lose,
  reconnect: dial,
  settled(turn) {
    if (turn.state.welcomed) turn.change({ attempts: 0 });
  },
  fade(turn) {
    turn.indicate("connected", "Connected", true);
  },
  error(turn) {
    turn.indicate("disconnected", turn.state.rest_text);
  },
};

function ping(turn) {
  const { socket } = turn.state;
  if (socket === null) return;
  turn.change({ pinged_ms: turn.atMs });
  const timestamp = new Date(turn.atMs).toISOString();
  turn.do("send", { socket, text: JSON.stringify({ type: "ping", timestamp }) });
  turn.setTimer("ping", turn.atMs + PING_PERIOD_MS);
  if (!("pong" in turn.state.timers)) turn.setTimer("pong", turn.atMs + PONG_TIMEOUT_MS);
}

const SOCKET_EVENTS = {
  opened(turn) {
    if (turn.state.phase === "connecting") open(turn);
  },
  message(turn, event) {
    if (turn.state.phase === "open") receive(turn, event.text);
  },
  error(turn) {
    turn.cancel(["fade"]);
    turn.change({ rest_text: "Disconnected" });
    turn.indicate("error", "Connection Error");
    turn.setTimer("error", turn.atMs + ERROR_SHOWN_MS);
  },
  closed(turn, event) {
    closed(turn, event.code);
  },
};

function open(turn) {
  // Being open counts as the first sign of life, so that a page hidden at once is not found stale at once.
  turn.change({ phase: "open", opened_ms: turn.atMs, ponged_ms: turn.atMs });
  turn.log("connected");
  turn.indicate("connected", "Connected");
  turn.setTimer("fade", turn.atMs + FADE_AFTER_MS);
  turn.setTimer("settled", turn.atMs + SETTLED_AFTER_MS);
  if (turn.state.visible) turn.setTimer("ping", turn.atMs + PING_PERIOD_MS);
}

function receive(turn, text) {
  const message = parse(text);
  if (message === null) return;
  turn.log(KNOWN_TYPES.includes(message.type) ? `message ${message.type}` : "message of an unknown type");
  if (message.type === "pong") {
    turn.change({ ponged_ms: turn.atMs });
    turn.cancel(["pong"]);
  } else if (isWelcome(message) && !turn.state.welcomed) {
    welcome(turn);
  } else {
    turn.effects.push(...effectsOf(message));
  }
}

function welcome(turn) {
  turn.change({ welcomed: true });
  if (!("settled" in turn.state.timers)) turn.change({ attempts: 0 });
  // The connection joined when its welcome was queued (§5 a): only what is read from now on misses nothing.
  turn.do("reload", { what: "all", id: null });
}

function closed(turn, code) {
  const wasOpen = turn.state.phase === "open";
  dropSocket(turn);
  turn.log(`disconnected ${code}`);
  if (!wasOpen) {
    turn.change({ phase: "refused", lost_ms: turn.atMs });
    rest(turn, "Disconnected");
    turn.do("ask_me");
  } else if (code === TOKEN_ENDED) {
    signOut(turn, "ended");
  } else if (code === TOO_MANY_SOCKETS) {
    turn.change({ phase: "paused" });
    rest(turn, TOO_MANY);
    turn.toast("warning", TOO_MANY, "connection");
  } else if (NO_RECONNECT_CODES.includes(code)) {
    turn.change({ phase: "stopped" });
    rest(turn, "Disconnected. Please refresh the page.");
    turn.toast("error", `The server ended the connection (${code}). Please refresh the page.`, "connection");
  } else {
    schedule(turn, turn.atMs);
  }
}
