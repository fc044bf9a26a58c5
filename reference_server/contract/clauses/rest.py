"""REST: conventions and operations (contract §§1, 3)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Reach

REST: Final = (
    Clause("REST-JSON-1", "JSON answers are raw UTF-8, of type application/json", "§1 JSON", depth=Depth.SMOKE),
    Clause("REST-SCHEMA-1", "every answer has a status that its operation may give and a body of that shape", "§3",
           depth=Depth.SMOKE),
    Clause("REST-TIME-1", "timestamps are RFC 3339, UTC, with a fraction", "§1 timestamps", depth=Depth.SMOKE),
    Clause("REST-ERR-1", "every 4xx and 5xx body has a short error phrase and a sentence, details on validation "
           "errors, retry_after on 429 and 503, and no stack trace", "§1 errors", depth=Depth.SMOKE),
    Clause("REST-ROUTE-1", "an unknown route is 404, a wrong method 405 with Allow", "§1 errors", depth=Depth.SMOKE),
    Clause("REST-ORDER-1", "of several errors that apply the first in the contract's order is answered",
           "§1 which error"),
    Clause("REST-TYPE-1", "a body of another content type, or of none, is 415", "§1 JSON"),
    Clause("REST-BODY-1", "text that is no JSON object, NUL, lone surrogates and nesting over 64 are 400", "§1 JSON"),
    Clause("REST-BODY-2", "unknown request fields are ignored and of doubled names the last wins", "§1 JSON",
           grants=("tasks",)),
    Clause("REST-SIZE-1", "a JSON body over 1 MiB is 413", "§2 sizes"),
    Clause("REST-ID-1", "a malformed id in a path is an unknown one", "§1 JSON"),
    Clause("REST-FIELD-1", "a value of a wrong type or out of its bounds is 400 and its field is named in details",
           "§1 errors"),
    Clause("REST-HEALTH-1", "GET /health answers 200 with status healthy, service, version and time", "§1 service",
           depth=Depth.SMOKE),
    Clause("REST-READY-1", "GET /ready answers 200 from a real check of store and hub", "§1 service",
           depth=Depth.SMOKE),
    Clause("REST-USER-1", "registering makes an account whose token and user the answer gives", "§3 users",
           grants=("accounts",)),
    Clause("REST-USER-2", "e-mails compare without case: registering one again is 409, also at the same time",
           "§3 users", grants=("accounts",)),
    Clause("REST-USER-3", "login answers the account that registered, me shows it", "§3 users", depth=Depth.SMOKE),
    Clause("REST-AGENT-1", "the fifteen seeded agents exist as §9 lists them", "§9",
           reach=Reach.STEERED, needs=("exclusive",)),
    Clause("REST-AGENT-2", "GET /agents pages, filters, searches and sorts as asked", "§3 agents", depth=Depth.SMOKE),
    Clause("REST-AGENT-3", "GET /agents/{id} shows what the list shows and 404 for an unknown id", "§3 agents",
           depth=Depth.SMOKE),
    Clause("REST-TASK-1", "a submitted task can be read at once with what was submitted", "§3 tasks",
           depth=Depth.SMOKE, grants=("tasks",)),
    Clause("REST-TASK-2", "own tasks are listed newest first and the pages of an unchanged list partition it",
           "§3 tasks", grants=("tasks",)),
    Clause("REST-TASK-3", "cancel answers 200 once; on a finished task 409 and nothing changes", "§3 tasks",
           depth=Depth.SMOKE, grants=("tasks",)),
    Clause("REST-ORCH-1", "processed = succeeded + failed, timed out within failed, success_rate within 0.01 of "
           "the exact", "§3 orchestrator", depth=Depth.SMOKE),
    Clause("REST-STATS-1", "ws stats count the connections that are open", "§3 socket", needs=("exclusive",)),
    Clause("REST-PUBLISH-1", "broadcast and send answer how many connections the message was accepted for",
           "§3 socket", needs=("admin", "exclusive"), grants=("publish",)),
    Clause("REST-PUBLISH-2", "data not valid for its type is 400, an unknown user 404, and nobody gets it",
           "§3 socket", needs=("admin",), grants=("publish",)),
)  # fmt: skip
