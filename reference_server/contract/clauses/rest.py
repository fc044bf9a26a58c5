"""REST: conventions, one module a noun (contract §§1, 3)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, held
from reference_server.contract.clauses.rest_agents import REST_AGENTS
from reference_server.contract.clauses.rest_users import REST_USERS
from reference_server.contract.clauses.rest_work import REST_WORK

_CORE: Final = "reference_server/core/tests"
_SERVER: Final = "reference_server/tests"

CONVENTIONS: Final = (
    held("REST-BASE-1", "operations stand under /api/v1, the service's at the root, pages beside them on one origin",
         "§1 base", f"{_CORE}/test_admission.py::test_every_operation_of_the_contract_has_its_route",
         f"{_SERVER}/test_http.py::test_pages_are_served_with_their_policy_and_nothing_else_is"),
    Clause("REST-SPLIT-1", "pages on one site work with API and socket on another", "§1 base",
           needs=("split", "browser"), grants=("accounts",)),
    Clause("REST-JSON-1", "JSON answers are raw UTF-8, of type application/json", "§1 JSON", depth=Depth.SMOKE),
    Clause("REST-SCHEMA-1", "every answer has a status that its operation may give and a body of that shape", "§3",
           depth=Depth.SMOKE),
    Clause("REST-TIME-1", "timestamps are RFC 3339, UTC, with a fraction", "§1 timestamps", depth=Depth.SMOKE),
    Clause("REST-ERR-1", "every 4xx and 5xx body has an error of at most 80 characters and a message", "§1 errors",
           depth=Depth.SMOKE),
    Clause("REST-ERR-2", "no error shows a stack trace or a type name of the code", "§1 errors", depth=Depth.SMOKE),
    Clause("REST-ERR-3", "429 and 503 say retry_after in whole seconds, at least 1, and the same in Retry-After",
           "§1 errors", grants=("accounts", "flood")),
    Clause("REST-ROUTE-1", "an unknown route is 404", "§1 errors", depth=Depth.SMOKE),
    Clause("REST-ROUTE-2", "a wrong method is 405 with Allow", "§1 errors", depth=Depth.SMOKE),
    Clause("REST-ORDER-1", "of several errors that apply the first in the contract's order is answered",
           "§1 which error"),
    Clause("REST-ORDER-2", "a handshake is refused by the first that applies: 401, 403 origin, 400, 426",
           "§1 which error"),
    Clause("REST-TYPE-1", "a body of another content type, or of none, is 415", "§1 JSON"),
    Clause("REST-BODY-1", "text that is no JSON object is 400", "§1 JSON"),
    Clause("REST-BODY-2", "unknown request fields are ignored", "§1 JSON", grants=("tasks",)),
    Clause("REST-BODY-3", "of doubled names the last wins", "§1 JSON", grants=("tasks",)),
    Clause("REST-BODY-4", "NUL and lone surrogates are 400, wherever in the body they stand", "§1 JSON"),
    Clause("REST-BODY-5", "nesting of 64 levels is taken and deeper nesting is 400", "§1 JSON"),
    Clause("REST-SIZE-1", "a JSON body over 1 MiB is 413", "§2 sizes"),
    Clause("REST-ID-1", "a malformed id in a path is an unknown one", "§1 JSON"),
    Clause("REST-ID-2", "ids are UUID v4 for users, tasks, deployments, API keys and registered agents, agent_001 to "
           "agent_015 for the seeded ones", "§1 ids", depth=Depth.SMOKE),
    Clause("REST-FIELD-1", "a value of a wrong type or out of its bounds is 400 and its field is named in details",
           "§1 errors"),
    Clause("REST-FIELD-2", "lengths count code points, and what just fits is taken", "§2 sizes", grants=("tasks",)),
    Clause("REST-HEALTH-1", "GET /health answers 200 with status healthy, service, version and time", "§1 service",
           depth=Depth.SMOKE),
    Clause("REST-READY-1", "GET /ready answers 200 from a real check of store and hub", "§1 service",
           depth=Depth.SMOKE),
    held("REST-READY-2", "GET /ready is 503 while the store can't be used", "§1 service",
         "reference_server/store/tests/test_sqlite.py::test_a_store_that_another_process_holds_fails_its_check_in_words"),
    Clause("REST-METRICS-1", "GET /metrics is Prometheus text with HTTP, task and WebSocket series", "§1 service",
           needs=("metrics",)),
)  # fmt: skip

REST: Final = (*CONVENTIONS, *REST_USERS, *REST_AGENTS, *REST_WORK)
