"""What goes into the browser client's core and what comes out of it: events, effects and the state between.

Every value is plain JSON under its `type`, so that the JavaScript twin and the vectors speak of the same
things. Times are integer milliseconds of a clock that never goes back and starts at the Unix epoch: a browser
tells time and sets timers in milliseconds, and a finer unit would only be rounded there.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

Phase: TypeAlias = Literal[
    "idle",  # never asked to connect
    "connecting",  # a socket was made and is not open yet
    "open",
    "refused",  # a socket closed before it was open; `GET /users/me` will say why
    "waiting",  # the next attempt has its time
    "paused",  # closed with 4409; comes back when the page is looked at
    "away",  # pagehide; comes back with pageshow
    "given_up",  # all attempts are used
    "stopped",  # disconnected on purpose, or closed with a code that forbids coming back
    "signed_out",
]
TimerName: TypeAlias = Literal["ping", "pong", "reconnect", "settled", "fade", "error"]
IndicatorState: TypeAlias = Literal["connecting", "connected", "disconnected", "error"]
Level: TypeAlias = Literal["info", "success", "warning", "error"]


class State(Struct, frozen=True):
    """All that the client remembers; `socket` is the live socket's number, `sockets` how many were made."""

    url: str
    phase: Phase = "idle"
    socket: int | None = None
    sockets: int = 0
    attempts: int = 0
    welcomed: bool = False
    visible: bool = True
    opened_ms: int | None = None
    pinged_ms: int | None = None
    ponged_ms: int | None = None
    lost_ms: int | None = None
    rest_text: str = ""
    timers: dict[TimerName, int] = {}


class Event(Struct, frozen=True, tag_field="type"):
    """Something that happened at `at_ms`; `draw` (0 to 1000) is the chance that a delay may need."""

    at_ms: int
    draw: int = 0


class Connect(Event, frozen=True, tag="connect"):
    """The page wants its socket."""


class Disconnect(Event, frozen=True, tag="disconnect"):
    """The page wants no socket any more."""


class LogOut(Event, frozen=True, tag="logout"):
    """The person signs out here."""


class SessionEnded(Event, frozen=True, tag="session_ended"):
    """A 401 of any operation, or the token vanished from storage: signed out elsewhere."""


class VisibilityChanged(Event, frozen=True, kw_only=True, tag="visibility"):
    """The page came into view or went out of it."""

    visible: bool


class WentOnline(Event, frozen=True, tag="online"):
    """The device says that it has a network again."""


class PageHidden(Event, frozen=True, tag="pagehide"):
    """The page is left, maybe into the back-forward cache."""


class PageShown(Event, frozen=True, kw_only=True, tag="pageshow"):
    """The page is shown; `persisted` when it came out of the back-forward cache."""

    persisted: bool


class MeAnswered(Event, frozen=True, kw_only=True, tag="me"):
    """`GET /users/me` was answered; `status` 0 when there was no answer, `retry_after` in seconds."""

    status: int
    retry_after: int | None = None


class TimerFired(Event, frozen=True, kw_only=True, tag="timer"):
    """A timer that was set; ignored when it was canceled meanwhile, set again when it comes early."""

    name: TimerName


class Opened(Event, frozen=True, kw_only=True, tag="opened"):
    """A socket finished its handshake."""

    socket: int


class Received(Event, frozen=True, kw_only=True, tag="message"):
    """A socket brought a text message."""

    socket: int
    text: str


class Failed(Event, frozen=True, kw_only=True, tag="error"):
    """A socket's error event; its close follows."""

    socket: int


class Closed(Event, frozen=True, kw_only=True, tag="closed"):
    """A socket closed, by whomever."""

    socket: int
    code: int


PageEvent: TypeAlias = (
    Connect | Disconnect | LogOut | SessionEnded | VisibilityChanged | WentOnline | PageHidden | PageShown
)
SocketEvent: TypeAlias = Opened | Received | Failed | Closed
AnyEvent: TypeAlias = PageEvent | SocketEvent | MeAnswered | TimerFired


class Effect(Struct, frozen=True, tag_field="type"):
    """Something that the shell shall do."""


class OpenSocket(Effect, frozen=True, tag="open_socket"):
    """Make a WebSocket and report its events under this number."""

    socket: int


class Send(Effect, frozen=True, tag="send"):
    """Send a text message on an open socket."""

    socket: int
    text: str


class CloseSocket(Effect, frozen=True, tag="close_socket"):
    """Close a socket; its events no longer matter."""

    socket: int
    code: int


class AskMe(Effect, frozen=True, tag="ask_me"):
    """Ask `GET /users/me` once and bring the answer as `me`."""


class SetTimer(Effect, frozen=True, tag="set_timer"):
    """Bring `timer` at that time; replaces a timer of the same name."""

    name: TimerName
    at_ms: int


class CancelTimer(Effect, frozen=True, tag="cancel_timer"):
    """Forget a timer."""

    name: TimerName


class Indicator(Effect, frozen=True, tag="indicator"):
    """Show the state of the socket; `faded` when it should leave the eye in peace."""

    state: IndicatorState
    text: str
    faded: bool = False


class Toast(Effect, frozen=True, tag="toast"):
    """Tell the person; `about` lets a setting keep some away."""

    level: Level
    text: str
    about: Literal["connection", "session", "task", "agent", "system"]


class Reload(Effect, frozen=True, tag="reload"):
    """Read REST again: everything, or what concerns this task or agent."""

    what: Literal["all", "tasks", "agents"]
    id: str | None = None


class Badge(Effect, frozen=True, tag="badge"):
    """Change a task's badge in place; an older `revision` than the shown one is stale."""

    task_id: str
    status: str
    progress: int | None
    revision: int | None


class SignedOut(Effect, frozen=True, tag="signed_out"):
    """Clear the storage and lead to the sign-in page; `logout` also tells the server."""

    reason: Literal["ended", "logout"]


class Log(Effect, frozen=True, tag="log"):
    """Write one `info` line to the console."""

    line: str


AnyEffect: TypeAlias = (
    OpenSocket
    | Send
    | CloseSocket
    | AskMe
    | SetTimer
    | CancelTimer
    | Indicator
    | Toast
    | Reload
    | Badge
    | SignedOut
    | Log
)
