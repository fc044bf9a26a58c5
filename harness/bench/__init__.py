"""The bench: how fast the reference server is on one core, beside the bars it is held to.

Here live the bars, the load clients and the sink of sockets (processes of their own on another core), the rivals that
the socket is held against (`rivals/`), the measures that use them, and the table they end in. It stands in `harness`
because it starts the server as a process, as targets do, and not in `loadtests`, whose users share their process with
gevent and cost more than the server does: a client of raw bytes on uvloop takes so little of its core that what is
measured is the server.

Never here: assertions. A missed bar is printed as missed; what a test may claim about time holds on no busy machine.
The figure to compare across machines and neighbours is the server's CPU time a request or delivery, which stands beside
each rate; what is held against a rival is a ratio within one round.

To add a measure, write a function in a module of its noun, list it in `measures.MEASURES` and `menu.MENU`, and give
what it yields a row in `bars.BARS`. `contest` lets it run beside the rivals in rounds, `windows` takes the median
within one run. What measures sockets beside rivals needs Linux, and says so elsewhere.

Run `nox -s bench`, or a part of it with `nox -s bench -- --only submit --seconds 5`.
"""
