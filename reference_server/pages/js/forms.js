// Forms say what is wrong in words, beside the field, and put the keyboard there.

/** Show faults by field name; those of unknown fields, and `message`, stand above the form. */
export function showFaults(form, faults, message = "") {
  const unplaced = [];
  clearFaults(form);
  for (const [name, reason] of Object.entries(faults)) {
    const input = form.elements.namedItem(name);
    const place = form.querySelector(`#${CSS.escape(name)}-fault`);
    if (!input || !place) unplaced.push(reason);
    else setFault(input, place, reason);
  }
  form.querySelector("[data-form-fault]").textContent = [message, ...unplaced].filter(Boolean).join(" ");
  revealFirst(form);
}

function setFault(input, place, reason) {
  input.setAttribute("aria-invalid", "true");
  place.textContent = reason;
}

function revealFirst(form) {
  const first = form.querySelector('[aria-invalid="true"]');
  if (first === null) return;
  const folded = first.closest("details");
  if (folded) folded.open = true;
  first.focus();
}

/** Take all faults away. */
export function clearFaults(form) {
  form.querySelector("[data-form-fault]").textContent = "";
  for (const input of form.querySelectorAll('[aria-invalid="true"]')) clearFault(form, input);
}

function clearFault(form, input) {
  input.removeAttribute("aria-invalid");
  form.querySelector(`#${CSS.escape(input.name)}-fault`).textContent = "";
}

/** Show what an ApiError said: its details beside their fields, the rest above the form. */
export function showError(form, error, words = {}) {
  const faults = {};
  for (const { field, reason } of error.details) {
    // `input.query` and `query` are one field of ours.
    if (typeof field === "string" && typeof reason === "string") faults[field.split(".").at(-1)] = sentence(reason);
  }
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
  const placed = Object.keys(faults).length > 0;
  showFaults(form, faults, placed ? "" : `${words[error.status] ?? error.message}${wait}`);
}

function sentence(reason) {
  const words = reason.charAt(0).toUpperCase() + reason.slice(1);
  return /[.!?]$/.test(words) ? words : `${words}.`;
}

/**
 * Carry a form's submissions out: `check(values)` gives faults by field, `send(values)` does the work and may
 * raise ApiError. One at a time; the button says so.
 */
export function handleForm(form, { check, send, busyText, errorWords }) {
  const button = form.querySelector('[type="submit"]');
  let busy = false;
  form.addEventListener("input", ({ target }) => target.getAttribute("aria-invalid") && clearFault(form, target));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    const values = Object.fromEntries(new FormData(form));
    const faults = check(values);
    showFaults(form, faults);
    if (Object.keys(faults).length > 0) return;
    busy = true;
    const release = hold(button, busyText);
    try {
      await send(values);
    } catch (error) {
      if (error.name !== "ApiError") throw error;
      showError(form, error, errorWords);
    } finally {
      busy = false;
      release();
    }
  });
}

// Not `disabled`: that would take the keyboard's place away.
function hold(button, text) {
  const before = button.textContent;
  button.textContent = text;
  button.setAttribute("aria-busy", "true");
  return () => {
    button.textContent = before;
    button.removeAttribute("aria-busy");
  };
}

/** Let buttons with `data-reveal` show and hide a password. */
export function handleReveals(form) {
  for (const button of form.querySelectorAll("[data-reveal]")) {
    button.addEventListener("click", () => {
      const input = form.elements.namedItem(button.dataset.reveal);
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      button.textContent = shown ? "Hide" : "Show";
      button.setAttribute("aria-pressed", String(shown));
    });
  }
}

/** Tell whether an e-mail has the form that the server takes. */
export function isEmail(text) {
  const input = document.createElement("input");
  input.type = "email";
  input.value = text;
  // The browser trims, the server does not: what was typed must already be trimmed.
  return text !== "" && text.length <= 254 && input.value === text && input.validity.valid;
}
