"""The driver: requests and frames in, answers and effects out, the same object at every tier.

Written against `Environment`, `Sockets` and `Store` alone, with callbacks instead of coroutines, so that the
simulation drives it on virtual time. It decides nothing: it asks the core's questions in the contract's order,
commits, and lets answers and messages leave after that.
"""

from collections.abc import Callable

from reference_server.blobs import Blobs, MemoryBlobs
from reference_server.bus import Bus, Hearers, LoopbackBus, Tap
from reference_server.contract.codes import TokenFault
from reference_server.core import admission
from reference_server.core.answers import Answer, BlobBody, unavailable
from reference_server.core.calls import Admitted, Caller, Granted, Head, Route
from reference_server.core.effects import HubInput, Opened
from reference_server.core.hub import Hub
from reference_server.core.steady_clock import SteadyClock
from reference_server.credentials import Credentials
from reference_server.environment import Environment, Sockets
from reference_server.hub_driver import HubDriver, HubMachine
from reference_server.operations import Decisions, Operations, Options, default_decisions
from reference_server.rate_limits import Kind, RateLimits, limits_of
from reference_server.store.base import Store
from reference_server.transfers.blob_access import BlobAccess, Download
from reference_server.transfers.uploads import Received, Receiving, Uploads

MakeBus = Callable[[Callable[[], int], Hearers, Tap | None], Bus]


class Driver:
    """One process of the server; hub, bus and decisions come from outside, so that a mutant can wrap them."""

    def __init__(
        self,
        environment: Environment,
        store: Store,
        sockets: Sockets,
        options: Options,
        *,
        make_hub: Callable[[], HubMachine] = Hub,
        make_bus: MakeBus = LoopbackBus,
        decisions: Decisions | None = None,
        tap: Tap | None = None,
        rate_limits: RateLimits | None = None,
        blobs: Blobs | None = None,
    ) -> None:
        self._environment = environment
        self._options = options
        self._clock = SteadyClock()
        self._connections = 0
        self._shutting = False
        self.hub = HubDriver(environment, sockets, make_hub(), self.wall_ns)
        self._credentials = Credentials(environment, store, self.wall_ns, origins=options.origins)
        self._limits = rate_limits or limits_of(options.rates, environment.monotonic_ns)
        bus = make_bus(self.wall_ns, self.hub, tap)
        decide = decisions if decisions is not None else default_decisions()
        blobs = blobs if blobs is not None else MemoryBlobs()
        self.uploads = Uploads(environment, blobs)
        self.blobs = BlobAccess(environment, blobs)
        self._operations = Operations(environment, store, self.blobs, bus, self.hub, options, decide, self.wall_ns)

    def wall_ns(self) -> int:
        """Return the wall clock, which never goes back (contract §5d)."""
        return self._clock.read(self._environment.monotonic_ns(), self._environment.wall_ns())

    def start(self, done: Callable[[], None], failed: Callable[[Exception], None] | None = None) -> None:
        """Seed agents, make the admin and numbered accounts, take up interrupted tasks; `done` once it may serve.

        Raises StoreError or BlobError when rows or blobs can't be used; `failed` hears what goes wrong later, else it
        is raised there.
        """
        self._operations.start(done, failed or _raise)

    def admit(self, head: Head, then: Callable[[Admitted | Answer], None]) -> None:
        """Judge a request by its head alone, in the contract's order (§1): 404, 405, 429, 401, 403."""
        found = admission.route(head)
        if isinstance(found, Answer):
            then(found)
            return
        judged = self._credentials.judge(head, handshake=False)

        def limited(retry_after_s: int | None) -> None:
            then(admission.too_many(retry_after_s) if retry_after_s is not None else _admitted(found, head, judged))

        if found.operation.limited:
            self._limits.take(*self._bucket(head, judged), limited)
        else:
            limited(None)

    def receive(self, admitted: Admitted) -> Receiving | Answer:
        """Begin to receive the file of an admitted request, before its body is read; an answer refuses it."""
        return self.uploads.receive(admitted.route.operation, admitted.head, self._caller_key(admitted))

    def handle(self, admitted: Admitted, body: bytes | Received, reply: Callable[[Answer], None]) -> None:
        """Carry out an admitted request; `reply` comes once, after the commit of what it changed."""
        self._operations.handle(admitted.route, admitted.head, admitted.caller, body, reply)

    def open_blob(self, admitted: Admitted, answer: Answer, then: Callable[[Download | Answer], None]) -> None:
        """Open what an answer streams; another answer takes the place of one whose blob can't be read.

        A blob that is gone was deleted since the decision, whose answer is true no more: the request is decided again.
        """
        caller = self._caller_key(admitted)

        def decided(second: Answer) -> None:
            if isinstance(second.body, BlobBody):
                self.blobs.open(second, caller, then)
            else:
                then(second)

        def again() -> None:
            self.handle(admitted, b"", decided)

        self.blobs.open(answer, caller, then, again)

    def handshake(self, head: Head, reply: Callable[[Granted | Answer], None]) -> None:
        """Judge a handshake in the contract's order (§1): 404, 405, 429, 401, 403 origin, 400, 426, 503."""
        found = admission.route(head)
        if isinstance(found, Answer):
            reply(found)
            return
        judged = self._credentials.judge(head, handshake=True)

        def limited(retry_after_s: int | None) -> None:
            reply(admission.too_many(retry_after_s) if retry_after_s is not None else self._granted(head, judged))

        self._limits.take("handshake", self._key(head, judged), limited)

    def opened(self, granted: Granted) -> None:
        """Let a granted connection join: its welcome is the first thing written to it."""
        caller = granted.caller
        self.hub.feed(
            Opened(
                granted.connection,
                caller.account_id,
                caller.jti,
                caller.issued_at_ns,
                caller.expires_at_ns,
                self._environment.new_id(),
            )
        )

    def socket(self, item: HubInput) -> None:
        """Take what a socket reported."""
        self.hub.feed(item)

    def shutdown(self, done: Callable[[], None]) -> None:
        """Warn, close every socket with 1001 and refuse what comes; `done` once the last connection is gone."""
        self._shutting = True
        self._operations.stop()
        self.hub.shutdown(done)

    # limits

    def _bucket(self, head: Head, judged: Caller | TokenFault | Answer) -> tuple[Kind, str]:
        kind: Kind = "rest_account" if isinstance(judged, Caller) else "rest_address"
        return kind, self._key(head, judged)

    def _key(self, head: Head, judged: Caller | TokenFault | Answer | None) -> str:
        if isinstance(judged, Caller):
            return judged.account_id
        return admission.client_address(head.address, head.headers, self._options.proxies)

    def _caller_key(self, admitted: Admitted) -> str:
        return self._key(admitted.head, admitted.caller)

    def _granted(self, head: Head, judged: Caller | TokenFault | Answer) -> Granted | Answer:
        if isinstance(judged, Answer):
            return judged
        if not isinstance(judged, Caller):
            return admission.unauthorized(judged)
        fault = admission.origin_fault(self._options.origins, head) or admission.upgrade_fault(head)
        if fault is not None:
            return fault
        if self._shutting:
            return unavailable()
        self._connections += 1
        return Granted(self._connections, judged, admission.selected_subprotocol(head.headers))


def _raise(fault: Exception) -> None:
    raise fault


def _admitted(found: Route, head: Head, judged: Caller | TokenFault | Answer) -> Admitted | Answer:
    if found.operation.auth == "none":
        return Admitted(found, head, judged if isinstance(judged, Caller) else None)
    if isinstance(judged, Answer):
        return judged
    if not isinstance(judged, Caller):
        return admission.unauthorized(judged)
    return admission.permission_fault(found.operation, judged) or Admitted(found, head, judged)
