// The shell of client_core.js: brings it the browser's events and carries out its effects on a WebSocket, timers
// and the page's handlers. It decides nothing.

import { start, step } from "./client_core.js";

const SUBPROTOCOL = "zerostate.v1";
const ABNORMAL = 1006;
const DRAW_MAX = 1000;

/**
 * Make a page's socket. `handlers` has a function for each effect of the page: indicator, toast, reload, badge,
 * signed_out (each given the effect), and ask_me, which gives `{status, retry_after}`. Gives `{dispatch}`.
 */
export function makeSocket(url, readToken, handlers) {
  const shell = new Shell(url, readToken, handlers);
  shell.listen();
  return { dispatch: (type, fields) => shell.dispatch(type, fields) };
}

class Shell {
  constructor(url, readToken, handlers) {
    this.url = url;
    this.readToken = readToken;
    this.handlers = handlers;
    this.state = start(url, !document.hidden);
    this.sockets = new Map();
    this.timers = new Map();
    this.events = [];
    this.busy = false;
    this.lastMs = 0;
  }

  listen() {
    const on = (target, type, bring) => target.addEventListener(type, bring);
    on(document, "visibilitychange", () => this.dispatch("visibility", { visible: !document.hidden }));
    on(window, "online", () => this.dispatch("online"));
    on(window, "pagehide", () => this.dispatch("pagehide"));
    on(window, "pageshow", (event) => this.dispatch("pageshow", { persisted: event.persisted }));
  }

  /** Take an event; one that comes while another is taken waits its turn. */
  dispatch(type, fields = {}, atLeastMs = 0) {
    const draw = Math.floor(Math.random() * (DRAW_MAX + 1));
    this.events.push({ type, at_ms: this.now(atLeastMs), draw, ...fields });
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.events.length > 0) this.take(this.events.shift());
    } finally {
      this.busy = false;
    }
  }

  take(event) {
    const [state, effects] = step(this.state, event);
    this.state = state;
    for (const effect of effects) {
      const own = EFFECTS[effect.type];
      if (own) own(this, effect);
      else this.handlers[effect.type](effect);
    }
  }

  // The wall clock goes on while a laptop sleeps, which is what the core asks about; it must only not go back.
  now(atLeastMs = 0) {
    this.lastMs = Math.max(this.lastMs, atLeastMs, Date.now());
    return this.lastMs;
  }
}

const EFFECTS = {
  log(_shell, { line }) {
    console.info(`[zerostate] ${line}`);
  },
  open_socket(shell, { socket }) {
    openSocket(shell, socket);
  },
  send(shell, { socket, text }) {
    shell.sockets.get(socket)?.send(text);
  },
  close_socket(shell, { socket, code }) {
    closeSocket(shell, socket, code);
  },
  set_timer(shell, { name, at_ms }) {
    clearTimeout(shell.timers.get(name));
    const wait = Math.max(0, at_ms - shell.now());
    // A timer may fire a little early; the core is told the time that was asked for.
    shell.timers.set(name, setTimeout(() => shell.dispatch("timer", { name }, at_ms), wait));
  },
  cancel_timer(shell, { name }) {
    clearTimeout(shell.timers.get(name));
    shell.timers.delete(name);
  },
  async ask_me(shell, effect) {
    shell.dispatch("me", await shell.handlers.ask_me(effect));
  },
};

function openSocket(shell, socket) {
  const token = shell.readToken();
  let made;
  try {
    made = new WebSocket(shell.url, token ? [SUBPROTOCOL, `bearer.${token}`] : [SUBPROTOCOL]);
  } catch {
    // A URL or token no browser takes; the core treats it as any other refusal.
    shell.dispatch("closed", { socket, code: ABNORMAL });
    return;
  }
  shell.sockets.set(socket, made);
  made.onopen = () => shell.dispatch("opened", { socket });
  made.onerror = () => shell.dispatch("error", { socket });
  made.onmessage = ({ data }) => {
    if (typeof data === "string") shell.dispatch("message", { socket, text: data });
  };
  made.onclose = ({ code }) => {
    shell.sockets.delete(socket);
    shell.dispatch("closed", { socket, code });
  };
}

function closeSocket(shell, socket, code) {
  const made = shell.sockets.get(socket);
  if (made === undefined) return;
  if (made.readyState !== WebSocket.CONNECTING) {
    made.close(code);
    return;
  }
  // Closing one that is still connecting makes the browser write an error; it is closed the moment it opens.
  made.onopen = () => made.close(code);
}
