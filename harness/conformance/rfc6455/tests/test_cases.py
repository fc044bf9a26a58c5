"""The cases accuse nobody who keeps RFC 6455, and each of them accuses somebody who does not."""

from collections.abc import Sequence

import pytest

from harness.checkers.cased import CASED
from harness.checkers.cases import Cases
from harness.checkers.endings import Endings
from harness.checkers.expectations import expect
from harness.checkers.frames import FRAME, Frames
from harness.checkers.tests.histories import status, verdict
from harness.conformance.rfc6455.acts import ACTS, CASES
from harness.conformance.rfc6455.model import Case, Opening
from harness.conformance.rfc6455.tests.frames import FRAGMENTING, SENDING_FAULTS
from harness.conformance.rfc6455.tests.peer import CUTS_NOBODY, FAULTS, LAX, serving
from harness.conformance.rfc6455.tests.playing import histories_with
from harness.history import Event
from harness.verdicts import Status, Violation

CASES_MIN = 500
"""May only grow: a requirement of the RFC stays a case."""

HOLDS = Status.HOLDS
TALKS = ("pings/a-ping-of-2-bytes", "framing/a-text-of-126-bytes", "framing/unmasked-text", "closing/the-code-1000")
"""Between them a peer sends a text, a pong and close frames."""

BY_NAME = {case.name: case for case in CASES}


def histories_of(cases: Sequence[Case], *faults: str) -> dict[str, list[Event]]:
    """Play cases against a peer with these faults; return what each of them recorded."""
    return histories_with(cases, serving(*faults))


def played(cases: Sequence[Case], *faults: str) -> dict[str, Status]:
    """Play cases against a peer with these faults; return the verdict on each."""
    histories = histories_of(cases, *faults)
    return {case.name: status(Cases(), histories[case.name], case.clause) for case in cases}


def sent_wrongly(histories: dict[str, list[Event]]) -> dict[str, tuple[Violation, ...]]:
    """Return the cases in which the peer's own frames are not found to be right, and why."""
    verdicts = {name: verdict(Frames(), events, FRAME) for name, events in histories.items()}
    return {name: found.violations for name, found in verdicts.items() if found.status is not Status.HOLDS}


def not_holding(cases: Sequence[Case], *faults: str) -> dict[str, Status]:
    """Return the verdicts that are not `holds`."""
    return {name: found for name, found in played(cases, *faults).items() if found is not Status.HOLDS}


def test_there_are_many_cases_each_with_a_name_of_its_own_and_a_clause_that_rows_may_speak_of() -> None:
    assert len(CASES) == len(BY_NAME) >= CASES_MIN
    assert {case.clause for case in CASES} <= set(CASED)
    assert {case.clause for case in CASES} == {clause for act in ACTS for clause in act.clauses}
    for case in CASES:
        assert expect(**case.expect)


def test_a_peer_that_keeps_the_rfc_is_accused_of_nothing() -> None:
    histories = histories_of(CASES)

    assert {case.name for case in CASES if status(Cases(), histories[case.name], case.clause) is not HOLDS} == set()
    opened = {case.name for case in CASES if case.opens}
    assert sent_wrongly({name: events for name, events in histories.items() if name in opened}) == {}


def test_a_peer_that_sends_its_texts_in_fragments_is_accused_of_nothing() -> None:
    histories = histories_of([BY_NAME[name] for name in TALKS], FRAGMENTING)

    assert sent_wrongly(histories) == {}
    assert {name: status(Cases(), histories[name], BY_NAME[name].clause) for name in TALKS} == dict.fromkeys(
        TALKS, HOLDS
    )


def test_every_case_can_fail() -> None:
    lax = not_holding(CASES, *LAX, "reads_on_behind_a_close", "drops_what_comes_early")
    green = [case for case in CASES if case.name not in lax]
    strict = not_holding(green, "ends_everything", "tells_another_key")

    assert {case.name for case in green} - strict.keys() == set()


RED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("takes_bad_utf8", ("utf8/invalid-latin-1", "utf8/invalid-the-surrogate-d800", "utf8/invalid-byte-by-byte")),
    ("checks_each_fragment", ("utf8/valid-in-fragments-of-one-byte",)),
    ("checks_the_bytes_only", ("utf8/invalid-the-surrogate-d800", "utf8/invalid-4-bytes-cut-short-after-3")),
    ("takes_unmasked", ("framing/unmasked-text", "framing/unmasked-ping", "framing/unmasked-close")),
    ("takes_reserved_bits", ("framing/reserved-bits-1-on-text", "framing/reserved-bit-4-on-empty-ping")),
    ("takes_reserved_opcodes", ("framing/reserved-data-opcode-3", "framing/reserved-control-opcode-f")),
    ("takes_long_lengths", ("framing/length-125-in-16-bits", "framing/length-65535-in-64-bits")),
    ("takes_long_controls", ("pings/a-ping-of-126-bytes", "closing/a-reason-of-one-byte-too-many")),
    ("takes_controls_in_fragments", ("fragmentation/an-unfinished-ping", "fragmentation/an-unfinished-empty-pong")),
    ("takes_lone_continuations", ("fragmentation/a-continuation-of-nothing",)),
    ("takes_texts_within", ("fragmentation/a-text-within-a-text", "fragmentation/an-empty-text-within-a-text")),
    ("takes_binary", ("framing/a-binary-message", "framing/a-binary-message-in-fragments")),
    ("takes_any_size", ("limits/a-message-of-one-byte-too-many", "limits/one-byte-too-many-in-two-fragments")),
    ("bounds_frames_only", ("limits/one-byte-too-many-in-two-fragments",)),
    ("takes_floods", ("limits/a-flood-of-pings", "limits/a-flood-of-empty-fragments")),
    ("takes_any_code", ("closing/the-code-1005-that-nobody-may-send", "closing/the-code-5000-that-nobody-may-send")),
    ("takes_any_reason", ("closing/a-reason-of-a-bad-byte",)),
    ("takes_a_byte_of_a_code", ("closing/a-payload-of-one-byte",)),
    ("takes_any_handshake", ("opening/no-upgrade", "opening/version-8", "opening/two-keys", "opening/http-1.0")),
    ("answers_no_pings", ("pings/a-ping-of-0-bytes", "pings/ten-pings-one-by-one")),
    ("cuts_pings_short", ("pings/a-ping-of-2-bytes",)),
    ("answers_pongs", ("pings/an-unasked-pong-of-1-bytes", "pings/ten-unasked-pongs")),
    ("answers_pings_last", ("fragmentation/a-ping-before-the-last-fragment-comes",)),
    ("answers_pings_of_125_wrongly", ("pings/a-ping-of-125-bytes",)),
    ("answers_no_close", ("closing/no-payload", "closing/the-code-1000")),
    ("reads_on_behind_a_close", ("closing/a-text-behind-a-close",)),
    ("ends_everything", ("opening/the-usual-form", "framing/a-text-of-125-bytes", "utf8/valid-ascii")),
    ("drops_what_comes_early", ("opening/a-frame-in-one-segment-with-the-handshake",)),
    ("agrees_on_extensions", ("opening/extension-deflate",)),
    ("selects_anything", ("opening/subprotocol-unknown", "opening/subprotocol-known-last")),
    ("tells_another_key", ("opening/the-key-of-the-rfc",)),
    ("knows_one_form", ("opening/connection-behind-keep-alive", "opening/names-in-lower-case")),
    ("forgets_fragments", ("fragmentation/fragments-of-7-bytes",)),
    ("counts_for_good", ("limits/20-texts-a-second-behind-a-burst", "limits/20-fragments-a-second-behind-a-burst")),
    ("takes_30_a_second", ("limits/25-pings-a-second-behind-a-burst", "limits/25-fragments-a-second-behind-a-burst")),
)  # fmt: skip


@pytest.mark.parametrize(("fault", "names"), RED, ids=lambda value: value if isinstance(value, str) else "")
def test_a_fault_turns_the_cases_that_are_about_it_red(fault: str, names: tuple[str, ...]) -> None:
    verdicts = played([BY_NAME[name] for name in names], fault)

    assert verdicts == dict.fromkeys(names, Status.VIOLATED)


SENT: tuple[tuple[str, str], ...] = (
    ("sends_masked", "it is masked"),
    ("sends_reserved_bits", "reserved bits 100"),
    ("sends_reserved_opcodes", "opcode 3 is reserved"),
    ("sends_long_lengths", "not in its shortest form"),
    ("sends_long_controls", "a control frame carries 126 bytes"),
    ("sends_controls_in_fragments", "a control frame is fragmented"),
    ("sends_lone_continuations", "a continuation continues nothing"),
    ("sends_texts_within", "a message begins within another"),
    ("sends_bad_utf8", "a text is no UTF-8"),
    ("sends_forbidden_codes", "it closes with 1005"),
    ("sends_a_byte_of_a_code", "a close frame carries one byte"),
    ("sends_bad_reasons", "a close reason is no UTF-8"),
    ("sends_behind_its_close", "it follows the close frame"),
)


@pytest.mark.parametrize(("fault", "why"), SENT, ids=lambda value: value if value in SENDING_FAULTS else "")
def test_a_frame_that_no_server_may_send_is_noticed_whatever_case_is_played(fault: str, why: str) -> None:
    found = sent_wrongly(histories_of([BY_NAME[name] for name in TALKS], fault))

    assert found
    assert all(why in violation.what for violations in found.values() for violation in violations)


def cut(*faults: str) -> Status:
    """Return the verdict on a peer with these faults whose close frame nobody answers."""
    (events,) = histories_of([BY_NAME["closing/a-peer-that-never-answers-a-failure"]], *faults).values()
    return status(Endings(), events, "LIVE-CLOSE-1")


def test_a_peer_that_leaves_the_connection_open_behind_its_close_is_noticed() -> None:
    assert (cut(), cut(CUTS_NOBODY)) == (HOLDS, Status.VIOLATED)


def test_every_fault_in_sending_is_in_the_table() -> None:
    assert tuple(fault for fault, _ in SENT) == SENDING_FAULTS


def test_every_fault_of_the_peer_is_in_the_table() -> None:
    assert [fault for fault, _ in RED] == list(FAULTS)


def test_the_accept_key_of_the_rfc_is_what_the_rfc_says() -> None:
    opening = Opening(changed={"Sec-WebSocket-Key": ("dGhlIHNhbXBsZSBub25jZQ==",)})

    assert opening.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
