"""CLIENT: the browser's side of the socket (contract §6); the Python client is judged by the same clauses."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Kind

BROWSER: Final = ("browser",)

CLIENT: Final = (
    Clause("CLIENT-ONE-1", "a signed-in page holds one live socket; login, signup and signed-out pages none",
           "§6 connects", needs=BROWSER, grants=("accounts",)),
    Clause("CLIENT-PING-1", "an open, visible page sends a ping every 25 s", "§6 ping",
           needs=BROWSER, grants=("accounts",)),
    Clause("CLIENT-BACKOFF-1", "reconnects come after 1, 2, 4, 8, 16 s, each up to 10 % longer", "§6 reconnect",
           depth=Depth.SMOKE, grants=("accounts", "tasks")),
    Clause("CLIENT-BACKOFF-2", "after 5 attempts a page gives up: the error toast, and it stays disconnected",
           "§6 reconnect", depth=Depth.THOROUGH, needs=("browser", "process"), grants=("accounts", "faults")),
    Clause("CLIENT-STOP-1", "after 4401, 4409, 1002, 1003, 1007 to 1009 or a deliberate disconnect a client stays away",
           "§6 reconnect", grants=("accounts",)),
    Clause("CLIENT-RESYNC-1", "within 2 s of a reconnect the page equals REST", "§6 after a reconnect",
           kind=Kind.LIVENESS, needs=("browser", "process"), grants=("accounts", "tasks", "faults")),
    Clause("CLIENT-STORAGE-1", "signing out clears storage and leads to /login.html", "§6 signed out",
           needs=BROWSER, grants=("accounts",)),
    Clause("CLIENT-CONSOLE-1", "one info line each for connecting, connected, disconnected, attempt, message type, "
           "and no errors of the page's own", "§6 console", needs=BROWSER, grants=("accounts",)),
    Clause("CLIENT-INDICATOR-1", "#ws-status shows the state of the socket in data-state and words", "§6 indicator",
           needs=BROWSER, grants=("accounts",)),
    Clause("CLIENT-TOAST-1", "a completed or failed task says so in a toast of its level", "§6 toasts",
           needs=BROWSER, grants=("accounts", "tasks")),
    Clause("CLIENT-BADGE-1", "a task's badge changes in place when its push comes", "§6 task_update",
           needs=BROWSER, grants=("accounts", "tasks")),
)  # fmt: skip
