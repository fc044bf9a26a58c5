"""Tables for the text of Prometheus."""

import pytest

from harness.checkers.exposition import METRICS, Exposition
from harness.checkers.tests.histories import History, status
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
GOOD = """# HELP app_http_requests_total Requests
# TYPE app_http_requests_total counter
app_http_requests_total{method="GET",path="/a\\"b"} 3
# TYPE app_tasks gauge
app_tasks{status="queued"} 1e3
# TYPE app_ws_connections gauge
app_ws_connections +Inf 1700000000000
"""


def told(text: str, kind: str = "text/plain; version=0.0.4", code: int = 200) -> History:
    history = History().add("invoke", op=1, operation="metrics", path="/metrics")
    return history.add("ok", op=1, status=code, headers={"content-type": kind}, text=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, HOLDS),
        (GOOD + "app_cut_o", HOLDS),
        (GOOD + "not a sample\n", VIOLATED),
        (GOOD + "app_x{a=b} 1\n", VIOLATED),
        (GOOD + "app_x one\n", VIOLATED),
        (GOOD.replace("http", "web"), VIOLATED),
        (GOOD.replace("tasks", "jobs"), VIOLATED),
        (GOOD.replace("app_ws", "app_hub"), VIOLATED),
        ("", VIOLATED),
    ],
)
def test_metrics_are_samples_of_three_themes(text: str, expected: Status) -> None:
    assert status(Exposition(), told(text), METRICS) is expected


def test_metrics_are_plain_text_and_an_error_is_not_read() -> None:
    assert status(Exposition(), told(GOOD, "application/json"), METRICS) is VIOLATED
    assert status(Exposition(), told("down", code=503), METRICS) is UNKNOWN
