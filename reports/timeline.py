"""What happened when, from a history: phases and faults as spans, messages by second, latencies, and cited lines.

Instants are seconds since the first event. Lines are what evidence cites, with their neighbours in the same recorder.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from reports.charts import Mark, Span

NS_PER_S: Final = 1_000_000_000
NEIGHBOURS: Final = 1
LINE_CHARS_MAX: Final = 260


class Line(NamedTuple):
    """One event as a reader sees it; `cited` ones are the evidence, the others stand around them."""

    ref: str
    at: str
    where: str
    kind: str
    text: str
    cited: bool


class History:
    """A history in merged order, with the look-ups that reports need."""

    def __init__(self, events: Iterable[Any]) -> None:
        self.events: Sequence[Any] = list(events)
        self._start_ns = self.events[0].at_ns if self.events else 0
        self._by_ref = {event.ref: event for event in self.events}
        self._by_recorder: dict[str, list[Any]] = {}
        self._places: dict[str, int] = {}
        for event in self.events:
            own = self._by_recorder.setdefault(event.recorder, [])
            self._places[event.ref] = len(own)
            own.append(event)

    @property
    def name(self) -> str:
        """Return the name of a side history, which stands before those of its recorders; nothing for the main one."""
        return next((recorder.rpartition("/")[0] for recorder in self._by_recorder), "")

    @property
    def seconds(self) -> float:
        """Return how long the history is."""
        return self.at(self.events[-1]) if self.events else 0.0

    @property
    def recorders(self) -> list[tuple[str, int]]:
        """Return each recorder with its count of events, by name."""
        return sorted((name, len(events)) for name, events in self._by_recorder.items())

    def at(self, event: Any) -> float:
        """Return seconds since the first event."""
        return float((event.at_ns - self._start_ns) / NS_PER_S)

    def count(self, *kinds: str) -> int:
        """Return how many events are of these kinds."""
        return sum(event.kind in kinds for event in self.events)

    @property
    def faults(self) -> int:
        """Return how many faults were injected."""
        return sum(event.kind == "fault" and event.data.get("action") != "heal" for event in self.events)

    def messages_by_second(self) -> dict[int, int]:
        """Return how many messages clients read in each second; empty when none did."""
        found: dict[int, int] = {}
        for event in self.events:
            if event.kind == "received":
                second = int(self.at(event))
                found[second] = found.get(second, 0) + 1
        return found

    def answer_times_ms(self) -> dict[float, int]:
        """Return (milliseconds to a REST answer: count)."""
        found: dict[float, int] = {}
        for event in self.events:
            took = event.data.get("ms")
            if event.kind in ("ok", "fail") and isinstance(took, int | float):
                found[float(took)] = found.get(float(took), 0) + 1
        return found

    def lines(self, refs: Iterable[str]) -> list[Line]:
        """Return the cited events and their neighbours in merged order; refs without an event are left out."""
        cited = {ref for ref in refs if ref in self._by_ref}
        shown = {event.ref: event for ref in cited for event in self._around(self._by_ref[ref])}
        ordered = sorted(shown.values(), key=lambda event: (event.at_ns, event.recorder, event.index))
        return [self._line(event, event.ref in cited) for event in ordered]

    def holds(self, ref: str) -> bool:
        """Say whether an event has this ref."""
        return ref in self._by_ref

    def cited_spans(self, refs: Iterable[str]) -> list[Span]:
        """Return the cited events as instants, a lane for each recorder and connection."""
        events = [self._by_ref[ref] for ref in refs if ref in self._by_ref]
        events.sort(key=lambda event: (event.at_ns, event.recorder, event.index))
        if not events:
            return []
        first = self.at(events[0])
        return [
            Span(_where(event), f"{event.ref} {event.kind}", self.at(event) - first, None, "cited") for event in events
        ]

    def phases(self) -> list[Span]:
        """Return phases, faults and processes as spans; nothing where one phase is all that there was."""
        phases, faults = self._phase_spans(), self._fault_spans()
        if len(phases) < 2 and not faults:
            return []
        return [*phases, *faults, *self._instants("process", "process", "action")]

    def marks(self) -> list[Mark]:
        """Return where phases begin and faults strike, for charts over time."""
        found = [Mark(self.at(event), str(event.data.get("name", "")), "phase") for event in self._of("phase")]
        return found + [
            Mark(self.at(event), str(event.data.get("name", "")), "fault")
            for event in self._of("fault")
            if event.data.get("action") == "inject"
        ]

    def _around(self, event: Any) -> Sequence[Any]:
        own = self._by_recorder[event.recorder]
        place = self._places[event.ref]
        return own[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1]

    def _line(self, event: Any, cited: bool) -> Line:
        return Line(event.ref, f"{self.at(event):.4f}", _where(event), event.kind, told(event), cited)

    def _of(self, kind: str) -> list[Any]:
        return [event for event in self.events if event.kind == kind]

    def _phase_spans(self) -> list[Span]:
        events = self._of("phase")
        starts = [self.at(event) for event in events]
        return [
            Span("phase", str(event.data.get("name", "")), start, end, f"phase-{number % 3}")
            for number, (event, start, end) in enumerate(zip(events, starts, [*starts[1:], self.seconds], strict=False))
            if event.data.get("name") != "end"
        ]

    def _fault_spans(self) -> list[Span]:
        """Return each fault on a lane of its name and of what it struck, since several may be active at a time."""
        spans: list[Span] = []
        open_since: dict[str, float] = {}
        for event in self._of("fault"):
            name = f"{event.data.get('name', 'fault')} {event.data.get('tab', '')}".strip()
            if event.data.get("action") == "heal" and name in open_since:
                spans.append(Span(name, "", open_since.pop(name), self.at(event), "fault"))
            elif event.data.get("action") != "heal":
                open_since[name] = self.at(event)
        # What is never healed (a cut connection) is an instant, not a span to the end.
        spans += [Span(name, name, at, None, "fault") for name, at in open_since.items()]
        return sorted(spans, key=lambda span: span.start)

    def _instants(self, kind: str, lane: str, key: str) -> list[Span]:
        return [Span(lane, str(event.data.get(key, kind)), self.at(event), None, kind) for event in self._of(kind)]


class Evidence:
    """Where cited events are looked up: the main history and the side ones, each with a clock of its own."""

    def __init__(self, histories: Iterable[History]) -> None:
        self._histories = list(histories)

    def lines(self, refs: Sequence[str]) -> list[Line]:
        """Return the cited events with their neighbours, history by history."""
        return [line for history in self._histories for line in history.lines(refs)]

    def spans(self, refs: Sequence[str]) -> list[Span]:
        """Return the cited events as instants, when one history has them all: two clocks have no common order."""
        having = [history for history in self._histories if any(history.holds(ref) for ref in refs)]
        return having[0].cited_spans(refs) if len(having) == 1 else []

    def missing(self, refs: Iterable[str]) -> list[str]:
        """Return the refs that no history has."""
        return [ref for ref in refs if not any(history.holds(ref) for history in self._histories)]


def told(event: Any) -> str:
    """Return what an event says, in one short line."""
    data = event.data
    match event.kind:
        case "invoke":
            text = (
                f"{data.get('operation', '')} {data.get('method', '')} {data.get('path', '')} {_json(data.get('body'))}"
            )
        case "ok" | "fail":
            text = f"{data.get('status', '')} {_json(data.get('body'))}"
        case "received":
            text = _json(data.get("message"))
        case _:
            text = _json(data)
    text = " ".join(text.split())
    return text if len(text) <= LINE_CHARS_MAX else f"{text[: LINE_CHARS_MAX - 1]}…"


def _where(event: Any) -> str:
    return f"{event.recorder}/{event.connection}" if event.connection else str(event.recorder)


def _json(value: Any) -> str:
    return "" if value in (None, {}) else msgspec.json.encode(value).decode()
