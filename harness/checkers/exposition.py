"""`GET /metrics` (contract §1 service): text in the format of Prometheus, with series of HTTP, tasks and sockets.

What the series are called is a server's own choice; each theme is known by a word in a name.
"""

import re
from collections.abc import Iterator
from typing import Final

from harness.checkers.calls import Calls
from harness.checkers.tally import Fold
from harness.history import Event

METRICS: Final = "REST-METRICS-1"
NAME: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL: Final = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE: Final = re.compile(rf"({NAME})(?:\{{(?:{LABEL}(?:,{LABEL})*,?)?\}})? (\S+)(?: -?\d+)?")
NUMBER: Final = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Inf|NaN)")
TYPE: Final = re.compile(rf"# TYPE ({NAME}) (?:counter|gauge|histogram|summary|untyped)")
THEMES: Final = (("HTTP", ("http",)), ("task", ("task",)), ("WebSocket", ("ws", "websocket", "socket")))


class Exposition(Fold):
    """Judges each answer by itself; memory is bounded by the calls in flight."""

    name = "exposition"
    clauses = (METRICS,)
    live = True

    def begin(self) -> None:
        """Forget everything."""
        self._calls = Calls()

    def take(self, event: Event) -> None:
        """Judge the metrics that this event brings."""
        call = self._calls.see(event)
        if call is None or call.operation != "metrics" or call.status != 200:
            return
        kind, text = call.headers.get("content-type", ""), str(call.done.data.get("text", ""))
        # What was recorded may be cut: its last line is not judged.
        faults = [*_line_faults(text.split("\n")[:-1]), *_theme_faults(text)]
        if not kind.startswith("text/plain"):
            faults.append(f"its type is {kind!r}")
        self.tally.judge(
            METRICS, not faults, f"metrics are not as Prometheus reads them: {'; '.join(faults)}", call.done
        )


def _line_faults(lines: list[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        sample = SAMPLE.fullmatch(line)
        if line and not line.startswith("#") and (sample is None or NUMBER.fullmatch(sample[2]) is None):
            yield f"line {number} is no sample: {line[:80]!r}"
            return


def _theme_faults(text: str) -> Iterator[str]:
    words = [set(name.lower().split("_")) for name in TYPE.findall(text)]
    for theme, signs in THEMES:
        if not any(word.startswith(signs) for name in words for word in name):
            yield f"no series of {theme}"
