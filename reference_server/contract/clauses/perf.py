"""PERF: the claims of the original, judged by measurement (contract §8)."""

from typing import Final

from reference_server.contract.clauses.model import Clause, Depth, Kind

BUDGET = Kind.BUDGET

PERF: Final = (
    Clause("PERF-P1", "connects in < 100 ms local, < 500 ms production: p95, handshake start to welcome", "§8 P1",
           kind=BUDGET, depth=Depth.SMOKE, grants=("accounts", "tasks", "connections")),
    Clause("PERF-P2", "message latency < 50 ms: p99, invocation of the publish to frame read", "§8 P2",
           kind=BUDGET, grants=("accounts", "tasks", "connections")),
    Clause("PERF-P3", "ping every 25 s: observed frames, page visible", "§8 P3", kind=BUDGET,
           needs=("browser",), grants=("accounts",)),
    Clause("PERF-P4", "back-off 1, 2, 4, 8, 16 s, 5 attempts: observed constructor calls", "§8 P4", kind=BUDGET,
           depth=Depth.THOROUGH, needs=("browser", "process"), grants=("accounts", "faults")),
    Clause("PERF-P6", "about 100 bytes every 25 s: wire bytes of one ping and pong, over 250 is violated", "§8 P6",
           kind=BUDGET, depth=Depth.SMOKE),
    Clause("PERF-P8", "live updates without refresh: navigations counted in the browser", "§8 P8", kind=BUDGET,
           needs=("browser",), grants=("accounts",)),
    Clause("PERF-P5", "about 1 KB memory a connection: resident memory, over 4 KiB is violated on the reference",
           "§8 P5", kind=BUDGET, needs=("load-steps",), grants=("accounts", "connections")),
    Clause("PERF-P7", "unlimited connections, high throughput: the highest step within P1 and P2, reported", "§8 P7",
           kind=BUDGET, needs=("load-steps",), grants=("accounts", "tasks", "connections")),
    Clause("PERF-P9", "CPU negligible: idle CPU at N sockets, reported", "§8 P9", kind=BUDGET,
           needs=("load-steps",), grants=("accounts", "connections")),
    Clause("PERF-P10", "minimal reconnection overhead: bytes and requests per resume, reported", "§8 P10", kind=BUDGET,
           needs=("load-steps",), grants=("accounts", "connections")),
)  # fmt: skip
