"""LIVE: heartbeats, endings, shutdown, crash (contract §5 Liveness)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Kind, Reach

LIVENESS = Kind.LIVENESS

LIVE: Final = (
    Clause("LIVE-PING-1", "the server pings an open connection every 54 s", "§5 liveness", kind=LIVENESS),
    Clause("LIVE-SILENCE-1", "a silent peer is ended 60 to 66 s after its last complete frame", "§5 liveness",
           kind=LIVENESS),
    Clause("LIVE-CLOSE-1", "after a close handshake the server ends the TCP connection within 5 s", "§5 liveness",
           kind=LIVENESS),
    Clause("LIVE-HANDSHAKE-1", "a handshake not complete after 10 s is ended", "§5 liveness", kind=LIVENESS),
    Clause("LIVE-EXPIRY-1", "a socket whose token expires closes with 4401 within 1 s", "§5 liveness", kind=LIVENESS,
           needs=("short_ttl",), grants=("accounts",)),
    Clause("LIVE-REVOKE-1", "logout closes the token's sockets with 4401 within 1 s and nothing accepted afterwards "
           "is delivered on them", "§5 liveness", kind=LIVENESS, grants=("accounts",)),
    Clause("LIVE-SHUTDOWN-1", "on shutdown a system warning comes, 1001 to all within 5 s, and the exit code is 0",
           "§5 liveness", kind=LIVENESS, needs=("process",), grants=("faults",)),
    Clause("LIVE-CRASH-1", "a crash loses no acknowledged REST write", "§5 liveness", needs=("process",),
           grants=("tasks", "faults")),
    Clause("LIVE-DAY-1", "a day of pings, silence and expiry keeps to these times", "§5 liveness", kind=LIVENESS,
           reach=Reach.WHITE_BOX),
)  # fmt: skip
