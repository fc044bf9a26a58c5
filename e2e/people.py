"""People with accounts on the target, and REST in their name, beside the pages that they use.

The one REST client of the harness over a blocking transport: a browser test runs on one thread, and Playwright's own
loop is on it already, so the client's coroutines are driven to their end in one go.
"""

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import httpx

from harness.client import rest
from harness.client.rest import Headers, NoAnswerError, RawAnswer, RecordedSession, RestClient
from harness.client.shell import tls_context
from harness.history import Recorder
from harness.seeds import people
from harness.targets.base import Answered, Person
from reference_server.contract.lifecycle import FINAL

T = TypeVar("T")

DEADLINE_S: Final = 10.0


class BlockingTransport:
    """`harness.client.rest.Transport` that never suspends."""

    def __init__(self, base: str) -> None:
        self._client = httpx.Client(
            base_url=base,
            timeout=DEADLINE_S,
            trust_env=False,
            verify=tls_context(None) if base.startswith("https") else False,
        )

    async def send(self, method: str, path_and_query: str, headers: Headers, body: bytes | None) -> RawAnswer:
        """Send one request; raises NoAnswerError when none came in time."""
        try:
            answer = self._client.request(method, path_and_query, headers=list(headers), content=body)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise NoAnswerError(f"{type(fault).__name__}: {fault}") from fault
        return RawAnswer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()


def driven(work: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine that never suspends returns; raises what it raises."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    work.close()
    raise RuntimeError("a coroutine over the blocking transport suspended; it would need a loop")


class Guest:
    """Somebody with an account: REST in their name, recorded, and what a page's form needs to sign in."""

    def __init__(self, session: RecordedSession) -> None:
        self._session = session
        self.person = session.person
        self.account_id = session.account_id
        self.token = session.token

    def call(self, operation: str, **given: Any) -> Answered:
        """Invoke an operation of the contract by its name."""
        return driven(self._session.call(operation, **given))

    def submit(self, query: str, budget: float = 10.0, **simulate: Any) -> str:
        """Submit a task that the executor shall treat as `simulate` says; return its id."""
        body: dict[str, Any] = {"query": query, "budget": budget}
        if simulate:
            body["constraints"] = {"simulate": simulate}
        answer = self.call("submit_task", body=body)
        assert answer.status == 202, f"submitting a task was answered with {answer.status}, expected 202"
        return str(answer.body["task_id"])

    def task(self, task_id: str) -> dict[str, Any]:
        """Read one of their tasks."""
        answer = self.call("get_task", path={"id": task_id})
        assert answer.status == 200, f"reading task {task_id} was answered with {answer.status}, expected 200"
        return dict(answer.body)

    def cancel_unfinished(self) -> None:
        """Cancel their tasks that are not finished; nothing when they are signed out by now."""
        answer = self.call("list_tasks", query={"limit": "200"})
        tasks = answer.body["tasks"] if answer.status == 200 else []
        for task in tasks:
            if task["status"] not in FINAL:
                self.call("cancel_task", path={"id": task["id"]})


class Reception:
    """Makes accounts on one target; names are unlike each other within a run."""

    def __init__(self, base: str, recorder: Recorder, seed: int, run: str) -> None:
        self._transport = BlockingTransport(base)
        self._client = RestClient(self._transport, recorder)
        self._recorder = recorder
        self._seed = seed
        self._run = run
        self._guests: list[Guest] = []

    def person(self, name: str) -> Person:
        """Return somebody who has no account yet; their password never enters the record."""
        (person,) = people(self._seed, [name], self._run)
        self._recorder.mask(person.password)
        return person

    def register(self, name: str) -> Guest:
        """Make an account; raises SignInError."""
        return self._kept(Guest(driven(rest.sign_up(self._client, self.person(name)))))

    def sign_in(self, person: Person) -> Guest:
        """Sign in once more, as another device would; raises SignInError."""
        return self._kept(Guest(driven(rest.sign_in(self._client, person))))

    def revoke(self) -> None:
        """End every session of everybody here, so that what a failure leaves behind opens nothing."""
        for guest in self._guests:
            guest.cancel_unfinished()
            guest.call("logout", body={"all": True})

    def close(self) -> None:
        """Cancel what is still to be done, since the target may go on without us, and close the connections."""
        for guest in self._guests:
            guest.cancel_unfinished()
        self._transport.close()

    def _kept(self, guest: Guest) -> Guest:
        self._guests.append(guest)
        return guest


@contextmanager
def reception(base: str, recorder: Recorder, seed: int, run: str) -> Iterator[Reception]:
    """Lend a reception and close it."""
    lent = Reception(base, recorder, seed, run)
    try:
        yield lent
    finally:
        lent.close()
