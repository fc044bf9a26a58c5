"""The driver on virtual time: commits, what leaves after them, and the order of things (law 1, contract §§2, 4, 5)."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from reference_server.core.answers import Answer, Decision
from reference_server.core.calls import Call, Context, Granted
from reference_server.core.decisions import DECISIONS
from reference_server.core.effects import Drained, FrameIn, Lost, Opcode
from reference_server.core.transaction import Transaction
from reference_server.driver import Driver
from reference_server.operations import Options
from reference_server.store.base import StoreError
from reference_server.store.memory import MemoryStore
from reference_server.tests.virtual import Caller, VirtualEnvironment, VirtualSockets

T = TypeVar("T")
ADMIN = ("admin@example.org", "an admin's password")
SUBMIT = {"query": "q", "budget": 1}
MIXED: tuple[tuple[str, str, dict[str, object] | None], ...] = (
    ("GET", "", None),
    ("POST", "/submit", SUBMIT),
    ("GET", "", None),
)


class CountingStore(MemoryStore):
    """A store that counts commits and can be out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.commits = 0
        self.broken = False

    def transact(self, work: Callable[[Transaction], T]) -> T:
        def checked(tx: Transaction) -> T:
            value = work(tx)
            if self.broken:
                raise StoreError("the disk is full")
            return value

        value = super().transact(checked)
        self.commits += 1
        return value


def submit_or_fail(tx: Transaction, call: Call, context: Context) -> Decision:
    decision = DECISIONS["submit_task"](tx, call, context)
    if getattr(call.body, "query", "") == "fail":
        raise ZeroDivisionError("a secret detail")
    return decision


class World:
    def __init__(self) -> None:
        self.environment = VirtualEnvironment()
        self.sockets = VirtualSockets()
        self.store = CountingStore()
        options = Options(task_ms=(100, 100), admin_email=ADMIN[0], admin_password=ADMIN[1])
        decisions = {**DECISIONS, "submit_task": submit_or_fail}
        self.driver = Driver(self.environment, self.store, self.sockets, options, decisions=decisions)
        self.sockets.driver = self.driver
        self.caller = Caller(self.driver, self.environment)
        started: list[bool] = []
        self.driver.start(lambda: started.append(True))
        self.environment.run()
        assert started == [True]

    def statuses(self, connection: int) -> list[str]:
        return [m["data"]["status"] for m in self.sockets.text[connection] if m["type"] == "task_update"]


@pytest.fixture
def world() -> World:
    return World()


def test_a_task_runs_on_virtual_time_and_every_move_is_pushed(world: World) -> None:
    token = world.caller.register()
    connection = world.caller.connect(token)
    assert world.caller.call("POST", "/tasks/submit", token, SUBMIT).status == 202
    assert world.statuses(connection) == ["queued", "running"]
    world.environment.run_to(1)

    assert world.statuses(connection) == ["queued", "running", "completed"]
    metrics = world.caller.call("GET", "/orchestrator/metrics", token).body
    assert getattr(metrics, "tasks_succeeded", None) == 1


def test_decisions_of_one_turn_share_one_commit_and_answer_after_it(world: World) -> None:
    token = world.caller.register()
    asked = [world.caller.ask("POST", "/tasks/submit", token, SUBMIT) for _ in range(5)]
    before = world.store.commits
    assert asked == [[]] * 5
    world.environment.run()

    assert [answer.status for (answer,) in asked] == [202] * 5
    # One for the five, and the executor's turns.
    assert world.store.commits - before <= 4


def test_a_turn_in_which_everybody_only_reads_commits_nothing(world: World) -> None:
    token = world.caller.register()
    before = world.store.commits
    asked = [world.caller.ask("GET", path, token) for path in ("/users/me", "/tasks", "/agents/agent_001", "/tasks/x")]
    world.environment.run()

    assert [answer.status for (answer,) in asked] == [200, 200, 200, 404]
    assert world.store.commits == before


def test_who_reads_in_a_turn_with_writers_is_answered_behind_what_stood_before(world: World) -> None:
    token = world.caller.register()
    asked = [world.caller.ask(method, "/tasks" + rest, token, body) for method, rest, body in MIXED]
    world.environment.run()

    assert [answer.status for (answer,) in asked] == [200, 202, 200]
    assert [getattr(asked[number][0].body, "total", None) for number in (0, 2)] == [0, 1]


def test_a_decision_that_raises_sinks_nobody_else_and_tells_nothing(world: World) -> None:
    token = world.caller.register()
    connection = world.caller.connect(token)
    asked = [world.caller.ask("POST", "/tasks/submit", token, SUBMIT | {"query": q}) for q in ("a", "fail", "b")]
    world.environment.run()

    assert [answer.status for (answer,) in asked] == [202, 500, 202]
    assert "secret" not in str(asked[1][0].body)
    queries = [m["data"]["query"] for m in world.sockets.text[connection] if m["type"] == "task_update"]
    assert set(queries) == {"a", "b"}


def test_what_could_not_be_committed_is_503_and_nobody_hears_of_it(world: World) -> None:
    token = world.caller.register()
    connection = world.caller.connect(token)
    asked = world.caller.ask("POST", "/tasks/submit", token, SUBMIT)
    world.store.broken = True
    world.environment.run()

    assert [answer.status for answer in asked] == [503]
    assert world.statuses(connection) == []
    assert world.caller.call("GET", "/users/me", token).status == 200
    world.store.broken = False
    assert getattr(world.caller.call("GET", "/tasks", token).body, "total", None) == 0


def test_an_executor_whose_turn_failed_tries_again(world: World) -> None:
    token = world.caller.register()
    connection = world.caller.connect(token)
    world.caller.call("POST", "/tasks/submit", token, SUBMIT)
    world.store.broken = True
    world.environment.run_to(5)
    world.store.broken = False
    world.environment.run_to(10)

    assert world.statuses(connection) == ["queued", "running", "completed"]


def test_a_pause_reported_while_writing_keeps_the_rest_in_the_outbox(world: World) -> None:
    token = world.caller.register()
    connection = world.caller.connect(token)
    world.sockets.room[connection] = 1
    for _ in range(3):
        world.caller.call("POST", "/tasks/submit", token, SUBMIT)
    world.environment.run_to(1)
    assert world.statuses(connection) == ["queued"]
    world.sockets.room[connection] = 2
    world.driver.socket(Drained(connection))
    assert len(world.statuses(connection)) == 3
    del world.sockets.room[connection]
    world.driver.socket(Drained(connection))

    assert sorted(world.statuses(connection)) == sorted(["queued", "running", "completed"] * 3)


def test_a_logout_closes_the_sockets_of_its_token_before_it_is_answered(world: World) -> None:
    token = world.caller.register()
    connection = world.caller.connect(token)
    assert world.caller.call("POST", "/users/logout", token).status == 200

    assert world.sockets.closed == {connection: 4401}
    refused = world.caller.handshake(token)[0]
    assert getattr(refused, "status", None) == 401


def test_unknown_e_mail_and_wrong_password_cost_the_same_work(world: World) -> None:
    world.caller.register()
    work = []
    for email in ("ann@example.org", "nobody@example.org"):
        world.environment.compared.clear()
        before = world.store.commits
        assert world.caller.call("POST", "/users/login", None, {"email": email, "password": "wrong"}).status == 401
        work.append((world.environment.compared, world.store.commits - before))
        assert len(world.environment.compared) == 1

    assert work[0] == work[1]


def test_a_61st_handshake_at_once_is_429_by_account_and_costs_no_call(world: World) -> None:
    tokens = [world.caller.register(f"{name}@example.org") for name in ("ann", "bob")]
    outcomes = [world.caller.handshake(tokens[0])[0] for _ in range(61)]

    assert [isinstance(one, Granted) for one in outcomes] == [True] * 60 + [False]
    refused = outcomes[-1]
    assert isinstance(refused, Answer)
    assert (refused.status, dict(refused.headers)["Retry-After"]) == (429, "1")
    assert isinstance(world.caller.handshake(tokens[1])[0], Granted)
    assert world.caller.call("GET", "/users/me", tokens[0]).status == 200
    world.environment.run_to(1)
    assert [isinstance(world.caller.handshake(tokens[0])[0], Granted) for _ in range(11)] == [True] * 10 + [False]


def test_handshakes_without_a_token_share_the_bucket_of_their_address(world: World) -> None:
    statuses = [getattr(world.caller.handshake(token)[0], "status", None) for token in [None, "x.y.z"] * 31]

    assert statuses == [401] * 60 + [429] * 2
    assert isinstance(world.caller.handshake(world.caller.register())[0], Granted)


def test_an_account_has_1200_calls_at_once_whatever_its_credential(world: World) -> None:
    token = world.caller.register()
    _, key = made_key(world, token)
    statuses = [world.caller.call("GET", "/ws/stats", one).status for one in [token, key] * 600]

    assert statuses == [200] * 1199 + [429]
    world.environment.run_to(1)
    assert world.caller.call("GET", "/ws/stats", key).status == 200


def test_an_admins_key_may_broadcast_and_a_users_may_not(world: World) -> None:
    admin = world.caller.call("POST", "/users/login", None, {"email": ADMIN[0], "password": ADMIN[1]})
    keys = [made_key(world, token)[1] for token in (getattr(admin.body, "token"), world.caller.register())]  # noqa: B009
    message = {"type": "system", "data": {"message": "hello", "level": "info"}}

    assert [world.caller.call("POST", "/ws/broadcast", key, message).status for key in keys] == [200, 403]


def made_key(world: World, token: str) -> tuple[str, str]:
    answer = world.caller.call("POST", "/users/me/api-keys", token, {"name": "bot", "environment": "live"})
    assert answer.status == 201
    return getattr(answer.body, "id"), getattr(answer.body, "key")  # noqa: B009


def test_an_api_key_acts_as_its_account_but_manages_neither_keys_nor_sessions(world: World) -> None:
    token = world.caller.register()
    key_id, key = made_key(world, token)
    asked = [
        ("GET", "/users/me", None),
        ("PUT", "/users/me", {"full_name": "Bot"}),
        ("POST", "/tasks/submit", SUBMIT),
        ("POST", "/users/logout", None),
        ("POST", "/users/logout", {"all": True}),
        ("GET", "/users/me/api-keys", None),
        ("POST", "/users/me/api-keys", {"name": "bot", "environment": "live"}),
        ("DELETE", f"/users/me/api-keys/{key_id}", None),
    ]

    assert [world.caller.call(*one[:2], key, one[2]).status for one in asked] == [
        200,
        200,
        202,
        403,
        403,
        403,
        403,
        403,
    ]
    assert world.caller.call("GET", "/users/me", token).status == 200


def test_a_revoked_key_stops_at_once_and_only_its_own_sockets_close_with_4401(world: World) -> None:
    token = world.caller.register()
    key_id, key = made_key(world, token)
    owner, machine = world.caller.connect(token), world.caller.connect(key)
    assert world.caller.call("DELETE", f"/users/me/api-keys/{key_id}", token).status == 200

    assert world.sockets.closed == {machine: 4401}
    assert getattr(world.caller.handshake(key)[0], "status", None) == 401
    assert world.caller.call("GET", "/users/me", key).status == 401
    assert [message["data"]["level"] for message in world.sockets.text[owner]] == ["info", "warning"]
    assert [message["data"]["level"] for message in world.sockets.text[machine]] == ["info"]


def test_logging_out_everywhere_leaves_api_keys_and_their_sockets(world: World) -> None:
    token = world.caller.register()
    _, key = made_key(world, token)
    person, machine = world.caller.connect(token), world.caller.connect(key)
    assert world.caller.call("POST", "/users/logout", token, {"all": True}).status == 200

    assert world.sockets.closed == {person: 4401}
    assert world.caller.call("GET", "/users/me", key).status == 200
    world.environment.run_to(59)
    assert machine not in world.sockets.closed


def test_a_key_that_was_made_warns_its_owners_sockets_and_nobody_elses(world: World) -> None:
    token, stranger = world.caller.register(), world.caller.register("bob@example.org")
    owner, other = world.caller.connect(token), world.caller.connect(stranger)
    _, key = made_key(world, token)

    warning = world.sockets.text[owner][-1]
    assert (warning["type"], warning["data"]["level"], "user_id" in warning) == ("system", "warning", True)
    assert key not in str(world.sockets.text)
    assert len(world.sockets.text[other]) == 1


def test_changing_the_e_mail_asks_the_password_off_the_loop(world: World) -> None:
    token = world.caller.register()
    change = {"email": "new@example.org", "password": "wrong"}

    assert world.caller.call("PUT", "/users/me", token, change).status == 401
    assert world.caller.call("PUT", "/users/me", token, change | {"password": "a good password"}).status == 200
    world.environment.hashes_full = True
    assert world.caller.call("PUT", "/users/me", token, change).status == 503
    assert world.caller.call("PUT", "/users/me", token, {"full_name": "Änn"}).status == 200


def test_two_accounts_that_want_one_e_mail_at_once_get_one_200_and_one_409(world: World) -> None:
    tokens = [world.caller.register(f"{name}@example.org") for name in ("ann", "bob")]
    change = {"email": "one@example.org", "password": "a good password"}
    asked = [world.caller.ask("PUT", "/users/me", token, change) for token in tokens]
    world.environment.run()

    assert sorted(answer.status for (answer,) in asked) == [200, 409]


def test_unknown_e_mail_and_wrong_password_get_one_answer(world: World) -> None:
    world.caller.register()
    answers = [
        world.caller.call("POST", "/users/login", None, {"email": email, "password": "wrong"})
        for email in ("ann@example.org", "nobody@example.org")
    ]

    assert answers[0] == answers[1]
    assert answers[0].status == 401


@pytest.mark.parametrize("path", ["/users/login", "/users/register"])
def test_when_too_many_wait_for_a_hash_signing_in_is_503(world: World, path: str) -> None:
    world.environment.hashes_full = True
    body = {"email": "ann@example.org", "password": "a good password", "full_name": "Ann"}
    answer = world.caller.call("POST", path, None, body)

    assert answer.status == 503
    assert dict(answer.headers)["Retry-After"] == "1"


def test_timestamps_do_not_go_back_when_the_clock_is_set_back(world: World) -> None:
    connection = world.caller.connect(world.caller.register())
    for seconds in (1, 2, 3):
        world.environment.run_to(seconds)
        world.environment.set_back_ns += 10**12
        world.driver.socket(FrameIn(connection, Opcode.TEXT, b'{"type":"ping"}'))
    stamps = [message["timestamp"] for message in world.sockets.text[connection]]

    assert stamps == sorted(stamps)
    assert len(stamps) == 4


def test_shutdown_refuses_handshakes_and_is_done_when_the_last_connection_is_gone(world: World) -> None:
    token, done = world.caller.register(), list[bool]()
    connection = world.caller.connect(token)
    world.driver.shutdown(lambda: done.append(True))
    world.environment.run()
    assert done == []
    assert world.sockets.closed == {connection: 1001}
    assert getattr(world.caller.handshake(token)[0], "status", None) == 503
    world.driver.socket(Lost(connection))
    world.environment.run()

    assert done == [True]


def test_shutdown_aborts_whoever_does_not_answer(world: World) -> None:
    done = list[bool]()
    connection = world.caller.connect(world.caller.register())
    world.driver.shutdown(lambda: done.append(True))
    world.environment.run_to(5)

    assert world.sockets.aborted == {connection}
    assert done == [True]


def test_the_admin_of_the_settings_can_sign_in_after_a_change_of_password(world: World) -> None:
    options = Options(admin_email=ADMIN[0].upper(), admin_password="another password")
    environment = VirtualEnvironment()
    again = Driver(environment, world.store, world.sockets, options)
    again.start(lambda: None)
    environment.run()
    caller = Caller(again, environment)
    answers = [
        caller.call("POST", "/users/login", None, {"email": ADMIN[0], "password": password})
        for password in (ADMIN[1], "another password")
    ]

    assert [answer.status for answer in answers] == [401, 200]


def test_who_held_the_admins_e_mail_before_does_not_rise_with_it(world: World) -> None:
    token = world.caller.register("eve@example.org")
    _, key = made_key(world, token)
    world.environment.run_to(1)
    options = Options(admin_email="eve@example.org", admin_password="the operator's own")
    again = Driver(world.environment, world.store, world.sockets, options)
    again.start(lambda: None)
    world.environment.run_to(2)
    caller = Caller(again, world.environment)

    assert [caller.call("GET", "/users/me", credential).status for credential in (token, key)] == [401, 401]
    login = caller.call("POST", "/users/login", None, {"email": "eve@example.org", "password": "the operator's own"})
    assert login.status == 200
    assert caller.call("GET", "/users/me", getattr(login.body, "token")).status == 200  # noqa: B009
