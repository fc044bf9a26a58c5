"""What can go wrong around a system, as data: every kind of fault in one tuple.

Here live the kinds, what each strikes, and the mutant that proves its worth. A kind counts only if that mutant
survives every run without it and is killed in runs with it; a test holds each row to that (design law 8).

Never here: how a fault is done. On virtual time the link does it, on sockets the client's shell or the proxy.

To add one, give `scenarios.model` a step, the runner a row, this tuple an entry, and `harness.mutants` one that only
this fault shows. `harness list faults` prints them; `harness simulate` draws them.
"""

from typing import Final, NamedTuple


class Fault(NamedTuple):
    """One kind of fault; `step` is the scenario step that injects it, `shown_by` the mutant that needs it."""

    name: str
    summary: str
    strikes: str
    step: str
    shown_by: str


FAULTS: Final = (
    Fault(
        "cut",
        "a client's transport is lost without a close frame, and what is on its way with it",
        "connections",
        "cut",
        "deaf_after_a_cut",
    ),
)
