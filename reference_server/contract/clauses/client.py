"""CLIENT: the browser's side of the socket (contract §6); the Python client is judged by the same clauses."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Kind, held

BROWSER: Final = ("browser",)
CORES: Final = (
    "harness/client/tests/test_core_vectors.py::test_the_core_takes_every_step_as_the_vectors_say",
    "e2e/test_client_vectors.py::test_the_core_in_the_browser_steps_as_the_vectors_say",
)
"""Both clients take the steps of `client_vectors.json`; each clause below has its sequences there."""

RELOADS: Final = (
    "harness/client/tests/test_core_vectors.py::test_reloading_takes_every_step_as_the_vectors_say",
    "e2e/test_client_vectors.py::test_reloading_in_the_browser_steps_as_the_vectors_say",
)

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
    Clause("CLIENT-STORAGE-2", "unreadable values in storage are dropped", "§6 storage", needs=BROWSER,
           grants=("accounts",)),
    Clause("CLIENT-CONSOLE-1", "one info line each for connecting, connected, disconnected, attempt, message type, "
           "and no errors of the page's own", "§6 console", needs=BROWSER, grants=("accounts",)),
    Clause("CLIENT-INDICATOR-1", "#ws-status shows the state of the socket in data-state and words", "§6 indicator",
           needs=BROWSER, grants=("accounts",)),
    Clause("CLIENT-TOAST-1", "a completed or failed task says so in a toast of its level", "§6 toasts",
           needs=BROWSER, grants=("accounts", "tasks")),
    Clause("CLIENT-TOAST-2", "a toast tells its level, and an error's role is alert", "§6 toasts", needs=BROWSER,
           grants=("accounts", "tasks")),
    Clause("CLIENT-BADGE-1", "a task's badge changes in place when its push comes", "§6 task_update",
           needs=BROWSER, grants=("accounts", "tasks")),
    held("CLIENT-PING-2", "no pong within 10 s closes and reconnects", "§6 ping", *CORES, ext=True),
    held("CLIENT-BACKOFF-3", "the counters reset when a connection had its welcome and stayed open 5 s",
         "§6 reconnect", *CORES),
    held("CLIENT-STOP-2", "4409 pauses a page until it becomes visible, and says so", "§6 reconnect", *CORES),
    held("CLIENT-STOP-3", "a late close of an old socket changes nothing", "§6 reconnect", *CORES),
    held("CLIENT-REFUSED-1", "refused before open a page asks GET /users/me once: 401 signs out, 429 waits its "
         "Retry-After uncounted, anything else is the next attempt", "§6 refused before open", *CORES),
    held("CLIENT-RELOAD-1", "reloads are coalesced: one in flight, one pending, 1 s apart, and 429 waits Retry-After",
         "§6 reloads", *RELOADS),
    held("CLIENT-RETURN-1", "back from the back-forward cache a page connects at once and reads again; online or "
         "visible with a pong over 35 s old counts as lost", "§6 back-forward cache", *CORES),
    held("CLIENT-INDICATOR-2", "an error shows for 500 ms, then disconnected; connected fades after 3 s",
         "§6 indicator", *CORES),
    held("CLIENT-AGENT-1", "an agent_update is an info toast naming agent and action, and agents are read again",
         "§6 agent_update", *CORES),
    held("CLIENT-SYSTEM-1", "a system message is a toast of its level; the welcome shows in the indicator only",
         "§6 system", *CORES),
    Clause("CLIENT-LIST-1", "the tasks page reloads its list at a task_update, without a navigation",
           "§6 task_update", needs=("tasks-page", "browser"), grants=("accounts", "tasks")),
    Clause("CLIENT-LIST-2", "the agents page reloads its list at an agent_update, without a navigation",
           "§6 agent_update", needs=("agents-page", "browser"), grants=("accounts", "agents")),
    Clause("CLIENT-LIST-3", "the agent's page reloads its agent at an agent_update of that one", "§6 agent_update",
           needs=("agent-page", "browser"), grants=("accounts", "agents")),
)  # fmt: skip
