"""`GET /metrics`: what was asked, moved and sent, in Prometheus's text, with a bounded number of series (§1)."""

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import InvalidStatus

from reference_server.contract.messages import TaskUpdateData
from reference_server.contract.models import SocketFigures
from reference_server.contract.operations import BY_NAME
from reference_server.core.answers import Everyone, Publish
from reference_server.core.calls import Head
from reference_server.core.units import SECOND_NS
from reference_server.observing.exposition import exposition
from reference_server.observing.metrics import BUCKETS_S, Metrics
from reference_server.observing.observer import Observer
from reference_server.tests.process import DEADLINE_S, ServerProcess, read_to_end

NO_SOCKETS = SocketFigures(0, 0, 0, 0, 0)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in found}


def value(text: str, name: str, **labels: str) -> float:
    return samples(text)[f"zerostate_{name}", frozenset(labels.items())]


def told(metrics: Metrics, sockets: SocketFigures = NO_SOCKETS) -> str:
    return exposition(metrics, sockets, {"queued": 3}, "1.2.3")


def test_a_bucket_holds_what_took_up_to_its_bound_and_the_last_one_everything() -> None:
    metrics = Metrics()
    for status, seconds in ((200, 0.001), (503, 0.0011), (200, 60)):
        metrics.answered("health", "GET", status, round(seconds * SECOND_NS))
    text = told(metrics)

    name = "http_request_duration_seconds"
    counts = [value(text, f"{name}_bucket", operation="health", le=str(bound)) for bound in BUCKETS_S]
    assert counts == [1, *[2] * (len(BUCKETS_S) - 1)]
    assert value(text, f"{name}_bucket", operation="health", le="+Inf") == 3
    assert value(text, f"{name}_count", operation="health") == 3
    assert value(text, f"{name}_sum", operation="health") == pytest.approx(60.0021)


def test_whatever_is_asked_the_number_of_series_is_bounded() -> None:
    metrics, clock = Metrics(), iter(range(10_000))
    observer = Observer(metrics, lambda: next(clock))
    for number in range(500):
        for path in (f"/api/v1/tasks/{number}", f"/{number}", f"/api/v1/{number}/{number}"):
            head = Head(f"METHOD{number}", path, f"secret={number}", {}, "192.0.2.1")
            observer.answer(observer.begin(head), None, 404, 0)

    assert metrics.requests() == {("unknown", "other", 404): 1500}


def test_a_refused_request_is_counted_under_the_operation_that_it_asked_for() -> None:
    metrics = Metrics()
    observer = Observer(metrics, lambda: 0)
    observer.answer(observer.begin(Head("GET", "/api/v1/tasks/x", "", {}, "192.0.2.1")), None, 401, 10)

    assert metrics.requests() == {("get_task", "GET", 401): 1}


def test_only_what_the_server_pushes_is_a_transition() -> None:
    metrics = Metrics()
    for data in (TaskUpdateData("id", "running", "q"), {"task_id": "id", "status": "completed", "query": "q"}):
        metrics.published(Publish("task_update", data, Everyone()))

    assert metrics.task_moves == {"running": 1}


def test_the_figures_of_sockets_and_tasks_and_the_version_are_told_by_a_registry_of_its_own() -> None:
    text = told(Metrics(), SocketFigures(1, 2, 3, 4, 5))

    assert value(text, "ws_connections") == 1
    names = ("connections_opened", "messages_sent", "slow_consumers_closed", "invalid_messages")
    assert [value(text, f"ws_{name}_total") for name in names] == [2, 3, 4, 5]
    assert value(text, "tasks", status="queued") == 3
    assert value(text, "build_info", version="1.2.3") == 1
    assert [family.name for family in REGISTRY.collect() if family.name.startswith("zerostate")] == []


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--db", ":memory:", "--limits", "off", "--task-ms", "1:1") as running:
        yield running


def metrics_of(server: ServerProcess, **headers: str) -> str:
    answer = server.http.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == BY_NAME["metrics"].media
    return answer.text


def test_what_happens_in_a_process_is_counted(server: ServerProcess) -> None:
    token = server.register()
    with server.connect(token) as opened:
        opened.recv(DEADLINE_S)
        submitted: dict[str, Any] = {"query": "q", "budget": 1}
        assert server.call("POST", "/tasks/submit", token, json=submitted).status_code == 202
        while b'"completed"' not in opened.recv(DEADLINE_S, decode=False):
            pass
        text = metrics_of(server)
    with pytest.raises(InvalidStatus), server.connect("not.a.token"):
        pass
    assert server.call("GET", "/tasks/x").status_code == 401
    assert server.http.get("/nowhere").status_code == 404
    with server.raw() as raw:
        raw.sendall(b"nonsense\r\n\r\n")
        read_to_end(raw)
    assert server.http.get("/login.html").status_code == 200
    after = metrics_of(server)

    def requests(operation: str, method: str, status: str) -> float:
        return value(after, "http_requests_total", operation=operation, method=method, status=status)

    assert requests("register", "POST", "201") == 1
    assert requests("submit_task", "POST", "202") == 1
    assert (requests("ws_connect", "GET", "101"), requests("ws_connect", "GET", "401")) == (1, 1)
    assert (requests("get_task", "GET", "401"), requests("unknown", "GET", "404")) == (1, 1)
    assert (requests("page", "GET", "200"), requests("unknown", "other", "400")) == (1, 1)
    assert [value(text, "task_transitions_total", to=to) for to in ("queued", "running", "completed")] == [1, 1, 1]
    assert (value(text, "ws_connections"), value(text, "ws_messages_sent_total")) == (1, 4)
    assert value(text, "tasks", status="queued") == 0
    assert "\nprocess_resident_memory_bytes " in after


def test_a_scraper_needs_no_token_and_what_it_sends_is_not_looked_at(server: ServerProcess) -> None:
    assert metrics_of(server, Accept="application/openmetrics-text", Authorization="Bearer nonsense")
