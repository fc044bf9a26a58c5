"""An environment, sockets and a caller for the driver on virtual time: nothing waits, nothing is drawn by chance."""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from reference_server.core.answers import Answer
from reference_server.core.calls import Admitted, Granted, Head
from reference_server.core.effects import Paused
from reference_server.core.units import SECOND_NS
from reference_server.driver import Driver
from reference_server.environment import Cancelable, OffloadFullError, Tokens
from reference_server.environment_asyncio import JwtTokens
from reference_server.tests import forms
from reference_server.transfers.uploads import Received, Receiving

T = TypeVar("T")
START_WALL_NS = 1_700_000_000 * SECOND_NS
SECRET = "a key that only tests know, 32 bytes"
UPGRADE = {
    "host": "localhost",
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Entry:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class VirtualEnvironment:
    """Time stands still until `run_to`; a password's hash is the password with a prefix.

    `offload_ms` is how long a worker takes; `workers_full` refuses all work.
    """

    def __init__(self) -> None:
        self.tokens: Tokens = JwtTokens(SECRET)
        self.now_ns = 0
        self.set_back_ns = 0
        self.hashes_full = False
        self.workers_full = False
        self.offload_ms = 0
        self.compared: list[str] = []
        self._numbers = itertools.count(1)
        self._timers: list[tuple[int, int, Entry]] = []

    def monotonic_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return START_WALL_NS + self.now_ns - self.set_back_ns

    def call_at(self, monotonic_ns: int, callback: Callable[[], None]) -> Cancelable:
        entry = Entry(callback)
        heapq.heappush(self._timers, (max(monotonic_ns, self.now_ns), next(self._numbers), entry))
        return entry

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.call_at(self.now_ns, callback)

    def new_id(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._numbers):012x}"

    def new_secret(self) -> str:
        return f"{next(self._numbers):064x}"

    def draw(self) -> float:
        return 0.5

    def offload(self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
        def run() -> None:
            if self.workers_full:
                failed(OffloadFullError("too much work waits for a worker"))
                return
            try:
                value = work()
            except Exception as fault:  # noqa: BLE001 - it is handed to whoever asked for this work
                failed(fault)
            else:
                done(value)

        self.call_at(self.now_ns + self.offload_ms * SECOND_NS // 1000, run)

    def hash_password(self, password: str, done: Callable[[str | None], None]) -> None:
        self.call_soon(lambda: done(None if self.hashes_full else f"hash of {password}"))

    def verify_password(self, password_hash: str, password: str, done: Callable[[bool | None], None]) -> None:
        self.compared.append(password)
        self.call_soon(lambda: done(None if self.hashes_full else password_hash == f"hash of {password}"))

    def run_to(self, seconds: float) -> None:
        end_ns = round(seconds * SECOND_NS)
        while self._timers and self._timers[0][0] <= end_ns:
            at_ns, _, entry = heapq.heappop(self._timers)
            self.now_ns = max(self.now_ns, at_ns)
            if entry.callback is not None:
                entry.callback()
        self.now_ns = max(self.now_ns, end_ns)

    def run(self) -> None:
        """Run what is due now."""
        self.run_to(self.now_ns / SECOND_NS)


class VirtualSockets:
    """What was written to each connection; `room` messages fit into a send buffer before it is full."""

    def __init__(self) -> None:
        self.driver: Driver
        self.text: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.closed: dict[int, int] = {}
        self.aborted: set[int] = set()
        self.room: dict[int, int] = {}

    def send_text(self, payload: bytes, receivers: Sequence[int]) -> None:
        for receiver in receivers:
            self.text[receiver].append(msgspec.json.decode(payload))
            if receiver in self.room:
                self.room[receiver] -= 1
                if self.room[receiver] == 0:
                    self.driver.socket(Paused(receiver))

    def send_ping(self, receivers: Sequence[int]) -> None:
        pass

    def send_pong(self, connection: int, payload: bytes) -> None:
        pass

    def close(self, connection: int, code: int, reason: str) -> None:  # noqa: ARG002
        self.closed[connection] = code

    def abort(self, connection: int) -> None:
        self.aborted.add(connection)

    def writable(self, connection: int) -> bool:
        return self.room.get(connection, 1) > 0


class Caller:
    """Asks the driver as a shell would, and keeps the answers."""

    def __init__(self, driver: Driver, environment: VirtualEnvironment) -> None:
        self.driver = driver
        self.environment = environment

    def send_form(
        self, path: str, token: str | None, body: bytes, headers: Mapping[str, str] | None = None
    ) -> "Sending":
        """Begin to send a multipart body; it goes piece by piece as the server takes it."""
        given = {"content-type": forms.TYPE, "content-length": str(len(body)), **(headers or {})}
        head = Head("POST", f"/api/v1{path}", "", _headers(token) | given, "192.0.2.1")
        return Sending(self.driver, head, forms.pieces(body, 1000))

    def upload(self, path: str, token: str | None, body: bytes) -> Answer:
        """Send a multipart body and let everything that is due run."""
        sending = self.send_form(path, token, body)
        self.environment.run()
        (answer,) = sending.answers
        return answer

    def ask(self, method: str, path: str, token: str | None = None, body: Any = None) -> list[Answer]:
        """Ask; the list fills once the answer comes."""
        answers: list[Answer] = []
        raw = b"" if body is None else msgspec.json.encode(body)

        def admitted(outcome: Admitted | Answer) -> None:
            if isinstance(outcome, Answer):
                answers.append(outcome)
            else:
                self.driver.handle(outcome, raw, answers.append)

        headers = _headers(token) | ({} if body is None else {"content-type": "application/json"})
        self.driver.admit(Head(method, f"/api/v1{path}", "", headers, "192.0.2.1"), admitted)
        return answers

    def call(self, method: str, path: str, token: str | None = None, body: Any = None) -> Answer:
        """Ask and let everything that is due run."""
        answers = self.ask(method, path, token, body)
        self.environment.run()
        (answer,) = answers
        return answer

    def register(self, email: str = "ann@example.org") -> str:
        body = {"email": email, "password": "a good password", "full_name": "Ann"}
        answer = self.call("POST", "/users/register", None, body)
        assert answer.status == 201, answer
        token: str = getattr(answer.body, "token")  # noqa: B009
        return token

    def connect(self, token: str) -> int:
        outcomes = self.handshake(token)
        (outcome,) = outcomes
        assert isinstance(outcome, Granted), outcome
        self.driver.opened(outcome)
        return outcome.connection

    def handshake(self, token: str | None) -> list[Granted | Answer]:
        outcomes: list[Granted | Answer] = []
        path = "/api/v1/ws/connect"
        self.driver.handshake(Head("GET", path, "", UPGRADE | _headers(token), "192.0.2.1"), outcomes.append)
        return outcomes


class Sending:
    """One upload on its way, a piece at a time."""

    def __init__(self, driver: Driver, head: Head, pieces: Sequence[bytes]) -> None:
        self.answers: list[Answer] = []
        self.receiving: Receiving | None = None
        self.sent = 0
        self._driver = driver
        self._pieces = pieces
        self._admitted: Admitted | None = None
        driver.admit(head, self._judged)

    def _judged(self, outcome: Admitted | Answer) -> None:
        if isinstance(outcome, Answer):
            self.answers.append(outcome)
            return
        receiving = self._driver.receive(outcome)
        if isinstance(receiving, Answer):
            self.answers.append(receiving)
            return
        self.receiving, self._admitted = receiving, outcome
        self._next(None)

    def _next(self, refusal: Answer | None) -> None:
        if refusal is not None:
            self.answers.append(refusal)
        elif self.receiving is not None and self.sent < len(self._pieces):
            self.sent += 1
            self.receiving.feed(self._pieces[self.sent - 1], self._next)
        elif self.receiving is not None:
            self.receiving.finish(self._whole)

    def _whole(self, outcome: Received | Answer) -> None:
        if isinstance(outcome, Answer):
            self.answers.append(outcome)
        elif self._admitted is not None:
            self._driver.handle(self._admitted, outcome, self.answers.append)


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}
