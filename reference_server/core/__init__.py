"""Pure logic of the server: decisions on durable state, and the hub.

Two halves. *Decisions* are plain functions over a transaction, `decide(tx, request, now_ns, ...) -> Decision`; the
*hub* is a state machine, `handle(input, now_ns) -> effects`, at the grain of frames. Here lives what every shell
would repeat: lifecycle, retries, limits, heartbeat, expiry, back-pressure. Never here: I/O, clocks, chance, threads;
ids, salts, hashes, draws and the time come in. To add an operation, add its decision and one row to
`decisions.DECISIONS`. Run its tests with `nox -s tests -- reference_server/core`.
"""
