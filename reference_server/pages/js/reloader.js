// The shell of reload.js: runs the page's load when the core says so.

import { start, step } from "./reload.js";

/** Make a page's reloader from its `load`, an async function that may raise ApiError. Gives `{cause}`. */
export function makeReloader(load) {
  let state = start();
  let timer;
  let lastMs = 0;

  const now = (atLeastMs = 0) => {
    lastMs = Math.max(lastMs, atLeastMs, Date.now());
    return lastMs;
  };

  const dispatch = (event) => {
    const [after, effects] = step(state, event);
    state = after;
    for (const effect of effects) carryOut(effect);
  };

  const carryOut = (effect) => {
    if (effect.type === "load") {
      run();
      return;
    }
    clearTimeout(timer);
    const due = () => dispatch({ type: "timer", at_ms: now(effect.at_ms) });
    timer = setTimeout(due, Math.max(0, effect.at_ms - now()));
  };

  const run = async () => {
    let retry_after = null;
    try {
      await load();
    } catch (error) {
      retry_after = error.retryAfter ?? null;
      // `load` shows its own failures; anything but a failed call is a fault of the page and must be seen.
      if (error.name !== "ApiError") console.error(error);
    }
    dispatch({ type: "done", at_ms: now(), retry_after });
  };

  return { cause: () => dispatch({ type: "cause", at_ms: now() }) };
}
