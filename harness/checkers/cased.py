"""The clauses that rows of a conformance suite may speak of; `cases` gives a verdict on each of them."""

from typing import Final

REST: Final = (
    "REST-AGENT-1", "REST-AGENT-2", "REST-AGENT-3", "REST-BODY-1", "REST-BODY-2", "REST-BODY-3", "REST-BODY-4",
    "REST-BODY-5", "REST-FIELD-1", "REST-FIELD-2", "REST-HEALTH-1", "REST-ID-1", "REST-LOGOUT-1", "REST-ORCH-1",
    "REST-ORCH-2", "REST-ORCH-3", "REST-ORDER-1", "REST-ORDER-2", "REST-PUBLISH-1", "REST-PUBLISH-2",
    "REST-PUBLISH-3", "REST-READY-1", "REST-ROUTE-1", "REST-ROUTE-2", "REST-SIZE-1", "REST-STATS-1", "REST-STATS-2",
    "REST-TASK-1", "REST-TASK-2", "REST-TASK-3", "REST-TASK-4", "REST-TYPE-1", "REST-USER-1", "REST-USER-2",
    "REST-USER-3",
)  # fmt: skip

SEC: Final = (
    "SEC-HEAD-1", "SEC-LOGIN-1", "SEC-ORIGIN-1", "SEC-ORIGIN-3", "SEC-OWN-1", "SEC-PATH-1", "SEC-RATE-1",
    "SEC-RATE-2", "SEC-RATE-3", "SEC-ROLE-1", "SEC-SOCKETS-1", "SEC-TOKEN-1", "SEC-TOKEN-2", "SEC-TOKEN-3",
    "SEC-TOKEN-4", "SEC-TOKEN-6", "SEC-TOKEN-8", "SEC-TOKEN-9",
)  # fmt: skip

RT: Final = (
    "RT-CLOSE-1", "RT-CLOSE-2", "RT-CLOSE-3", "RT-CLOSE-4", "RT-CLOSE-5", "RT-HONEST-1", "RT-IGNORE-1", "RT-IGNORE-2",
    "RT-PONG-1", "RT-SLOW-1", "RT-UPGRADE-1", "RT-UPGRADE-2", "RT-WELCOME-1",
)  # fmt: skip

LIVE: Final = (
    "LIVE-CLOSE-1", "LIVE-CRASH-1", "LIVE-EXPIRY-1", "LIVE-HANDSHAKE-1", "LIVE-REVOKE-1", "LIVE-SILENCE-1",
)  # fmt: skip

TASK: Final = (
    "TASK-COUNT-1", "TASK-FIT-1", "TASK-RETRY-1", "TASK-TIMEOUT-1",
)  # fmt: skip

CASED: Final[tuple[str, ...]] = (*REST, *SEC, *RT, *LIVE, *TASK)
