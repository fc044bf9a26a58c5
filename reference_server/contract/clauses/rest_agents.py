"""REST of agents: lists, search, registration, changes, binaries (contract §§3 agents, 9)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Reach

UPLOADS: Final = ("uploads",)
AGENTS: Final = ("agents",)

REST_AGENTS: Final = (
    Clause("REST-AGENT-1", "the fifteen seeded agents exist as §9 lists them", "§9",
           reach=Reach.STEERED, needs=("exclusive",)),
    Clause("REST-AGENT-2", "GET /agents pages, filters, searches and sorts as asked", "§3 agents", depth=Depth.SMOKE),
    Clause("REST-AGENT-3", "GET /agents/{id} shows what the list shows and 404 for an unknown id", "§3 agents",
           depth=Depth.SMOKE),
    Clause("REST-SEARCH-1", "GET /agents/search finds its words literally, without case, in name, description and "
           "capabilities", "§3 agents", needs=UPLOADS),
    Clause("REST-REGISTER-1", "a registered agent is shown with what was given, its price, its owner and the SHA-256 "
           "of its binary", "§3 agents", needs=UPLOADS, grants=AGENTS),
    Clause("REST-REGISTER-2", "a wrong field of a registration is 400 and named, a binary over 50 MiB 413",
           "§3 agents", needs=UPLOADS, grants=AGENTS),
    Clause("REST-UPDATE-1", "PUT /agents/{id} changes what it is given and nothing else", "§3 agents",
           needs=UPLOADS, grants=AGENTS),
    Clause("REST-UPDATE-2", "changing a seeded or another's agent is 403, an unknown one 404, with nothing given 400",
           "§3 agents", needs=UPLOADS, grants=AGENTS),
    Clause("REST-DELETE-1", "a deleted agent is unknown afterwards; a seeded or another's is 403", "§3 agents",
           needs=UPLOADS, grants=AGENTS),
    Clause("REST-DELETE-2", "the deployments of a deleted agent stop", "§3 agents",
           needs=(*UPLOADS, "deployments"), grants=("agents", "deployments")),
    Clause("REST-BINARY-1", "an uploaded binary comes back byte for byte as application/wasm, with its SHA-256 as "
           "ETag", "§3 agents", needs=UPLOADS, grants=AGENTS),
    Clause("REST-BINARY-2", "a version is uploaded once: again it is 409", "§3 agents", needs=UPLOADS, grants=AGENTS),
    Clause("REST-BINARY-3", "without a version the last uploaded binary is served; where there is none 404",
           "§3 agents", needs=UPLOADS, grants=AGENTS),
    Clause("REST-BINARY-4", "deleting takes one version or all and lists them; an unknown version is 404",
           "§3 agents", needs=UPLOADS, grants=AGENTS),
    Clause("REST-VERSION-1", "versions are listed newest first with hash and size, none for a seeded agent",
           "§3 agents", needs=UPLOADS, grants=AGENTS),
)  # fmt: skip
