// Runs in every document before the page's own scripts: tells each socket's life and what the page shows, with the
// page's own instants. It watches only; what the page does is the page's.
(() => {
  if (window !== window.top || typeof window.zshTell !== "function") return;
  const send = window.zshTell;
  const instant = () => performance.timeOrigin + performance.now();
  // A document that is being left can't be answered any more.
  const tell = (kind, data) => void send({ kind, document: performance.timeOrigin, at_ms: instant(), data }).catch(() => {});
  watchSockets();
  watchPage();

  function watchSockets() {
    let made = 0;
    window.WebSocket = class WebSocket extends window.WebSocket {
      #number;

      constructor(url, protocols) {
        const number = (made += 1);
        const offered = protocols === undefined ? [] : [protocols].flat().map(String);
        // Told before the attempt, since the constructor is what the schedule is about.
        tell("construct", { socket: number, url: String(url), protocols: offered, visible: !document.hidden });
        super(url, protocols ?? []);
        this.#number = number;
        this.addEventListener("open", () => tell("opened", { socket: number, subprotocol: this.protocol }));
        this.addEventListener("error", () => tell("error", { socket: number }));
        this.addEventListener("message", ({ data }) => {
          tell("received", { socket: number, text: typeof data === "string" ? data : null });
        });
        this.addEventListener("close", ({ code, reason, wasClean }) => {
          tell("closed", { socket: number, code, reason, clean: wasClean });
        });
      }

      send(data) {
        tell("sent", { socket: this.#number, text: typeof data === "string" ? data : null });
        super.send(data);
      }

      close(...how) {
        tell("closing", { socket: this.#number, code: how[0] ?? 1000 });
        super.close(...how);
      }
    };
  }

  function watchPage() {
    const badges = new WeakMap();
    const toasts = new WeakSet();
    let indicator = "";
    tell("document", { url: location.href, visible: !document.hidden });
    document.addEventListener("visibilitychange", () => tell("visibility", { visible: !document.hidden }));
    new MutationObserver(look).observe(document, {
      subtree: true, childList: true, characterData: true, attributes: true,
      attributeFilter: ["data-state", "data-status", "data-faded", "data-level", "class", "role"],
    });

    function look() {
      lookAtIndicator();
      document.querySelectorAll("[data-task-id] [data-status]").forEach(lookAtBadge);
      document.querySelectorAll('[role="status"] [data-level], [role="alert"][data-level]').forEach(lookAtToast);
    }

    function lookAtIndicator() {
      const place = document.getElementById("ws-status");
      if (place === null) return;
      const text = document.getElementById("ws-status-text")?.textContent ?? null;
      const shown = { state: place.dataset.state ?? null, text, faded: place.dataset.faded === "true" };
      const seen = JSON.stringify(shown);
      if (seen === indicator) return;
      indicator = seen;
      tell("indicator", shown);
    }

    function lookAtBadge(badge) {
      const { status } = badge.dataset;
      if (!status || badges.get(badge) === status) return;
      // The same element with another status is a change in place; a new element is a row made anew.
      const before = badges.get(badge) ?? null;
      badges.set(badge, status);
      tell("badge", { task_id: badge.closest("[data-task-id]").dataset.taskId, status, before });
    }

    function lookAtToast(toast) {
      if (toasts.has(toast) || !toast.closest("[role=status]")) return;
      toasts.add(toast);
      const words = toast.querySelector(".toast-text") ?? toast;
      tell("toast", { level: toast.dataset.level, text: words.textContent, role: toast.getAttribute("role") });
    }
  }
})();
