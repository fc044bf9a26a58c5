"""PAGE: what the pages show (contract §7)."""

from typing import Final

from reference_server.contract.clauses.model import Clause

BROWSER: Final = ("browser",)

PAGE: Final = (
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
    Clause("PAGE-ACCESS-1", "axe finds nothing serious or critical", "§7", needs=BROWSER, grants=("accounts",)),
    Clause("PAGE-LAYOUT-1", "nothing overflows sideways at 390, 820 and 1440 px", "§7",
           needs=BROWSER, grants=("accounts",)),
)  # fmt: skip
