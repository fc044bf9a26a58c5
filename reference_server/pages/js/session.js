// Who is signed in: the two storage keys, the way to the sign-in page and back (contract §6 storage, signed out).

const TOKEN_KEY = "zerostate_auth_token";
const USER_KEY = "zerostate_user_data";
const NOTICE_KEY = "zerostate_notice";
const HOME = "/dashboard.html";
const SIGN_IN = "/login.html";
// What can stand in a header and in a subprotocol; anything else was never a token of ours.
const TOKEN_FORM = /^[A-Za-z0-9._~+-]{1,8192}$/;

/** Give the stored token, or null; an unreadable one is dropped. */
export function readToken() {
  const stored = storageOf("localStorage")?.getItem(TOKEN_KEY) ?? null;
  if (stored === null || TOKEN_FORM.test(stored)) return stored;
  clear();
  return null;
}

/** Give the stored user, or null; an unreadable one is dropped. */
export function readUser() {
  const storage = storageOf("localStorage");
  const stored = storage?.getItem(USER_KEY) ?? null;
  if (stored === null) return null;
  try {
    const user = JSON.parse(stored);
    if (typeof user?.full_name === "string" && typeof user?.email === "string") return user;
  } catch {
    // Not JSON: dropped below, as any other form is.
  }
  storage.removeItem(USER_KEY);
  return null;
}

/** Keep what register or login answered. */
export function keep({ token, user }) {
  const storage = storageOf("localStorage");
  storage?.setItem(TOKEN_KEY, token);
  keepUser(user);
}

/** Keep who the token belongs to. */
export function keepUser(user) {
  storageOf("localStorage")?.setItem(USER_KEY, JSON.stringify(user));
}

/** Forget token and user. */
export function clear() {
  const storage = storageOf("localStorage");
  storage?.removeItem(TOKEN_KEY);
  storage?.removeItem(USER_KEY);
}

/** Call back when another page of this browser signs out, or in as somebody else. */
export function watchOtherPages({ onSignedOut, onChanged }) {
  addEventListener("storage", (event) => {
    // A null key is a cleared storage.
    if (event.key !== TOKEN_KEY && event.key !== null) return;
    const token = readToken();
    if (token === null) onSignedOut();
    else if (event.oldValue !== null && event.oldValue !== token) onChanged();
  });
}

/** Go to the sign-in page, which leads back here. */
export function goToSignIn({ comeBack = true } = {}) {
  const here = location.pathname + location.search;
  location.replace(comeBack ? `${SIGN_IN}?next=${encodeURIComponent(here)}` : SIGN_IN);
}

/** Give the URL to go to after signing in: `?next=` if it is a path of ours, else the dashboard. */
export function nextPlace() {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  const home = new URL(HOME, location.origin).href;
  // One slash, then no second one: `//host` and `/\host` are other sites to a browser.
  if (!/^\/(?![/\\])/.test(next)) return home;
  try {
    const url = new URL(next, location.origin);
    return url.origin === location.origin && !/^\/(login|signup)(\.html)?$/.test(url.pathname) ? url.href : home;
  } catch {
    return home;
  }
}

/** Leave a sentence for the page that comes next. */
export function leaveNotice(level, text) {
  storageOf("sessionStorage")?.setItem(NOTICE_KEY, JSON.stringify({ level, text }));
}

/** Take the sentence that the page before left, once. */
export function takeNotice() {
  const storage = storageOf("sessionStorage");
  const stored = storage?.getItem(NOTICE_KEY) ?? null;
  storage?.removeItem(NOTICE_KEY);
  try {
    const notice = JSON.parse(stored ?? "null");
    return typeof notice?.text === "string" ? notice : null;
  } catch {
    return null;
  }
}

// Reading the property itself raises where a browser forbids storage.
function storageOf(name) {
  try {
    return window[name];
  } catch {
    return null;
  }
}
