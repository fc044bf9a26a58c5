"""A split deployment: pages from one server, API and socket from another (contract §§1, 2, 7)."""

from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus

from reference_server.settings.sources import read_settings
from reference_server.settings.values import SettingsError
from reference_server.tests.process import DEADLINE_S, ServerProcess, upgrade_request

API = "https://api.example:8443"


@pytest.fixture(scope="module")
def pages() -> Iterator[ServerProcess]:
    with ServerProcess("--pages-only", "--api", API) as running:
        yield running


def test_the_config_and_the_policy_name_the_api_whatever_host_was_asked(pages: ServerProcess) -> None:
    headers = {"Host": "anything.example"}

    assert pages.http.get("/config.json", headers=headers).json() == {"api": API, "ws": "wss://api.example:8443"}
    policy = pages.http.get("/dashboard.html", headers=headers).headers["Content-Security-Policy"]
    assert f"connect-src 'self' {API} wss://api.example:8443;" in policy
    assert f"img-src 'self' blob: {API};" in policy


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/login.html", 200),
        ("GET", "/login", 307),
        ("HEAD", "/login.html", 200),
        ("POST", "/login.html", 405),
        ("GET", "/health", 200),
        ("GET", "/ready", 200),
        ("POST", "/health", 405),
        ("GET", "/api/v1/users/me", 404),
        ("POST", "/api/v1/users/login", 404),
        ("GET", "/api/v1/ws/connect", 404),
        ("GET", "/nowhere", 404),
    ],
)
def test_pages_and_the_service_are_there_and_nothing_else(
    pages: ServerProcess, method: str, path: str, status: int
) -> None:
    answer = pages.http.request(method, path)

    assert answer.status_code == status
    if status in (404, 405) and method != "HEAD":
        assert {"error", "message"} <= set(answer.json())


def test_a_browser_gets_a_page_for_what_is_not_there(pages: ServerProcess) -> None:
    answer = pages.http.get("/nowhere", headers={"Accept": "text/html"})

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_an_upgrade_is_answered_as_any_request(pages: ServerProcess) -> None:
    with pages.raw() as opened:
        opened.sendall(upgrade_request("a.b.c"))

        assert opened.recv(65536).startswith(b"HTTP/1.1 404 ")


def test_no_database_and_no_secret_is_made_and_it_ends_with_0() -> None:
    with ServerProcess("--pages-only", "--api", API, "--db", "/dev/null/no/database") as server:
        assert server.end() == 0
        assert server.errors() == ""


def test_pages_of_one_site_may_use_the_api_of_another_and_strangers_may_not() -> None:
    with ServerProcess("--db", ":memory:", "--origins", "https://pages.example", "--limits", "off") as api:
        token = api.register()
        asked = {"Origin": "https://pages.example", "Access-Control-Request-Method": "POST"}
        allowed = api.call("OPTIONS", "/tasks/submit", headers=asked)
        assert allowed.headers["Access-Control-Allow-Origin"] == "https://pages.example"
        assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
        with api.connect(token, origin="https://pages.example") as opened:
            assert opened.recv(DEADLINE_S)

        stranger = api.call("GET", "/users/me", token, headers={"Origin": "https://evil.example"})
        assert "Access-Control-Allow-Origin" not in stranger.headers
        with pytest.raises(InvalidStatus, match="403"), api.connect(token, origin="https://evil.example"):
            pass


def test_two_servers_make_one_deployment() -> None:
    with (
        ServerProcess("--db", ":memory:") as api,
        ServerProcess("--pages-only", "--api", api.url) as front,
    ):
        told = front.http.get("/config.json").json()
        assert told == {"api": api.url, "ws": f"ws://{api.host}:{api.port}"}
        read = api.http.get(f"{told['api']}/api/v1/users/me", headers={"Origin": front.url})
        assert (read.status_code, read.headers["Access-Control-Allow-Origin"]) == (401, front.url)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--pages-only"], "--pages-only and --api need each other"),
        (["--api", API], "--pages-only and --api need each other"),
        (["--pages-only", "--api", "https://api.example/path"], "--api: 'https://api.example/path'"),
        (["--pages-only", "--api", "api.example"], "scheme://host"),
        (["--pages-only=maybe", "--api", API], "--pages-only: 'maybe'"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments: list[str], named: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(arguments, {})

    assert named in str(refused.value)
