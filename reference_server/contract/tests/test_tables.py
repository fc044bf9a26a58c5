"""The contract's tables agree with each other."""

import re
from typing import get_args

import pytest

from reference_server.contract import limits
from reference_server.contract.clauses import CLAUSES, CLAUSES_BY_ID
from reference_server.contract.clauses.client import CLIENT
from reference_server.contract.clauses.live import LIVE
from reference_server.contract.clauses.model import Clause, Depth, Family, Grant, Need, Part, Reach
from reference_server.contract.clauses.page import PAGE
from reference_server.contract.clauses.perf import PERF
from reference_server.contract.clauses.rest import REST
from reference_server.contract.clauses.rt import RT
from reference_server.contract.clauses.sec import SEC
from reference_server.contract.clauses.task import TASK
from reference_server.contract.codes import ERROR_PHRASES, NO_RECONNECT_CODES, CloseCode
from reference_server.contract.lifecycle import FINAL, PROGRESS, PUSHED, TRANSITIONS, TaskStatus, reachable
from reference_server.contract.messages import DATA_MODELS, PUBLISHABLE, MessageType
from reference_server.contract.operations import BY_NAME, OPERATIONS
from reference_server.contract.seeded_agents import QUERY_CAPABILITY, SEEDED_AGENTS

FAMILIES: dict[str, tuple[Clause, ...]] = {
    "REST": REST,
    "SEC": SEC,
    "TASK": TASK,
    "RT": RT,
    "LIVE": LIVE,
    "CLIENT": CLIENT,
    "PAGE": PAGE,
    "PERF": PERF,
}


def test_clause_ids_are_unique_and_well_formed() -> None:
    assert len(CLAUSES_BY_ID) == len(CLAUSES)
    assert [one.id for one in CLAUSES if not re.fullmatch(r"[A-Z]+(-[A-Z0-9]+)*-[0-9]+|PERF-P[0-9]+", one.id)] == []


def test_every_clause_stands_in_its_family() -> None:
    assert set(FAMILIES) == set(get_args(Family))
    assert [one.id for family, clauses in FAMILIES.items() for one in clauses if one.family != family] == []
    assert {one.id for clauses in FAMILIES.values() for one in clauses} == set(CLAUSES_BY_ID)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)
def test_a_clause_says_what_and_where_and_needs_what_exists(clause: Clause) -> None:
    assert clause.text
    assert not clause.text.endswith(".")
    assert re.match(r"§(10|[1-9])\b", clause.section)
    assert set(clause.needs) <= {*get_args(Need), *get_args(Part)}
    assert set(clause.grants) <= set(get_args(Grant))
    assert clause.reach is not Reach.STEERED or clause.needs
    assert bool(clause.held_by) is (clause.reach is Reach.WHITE_BOX)


def test_every_part_of_the_system_has_a_clause() -> None:
    assert set(get_args(Part)) <= {need for clause in CLAUSES for need in clause.needs}


def test_no_word_is_a_need_and_a_part_or_grant_at_once() -> None:
    assert not set(get_args(Need)) & {*get_args(Part), *get_args(Grant)}


def test_depths_contain_those_before_them() -> None:
    assert [[deep.reaches(shallow) for shallow in Depth] for deep in Depth] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_operations_are_unique_and_have_a_phrase_for_every_error() -> None:
    assert len(BY_NAME) == len(OPERATIONS)
    assert len({(operation.method, operation.path) for operation in OPERATIONS}) == len(OPERATIONS)
    errors = {status for operation in OPERATIONS for status in operation.statuses if status >= 400}
    assert errors <= set(ERROR_PHRASES)
    assert all(len(phrase) <= limits.ERROR_PHRASE_CHARS_MAX for phrase in ERROR_PHRASES.values())


def test_the_lifecycle_tables_know_the_same_states() -> None:
    statuses = set(get_args(TaskStatus))
    assert set(TRANSITIONS) == set(PROGRESS) == statuses
    assert {status for status, after in TRANSITIONS.items() if not after} == FINAL
    assert statuses - PUSHED == {"assigned"}
    assert reachable("queued") == statuses
    assert all(reachable(status) == frozenset() for status in FINAL)


def test_messages_and_close_codes_agree() -> None:
    assert set(DATA_MODELS) == set(get_args(MessageType))
    assert set(PUBLISHABLE) == set(DATA_MODELS) - {"pong"}
    assert set(CloseCode) >= NO_RECONNECT_CODES


def test_limits_are_consistent() -> None:
    assert limits.SERVER_PING_PERIOD_S < limits.SILENCE_S_MIN <= limits.SILENCE_S_MAX
    assert limits.PASSWORD_BYTES_MIN < limits.PASSWORD_BYTES_MAX
    assert limits.TASK_TIMEOUT_S_DEFAULT <= limits.TASK_TIMEOUT_S_MAX
    assert limits.TASKS_LIMIT_DEFAULT <= limits.TASKS_LIMIT_MAX
    assert limits.AGENTS_LIMIT_DEFAULT <= limits.AGENTS_LIMIT_MAX
    assert len(limits.RETRY_DELAYS_S) == limits.TASK_RETRIES_MAX
    assert len(limits.RECONNECT_DELAYS_S) == limits.RECONNECT_ATTEMPTS_MAX
    assert max(limits.RECONNECT_DELAYS_S) <= limits.RECONNECT_DELAY_S_MAX
    assert limits.CLIENT_PING_PERIOD_S + limits.CLIENT_PONG_TIMEOUT_S == limits.STALE_PONG_S
    assert limits.CONSTRAINTS_BYTES_MAX < limits.CLIENT_MESSAGE_BYTES_MAX < limits.JSON_BODY_BYTES_MAX
    assert limits.CONNECT_P95_MS_LOCAL < limits.CONNECT_P95_MS_PRODUCTION


def test_fifteen_agents_are_seeded_and_all_but_014_are_active() -> None:
    assert [agent.id for agent in SEEDED_AGENTS] == [f"agent_{number:03}" for number in range(1, 16)]
    assert [agent.id for agent in SEEDED_AGENTS if agent.status != "active"] == ["agent_014"]
    assert not any(QUERY_CAPABILITY in agent.capabilities for agent in SEEDED_AGENTS)
    assert len({agent.description for agent in SEEDED_AGENTS}) == 15
