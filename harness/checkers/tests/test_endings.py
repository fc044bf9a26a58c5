"""Tables for pings, silence, closes, expiry and revocation."""

import pytest

from harness.checkers.endings import BODY, CLOSE, EXPIRY, HANDSHAKE, IDLE, PING, REVOKE, SILENCE, Endings
from harness.checkers.tests.histories import ANN, History, status
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN


@pytest.mark.parametrize(("at_ms", "expected"), [(54_000, HOLDS), (20_000, VIOLATED), (60_000, VIOLATED)])
def test_the_server_pings_every_54_s(at_ms: int, expected: Status) -> None:
    history = History().connect("c1").add("frame", at_ms, connection="c1", opcode="ping", bytes=0)
    assert status(Endings(), history, PING) is expected


def test_no_ping_is_violated_only_when_one_was_due() -> None:
    assert status(Endings(), History().connect("c1").add("note", 70_000), PING) is VIOLATED
    assert status(Endings(), History().connect("c1").add("note", 40_000), PING) is UNKNOWN


@pytest.mark.parametrize(
    ("at_ms", "by", "expected"),
    [(63_000, "peer", HOLDS), (30_000, "peer", VIOLATED), (80_000, "peer", VIOLATED), (30_000, "self", UNKNOWN)],
)
def test_a_silent_peer_is_ended_in_time(at_ms: int, by: str, expected: Status) -> None:
    history = History().connect("c1", case="LIVE-SILENCE-1/mute")
    assert status(Endings(), history.add("closed", at_ms, connection="c1", code=1006, by=by), SILENCE) is expected


def test_a_talking_peer_is_not_judged_for_silence() -> None:
    history = History().connect("c1").add("closed", 63_000, connection="c1", code=1006, by="peer")
    assert status(Endings(), history, SILENCE) is UNKNOWN


@pytest.mark.parametrize(("after_ms", "expected"), [(100, HOLDS), (9000, VIOLATED)])
def test_tcp_ends_soon_after_the_close_frames(after_ms: int, expected: Status) -> None:
    history = History().connect("c1").add("closed", 100, connection="c1", code=1000, by="peer")
    history.add("frame", 100 + after_ms, connection="c1", opcode="tcp-end", bytes=0)
    assert status(Endings(), history, CLOSE) is expected


@pytest.mark.parametrize(("after_ms", "expected"), [(7000, VIOLATED), (5000, UNKNOWN)])
def test_a_connection_that_takes_bytes_still_has_not_ended(after_ms: int, expected: Status) -> None:
    history = History().connect("c1")
    history.add("closed", 100, connection="c1", code=1002, by="peer")
    history.add("frame", 101, connection="c1", opcode="tcp-end", bytes=0)
    history.add("frame", 100 + after_ms, connection="c1", opcode="tcp-open", bytes=0)
    assert status(Endings(), history, CLOSE) is expected


@pytest.mark.parametrize(
    ("end_ms", "until_ms", "expected"),
    [(10_000, 10_000, HOLDS), (2_000, 2_000, VIOLATED), (None, 20_000, VIOLATED), (None, 5_000, UNKNOWN)],
)
def test_half_a_handshake_is_ended_after_10_s(end_ms: int | None, until_ms: int, expected: Status) -> None:
    history = History().add("connecting", 0, connection="c1")
    history.add("sent", 0, connection="c1", opcode="half-handshake")
    if end_ms is not None:
        history.add("frame", end_ms, connection="c1", opcode="tcp-end", bytes=0)
    assert status(Endings(), history.add("note", until_ms), HANDSHAKE) is expected


@pytest.mark.parametrize(("opcode", "clause", "bound_s"), [("half-body", BODY, 30), ("idle", IDLE, 60)])
def test_a_stalled_body_and_an_idle_connection_are_ended_in_time(opcode: str, clause: str, bound_s: int) -> None:
    def ended(after_s: float) -> History:
        history = History().add("connecting", 0, connection="c1").add("sent", 0, connection="c1", opcode=opcode)
        return history.add("frame", int(after_s * 1000), connection="c1", opcode="tcp-end", bytes=0)

    assert status(Endings(), ended(bound_s), clause) is HOLDS
    assert status(Endings(), ended(bound_s / 2), clause) is VIOLATED
    assert status(Endings(), ended(bound_s * 2), clause) is VIOLATED
    assert status(Endings(), ended(bound_s * 2), clause, local=False) is HOLDS


def signed_in(expires_in: int = 86_400) -> History:
    answer = {"token": "***", "user": {"id": ANN}, "expires_in": expires_in}
    return History().call("login", 200, answer, account="ann").connect("c1", account="ann")


@pytest.mark.parametrize(
    ("code", "at_ms", "expected"), [(4401, 3500, HOLDS), (1006, 3500, VIOLATED), (4401, 9000, VIOLATED)]
)
def test_an_expired_token_closes_its_socket(code: int, at_ms: int, expected: Status) -> None:
    history = signed_in(3).add("closed", at_ms, connection="c1", code=code, by="peer")
    assert status(Endings(), history, EXPIRY) is expected


def test_a_socket_that_outlives_its_token_is_violated_and_a_long_token_is_not_judged() -> None:
    assert status(Endings(), signed_in(3).add("note", 9000), EXPIRY) is VIOLATED
    assert status(Endings(), signed_in().add("note", 9000), EXPIRY) is UNKNOWN


@pytest.mark.parametrize(
    ("code", "at_ms", "expected"), [(4401, 600, HOLDS), (1006, 600, VIOLATED), (4401, 9000, VIOLATED)]
)
def test_logout_closes_the_tokens_socket(code: int, at_ms: int, expected: Status) -> None:
    history = signed_in().call("logout", 200, {"message": "bye"}, account="ann")
    assert status(Endings(), history.add("closed", at_ms, connection="c1", code=code, by="peer"), REVOKE) is expected


def test_which_sockets_a_logout_ends_is_unknown_with_two_sessions() -> None:
    history = signed_in().call("login", 200, {"user": {"id": ANN}, "expires_in": 86_400}, account="ann")
    history.call("logout", 200, {"message": "bye"}, account="ann").add("note", 9000)
    assert status(Endings(), history, REVOKE) is UNKNOWN
    everything = signed_in().call("logout", 200, {}, account="ann", body={"all": True}).add("note", 9000)
    assert status(Endings(), everything, REVOKE) is VIOLATED


@pytest.mark.parametrize(("at_ms", "expected"), [(30_000, HOLDS), (54_000, HOLDS), (90_000, UNKNOWN)])
def test_a_foreign_server_pings_as_often_as_it_likes(at_ms: int, expected: Status) -> None:
    history = History().connect("c1").add("frame", at_ms, connection="c1", opcode="ping", bytes=0)
    assert status(Endings(), history, PING, local=False) is expected
    quiet = History().connect("c1").add("note", 70_000)
    assert status(Endings(), quiet, PING, local=False) is UNKNOWN


@pytest.mark.parametrize(("at_ms", "by", "expected"), [(35_000, "peer", HOLDS), (90_000, "self", UNKNOWN)])
def test_a_foreign_server_ends_the_silent_when_it_likes(at_ms: int, by: str, expected: Status) -> None:
    history = History().connect("c1", case="LIVE-SILENCE-1/mute")
    history.add("closed", at_ms, connection="c1", code=1006, by=by)
    assert status(Endings(), history, SILENCE, local=False) is expected


@pytest.mark.parametrize(("stall_ms", "expected"), [(0, VIOLATED), (500, VIOLATED), (3000, UNKNOWN)])
def test_a_time_missed_by_less_than_the_harness_stalled_is_undecided(stall_ms: int, expected: Status) -> None:
    history = History().connect("c1").add("frame", 57_000, connection="c1", opcode="ping", bytes=0)
    history.add("sample", series="loop_lag", unit="ms", max=stall_ms)
    assert status(Endings(), history, PING) is expected
