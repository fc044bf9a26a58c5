"""A figure of latency counts only beside a whole ledger and a load that was put on; what it says is the p99."""

from typing import Any

import msgspec
import pytest

from harness.bench.bars import BARS, Figure
from harness.bench.directed import figure, told
from harness.bench.latency import Count
from harness.bench.ledger import Tally
from harness.bench.load import Count as LoadCount
from harness.bench.report import verdict

BAR = next(bar for bar in BARS if bar.name == "directed")
PUBLISHED = LoadCount(10_000, 5.0, 0.5, 0.8, {"202": 10_000}, 3.0, 0.0, 0.1, 2_000.0)
WHOLE = Count(
    seconds=5.0,
    timed=20_000,
    p50_ms=1.0,
    p99_ms=2.0,
    max_ms=3.0,
    lag_p99_ms=0.1,
    tally=Tally(60_000, 60_000, 0, 0, 0),
    publishes=PUBLISHED,
    calls=None,
    held=400,
    messages=60_400,
    pings=0,
    backlog=0,
    server_waited=None,
    windows_p99_ms=[2.0] * 5,
)


def found(publishes: dict[str, Any] | None = None, **named: Any) -> Figure:
    published = msgspec.structs.replace(PUBLISHED, **(publishes or {}))
    return figure("directed", msgspec.structs.replace(WHOLE, publishes=published, **named), "a note")


def test_a_whole_run_gives_its_p99_and_what_a_publish_cost() -> None:
    assert found() == Figure("directed", 2.0, 300.0, 1.0, 2.0, note="a note", lag_ms=0.1)
    assert verdict(found(), BAR) == "met"


NONE = {"timed": 0, "p50_ms": None, "p99_ms": None, "max_ms": None}
NO_ANSWER = {"answers": 0, "statuses": {}}


@pytest.mark.parametrize(
    ("publishes", "named", "value", "said", "why"),
    [
        ({}, {"tally": Tally(60_000, 0, 60_000, 0, 0), **NONE}, None, "missed", "LOST 60,000,"),
        ({}, {"tally": Tally(60_000, 30_000, 30_000, 0, 0), "timed": 10_000}, 2.0, "missed", "LOST 30,000,"),
        ({}, {"tally": Tally(60_000, 120_000, 0, 60_000, 0)}, 2.0, "missed", "DOUBLED 60,000,"),
        ({}, {"tally": Tally(60_000, 60_000, 0, 0, 1)}, 2.0, "missed", "FOREIGN 1"),
        (
            {"statuses": {"503": 10_000}},
            {"tally": Tally(0, 0, 0, 0, 0, 12_000), **NONE},
            None,
            "missed",
            "10,000 publishes x 503; 2,000 publishes refused outside the time",
        ),
        ({}, {"tally": Tally(59_994, 59_994, 0, 0, 0, 1)}, 2.0, "missed", "1 publishes refused outside the time"),
        ({"answers": 9_800}, {}, 2.0, "missed", "9,800 publishes of 10,000 due"),
        ({"answers": 9_900}, {}, 2.0, "met", ""),
        (NO_ANSWER, NONE, None, "missed", "0 publishes of 10,000 due"),
        ({}, {"unanswered": 3}, 2.0, "missed", "3 publishes never answered"),
        ({"answers": 9_800, "lag_p99_ms": 80.0}, {}, None, "-", "the load client was late itself"),
        ({"answers": 9_800, "waited_s": 2.0}, {}, None, "-", "the server waited 40% of the time for its core"),
        (NO_ANSWER | {"rate_per_s": 0.0}, NONE, None, "-", "no publishes answered; nothing was timed"),
    ],
    ids=[
        "all lost",
        "half lost",
        "all doubled",
        "one to another",
        "all refused",
        "one refused while warming up",
        "a rate not reached",
        "a rate just reached",
        "no answer at all",
        "some never answered",
        "a client that was late",
        "a server without its core",
        "nothing asked",
    ],
)
def test_a_bar_is_met_only_where_everything_came(
    publishes: dict[str, Any], named: dict[str, Any], value: float | None, said: str, why: str
) -> None:
    one = found(publishes, **named)

    assert (one.value, verdict(one, BAR)) == (value, said)
    assert why in (one.fault if said == "missed" else one.note)


def test_the_load_and_what_became_of_it_are_told() -> None:
    count = msgspec.structs.replace(WHOLE, backlog=200, server_waited=0.03)

    assert told(count).split("; ") == [
        "2,000 publishes/s answered",
        "200 behind at the end",
        "server core 60% busy",
        "the server waited 3% of the time for its core",
        "ledger 60,000 of 60,000",
        "max 3 ms",
        "client's lag p99 0.1 ms",
    ]


def test_times_that_are_not_known_are_told_as_such() -> None:
    note = told(msgspec.structs.replace(WHOLE, max_ms=None, lag_p99_ms=None))

    assert note.endswith("max unknown; client's lag p99 unknown")
