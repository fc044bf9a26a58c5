"""One virtual user: register, connect, submit a task each period, read every push it is owed, leave nothing running.

Submits start on an absolute schedule; a late one counts from the instant it was meant for (response time), and from
its own start (service time). The reader is a greenlet of its own, so a slow answer never delays the instant of a push.
"""

import logging
import secrets
import time
from http import HTTPStatus
from typing import Any, Final

import gevent
import msgspec
from gevent.event import Event
from locust import events, task
from locust.contrib.fasthttp import FastHttpUser
from locust.exception import StopUser
from msgspec import Struct

from loadtests.crew import Crew, sleep_until
from loadtests.plan import plan_from
from loadtests.recording import (
    CONNECT,
    DELIVERY,
    DELIVERY_RESPONSE,
    ENDED,
    NS_PER_S,
    REGISTER,
    RUNNING,
    SUBMIT,
    SUBMIT_RESPONSE,
)
from loadtests.transport import HandshakeError, LostError, WebSocket, socket_url
from reference_server.contract.limits import CLIENT_PING_PERIOD_S
from reference_server.contract.operations import BY_NAME

READ_WAIT_S: Final = 0.25
RETRY_AFTER_S_DEFAULT: Final = 1.0
RETRIED: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
NETWORK_TIMEOUT_S: Final = 15.0
USER_FAILED: Final = 3
LOG: Final = logging.getLogger(__name__)


class _Data(Struct, frozen=True):
    status: str = ""
    query: str = ""
    revision: int | None = None


class _Message(Struct, frozen=True):
    type: str
    data: _Data


_decode = msgspec.json.Decoder(_Message).decode


class _Start(Struct, frozen=True):
    intended_ns: int
    invoked_ns: int


class LiveUser(FastHttpUser):
    """A person with one live page: what a load scenario says, done once from beginning to end."""

    network_timeout = NETWORK_TIMEOUT_S
    connection_timeout = NETWORK_TIMEOUT_S

    def __init__(self, environment: Any) -> None:
        self.crew: Crew = environment.crew
        self.host = self.crew.plan.target_url
        super().__init__(environment)
        self.number, self.ledger = self.crew.join("u")
        self.token = ""
        self.socket: WebSocket | None = None
        self.task_ids: dict[int, str] = {}
        self._starts: dict[int, _Start] = {}
        self._ends: dict[int, Event] = {}
        self._reader: gevent.Greenlet | None = None
        self._leaving = False

    @task
    def live(self) -> None:
        """Live this user's life, then stop it: Locust would begin it again, also after an error of ours."""
        try:
            self._live()
        except Exception as fault:
            LOG.exception("user %s failed", self.ledger.owner)
            self.crew.broken.append(f"{type(fault).__name__}: {fault}")
            self.crew.drop()
        raise StopUser

    def _live(self) -> None:
        crew, waits = self.crew, self.crew.plan.scenario.ready_within_s + self.crew.plan.ramp_s
        crew.spawned.wait(waits)
        registered = self._register()
        crew.registered.arrive()
        crew.registered.wait(waits)
        connected = registered and self._connect()
        crew.connected.arrive()
        crew.connected.wait(waits)
        crew.open_window()
        if connected:
            crew.ready += 1
            self._work()
        self._leave()
        crew.left.arrive()

    def _register(self) -> bool:
        self.crew.turn(self.crew.spawned.opened_ns, self.number, self.crew.plan.scenario.registrations_per_s)
        # A password that followed from the printed seed could be read out of the record.
        body = {
            "email": f"{self.ledger.owner}@example.com",
            "password": secrets.token_urlsafe(24),
            "full_name": self.ledger.owner,
        }
        begun_ns = time.monotonic_ns()
        # Limits are the target's right (contract §2): who is told to wait, waits, as long as readiness may take.
        status, answer = self._call("register", patience_s=self.crew.plan.scenario.ready_within_s, json=body)
        now = time.monotonic_ns()
        self.crew.recording.add(REGISTER, now, now - begun_ns)
        token = answer.get("token") if isinstance(answer, dict) else None
        if status != BY_NAME["register"].success or not isinstance(token, str):
            self.crew.recording.fault(f"register answered {status}")
            return False
        self.token = token
        return True

    def _connect(self) -> bool:
        plan = self.crew.plan
        self.crew.turn(self.crew.registered.opened_ns, self.number, plan.scenario.connects_per_s)
        socket = WebSocket(socket_url(plan.target_url), self.token, plan.ca)
        begun_ns = time.monotonic_ns()
        try:
            socket.connect()
            welcome_ns = self._welcome(socket, begun_ns)
        except (HandshakeError, LostError) as fault:
            self.crew.recording.fault(f"connect: {fault}")
            socket.abort()
            return False
        self.crew.recording.add(CONNECT, welcome_ns, welcome_ns - begun_ns)
        self.socket = socket
        self._reader = gevent.spawn(self._read, socket)
        return True

    def _welcome(self, socket: WebSocket, begun_ns: int) -> int:
        deadline_ns = begun_ns + int(NETWORK_TIMEOUT_S * NS_PER_S)
        first_ns = 0
        while not first_ns:
            if time.monotonic_ns() > deadline_ns:
                raise LostError(None, f"no welcome within {NETWORK_TIMEOUT_S:.0f} s")
            for at_ns, text in socket.messages(READ_WAIT_S):
                first_ns = first_ns or at_ns
                self._take(at_ns, text)
        return first_ns

    def _work(self) -> None:
        crew, scenario = self.crew, self.crew.plan.scenario
        period_ns = int(scenario.period_s * NS_PER_S)
        # Spread over the period: a thousand users that submit in one instant measure a burst.
        due_ns = crew.recording.start_ns + period_ns * self.number // max(1, crew.size)
        sequence = 0
        while due_ns < crew.end_ns and not self._leaving:
            sleep_until(due_ns)
            self._submit(sequence, due_ns)
            self._ends[sequence].wait(scenario.ended_within_s)
            sequence += 1
            due_ns += period_ns
        deadline_ns = time.monotonic_ns() + int(scenario.ended_within_s * NS_PER_S)
        for end in self._ends.values():
            end.wait(max(0.0, (deadline_ns - time.monotonic_ns()) / NS_PER_S))

    def _submit(self, sequence: int, due_ns: int) -> None:
        scenario, recording = self.crew.plan.scenario, self.crew.recording
        body = {"query": self.ledger.open(sequence), "budget": scenario.budget, "constraints": scenario.constraints}
        self._ends[sequence] = Event()
        begun_ns = time.monotonic_ns()
        self._starts[sequence] = _Start(due_ns, begun_ns)
        status, answer = self._call("submit_task", json=body)
        now = time.monotonic_ns()
        accepted = None if status in (0, 500, 502, 504) else status == BY_NAME["submit_task"].success
        self.ledger.answered(sequence, accepted)
        if accepted and isinstance(answer, dict):
            self.task_ids[sequence] = str(answer.get("task_id"))
            recording.add(SUBMIT, now, now - begun_ns)
            recording.add(SUBMIT_RESPONSE, now, now - due_ns)
        else:
            recording.fault(f"submit answered {status}")
            self._ends[sequence].set()

    def _read(self, socket: WebSocket) -> None:
        ping_ns = time.monotonic_ns() + CLIENT_PING_PERIOD_S * NS_PER_S
        try:
            while not self._leaving:
                for at_ns, text in socket.messages(READ_WAIT_S):
                    self._take(at_ns, text)
                if time.monotonic_ns() >= ping_ns:
                    socket.send_text(b'{"type":"ping"}')
                    ping_ns += CLIENT_PING_PERIOD_S * NS_PER_S
        except LostError as fault:
            if not self._leaving:
                self.ledger.cut()
                self.crew.recording.fault(str(fault))
                self._give_up()

    def _give_up(self) -> None:
        """Nothing is replayed to a client that comes back (contract §5(g)), so a cut ends what a user can tell."""
        self._leaving = True
        for end in self._ends.values():
            end.set()

    def _take(self, at_ns: int, text: bytes) -> None:
        recording = self.crew.recording
        self.ledger.frames += 1
        recording.message(at_ns)
        try:
            message = _decode(text)
        except msgspec.DecodeError:
            recording.fault("a message could not be decoded")
            self.ledger.unreadable += 1
            return
        if message.type != "task_update":
            return
        entered = self.ledger.push(message.data.query, message.data.status, message.data.revision)
        if entered is not None:
            self._measure(at_ns, *entered)

    def _measure(self, at_ns: int, sequence: int, kind: str) -> None:
        recording, start = self.crew.recording, self._starts[sequence]
        if kind == "queued":
            recording.add(DELIVERY, at_ns, at_ns - start.invoked_ns)
            recording.add(DELIVERY_RESPONSE, at_ns, at_ns - start.intended_ns)
        else:
            recording.add(RUNNING if kind == "running" else ENDED, at_ns, at_ns - start.invoked_ns)
        if kind == "ended":
            self._ends[sequence].set()

    def _leave(self) -> None:
        """Cancel what is unfinished, close, and give the token back (contract §10: nothing is left behind)."""
        for sequence, task_id in self.task_ids.items():
            if not self.ledger.ended(sequence):
                row = BY_NAME["cancel_task"]
                status, _ = self._call("cancel_task", path=row.path.replace("{id}", task_id))
                if status == row.success:
                    self.ledger.unfinished(sequence)
        self._leaving = True
        if self.socket is not None and self._reader is not None:
            # One greenlet at a time may wait on a socket.
            self._reader.join()
            self.socket.close()
        if self.token:
            self._call("logout")

    def _call(self, operation: str, *, patience_s: float = 0.0, path: str = "", json: Any = None) -> tuple[int, Any]:
        """Call an operation by its contract name; wait and try again, for so long, where the server asks for it."""
        row = BY_NAME[operation]
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        until_ns = time.monotonic_ns() + int(patience_s * NS_PER_S)
        while True:
            with self.client.request(
                row.method, path or row.path, name=operation, json=json, headers=headers, catch_response=True
            ) as answer:
                answer.success() if answer.status_code == row.success else answer.failure(str(answer.status_code))
                result = int(answer.status_code), _parsed(answer.content)
                told = (answer.headers or {}).get("Retry-After", "")
            wait_s = float(told) if told.isdecimal() else RETRY_AFTER_S_DEFAULT
            if result[0] not in RETRIED or time.monotonic_ns() + wait_s * NS_PER_S > until_ns:
                return result
            gevent.sleep(wait_s)


def _parsed(content: bytes | None) -> Any:
    try:
        return msgspec.json.decode(content or b"null")
    except msgspec.DecodeError:
        return None


@events.init.add_listener  # type: ignore[untyped-decorator] # Locust ships no types
def _gather_crew(environment: Any, runner: Any, **_: Any) -> None:
    """Give this process its crew, from the plan that the runner left, and end Locust when the crew has left."""
    crew = environment.crew = Crew(plan_from())
    environment.events.spawning_complete.add_listener(crew.complete)
    environment.events.quitting.add_listener(_write)
    gevent.spawn(_quit_after, crew, runner)


def _write(environment: Any, **_: Any) -> None:
    """Write what was recorded; a user that failed by our own fault is Locust's failure, and so the harness's."""
    environment.crew.write()
    if environment.crew.broken:
        environment.process_exit_code = USER_FAILED


def _quit_after(crew: Crew, runner: Any) -> None:
    if crew.left.wait(crew.plan.longest_s):
        runner.quit()
