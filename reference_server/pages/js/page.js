// What every signed-in page has: the guard, the account in the top bar, the socket, and reading again.

import { ApiError, call, findPlaces, useSession } from "./api.js";
import { showIndicator } from "./indicator.js";
import { makeReloader } from "./reloader.js";
import * as session from "./session.js";
import { makeSocket } from "./socket.js";
import { showToast } from "./toasts.js";

const REFRESH_MS = 30_000;
const STALE = "What you see may be out of date.";

/**
 * Open a signed-in page. `load` reads its data again and raises ApiError when it can't; `onBadge` gets a task's
 * badge; `concerns(effect)` says whether a push asks this page to read again. Gives `{reload}`, or null for a
 * visitor who is on the way to the sign-in page.
 */
export async function openPage({ load, onBadge = () => {}, concerns = () => true }) {
  if (session.readToken() === null) {
    session.goToSignIn();
    return null;
  }
  let socket = null;
  const ended = () => socket?.dispatch("session_ended");
  useSession(session.readToken, ended);
  const reloader = makeReloader(() => loadAndTell(load));
  showAccount();
  const { ws } = await findPlaces();
  socket = makeSocket(ws, session.readToken, {
    indicator: showIndicator,
    toast: ({ level, text, about }) => tell(level, text, about),
    badge: onBadge,
    reload: (effect) => concerns(effect) && reloader.cause(),
    signed_out: ({ reason }) => leave(reason),
    ask_me: askMe,
  });
  listen(socket, reloader, ended);
  reloader.cause();
  socket.dispatch("connect");
  return { reload: reloader.cause };
}

function listen(socket, reloader, ended) {
  document.getElementById("sign-out").addEventListener("click", () => socket.dispatch("logout"));
  document.querySelector("[data-notice-retry]").addEventListener("click", reloader.cause);
  session.watchOtherPages({ onSignedOut: ended, onChanged: () => location.reload() });
  setInterval(() => document.hidden || reloader.cause(), REFRESH_MS);
  document.addEventListener("visibilitychange", () => document.hidden || reloader.cause());
  addEventListener("online", reloader.cause);
  addEventListener("offline", showOffline);
  if (!navigator.onLine) showOffline();
}

async function loadAndTell(load) {
  try {
    await load();
    showNotice(null);
  } catch (error) {
    if (error.status === 401) throw error;
    if (!navigator.onLine) showOffline();
    else if (error instanceof ApiError) showNotice(`${error.message}${waitOf(error)} ${STALE}`, "error");
    throw error;
  }
}

function waitOf({ retryAfter }) {
  return retryAfter ? ` Trying again in ${retryAfter} s.` : "";
}

/** Show a notice above the page's content, or none. */
function showNotice(text, level) {
  const notice = document.getElementById("page-notice");
  notice.hidden = text === null;
  notice.dataset.level = level ?? "";
  const words = notice.querySelector("[data-notice-text]");
  if (words.textContent !== (text ?? "")) words.textContent = text ?? "";
}

function showOffline() {
  showNotice(`You are offline. ${STALE}`, "warning");
}

function showAccount() {
  const user = session.readUser();
  if (user === null) {
    // The name was dropped or never kept; the token still knows whose it is.
    fetchAccount();
  } else {
    writeAccount(user);
  }
}

async function fetchAccount() {
  try {
    const me = await call("GET", "/users/me");
    session.keepUser(me);
    writeAccount(me);
  } catch (error) {
    // A page without a name is a page; what else is wrong its own data will say.
    if (!(error instanceof ApiError)) throw error;
  }
}

function writeAccount({ full_name, email }) {
  const words = full_name.trim().split(/\s+/);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...word][0] ?? "");
  document.querySelector("[data-account-initials]").textContent = letters.join("").toUpperCase();
  const name = document.querySelector("[data-account-name]");
  name.textContent = full_name;
  name.title = email;
}

async function askMe() {
  try {
    await call("GET", "/users/me", { quiet: true });
    return { status: 200, retry_after: null };
  } catch (error) {
    return { status: error.status, retry_after: error.retryAfter };
  }
}

function tell(level, text, about) {
  // What is said on leaving is read on the page that comes next.
  if (about === "session") session.leaveNotice(level, text);
  showToast(level, text);
}

async function leave(reason) {
  if (reason === "logout") {
    const button = document.getElementById("sign-out");
    button.setAttribute("aria-busy", "true");
    // Signed out here in any case: a server out of reach must not keep a person signed in on a shared machine.
    await call("POST", "/users/logout", { quiet: true }).catch(() => {});
  }
  session.clear();
  session.goToSignIn({ comeBack: reason !== "logout" });
}
