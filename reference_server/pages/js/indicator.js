// The socket's state in the top bar: #ws-status with its dot and words (contract §6 indicator).

/** Show a state; when it fades it stays in the page for those who look for it. */
export function showIndicator({ state, text, faded }) {
  const status = document.getElementById("ws-status");
  status.dataset.state = state;
  status.dataset.faded = String(faded);
  status.title = text;
  const words = document.getElementById("ws-status-text");
  // The same words again would be read aloud again.
  if (words.textContent !== text) words.textContent = text;
}
