"""The table of a task's states, asked the ways that checkers ask: how far, and what is pushed next (contract §4)."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from reference_server.contract.lifecycle import PUSHED, TRANSITIONS


@cache
def fewest_moves(was: str, now: str) -> int | None:
    """Return the fewest moves (at least one) that lead from `was` to `now`; None when none do."""
    seen: dict[str, int] = {}
    todo = [(follower, 1) for follower in _after(was)]
    while todo:
        status, moves = todo.pop(0)
        if status == now:
            return moves
        if status not in seen:
            seen[status] = moves
            todo.extend((follower, moves + 1) for follower in _after(status))
    return None


@cache
def pushed_next() -> Mapping[str, frozenset[str]]:
    """Return for each state what a push of it may be followed by: `assigned` need not be pushed, the others must."""
    return {status: _pushed_after(status) for status in TRANSITIONS}


def _pushed_after(status: str) -> frozenset[str]:
    found: set[str] = set()
    todo, seen = list(_after(status)), set[str]()
    while todo:
        follower = todo.pop()
        found.add(follower)
        if follower not in PUSHED and follower not in seen:
            seen.add(follower)
            todo.extend(_after(follower))
    return frozenset(found)


def _after(status: Any) -> frozenset[str]:
    found = TRANSITIONS.get(status)
    return frozenset(found) if found is not None else frozenset()
