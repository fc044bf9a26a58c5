// What a task's form holds: its faults in words, and the body that the server takes (contract §3 submit).

const QUERY_CHARS_MAX = 10_000;
const TIMEOUT_S_MAX = 300;
const CONSTRAINTS_BYTES_MAX = 16 * 1024;

/** Give the faults of a form's values, by field. */
export function checkTask({ query, budget, timeout, constraints }) {
  const faults = {};
  const length = [...query].length;
  if (query.trim() === "") faults.query = "Say what should be done.";
  else if (length > QUERY_CHARS_MAX) faults.query = `Shorten this by ${length - QUERY_CHARS_MAX} characters.`;
  if (!(number(budget) > 0)) faults.budget = "Enter a number above 0.";
  const seconds = timeout.trim() === "" ? 30 : number(timeout);
  if (!(seconds >= 1 && seconds <= TIMEOUT_S_MAX)) faults.timeout = "Enter a number from 1 to 300.";
  const fault = constraintsFault(constraints);
  if (fault) faults.constraints = fault;
  return faults;
}

function constraintsFault(text) {
  if (text.trim() === "") return null;
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return 'This is not JSON. An example: {"language": "en"}';
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) return 'This must be a JSON object, like {"language": "en"}.';
  const size = new TextEncoder().encode(JSON.stringify(value)).length;
  return size > CONSTRAINTS_BYTES_MAX ? "This is too long: at most 16 KiB." : null;
}

/** Give the body of a submit from values that have no faults. */
export function taskBody({ query, budget, priority, timeout, constraints }) {
  const body = { query, budget: number(budget), priority };
  if (timeout.trim() !== "") body.timeout = number(timeout);
  if (constraints.trim() !== "") body.constraints = JSON.parse(constraints);
  return body;
}

// A decimal comma is a point to those who write one.
function number(text) {
  const plain = text.trim().replace(",", ".");
  return /^\d+(\.\d+)?$|^\.\d+$/.test(plain) ? Number(plain) : NaN;
}
