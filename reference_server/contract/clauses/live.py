"""LIVE: heartbeats, endings, shutdown, crash (contract §5 Liveness)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Kind, held

LIVENESS = Kind.LIVENESS
BUS: Final = ("bus",)

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
    held("LIVE-SHUTDOWN-2", "while it ends a server accepts neither handshakes nor publishes: 503", "§5 liveness",
         "reference_server/tests/test_driver.py::"
         "test_shutdown_refuses_handshakes_and_is_done_when_the_last_connection_is_gone"),
    held("LIVE-FRAME-1", "any frame of a peer counts as life", "§5 liveness",
         "reference_server/core/tests/test_hub.py::test_a_peer_that_answers_pings_lives", kind=LIVENESS),
    Clause("LIVE-CRASH-1", "a crash loses no acknowledged REST write", "§5 liveness", needs=("process",),
           grants=("tasks", "faults")),
    held("LIVE-OUTBOX-1", "an ended token drops the undelivered outbox, 4401 follows the frame in progress and 5 s "
         "later the connection is aborted", "§5 liveness",
         "reference_server/core/tests/test_hub.py::test_an_expired_token_drops_the_outbox_and_closes_with_4401",
         kind=LIVENESS),
    Clause("LIVE-BODY-1", "a request body that brings less than 1 KiB in 30 s is ended", "§5 liveness", kind=LIVENESS,
           depth=Depth.THOROUGH),
    Clause("LIVE-IDLE-1", "a keep-alive connection idle for 60 s is ended", "§5 liveness", kind=LIVENESS),
    held("LIVE-DAY-1", "a day of pings, silence and expiry keeps to these times", "§5 liveness",
         "reference_server/core/tests/test_hub_day.py::test_a_day_of_pings_silence_and_expiry_keeps_to_these_times",
         kind=LIVENESS),
    Clause("LIVE-BUS-1", "routing, revocation and limits hold over all processes of one database", "§5 processes",
           needs=BUS, grants=("accounts", "tasks"), ext=True),
    Clause("LIVE-BUS-2", "prefix, honesty, order and coherence hold across two processes", "§5 processes", needs=BUS,
           grants=("accounts", "tasks"), ext=True),
    Clause("LIVE-BUS-3", "recipients is the sum over processes, and so are the statistics", "§5 processes", needs=BUS,
           grants=("publish",), ext=True),
    Clause("LIVE-BUS-4", "without the bus ready and publishes are 503 and every socket closes with 1012",
           "§5 processes", kind=LIVENESS, needs=BUS, grants=("faults",), ext=True),
    Clause("LIVE-BUS-5", "what a killed process had committed and not yet pushed is pushed by who takes over",
           "§5 processes", kind=LIVENESS, needs=BUS, grants=("tasks", "faults"), ext=True),
)  # fmt: skip
