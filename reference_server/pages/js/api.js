// REST as the pages use it: where it is (/config.json), one call function, and errors in words for a person.

const ROOT = "/api/v1";
const SOCKET_PATH = `${ROOT}/ws/connect`;
const TIMEOUT_MS = 10_000;

const NO_ANSWER = "The server can't be reached. Check your connection and try again.";
const WORDS = {
  413: "That is too large for the server.",
  429: "Too many requests just now.",
  500: "Something went wrong on the server.",
  503: "The server is busy right now.",
};

let places;
let token = () => null;
let unauthorized = () => {};

/** Say where the token is read from and what a 401 does; login and signup say nothing. */
export function useSession(readToken, onUnauthorized) {
  token = readToken;
  unauthorized = onUnauthorized;
}

/** What went wrong with a call; `status` 0 when there was no answer, `retryAfter` in seconds or null. */
export class ApiError extends Error {
  constructor(status, message, details = [], retryAfter = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}

/** Give `{api, ws}`: the base URL of the operations and the URL of the socket (contract §7). */
export function findPlaces() {
  places ??= readPlaces();
  return places;
}

async function readPlaces() {
  const config = await readConfig();
  const api = new URL(config.api || "/", location.origin);
  const ws = new URL(config.ws || config.api || "/", location.origin);
  ws.protocol = ws.protocol.replace(/^http/, "ws");
  return { api: withPath(api, ROOT), ws: withPath(ws, SOCKET_PATH) };
}

async function readConfig() {
  try {
    const response = await fetch("/config.json", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const config = response.ok ? await response.json() : {};
    return typeof config === "object" && config !== null ? config : {};
  } catch {
    // Without an answer the pages assume their own origin, which is the default.
    return {};
  }
}

// A bare origin gets our path; a URL that names one keeps it.
function withPath(url, path) {
  return url.origin + (url.pathname === "/" ? path : url.pathname.replace(/\/$/, ""));
}

/** Ask an operation and give its JSON; raises ApiError. A 401 ends the session unless `quiet`. */
export async function call(method, path, { body, quiet = false } = {}) {
  const { api } = await findPlaces();
  const response = await send(method, api + path, body);
  const answer = await read(response);
  if (response.ok) return answer;
  if (response.status === 401 && !quiet) unauthorized();
  throw errorOf(response, answer);
}

async function send(method, url, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const bearer = token();
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  const json = body === undefined ? undefined : JSON.stringify(body);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(url, { method, headers, body: json, signal, cache: "no-store", credentials: "omit" });
  } catch {
    throw new ApiError(0, NO_ANSWER);
  }
}

async function read(response) {
  try {
    return await response.json();
  } catch {
    if (response.ok) throw new ApiError(0, NO_ANSWER);
    return {};
  }
}

function errorOf(response, answer) {
  const said = typeof answer?.message === "string" && answer.message ? answer.message : null;
  const message = said ?? WORDS[response.status] ?? `The server answered ${response.status}.`;
  const details = Array.isArray(answer?.details) ? answer.details : [];
  return new ApiError(response.status, message, details, retryAfterOf(response, answer));
}

function retryAfterOf(response, answer) {
  const seconds = Number(response.headers.get("Retry-After") ?? answer?.retry_after ?? NaN);
  if (Number.isFinite(seconds)) return Math.max(1, Math.ceil(seconds));
  return response.status === 429 ? 1 : null;
}
