// Toasts: short words in a stack that screen readers hear too, gone after five seconds (contract §6 toasts).

import { icon } from "./icons.js";

const SHOWN_MS = 5000;
const STACK_MAX = 5;

/** Show a toast; `level` is info, success, warning or error. The text is text, whoever wrote it. */
export function showToast(level, text) {
  const region = document.getElementById("toasts");
  const toast = makeToast(level, text);
  region.append(toast);
  while (region.children.length > STACK_MAX) region.firstElementChild.remove();
  expire(toast);
}

function makeToast(level, text) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.level = level;
  // An error interrupts; the rest waits for a pause, as its region says.
  if (level === "error") toast.setAttribute("role", "alert");
  const words = document.createElement("span");
  words.className = "toast-text";
  words.textContent = text;
  toast.append(icon(level), words, closeButton(toast));
  return toast;
}

function closeButton(toast) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "toast-close";
  button.setAttribute("aria-label", "Dismiss");
  button.append(icon("close"));
  button.addEventListener("click", () => toast.remove());
  return button;
}

// Five seconds, but never away from under a pointer or a keyboard that is on it.
function expire(toast) {
  let timer = setTimeout(() => toast.remove(), SHOWN_MS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), SHOWN_MS);
  };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", release);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", release);
}
