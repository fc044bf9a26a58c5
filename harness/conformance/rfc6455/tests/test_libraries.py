"""Servers of proven libraries are accused only of what RFC 6455, RFC 9112 or the contract forbid by name.

Each list below is what a library fails, with the words that it fails. A case that leaves a list or comes into one was
changed, or the library was: the words decide which.
"""

from typing import Any

import pytest

from harness.checkers.cases import Cases
from harness.checkers.frames import FRAME, Frames
from harness.checkers.tests.histories import status, verdict
from harness.conformance.rfc6455.acts import CASES
from harness.conformance.rfc6455.tests.libraries import (
    serving_uvicorn,
    serving_websockets,
    serving_without_a_welcome,
)
from harness.conformance.rfc6455.tests.playing import histories_with
from harness.verdicts import Status

pytestmark = pytest.mark.slow

LONG_LENGTHS = {
    # Contract §5 by name: lengths not in shortest form fail the connection. RFC 6455 §5.2 says to the sender alone
    # "the minimal number of bytes MUST be used to encode the length".
    *(f"framing/length-{size}-in-16-bits" for size in (0, 1, 60, 124, 125)),
    *(f"framing/length-{size}-in-64-bits" for size in (0, 1, 125, 126, 65_535)),
    *(f"framing/{name}-length-in-{bits}-bits" for name in ("ping", "pong", "close") for bits in (16, 64)),
    "framing/length-in-16-bits-of-a-fragment",
}
BOTH = LONG_LENGTHS | {
    # RFC 6455 §4.2.2: "an appropriate HTTP error code […] and a Sec-WebSocket-Version header field".
    *(f"opening/version-{version}" for version in (0, 7, 8, 12, 14, 130, 255)),
    # RFC 6455 §4.1: the Upgrade field's value "MUST include the \"websocket\" keyword"; it is a list (RFC 9110 §7.8).
    "opening/upgrade-behind-another-protocol", "opening/upgrade-before-another-protocol",
    # RFC 6455 §4.2.1: "A Host header field"; RFC 9112 §3.2: "MUST respond with a 400" where it lacks or stands twice.
    "opening/no-host", "opening/two-hosts",
}  # fmt: skip
WEBSOCKETS = BOTH | {
    # RFC 9112 §5.1, §5.2, §6.3: each of them is answered with 400; this one hangs up without an answer.
    "opening/a-blank-behind-a-name", "opening/a-folded-header",
    "opening/a-content-length-that-is-no-number", "opening/two-content-lengths",
}  # fmt: skip
UVICORN = BOTH | {
    # RFC 6455 §4.2.1: "An HTTP/1.1 or higher GET request".
    "opening/http-1.0",
    # RFC 9112 §5.1: blanks around a value are no part of it.
    "opening/blanks-around-values",
}


@pytest.mark.parametrize(
    ("server", "greets", "failed"),
    [
        (serving_websockets, True, WEBSOCKETS),
        (serving_uvicorn, True, UVICORN),
        (serving_without_a_welcome, False, WEBSOCKETS),
    ],
    ids=["websockets", "uvicorn", "websockets-without-a-welcome"],
)
def test_a_library_is_accused_of_what_it_fails_and_of_nothing_else(server: Any, greets: bool, failed: set[str]) -> None:
    histories = histories_with(CASES, server(), greets=greets)
    found = {case.name: status(Cases(), histories[case.name], case.clause, local=False) for case in CASES}
    frames = {name: verdict(Frames(), events, FRAME).violations for name, events in histories.items()}

    assert {name for name, judged in found.items() if judged is Status.VIOLATED} == failed
    assert {name: violations for name, violations in frames.items() if violations} == {}
    assert sum(judged is Status.HOLDS for judged in found.values()) > len(CASES) * 0.85
