"""Every clause has a judge or a reason; every checker answers for its clauses whatever it reads."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.checkers import CHECKERS, UNJUDGED
from harness.checkers.base import Checker, RunFacts
from harness.conformance.catalog import from_outside
from harness.history import Event
from harness.verdicts import Status
from reference_server.contract.clauses import CLAUSES_BY_ID

UNJUDGED_MAX = 0
"""May only fall."""

KINDS = (
    "invoke", "ok", "fail", "info", "connecting", "opened", "refused", "received", "sent", "closed", "frame",
    "client", "accepted", "phase", "fault", "person", "note", "process", "construct", "console", "shows",
    "navigated", "requested", "axe", "layout", "toast", "sample",
)  # fmt: skip
WORDS = (
    "task_update", "system", "pong", "ping", "queued", "running", "completed", "get_task", "list_tasks", "logout",
    "submit_task", "ws_broadcast", "cancel_task", "list_agents", "orchestrator_metrics", "kill", "ready", "terminate",
    "ended", "badge", "indicator", "figures", "t1", "peer", "self", "inject", "heal", "half-handshake", "tcp-end",
    "8100", "8802", "0a7e", "c1",
)  # fmt: skip
KEYS = (
    "operation", "status", "body", "message", "type", "data", "timestamp", "task_id", "id", "revision", "user_id",
    "code", "by", "what", "opcode", "tasks", "agents", "query", "constraints", "simulate", "action", "name", "digest",
    "seq", "audience", "state", "text", "url", "headers", "path", "page", "rest", "series", "count", "bytes", "tab",
    "retry_count", "expires_in", "user", "received", "before", "left", "effect", "progress", "method", "total",
    "head", "utf8",
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-3, 1100) | st.sampled_from(WORDS) | st.floats(0, 2)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=6,
)


def test_every_clause_that_can_be_judged_has_a_checker_or_a_reason() -> None:
    claimed = {clause for make in CHECKERS for clause in make().clauses}
    excused = {clause for clause, _ in UNJUDGED}
    assert from_outside() - claimed == excused
    assert claimed <= set(CLAUSES_BY_ID)


def test_the_list_of_unjudged_clauses_only_shrinks() -> None:
    assert len(UNJUDGED) <= UNJUDGED_MAX
    assert all(reason for _, reason in UNJUDGED)


def test_checkers_have_names_of_their_own() -> None:
    names = [make().name for make in CHECKERS]
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("make", CHECKERS)
def test_an_empty_history_makes_every_clause_unknown(make: Any) -> None:
    checker: Checker = make()
    checker.start(RunFacts())
    found = checker.finish()
    assert [verdict.clause for verdict in found] == list(checker.clauses)
    assert {verdict.status for verdict in found} == {Status.UNKNOWN}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS), st.integers(1, 3), st.sampled_from(["c1", "c2", None]),
            st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5),
        ),
        max_size=12,
    )
)  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_no_strange_history_makes_a_checker_raise(drawn: list[Any]) -> None:
    events = [
        Event("client", place, place * 10**9, kind, op, connection, "ann", None, data)
        for place, (kind, op, connection, data) in enumerate(drawn)
    ]
    for make in CHECKERS:
        checker = make()
        checker.start(RunFacts())
        for event in events:
            checker.step(event)
        assert sorted(verdict.clause for verdict in checker.finish()) == sorted(checker.clauses)


def test_a_checker_that_is_started_again_has_forgotten_the_first_run() -> None:
    message = Event("client", 0, 0, "received", connection="c1", data={"message": None})
    for make in CHECKERS:
        checker = make()
        found = []
        for _ in range(2):
            checker.start(RunFacts())
            checker.step(message)
            found.append(checker.finish())
        assert found[0] == found[1]
