"""Carries out admitted requests: bodies become calls, calls decisions, and what they say leaves after the commit.

The driver has judged the head; from here on the order is 415, 400, and what the decision itself finds (contract §1).
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from reference_server.bus import Bus
from reference_server.commit import GroupCommit
from reference_server.contract import limits
from reference_server.contract.models import (
    BroadcastRequest,
    LoginRequest,
    ProfileRequest,
    RegisterRequest,
    SendRequest,
)
from reference_server.contract.operations import Operation
from reference_server.core import admission, forms, orchestrator, session_cookie, wire
from reference_server.core.admission import Origins
from reference_server.core.answers import Answer, Decision, Outgoing, Publish, Revoke, error, unavailable, went_wrong
from reference_server.core.calls import Call, Caller, Context, Head, Route
from reference_server.core.decisions import DECISIONS, Decide
from reference_server.core.orchestrator import Figures
from reference_server.core.passwords import PasswordCost
from reference_server.core.transaction import Transaction
from reference_server.environment import Environment
from reference_server.execution import Execution
from reference_server.hub_driver import HubDriver
from reference_server.observing.metrics import Metrics
from reference_server.publishing import publish_of, put_on
from reference_server.rate_limits import Rates
from reference_server.readiness import Readiness
from reference_server.service import Service
from reference_server.sign_in import SignIn
from reference_server.start import Hearer, Start
from reference_server.store.base import Store, StoreError
from reference_server.transfers.blob_access import BlobAccess
from reference_server.transfers.uploads import Received

logger = logging.getLogger(__name__)
Decisions = Mapping[str, Decide]
Reply = Callable[[Answer], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the driver is told about its process; times in the unit of their name.

    `process` names it among all that ever ran on the store (what another left running is taken up); empty: a new id.
    """

    task_ms: tuple[int, int] = (50, 250)
    workers: int = 8
    queue_max: int = 10_000
    token_ttl_s: float = limits.TOKEN_TTL_S
    retry_delays_s: tuple[float, ...] = limits.RETRY_DELAYS_S
    rates: Rates | None = field(default_factory=Rates)
    password_cost: PasswordCost = field(default_factory=PasswordCost)
    process: str = ""
    version: str = "0"
    admin_email: str = "admin@zerostate.local"
    admin_password: str | None = None
    origins: Origins = field(default_factory=Origins)
    proxies: tuple[admission.Network, ...] = ()
    metrics: Metrics = field(default_factory=Metrics)
    accounts: int = 0
    accounts_hearer: Hearer | None = None


def default_decisions() -> Decisions:
    """Return the decisions as they should be."""
    return DECISIONS


class Operations:
    """Every operation of the contract but the handshake."""

    def __init__(
        self,
        environment: Environment,
        store: Store,
        blobs: BlobAccess,
        bus: Bus,
        hub: HubDriver,
        options: Options,
        decisions: Decisions,
        wall_ns: Callable[[], int],
    ) -> None:
        self._environment = environment
        self._store = store
        self._blobs = blobs
        self._bus = bus
        self._options = options
        self._decisions = decisions
        self._wall_ns = wall_ns
        self._stopped = False
        self._process = options.process or environment.new_id()
        self._commit = GroupCommit(environment, store)
        readiness = Readiness(environment, store, blobs)
        self._service = Service(readiness, self._commit, hub, options.metrics, options.version, wall_ns)
        self._execution = Execution(environment, self._commit, self._context, self._leave)
        self._sign_in = SignIn(environment, self._commit, self._decide, options.password_cost)
        self._special: dict[str, Callable[[Call, Reply], None]] = {
            "register": self._register,
            "login": self._login,
            "update_me": self._update_me,
            "ws_broadcast": self._broadcast,
            "ws_send": self._publish_to_one,
            "ws_stats": self._service.stats,
            "orchestrator_metrics": partial(self._figures, orchestrator.metrics),
            "orchestrator_health": partial(self._figures, orchestrator.health),
            "health": self._service.health,
            "ready": self._service.ready,
            "metrics": self._service.metrics,
        }

    def start(self, done: Callable[[], None], failed: Callable[[Exception], None]) -> None:
        """Seed, make admin and accounts, queue what was interrupted, then run the executor; raises StoreError."""
        options = self._options
        sweep, cost = self._blobs.sweep, options.password_cost
        start = Start(self._environment, self._store, self._context, sweep, failed, cost)
        ready = partial(self._started, done)
        if options.accounts_hearer is not None:
            ready = partial(start.number_accounts, options.accounts, options.accounts_hearer, ready)
        start.run(options.admin_email, options.admin_password, ready)

    def stop(self) -> None:
        """Run no further task; publishes are refused, since nobody is left to hear them."""
        self._stopped = True
        self._service.stop()
        self._execution.stop()

    def handle(self, route: Route, head: Head, caller: Caller | None, body: bytes | Received, reply: Reply) -> None:
        """Answer once; whatever goes wrong in our own code is a 500 without a word of it.

        A file is durable before its decision runs, and nothing is left of it when the answer refuses.
        """
        if isinstance(body, Received):
            reply = _settling(body, reply)
        if self._options.origins.cookies:
            reply = partial(self._with_cookie, route.operation.name, head, reply)
        try:
            call = self._call(route, head, caller, body)
            if isinstance(call, Answer):
                reply(call)
            elif isinstance(body, Received):
                body.keep(partial(self._carry_out, call, reply), reply)
            else:
                self._carry_out(call, reply)
        except Exception as fault:  # noqa: BLE001 - a fault of one request must not reach the others
            self._failed(reply, fault)

    def _carry_out(self, call: Call, reply: Reply) -> None:
        try:
            self._special.get(call.operation.name, self._decide)(call, reply)
        except Exception as fault:  # noqa: BLE001 - a fault of one request must not reach the others
            self._failed(reply, fault)

    def _call(self, route: Route, head: Head, caller: Caller | None, body: bytes | Received) -> Call | Answer:
        operation = route.operation
        if isinstance(body, bytes):
            fault = admission.content_type_fault(operation, head.headers, body)
            if fault is not None:
                return fault
        try:
            query = None if operation.query is None else wire.decode_query(head.query, operation.query)
            decoded = _decoded(operation, body)
        except wire.RequestError as wrong:
            return error(400, wrong.message, details=wrong.faults or None)
        upload = body.form.upload if isinstance(body, Received) else None
        return Call(operation, caller, route.path, query, decoded, upload=upload)

    # decisions

    def _context(self) -> Context:
        options, environment = self._options, self._environment
        return Context(
            now_ns=self._wall_ns(),
            new_id=environment.new_id,
            new_secret=environment.new_secret,
            draw=environment.draw,
            token_ttl_s=options.token_ttl_s,
            task_ms=options.task_ms,
            queue_max=options.queue_max,
            workers=options.workers,
            retry_delays_s=options.retry_delays_s,
            process=self._process,
        )

    def _decide(self, call: Call, reply: Reply) -> None:
        decide = self._decisions[call.operation.name]

        def work(tx: Transaction) -> Decision:
            return decide(tx, call, self._context())

        join = self._commit.read if call.operation.method == "GET" else self._commit.submit
        join(work, partial(self._decided, call, reply), partial(self._failed, reply))

    def _decided(self, call: Call, reply: Reply, decision: Decision) -> None:
        for outgoing in decision.outgoing:
            self._leave(outgoing)
        self._blobs.delete(decision.dropped)
        reply(self._signed(decision))
        if call.operation.method != "GET" and decision.outgoing:
            self._execution.wake()

    def _signed(self, decision: Decision) -> Answer:
        if decision.claims is None or not isinstance(decision.answer.body, msgspec.Struct):
            return decision.answer
        token = self._environment.tokens.sign(decision.claims)
        return replace(decision.answer, body=msgspec.structs.replace(decision.answer.body, token=token))

    def _with_cookie(self, operation: str, head: Head, reply: Reply, answer: Answer) -> None:
        secure = admission.client_scheme(head, self._options.proxies) == "https"
        reply(session_cookie.with_cookie(operation, answer, secure=secure))

    def _leave(self, outgoing: Outgoing) -> None:
        match outgoing:
            case Publish():
                # Not by the tap: whoever listens there makes the bus encode what nobody hears.
                self._options.metrics.published(outgoing)
                self._bus.publish(outgoing, _nobody_waits)
            case Revoke():
                self._bus.revoke(outgoing)

    def _failed(self, reply: Reply, fault: Exception) -> None:
        if isinstance(fault, StoreError):
            # No defect of ours: a full disk would fill the log with tracebacks.
            logger.error("an operation failed: %s", fault)
            reply(unavailable("the store can't be used now; try again"))
        else:
            logger.error("an operation failed: %s", fault, exc_info=fault)
            reply(went_wrong())

    # operations that need more than a decision

    def _started(self, done: Callable[[], None]) -> None:
        self._execution.wake()
        self._sign_in.start(done)

    def _register(self, call: Call, reply: Reply) -> None:
        if isinstance(call.body, RegisterRequest):
            self._sign_in.register(call, call.body, reply)

    def _login(self, call: Call, reply: Reply) -> None:
        if isinstance(call.body, LoginRequest):
            self._sign_in.login(call, call.body, reply, partial(self._failed, reply))

    def _update_me(self, call: Call, reply: Reply) -> None:
        if isinstance(call.body, ProfileRequest):
            self._sign_in.update_me(call, call.body, reply, partial(self._failed, reply))

    def _broadcast(self, call: Call, reply: Reply) -> None:
        if isinstance(call.body, BroadcastRequest):
            self._publish(call.body, reply)

    def _publish(self, request: BroadcastRequest | SendRequest, reply: Reply) -> None:
        publish = publish_of(request, self._wall_ns())
        if isinstance(publish, Answer):
            reply(publish)
        elif self._stopped:
            reply(unavailable("the server is shutting down"))
        else:
            put_on(self._bus, publish, reply)

    def _publish_to_one(self, call: Call, reply: Reply) -> None:
        request = call.body
        if not isinstance(request, SendRequest):
            return
        publish = publish_of(request, self._wall_ns())
        if isinstance(publish, Answer):
            reply(publish)
            return

        def found(known: bool) -> None:
            if known:
                self._publish(request, reply)
            else:
                reply(error(404, "no user has this id"))

        self._commit.read(lambda tx: tx.account(request.user_id) is not None, found, partial(self._failed, reply))

    def _figures(self, decide: Callable[[Transaction, Figures], Decision], _: Call, reply: Reply) -> None:
        def shown(decision: Decision) -> None:
            reply(decision.answer)

        figures = self._execution.figures
        self._commit.read(lambda tx: decide(tx, figures), shown, partial(self._failed, reply))


def _decoded(operation: Operation, body: bytes | Received) -> msgspec.Struct | None:
    if isinstance(body, Received):
        return forms.decode_form(body.form, operation)
    if operation.body is None or not (body or operation.body_required):
        return None
    return wire.decode_body(body, operation.body)


def _settling(received: Received, reply: Reply) -> Reply:
    """Return a reply that first lets go of a file that was refused."""

    def settled(answer: Answer) -> None:
        if answer.status >= 400:
            received.discard()
        reply(answer)

    return settled


def _nobody_waits(_: Any) -> None:
    """A decision's answer does not tell how many heard of it."""
