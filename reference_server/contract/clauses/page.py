"""PAGE: what the pages show (contract §7)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Part

BROWSER: Final = ("browser",)


def _of(part: Part, id_: str, text: str, section: str) -> Clause:
    """Return a clause of a page that a target may not have yet."""
    return Clause(id_, text, section, needs=(part, "browser"), grants=("accounts",))


SERVED: Final = (
    Clause("PAGE-GUARD-1", "a signed-out visitor of a page goes to /login.html?next= and comes back after login",
           "§7", needs=BROWSER, grants=("accounts",)),
    Clause("PAGE-PATH-1", "/x redirects to /x.html; an unknown path answers a browser with a 404 page", "§7",
           needs=BROWSER, grants=("accounts",)),
    Clause("PAGE-DASHBOARD-1", "the dashboard's four figures are their operations' fields", "§7 dashboard",
           needs=BROWSER, grants=("accounts",)),
    Clause("PAGE-DASHBOARD-2", "the dashboard's recent tasks are REST's newest, with their states", "§7 dashboard",
           needs=BROWSER, grants=("accounts", "tasks")),
    Clause("PAGE-DASHBOARD-3", "a task submitted in the form appears without a navigation", "§7 dashboard",
           needs=BROWSER, grants=("accounts", "tasks")),
    Clause("PAGE-DASHBOARD-4", "a dashboard in view reads its figures again every 30 s", "§7 dashboard",
           needs=BROWSER, grants=("accounts",)),
    Clause("PAGE-ACCESS-1", "axe finds nothing serious or critical", "§7", needs=BROWSER, grants=("accounts",)),
    Clause("PAGE-LAYOUT-1", "nothing overflows sideways at 390, 820 and 1440 px", "§7",
           needs=BROWSER, grants=("accounts",)),
)  # fmt: skip

AWAITED: Final = (
    _of("landing-page", "PAGE-LANDING-1", "/ is the landing page and opens no socket", "§7"),
    _of("split", "PAGE-CONFIG-1", "/config.json tells where API and socket are, and the policy names them", "§7"),
    _of("agents-page", "PAGE-AGENTS-1", "search, filters, sort and pager show what GET /agents answers", "§7 agents"),
    _of("agents-page", "PAGE-AGENTS-2", "an agent is registered with an upload that shows its progress", "§7 agents"),
    _of("agents-page", "PAGE-AGENTS-3", "a card leads to the agent's page", "§7 agents"),
    _of("tasks-page", "PAGE-TASKS-1", "totals by status, filters and pager show what GET /tasks answers", "§7 tasks"),
    _of("tasks-page", "PAGE-TASKS-2", "badges and progress of the table are live", "§7 tasks"),
    _of("tasks-page", "PAGE-TASKS-3", "a task can be submitted, canceled and its result seen", "§7 tasks"),
    _of("analytics-page", "PAGE-ANALYTICS-1", "the orchestrator's and the fleet's figures are their operations' fields",
        "§7 analytics"),
    _of("analytics-page", "PAGE-ANALYTICS-2", "charts show the outcomes of the newest 200 own tasks, and say so",
        "§7 analytics"),
    _of("analytics-page", "PAGE-ANALYTICS-3", "figures are read again on pushes and every 30 s", "§7 analytics"),
    _of("settings-page", "PAGE-SETTINGS-1", "the profile form changes name and e-mail", "§7 settings"),
    _of("settings-page", "PAGE-SETTINGS-2", "an avatar can be uploaded and is shown", "§7 settings"),
    _of("settings-page", "PAGE-SETTINGS-3", "which toasts show can be chosen", "§7 settings"),
    _of("settings-page", "PAGE-SETTINGS-4", "one can sign out here and everywhere", "§7 settings"),
    _of("keys-page", "PAGE-KEYS-1", "a key is made and shown once, to be copied", "§7 api-keys"),
    _of("keys-page", "PAGE-KEYS-2", "keys are listed and can be revoked", "§7 api-keys"),
    _of("keys-page", "PAGE-KEYS-3", "security alerts arrive as warning toasts", "§7 api-keys"),
    _of("agent-page", "PAGE-AGENT-1", "the agent and its versions are shown, and an unknown id says so",
        "§7 agent-detail"),
    _of("agent-page", "PAGE-AGENT-2", "the agent can be deployed and the deployment stopped", "§7 agent-detail"),
    _of("agent-page", "PAGE-AGENT-3", "its owner can edit and delete the agent, others can't", "§7 agent-detail"),
)  # fmt: skip
"""Pages to come: unsupported on the reference server, with the part's name, until it serves them."""

PAGE: Final = (*SERVED, *AWAITED)
