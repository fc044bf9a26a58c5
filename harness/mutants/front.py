"""The front of a driver, spoiled: what goes in (heads, bodies) and what comes out (answers), at every tier alike.

A front knows nothing of how an answer came about. It shows what a client would see of a server that is wrong there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from reference_server.core.answers import Answer
from reference_server.core.calls import Admitted, Caller, Granted, Head
from reference_server.driver import Driver

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked; `operation` is empty where the head alone was refused."""

    head: Head
    operation: str = ""
    body: bytes = b""
    caller: Caller | None = None


def _same_head(head: Head) -> Head:
    return head


def _same_body(_: str, body: bytes) -> bytes:
    return body


def _same_answer(_: Asked, answer: Answer) -> Answer:
    return answer


@dataclass(frozen=True, slots=True)
class Front:
    """Changes to a head before it is judged, to a body before it is read, to an answer before it goes out."""

    head: Callable[[Head], Head] = _same_head
    body: Callable[[str, bytes], bytes] = _same_body
    answer: Callable[[Asked, Answer], Answer] = _same_answer


MakeFront = Callable[[], Front]
"""Makes the front of one driver: what it remembers is that driver's."""


class FrontedDriver(Driver):
    """An honest driver behind a front."""

    front: Front

    def admit(self, head: Head, then: Callable[[Admitted | Answer], None]) -> None:
        """Judge the head that the front makes of this one."""

        def judged(found: Admitted | Answer) -> None:
            then(self.front.answer(Asked(head), found) if isinstance(found, Answer) else found)

        super().admit(self.front.head(head), judged)

    def handle(self, admitted: Admitted, body: Any, reply: Callable[[Answer], None]) -> None:
        """Carry out what the front makes of this body, and give the answer that it makes of the answer."""
        operation = admitted.route.operation.name
        plain = body if isinstance(body, bytes) else b""
        asked = Asked(admitted.head, operation, plain, admitted.caller)
        given = self.front.body(operation, body) if isinstance(body, bytes) else body
        super().handle(admitted, given, lambda answer: reply(self.front.answer(asked, answer)))

    def handshake(self, head: Head, reply: Callable[[Granted | Answer], None]) -> None:
        """Judge the handshake that the front makes of this one."""

        def judged(found: Granted | Answer) -> None:
            reply(self.front.answer(Asked(head, "ws_connect"), found) if isinstance(found, Answer) else found)

        super().handshake(self.front.head(head), judged)


def behind(front: Front) -> type[FrontedDriver]:
    """Return the kind of driver that stands behind this front."""
    return type("BehindAFront", (FrontedDriver,), {"front": front})


def said(answer: Answer) -> Body:
    """Return what an answer says as a JSON object; empty for what is none."""
    told = msgspec.to_builtins(answer.body) if isinstance(answer.body, (msgspec.Struct, dict)) else {}
    return dict(told)


def saying(answer: Answer, body: Body) -> Answer:
    """Return the answer with another body."""
    return replace(answer, body=body)


def edited(*operations: str, edit: Callable[[Body], Body], status: int = 0) -> MakeFront:
    """Return a front that edits the successful answers of these operations (or those of one status)."""

    def answer(asked: Asked, given: Answer) -> Answer:
        fits = given.status == status if status else 200 <= given.status < 300
        return saying(given, edit(said(given))) if asked.operation in operations and fits else given

    return lambda: Front(answer=answer)


def edited_errors(edit: Callable[[Body], Body], *statuses: int) -> MakeFront:
    """Return a front that edits every error, or those of these statuses."""

    def answer(_: Asked, given: Answer) -> Answer:
        fits = given.status in statuses if statuses else given.status >= 400
        return saying(given, edit(said(given))) if fits else given

    return lambda: Front(answer=answer)


def instead(
    status: int, new: int, *operations: str, when: Callable[[Asked], bool] | None = None, body: Body | None = None
) -> MakeFront:
    """Return a front that answers `new` where these operations (or any) answered `status`."""

    def answer(asked: Asked, given: Answer) -> Answer:
        meant = given.status == status and (not operations or asked.operation in operations)
        if not meant or (when is not None and not when(asked)):
            return given
        return Answer(new, body if body is not None else {"error": "other", "message": "This is another one."})

    return lambda: Front(answer=answer)


def with_fields(**fields: Any) -> Callable[[Body], Body]:
    """Return an edit that sets fields; a callable gives the new value for the body."""
    return lambda body: {
        **body, **{name: value(body) if callable(value) else value for name, value in fields.items()}
    }  # fmt: skip


def without(*names: str) -> Callable[[Body], Body]:
    """Return an edit that leaves fields out."""
    return lambda body: {name: value for name, value in body.items() if name not in names}
