"""A desk to put decisions on: one store in memory, a clock that stands until it is moved, and seeded chance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from reference_server.contract.operations import BY_NAME
from reference_server.core import agents, executor, wire
from reference_server.core.accounts import email_key
from reference_server.core.answers import Answer, Decision, Outgoing, Publish
from reference_server.core.calls import Call, Caller, Comparison, Context
from reference_server.core.decisions import DECISIONS
from reference_server.core.orchestrator import Figures
from reference_server.core.rows import replaced_agent
from reference_server.core.tokens import Claims, judge_claims, read_claims
from reference_server.core.transaction import Transaction
from reference_server.store import MemoryStore, Store

START_NS = 1_800_000_000_000_000_000


@dataclass
class Desk:
    """Decisions as the driver makes them: decoded, committed, their pushes kept in order."""

    store: Store = field(default_factory=MemoryStore)
    workers: int = 2
    queue_max: int = 100
    retry_delays_s: tuple[float, ...] = (1, 2, 3)
    task_ms: tuple[int, int] = (50, 250)
    now_ns: int = START_NS
    process: str = "p1"
    chance: Random = field(default_factory=lambda: Random(1))
    outgoing: list[Outgoing] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)

    def __post_init__(self) -> None:
        self.store.transact(lambda tx: agents.seed(tx, self.now_ns))

    def context(self) -> Context:
        return Context(
            now_ns=self.now_ns,
            new_id=lambda: str(UUID(int=self.chance.getrandbits(128), version=4)),
            new_secret=lambda: f"{self.chance.getrandbits(256):064x}",
            draw=self.chance.random,
            token_ttl_s=3600,
            task_ms=self.task_ms,
            queue_max=self.queue_max,
            workers=self.workers,
            retry_delays_s=self.retry_delays_s,
            process=self.process,
        )

    def decide(
        self,
        name: str,
        caller: Caller | None = None,
        body: Mapping[str, Any] | None = None,
        query: str = "",
        path: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> Decision:
        operation = BY_NAME[name]
        call = Call(operation, caller, path or {})
        if operation.query is not None:
            call = replace(call, query=wire.decode_query(query, operation.query))
        if operation.body is not None and body is not None:
            call = replace(call, body=wire.decode_body(msgspec.json.encode(body), operation.body))
        if operation.form is not None and body is not None:
            call = replace(call, body=msgspec.convert(body, operation.form))
        call = replace(call, **extra)
        decision = self.store.transact(lambda tx: DECISIONS[name](tx, call, self.context()))
        self.outgoing += decision.outgoing
        return decision

    def register(self, email: str = "a@b.c", password_hash: str = "hash") -> Caller:
        body = {"email": email, "password": "12345678", "full_name": "Ann"}
        return self.caller(self.decide("register", body=body, password_hash=password_hash))

    def login(self, email: str = "a@b.c", *, matches: bool = True) -> Decision:
        body = {"email": email, "password": "x"}
        return self.decide("login", body=body, comparison=self.comparison(email, matches=matches))

    def comparison(self, email: str = "a@b.c", *, matches: bool = True) -> Comparison:
        """Return what comparing a password with the hash that the e-mail's account has now told."""
        account = self.store.transact(lambda tx: tx.account_by_email(email_key(email)))
        if account is None:
            return Comparison("", "nobody's hash", matches)
        return Comparison(account.id, account.password_hash, matches)

    def caller(self, decision: Decision) -> Caller:
        caller = self.judge(decision)
        assert isinstance(caller, Caller), caller
        return caller

    def judge(self, decision: Decision) -> object:
        claims = decision.claims
        assert claims is not None
        # Through JSON, as a token's claims are.
        return self.judged(msgspec.json.decode(msgspec.json.encode(claims)))

    def judged(self, claims: dict[str, Any]) -> object:
        read = read_claims(claims)
        if not isinstance(read, Claims):
            return read
        return self.store.transact(lambda tx: judge_claims(tx, read, self.now_ns))

    def submit(self, caller: Caller, **body: Any) -> str:
        decision = self.decide("submit_task", caller, {"query": "q", "budget": 1} | body)
        assert decision.answer.status == 202, decision.answer
        return str(shown(decision.answer)["task_id"])

    def task(self, caller: Caller, task_id: str) -> dict[str, Any]:
        return shown(self.decide("get_task", caller, path={"id": task_id}).answer)

    def change_agent(self, agent_id: str, **changes: Any) -> None:
        """Change an agent as its owner would, or delete it (no changes); its tasks follow in the same commit."""

        def work(tx: Transaction) -> tuple[Outgoing, ...]:
            before = tx.agent(agent_id)
            assert before is not None, agent_id
            if changes:
                tx.put_agent(replaced_agent(before, **changes))
            else:
                tx.delete_agent(agent_id)
            return executor.agent_changed(tx, agent_id, self.context())

        self.outgoing += self.store.transact(work)

    def restart(self) -> None:
        """Let another process take the store over."""
        self.process += "'"
        self.outgoing += self.store.transact(lambda tx: executor.recover(tx, self.now_ns, self.process))

    def advance(self) -> int | None:
        """Take one step of the executor; return when the next is due."""
        step = self.store.transact(lambda tx: executor.advance(tx, self.context()))
        self.outgoing += step.outgoing
        self.figures.fold(step.finished)
        return step.next_due_ns

    def run(self, steps_max: int = 10_000) -> None:
        """Advance, moving the clock to whatever is due, until nothing is."""
        for _ in range(steps_max):
            due_ns = self.advance()
            if due_ns is None:
                return
            self.now_ns = max(self.now_ns, due_ns)
        raise AssertionError(f"still at work after {steps_max} steps")

    def pushes(self, task_id: str) -> list[tuple[str, int]]:
        """Return (status, revision) of every push about a task, in order."""
        told = [encoded(one.data) for one in self.outgoing if isinstance(one, Publish)]
        return [(data["status"], data["revision"]) for data in told if data.get("task_id") == task_id]


def shown(answer: Answer) -> dict[str, Any]:
    """Return an answer's body as a client reads it."""
    return encoded(answer.body)


def encoded(value: Any) -> dict[str, Any]:
    """Return a value as JSON shows it."""
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return read
