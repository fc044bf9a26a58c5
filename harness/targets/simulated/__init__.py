"""The reference server and its clients in one thread on virtual time (tier T0).

Here live `environment` (what the driver is lent), `wires` (the two ends of a link: the server's and the client's
socket), `rest` and `files` (calls that go through the driver's front door) and `target` (all of it as a `Target`).

Never here: rules. What the server decides is the same driver, hub, decisions and store that serve on sockets.

To break the server on purpose, hand `SimulatedTarget` the parts that `harness.mutants` wraps. Run with
`harness simulate`.
"""

from harness.targets.simulated.target import SimulatedTarget

__all__ = ["SimulatedTarget"]
