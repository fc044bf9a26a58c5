"""What becomes of an account while a password is compared for it (contract §2 login), on virtual time."""

from collections.abc import Callable
from typing import Any

import pytest

from reference_server.contract.models import Me, SessionAnswer
from reference_server.core.answers import Answer
from reference_server.core.passwords import PasswordCost
from reference_server.core.rows import AccountRow, replaced_account
from reference_server.core.transaction import Transaction
from reference_server.driver import Driver
from reference_server.operations import Options
from reference_server.sign_in import COMPARISONS_MAX
from reference_server.store.memory import MemoryStore
from reference_server.tests.virtual import Caller, VirtualEnvironment, VirtualSockets

SHARED, MOVED = "shared@example.org", "moved@example.org"
FORMER, OWNER = "the former one's", "the present one's"
NOW, OUTDATED = PasswordCost(64, 1, 1), PasswordCost(8, 1, 1)


class HeldComparisons(VirtualEnvironment):
    """While it `holds`, comparisons wait in `held` as behind a queue of hashing; hashes name their cost and salt."""

    def __init__(self) -> None:
        super().__init__()
        self.holds = False
        self.held: list[Callable[[], None]] = []
        self.made = 0

    def hash_password(self, password: str, done: Callable[[str | None], None]) -> None:
        self.made += 1
        made = f"{NOW.prefix}salt {self.made}${password}"
        self.call_soon(lambda: done(made))

    def verify_password(self, password_hash: str, password: str, done: Callable[[bool | None], None]) -> None:
        self.compared.append(password)
        matches = password_hash.rpartition("$")[2] == password
        if self.holds:
            self.held.append(lambda: done(matches))
        else:
            self.call_soon(lambda: done(matches))


class World:
    def __init__(self) -> None:
        self.environment = HeldComparisons()
        self.store = MemoryStore()
        sockets = VirtualSockets()
        self.driver = Driver(self.environment, self.store, sockets, Options(password_cost=NOW, rates=None))
        sockets.driver = self.driver
        self.caller = Caller(self.driver, self.environment)
        self.driver.start(lambda: None)
        self.environment.run()

    def register(self, email: str, password: str) -> SessionAnswer:
        body = {"email": email, "password": password, "full_name": "Ann"}
        session = self.caller.call("POST", "/users/register", None, body).body
        assert isinstance(session, SessionAnswer), session
        return session

    def change_email(self, session: SessionAnswer, email: str, password: str) -> Answer:
        return self.caller.call("PUT", "/users/me", session.token, {"email": email, "password": password})

    def held(self, method: str, path: str, token: str | None, body: dict[str, Any]) -> list[Answer]:
        """Ask, and keep the comparison waiting."""
        self.environment.holds = True
        answers = self.caller.ask(method, path, token, body)
        self.environment.run()
        self.environment.holds = False
        assert (answers, len(self.environment.held)) == ([], 1)
        return answers

    def let_go(self) -> None:
        """Let the held comparison tell what it found long ago."""
        self.environment.held.pop()()
        self.environment.run()

    def account(self, email: str) -> AccountRow:
        account = self.store.transact(lambda tx: tx.account_by_email(email))
        assert account is not None
        return account

    def outdate(self, email: str, password: str) -> None:
        self.put_hash(email, f"{OUTDATED.prefix}salt${password}")

    def put_hash(self, email: str, password_hash: str) -> None:
        account = self.account(email)

        def work(tx: Transaction) -> None:
            tx.update_account(replaced_account(account, password_hash=password_hash))

        self.store.transact(work)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("outdated", [False, True])
def test_a_login_that_waits_while_its_e_mail_changes_hands_is_never_the_other_ones(
    world: World, outdated: bool
) -> None:
    former = world.register(SHARED, FORMER)
    if outdated:
        world.outdate(SHARED, FORMER)
    answers = world.held("POST", "/users/login", None, {"email": SHARED, "password": FORMER})
    assert world.change_email(former, MOVED, FORMER).status == 200
    owner = world.register(SHARED, OWNER)
    before = world.account(SHARED)
    world.let_go()

    assert [answer.status for answer in answers] == [401]
    assert world.account(SHARED) == before
    me = world.caller.call("GET", "/users/me", owner.token).body
    assert isinstance(me, Me)
    assert me.id == owner.user.id
    signed_in = world.caller.call("POST", "/users/login", None, {"email": SHARED, "password": OWNER})
    assert signed_in.status == 200


def test_a_login_for_an_e_mail_that_was_given_up_meanwhile_is_401(world: World) -> None:
    former = world.register(SHARED, FORMER)
    answers = world.held("POST", "/users/login", None, {"email": SHARED, "password": FORMER})
    world.change_email(former, MOVED, FORMER)
    world.let_go()

    assert [answer.status for answer in answers] == [401]


def test_a_right_password_whose_hash_another_login_made_again_is_still_right(world: World) -> None:
    world.register(SHARED, FORMER)
    world.outdate(SHARED, FORMER)
    login = {"email": SHARED, "password": FORMER}
    answers = world.held("POST", "/users/login", None, login)
    assert world.caller.call("POST", "/users/login", None, login).status == 200
    remade = world.account(SHARED).password_hash
    assert remade.startswith(NOW.prefix)
    world.let_go()

    assert [answer.status for answer in answers] == [200]
    assert world.account(SHARED).password_hash == remade


def test_a_change_of_e_mail_survives_a_hash_made_again_and_not_a_new_password(world: World) -> None:
    session = world.register(SHARED, FORMER)
    change = {"email": MOVED, "password": FORMER}
    answers = world.held("PUT", "/users/me", session.token, change)
    world.put_hash(SHARED, f"{NOW.prefix}salt${OWNER}")
    world.let_go()
    assert [answer.status for answer in answers] == [401]

    world.outdate(SHARED, FORMER)
    answers = world.held("PUT", "/users/me", session.token, change)
    world.put_hash(SHARED, f"{NOW.prefix}another salt${FORMER}")
    world.let_go()
    assert [answer.status for answer in answers] == [200]


def test_an_account_that_changes_at_every_comparison_is_compared_a_bounded_number_of_times(world: World) -> None:
    world.register(SHARED, FORMER)
    answers = world.held("POST", "/users/login", None, {"email": SHARED, "password": FORMER})
    world.environment.compared.clear()
    world.environment.holds = True
    while world.environment.held:
        world.put_hash(SHARED, f"{NOW.prefix}salt {len(world.environment.compared)}${FORMER}")
        world.let_go()

    assert [answer.status for answer in answers] == [401]
    assert len(world.environment.compared) == COMPARISONS_MAX - 1
