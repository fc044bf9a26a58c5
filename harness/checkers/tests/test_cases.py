"""Tables for rows that carry what they expect."""

from typing import Any

import msgspec
import pytest

from harness.checkers.cases import Cases
from harness.checkers.expectations import expect
from harness.checkers.tests.histories import History, status, verdict
from harness.verdicts import Status

HOLDS, VIOLATED, UNKNOWN = Status.HOLDS, Status.VIOLATED, Status.UNKNOWN
ID, CLOSE = "REST-ID-1", "RT-CLOSE-1"
BODY = {"error": "not found", "message": "There is no task", "details": [{"field": "id", "reason": "r"}], "n": [1, 2]}


def asked(code: int = 404, body: Any = BODY, name: str = "odd", **wanted: Any) -> History:
    return History().call(
        "get_task", code, body, case=f"{ID}/{name}", expect=expect(**wanted), headers={"Allow": "GET"}
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"status": [404]}, HOLDS),
        ({"status": [400, 422]}, VIOLATED),
        ({"error_says": "no task"}, HOLDS),
        ({"error_says": "revoked"}, VIOLATED),
        ({"details_has": "id"}, HOLDS),
        ({"details_has": "budget"}, VIOLATED),
        ({"header": {"allow": "get"}}, HOLDS),
        ({"header": {"allow": "*", "etag": None}}, HOLDS),
        ({"header": {"allow": "ge*"}}, HOLDS),
        ({"header": {"allow": "post*"}}, VIOLATED),
        ({"body_not": {"n.0": 2}}, HOLDS),
        ({"body_not": {"n.0": 1}}, VIOLATED),
        ({"body_not": {"n.9": 1}}, VIOLATED),
        ({"sha256": "ab"}, VIOLATED),
        ({"header": {"etag": "*"}}, VIOLATED),
        ({"header": {"allow": None}}, VIOLATED),
        ({"body_has": {"n.0": 1, "n.#": 2, "details.0.field": "id"}}, HOLDS),
        ({"body_has": {"n.5": 1}}, VIOLATED),
        ({"body_has": {"n.0": True}}, VIOLATED),
        ({"body_lacks": ["retry_after"]}, HOLDS),
        ({"body_lacks": ["n.1"]}, VIOLATED),
    ],
)
def test_an_answer_is_judged_by_what_its_row_expects(wanted: Any, expected: Status) -> None:
    assert status(Cases(), asked(**wanted), ID) is expected


@pytest.mark.parametrize(("named", "expected"), [("pricing", HOLDS), ("pricing.per", HOLDS), ("price", VIOLATED)])
def test_a_part_of_a_field_names_the_field(named: str, expected: Status) -> None:
    body = {"details": [{"field": f"{named}.per_execution", "reason": "r"}]}
    assert status(Cases(), asked(400, body, details_has="pricing"), ID) is expected


def test_bytes_are_compared_by_their_digest() -> None:
    def answered(digest: str) -> History:
        history = History().add("invoke", op=1, case=f"{ID}/bytes", operation="get_binary", expect=expect(sha256="ab"))
        return history.add("ok", op=1, status=200, headers={}, sha256=digest)

    assert status(Cases(), answered("ab"), ID) is HOLDS
    assert status(Cases(), answered("cd"), ID) is VIOLATED


def test_no_answer_leaves_a_row_undecided() -> None:
    found = verdict(Cases(), asked(0, status=[404]), ID)
    assert (found.status, found.why) == (UNKNOWN, "no answer came to case odd: no answer")


def test_a_step_of_set_up_is_not_judged() -> None:
    assert status(Cases(), History().call("get_task", 404, BODY, case=f"{ID}/odd"), ID) is UNKNOWN
    assert status(Cases(), History().connect("c1", case="CLIENT-STOP-1/left"), ID) is UNKNOWN


def test_two_rows_can_demand_the_same_answer() -> None:
    def pair(second: dict[str, Any]) -> History:
        history = asked(name="one", status=[404])
        return history.call("get_task", 404, second, case=f"{ID}/two", expect=expect(same_as="one"))

    assert status(Cases(), pair(BODY), ID) is HOLDS
    assert status(Cases(), pair({**BODY, "message": "else"}), ID) is VIOLATED
    assert status(Cases(), asked(same_as="missing"), ID) is HOLDS


def test_a_misspelt_expectation_or_clause_is_ours_and_raises() -> None:
    with pytest.raises(msgspec.ValidationError):
        expect(stauts=[404])
    with pytest.raises(ValueError, match="expects something unknown"):
        status(Cases(), History().call("me", 200, {}, case=f"{ID}/x", expect={"stauts": [1]}), ID)
    with pytest.raises(ValueError, match="expected a clause"):
        status(Cases(), History().call("me", 200, {}, case="REST-NONE-1/x", expect={}), ID)


def socket(**wanted: Any) -> History:
    history = History().add("connecting", connection="c1", case=f"{CLOSE}/x", expect=expect(**wanted))
    return history.add("opened", connection="c1", headers={"Upgrade": "websocket"}, subprotocol="zerostate.v1")


def closed(history: History, code: int, at_ms: int = 50, by: str = "peer") -> History:
    history.add("sent", 20, connection="c1", opcode="binary", bytes=1)
    return history.add("closed", at_ms, connection="c1", code=code, by=by)


@pytest.mark.parametrize(
    ("code", "at_ms", "by", "expected"),
    [
        (1003, 50, "peer", HOLDS),
        (1002, 50, "peer", VIOLATED),
        (1003, 8000, "peer", VIOLATED),
        (1000, 50, "self", UNKNOWN),
        (1000, 8000, "self", VIOLATED),
    ],
)
def test_a_close_is_judged_by_code_and_time(code: int, at_ms: int, by: str, expected: Status) -> None:
    assert status(Cases(), closed(socket(close_code=[1003]), code, at_ms, by), CLOSE) is expected


def test_a_code_of_our_own_choice_is_judged_on_its_effect_elsewhere() -> None:
    assert status(Cases(), closed(socket(close_code=[4401]), 1008), CLOSE, local=True) is VIOLATED
    assert status(Cases(), closed(socket(close_code=[4401]), 1008), CLOSE, local=False) is HOLDS


def test_a_socket_that_has_to_stay_open_may_not_be_closed_by_the_peer() -> None:
    assert status(Cases(), closed(socket(stays_open_ms=500), 1000, 900, "self"), CLOSE) is HOLDS
    assert status(Cases(), closed(socket(stays_open_ms=500), 1000, 90, "self"), CLOSE) is UNKNOWN
    assert status(Cases(), closed(socket(stays_open_ms=500), 1002, 90, "peer"), CLOSE) is VIOLATED


def test_messages_are_looked_for_and_missed() -> None:
    def read(**wanted: Any) -> History:
        return closed(socket(**wanted).receive("c1", "pong", {"received": "t"}), 1000, by="self")

    assert status(Cases(), read(receives={"type": "pong", "data.received": "t"}), CLOSE) is HOLDS
    assert status(Cases(), read(receives={"type": "pong"}, receives_count=2), CLOSE) is VIOLATED
    assert status(Cases(), read(receives={"type": "system"}), CLOSE) is VIOLATED
    assert status(Cases(), read(receives_none={"type": "pong"}), CLOSE) is VIOLATED


def test_what_must_not_come_is_looked_for_behind_a_close_frame_too() -> None:
    ended = closed(socket(close_code=[1000], receives_none={"type": "pong"}), 1000)

    assert status(Cases(), ended, CLOSE) is HOLDS
    assert status(Cases(), ended.receive("c1", "pong", {}), CLOSE) is VIOLATED


def test_a_name_used_again_ends_the_row_before() -> None:
    ended = closed(socket(close_code=[1003], receives_none={"type": "pong"}), 1002)
    again = ended.add("connecting", connection="c1", case=f"{CLOSE}/y", expect=expect(opens=True))

    assert status(Cases(), again, CLOSE) is VIOLATED


@pytest.mark.parametrize(
    ("pings", "pongs", "expected"),
    [
        (["61", "62"], ["61", "62"], HOLDS),
        (["61", "62"], ["62"], HOLDS),
        (["61", "62"], ["61"], VIOLATED),
        (["61", "62"], ["62", "61"], VIOLATED),
        (["61"], ["61", "61"], VIOLATED),
        (["61"], [], VIOLATED),
        (["61"], ["63", "61"], VIOLATED),
        ([], [], HOLDS),
        ([], [""], VIOLATED),
    ],
)
def test_protocol_pongs_answer_pings_in_order_and_the_last_one_always(
    pings: list[str], pongs: list[str], expected: Status
) -> None:
    history = socket(pongs=pings)
    for payload in pongs:
        history.add("frame", connection="c1", opcode="pong", payload=payload, bytes=len(payload) // 2)

    assert status(Cases(), closed(history, 1000, by="self"), CLOSE) is expected


def test_a_refusal_is_judged_as_an_answer() -> None:
    def refused(code: int) -> History:
        wanted = expect(status=[426], header={"Sec-WebSocket-Version": "13"})
        history = History().add("connecting", connection="c1", case=f"{CLOSE}/x", expect=wanted)
        return history.add("refused", connection="c1", status=code, headers={"sec-websocket-version": "13"}, body={})

    assert status(Cases(), refused(426), CLOSE) is HOLDS
    assert status(Cases(), refused(400), CLOSE) is VIOLATED
    assert status(Cases(), socket(status=[403]), CLOSE) is VIOLATED
    assert status(Cases(), socket(opens=True, subprotocol="zerostate.v1"), CLOSE) is HOLDS
    assert status(Cases(), socket(subprotocol=""), CLOSE) is VIOLATED


def row_that_sends(**wanted: Any) -> History:
    """Return a socket that was opened, and on which nothing was sent within 6 s."""
    history = History().add("connecting", connection="c", case=f"{CLOSE}/x", expect=expect(sends=True, **wanted))
    return history.add("opened", connection="c", headers={"sec-websocket-accept": "key"})


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"close_code": [1002]}, UNKNOWN),
        ({"receives": {"type": "pong"}, "receives_count": 1}, UNKNOWN),
        ({"pongs": ["70"]}, UNKNOWN),
        ({"header": {"sec-websocket-accept": "key"}, "receives": {"type": "pong"}}, UNKNOWN),
        ({"header": {"sec-websocket-accept": "another"}}, VIOLATED),
    ],
)
@pytest.mark.parametrize("by", ["self", "peer"])
def test_a_row_whose_bytes_were_not_sent_accuses_of_the_handshake_alone(
    wanted: dict[str, Any], by: str, expected: Status
) -> None:
    history = row_that_sends(**wanted).add("closed", 6000, connection="c", code=1000, by=by)

    assert status(Cases(), history, CLOSE) is expected


def test_a_row_whose_bytes_were_sent_is_judged() -> None:
    history = row_that_sends(close_code=[1002]).add("sent", connection="c", opcode="case", bytes=2)

    assert status(Cases(), history.add("closed", 6000, connection="c", code=1000, by="self"), CLOSE) is VIOLATED


def test_a_foreign_target_that_allows_more_sockets_than_we_do_is_undecided() -> None:
    row = expect(close_code=[4409])
    history = History().connect("c1", case="SEC-SOCKETS-1/one-too-many", expect=row).add("note", 9000)
    assert status(Cases(), history, "SEC-SOCKETS-1") is Status.VIOLATED
    assert status(Cases(), history, "SEC-SOCKETS-1", local=False) is Status.UNKNOWN


@pytest.mark.parametrize(
    ("ours", "local", "expected"), [(True, False, UNKNOWN), (True, True, VIOLATED), (False, False, VIOLATED)]
)
def test_what_is_asked_of_ours_accuses_nobody_else(ours: bool, local: bool, expected: Status) -> None:
    wanted = expect(receives={"type": "pong"}, ours=ours)
    history = History().connect("c1", case="RT-PONG-1/more", expect=wanted)
    history.add("closed", connection="c1", code=1000, by="self")
    assert status(Cases(), history, "RT-PONG-1", local=local) is expected


@pytest.mark.parametrize(
    ("code", "header", "local", "expected"),
    [(400, "13", True, VIOLATED), (400, "13", False, HOLDS), (400, "8", False, VIOLATED), (0, "13", False, VIOLATED)],
)
def test_the_status_of_a_refused_upgrade_is_a_servers_choice(
    code: int, header: str, local: bool, expected: Status
) -> None:
    wanted = expect(status=[426], header={"sec-websocket-version": "13"})
    history = History().add("connecting", connection="c1", case="RT-UPGRADE-1/version-8", expect=wanted)
    history.add("refused", connection="c1", status=code, headers={"sec-websocket-version": header})
    assert status(Cases(), history, "RT-UPGRADE-1", local=local) is expected


@pytest.mark.parametrize(
    ("code", "local", "expected"), [(1002, True, VIOLATED), (1002, False, HOLDS), (1006, False, VIOLATED)]
)
def test_the_code_that_answers_a_close_frame_is_a_servers_choice(code: int, local: bool, expected: Status) -> None:
    history = History().connect("c1", case="RT-CLOSE-6/between", expect=expect(close_code=[1000]))
    history.add("closed", connection="c1", code=code, by="peer")
    assert status(Cases(), history, "RT-CLOSE-6", local=local) is expected


CUT: dict[str, Any] = {"opcode": "cut", "bytes": 0, "why": "the peer sent too much"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"receives": {"type": "pong"}, "receives_count": 1}, UNKNOWN),
        ({"pongs": ["61"]}, UNKNOWN),
        ({"close_code": [1003]}, UNKNOWN),
        ({"receives_none": {"type": "late"}}, UNKNOWN),
        ({"receives_none": {"type": "early"}}, VIOLATED),
        ({"status": [400]}, VIOLATED),
        ({"opens": True, "header": {"sec-websocket-accept": "x"}}, VIOLATED),
    ],
)
def test_a_connection_that_we_cut_off_is_judged_by_what_came(wanted: dict[str, Any], expected: Status) -> None:
    history = socket(**wanted).add("received", connection="c1", message={"type": "early"})
    history.add("frame", 9000, connection="c1", **CUT)
    assert status(Cases(), closed(history, 1006, 9001, "self"), CLOSE) is expected


@pytest.mark.parametrize(
    ("opcodes", "local", "expected"),
    [
        (("tcp-end",), True, HOLDS),
        (("tcp-end",), False, HOLDS),
        (("tcp-open",), False, UNKNOWN),
        (("tcp-end", "tcp-open"), False, UNKNOWN),
        ((), False, UNKNOWN),
    ],
)
def test_no_close_frame_shows_that_tcp_ended(opcodes: tuple[str, ...], local: bool, expected: Status) -> None:
    clause = "LIVE-CLOSE-1"
    history = History().add("connecting", connection="c1", case=f"{clause}/ended", expect=expect(close_code=[1000]))
    closed(history.add("opened", connection="c1"), 1000)
    for opcode in opcodes:
        history.add("frame", connection="c1", opcode=opcode, bytes=0)
    assert status(Cases(), history, clause, local=local) is expected


@pytest.mark.parametrize(
    ("wanted", "connected", "expected"),
    [
        ({"close_code": [1003]}, True, UNKNOWN),
        ({"close_code": [1003]}, False, UNKNOWN),
        ({"opens": True}, True, VIOLATED),
        ({"opens": True}, False, UNKNOWN),
        ({"status": [400, 0]}, True, HOLDS),
        ({"status": [400, 0]}, False, UNKNOWN),
        ({"status": [400]}, True, VIOLATED),
    ],
)
def test_a_handshake_without_an_answer_says_nothing_of_what_would_have_followed(
    wanted: dict[str, Any], connected: bool, expected: Status
) -> None:
    history = History().add("connecting", connection="c1", case=f"{CLOSE}/x", expect=expect(**wanted))
    history.add("refused", connection="c1", status=0, connected=connected, why="OSError: gone")
    assert status(Cases(), history, CLOSE) is expected
