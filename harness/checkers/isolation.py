"""Nobody reads what is for another account (contract §5 a): by `user_id`, by the task's owner, by the tap."""

from harness.checkers.calls import Calls
from harness.checkers.published import Publishes
from harness.checkers.sockets import Accounts, Owners, Socket, Sockets, data_of, message_of
from harness.checkers.tally import Fold
from harness.history import Event

ISOLATION = "RT-ISOLATION-1"


class Isolation(Fold):
    """Remembers who owns each task; a push may be read before the answer that tells, so judging waits for the end."""

    name = "isolation"
    clauses = (ISOLATION,)

    def begin(self) -> None:
        """Forget everything."""
        self._calls, self._sockets, self._accounts = Calls(), Sockets(), Accounts()
        self._publishes = Publishes()
        self._owners = Owners(self._accounts)
        self._reads: list[tuple[Socket, Event]] = []
        self._audiences: dict[str, set[str]] = {}

    def take(self, event: Event) -> None:
        """Learn owners and audiences; keep what was read."""
        self._accounts.see(event)
        self._publishes.see(event)
        call = self._calls.see(event)
        if call is not None:
            self._accounts.see_call(call)
            self._owners.see_call(call)
        if event.kind == "accepted":
            self._audiences.setdefault(str(event.data.get("digest")), set()).add(str(event.data.get("audience")))
        socket = self._sockets.see(event)
        message = message_of(event)
        if socket is not None and message is not None and socket.welcome is not event:
            self._reads.append((socket, event))

    def end(self) -> None:
        """Judge every message for somebody that a connection of a known account read."""
        for socket, event in self._reads:
            reader = self._accounts.id_of(socket.account)
            if reader is not None:
                self._judge(socket, reader, event)

    def _judge(self, socket: Socket, reader: str, event: Event) -> None:
        message = event.data["message"]
        told = f"{socket.told} of account {reader} received"
        named = message.get("user_id")
        if isinstance(named, str):
            self.tally.judge(ISOLATION, named == reader, f"{told} a message for account {named}", event)
        audiences = self._audiences.get(str(event.data.get("digest")))
        if audiences:
            own = bool(audiences & {"everyone", reader})
            self.tally.judge(ISOLATION, own, f"{told} a message accepted for {', '.join(sorted(audiences))}", event)
        publishes = self._publishes.of(message)
        if publishes:
            own = any(publish.audience in (None, reader) for publish in publishes)
            self.tally.judge(ISOLATION, own, f"{told} what was sent to another account", publishes[0].invoke, event)
            return
        data = data_of(message, "task_update")
        owner = self._owners.of(data.get("task_id")) if data is not None else None
        if owner is not None and data is not None:
            mine = owner == reader
            self.tally.judge(ISOLATION, mine, f"{told} an update of task {data['task_id']} of account {owner}", event)
