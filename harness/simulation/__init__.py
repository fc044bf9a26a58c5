"""Virtual time: a scheduler, links that carry real frames, and the shrinking of what failed.

Here live `scheduler` (one thread, one clock, one order), `frames` (RFC 6455 as bytes), `network` (links that keep
TCP's promise) and `shrink`. Nothing here knows the server under test: the world that holds it is
`harness.targets.simulated`.

Never here: clocks, chance, sockets, threads, asyncio. A draw comes in as a callable, time is what the scheduler says.

To add a fault of the network, give `network.Link` a method and `harness.faults` a row. Run with
`harness simulate --seeds 50`, or the tests with `nox -s tests -- harness/simulation`.
"""
