"""What a target is: something a scenario can be run on, whatever the tier.

Written as coroutines that no particular loop owns: at T0 a virtual scheduler drives them, elsewhere asyncio. A
scenario's runner is therefore written once.
"""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from harness.client.forms import Form
from harness.history import Recorder

T = TypeVar("T")


class Person(Struct, frozen=True):
    """Somebody with an account on the target; the password and the tokens stay out of every record."""

    name: str
    email: str
    password: str
    full_name: str


class Capabilities(Struct, frozen=True):
    """What this target has (the contract's needs) and allows (its grants); contract §10."""

    needs: frozenset[str] = frozenset()
    grants: frozenset[str] = frozenset()
    connections_max: int = 1_000_000


class Answered(Struct, frozen=True):
    """An answer to a REST call; `body` is parsed JSON, or None; `status` 0: no answer came (info)."""

    status: int
    body: Any = None
    headers: dict[str, str] = {}


class Session(Protocol):
    """A signed-in person: REST calls in their name, recorded as invoke and ok, fail or info."""

    account_id: str
    token: str

    async def call(
        self,
        operation: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        form: Form | None = None,
        case: str | None = None,
    ) -> Answered:
        """Invoke an operation of the contract by its name."""


class Tab(Protocol):
    """One live client of the hub: the reconnect machine of contract §6 with its socket, recorded."""

    name: str

    async def wait_open(self, deadline_s: float) -> bool:
        """Wait until the welcome was read; False when the deadline came first."""

    async def wait_message(self, matches: Callable[[dict[str, Any]], bool], deadline_s: float) -> bool:
        """Wait until a message that matches was read since the tab opened; False when the deadline came first."""

    async def cut(self) -> None:
        """Abort the transport, as a lost network would."""

    async def close(self) -> None:
        """Leave deliberately: no reconnect follows."""


class Target(Protocol):
    """A system under test, with clients to drive it and the recorder they write to."""

    name: str
    tier: str
    capabilities: Capabilities
    recorder: Recorder

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Drive a coroutine to its end; T0 on virtual time. Raises what it raises."""

    def draw(self) -> float:
        """Return a number in [0, 1) from the run's seed."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    async def sign_up(self, person: Person) -> Session:
        """Register the person (or log in, where the profile gives accounts)."""

    async def sign_in(self, person: Person) -> Session:
        """Log in again: a token of its own."""

    async def admin_session(self) -> Session | None:
        """Sign in the admin; None where the target lends none."""

    def made(self, session: Session, removed_by: str, id_: str) -> None:
        """Hear what was made there: a target that lives on removes it at the end by that operation (contract §10)."""

    async def open_tab(self, session: Session, name: str) -> Tab:
        """Open a live client; it connects by itself."""

    async def gather(self, *jobs: Coroutine[Any, Any, None]) -> None:
        """Run jobs at the same time until all have ended."""

    async def close(self) -> None:
        """Close tabs and whatever the target started."""
