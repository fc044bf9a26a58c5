"""What is said before a run is what the chosen parts do; one that can't begin ends in one line, with no record."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.conformance import stage
from harness.conformance.rfc6455 import speech
from harness.conformance.rfc6455.tests.libraries import serving_echoes
from harness.records import read_record
from harness.targets.profiles import Profile, read_profile
from harness.verdicts import Status
from harness.verify.health import TargetDownError, check_healthy, check_socket, hint
from harness.verify.options import UsageError, checked_options
from harness.verify.plan import check_can_begin, plan_of, wants_people
from harness.verify.run import verify

HERE = "http://127.0.0.1:8080"
AWAY = "https://staging.example.org"
RFC6455 = ("rfc6455",)
STARTED_S_MAX = 10.0


def profile(api: str = HERE, **fields: Any) -> Profile:
    return read_profile({"api": api, **fields}, "profile.toml")


def told(given: Profile, *parts: str) -> str:
    return " / ".join(plan_of(given, parts) if parts else plan_of(given))


@pytest.fixture(scope="module")
def echoing() -> Iterator[str]:
    """The base URL of a server that echoes on every socket and answers no REST."""
    loop, ended = asyncio.new_event_loop(), asyncio.Event()
    started = threading.Event()
    urls: list[str] = []

    async def serve() -> None:
        async with serving_echoes() as endpoint:
            urls.append(endpoint.url.replace("ws://", "http://").removesuffix("/api/v1/ws/connect"))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(STARTED_S_MAX)
    yield urls[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(STARTED_S_MAX)
    loop.close()


@pytest.fixture
def dead() -> Iterator[str]:
    """The base URL of a port that nobody listens at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_a_run_of_rfc_6455_alone_tells_of_sockets_and_not_of_tasks() -> None:
    words = told(profile(), "rfc6455")

    assert "sockets or so, 12 at a time" in words
    assert "holds at most 12 connections" in words
    assert "registers accounts" in words
    assert "tasks" not in words


def test_a_whole_run_tells_of_everything() -> None:
    words = told(profile())

    for what in ("registers accounts", "submits tasks", "sockets or so", "floods", "at most 1000 connections"):
        assert what in words


def test_a_socket_without_tokens_needs_nobody_for_rfc_6455_alone() -> None:
    open_one = profile(AWAY, auth="none")

    assert not wants_people(open_one, RFC6455)
    assert "account" not in told(open_one, "rfc6455")
    check_can_begin(open_one, RFC6455)


@pytest.mark.parametrize(("auth", "parts"), [("none", ("rfc6455", "rest")), ("header", RFC6455)])
def test_a_run_that_nobody_can_be_signed_in_for_can_t_begin(auth: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="may register nobody and is lent nobody"):
        check_can_begin(profile(AWAY, auth=auth), parts)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (AWAY, "add accounts to the profile, or allow accounts"),
        ("http://127.0.0.1:99999", "give a port of 1 to 65535"),
    ],
)
def test_what_can_t_begin_is_one_line_and_no_record(tmp_path: Path, target: str, words: str) -> None:
    out = tmp_path / "runs"
    with pytest.raises(cli.BadInputError, match=words) as refused:
        cli.menu.main(["verify", "--target", target, "--out", str(out)], standalone_mode=False)

    assert "\n" not in str(refused.value)
    assert not out.exists()


def test_a_dead_port_is_told_as_such_and_leaves_no_record(tmp_path: Path, dead: str, capsys: Any) -> None:
    out = tmp_path / "runs"
    options = checked_options(target=dead, only="rfc6455", out=str(out))

    assert verify(options) == 3
    assert "is it running?" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("SSLCertVerificationError: self-signed certificate", "give the CA of its certificate with --ca FILE"),
        ("ConnectionRefusedError: [Errno 111]", "is it running?"),
    ],
)
def test_what_to_look_at_hangs_on_why_nothing_was_answered(why: str, told: str) -> None:
    assert hint(why) == told


def test_a_server_that_answers_is_not_asked_whether_it_runs(echoing: str) -> None:
    with pytest.raises(TargetDownError, match="it runs, but answers GET /health with 426") as refused:
        check_healthy(profile(echoing))

    assert "is it running" not in str(refused.value)


def test_a_socket_that_opens_without_a_token_is_enough_and_one_that_does_not_is_told(echoing: str) -> None:
    check_socket(profile(echoing, auth="none"))
    with pytest.raises(TargetDownError, match="does it want a token"):
        check_socket(profile(echoing, auth="none", socket=f"{echoing.replace('http', 'ws')}/refused"))


@pytest.mark.slow
def test_a_server_without_rest_is_held_to_rfc_6455_and_the_cases_are_counted(
    tmp_path: Path, echoing: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "HANDSHAKES_PER_S", 1000.0)
    monkeypatch.setattr(speech, "FIRST_S_MAX", 0.3)
    file = tmp_path / "echo.toml"
    file.write_text(f'api = "{echoing}"\nauth = "none"\n', encoding="utf-8")
    verify(checked_options(target=str(file), only="rfc6455", seed=5, out=str(tmp_path)))

    record = read_record((tmp_path / "latest").resolve())
    results = {result.id: result for result in record.verdicts().results}
    holding = {id_ for id_, result in results.items() if result.status is Status.HOLDS}
    assert {"RT-CLOSE-2", "RT-CLOSE-4", "RT-CLOSE-6", "RT-PING-1", "RT-FRAME-1", "LIVE-CLOSE-1"} <= holding
    assert results["RT-CLOSE-1"].status is Status.UNKNOWN
    (note,) = record.info.facts["notes"]
    assert note.startswith("rfc6455: 3")
    assert note in capsys.readouterr().out
    assert note in (record.path / "report.html").read_text(encoding="utf-8")
