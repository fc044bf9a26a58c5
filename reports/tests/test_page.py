"""The page: complete in itself, the same bytes every time, and text stays text."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.records import RunRecord, read_record
from harness.verdicts import SECTIONS_TOLD, Status
from reports.page import render
from reports.tests.synthetic import HOSTILE, clause, ended, good, jpeg, load_summary, record, violation
from reports.timeline import History
from reports.words import unbroken

PAGE_BYTES_MAX = 1_600_000
LOADS = {"src", "srcset", "poster", "data", "action", "formaction", "background", "xlink:href"}
VOID_TAGS = {"meta", "img", "input", "br", "link", "hr"}


class Page(HTMLParser):
    """The page as a browser takes it apart: tags, what they load, the text, and whether all is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        self.loads += [value for name, value in given.items() if name in LOADS or (tag == "link" and name == "href")]
        self.ids += [given["id"]] if "id" in given else []
        if tag not in VOID_TAGS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        self.text = " ".join([*self.text.split(), *data.split()])


def page_of(run_dir: Path) -> Page:
    return Page(render(run_dir).read_text(encoding="utf-8"))


def full(root: Path) -> Path:
    """Write a record with everything in it: violations, load, screenshots."""
    broken = clause("TASK-FINAL-1", Status.VIOLATED, violations=(violation(), violation(HOSTILE)), why="moved")
    kept = [result for result in good() if result.id != broken.id]
    run_dir = ended(root, [*kept, broken, clause("RT-X-1", Status.UNKNOWN, why="not seen")], load=load_summary())
    for width, height in ((1440, 900), (390, 844), (820, 1180)):
        (run_dir / "browser" / f"dashboard-{width}.jpg").write_bytes(jpeg(width, height) + bytes(110_000))
    return run_dir


def hostile(root: Path) -> Path:
    """Write a record in which every text a target or a user could have a say in is hostile."""
    broken = clause(
        "RT-PREFIX-1", Status.VIOLATED, text=HOSTILE, why=HOSTILE, known=HOSTILE,
        violations=(violation(HOSTILE, evidence=("client#0", "client#1", HOSTILE), faults=(HOSTILE,), replay=HOSTILE),),
    )  # fmt: skip
    event = {"recorder": "client", "at_ns": 5, "connection": HOSTILE}
    events = [
        {**event, "index": 0, "kind": "received", "data": {"message": {HOSTILE: HOSTILE}}},
        {**event, "index": 1, "at_ns": 10**9, "kind": "phase", "data": {"name": HOSTILE}},
        {**event, "index": 2, "at_ns": 2 * 10**9, "kind": "fault", "data": {"name": HOSTILE, "action": "inject"}},
    ]
    unknown = clause("PERF-P1", Status.UNKNOWN, why=HOSTILE, text=HOSTILE, figures={HOSTILE: 1.0})
    return ended(
        root, [broken, unknown], events=events, target=HOSTILE, facts={HOSTILE: [HOSTILE], "canary": HOSTILE},
        load=load_summary(faults={HOSTILE: 1}, void=[HOSTILE], scenario=HOSTILE, left_behind=HOSTILE),
    )  # fmt: skip


@pytest.mark.parametrize("make", [ended, full, hostile])
def test_the_page_loads_nothing_but_what_it_carries(tmp_path: Path, make: Any) -> None:
    path = render(make(tmp_path))
    text = path.read_text(encoding="utf-8")
    page = Page(text)

    assert [load for load in page.loads if not load.startswith("data:image/")] == []
    assert [tag for tag, _ in page.tags if tag in ("link", "iframe", "object", "embed", "base")] == []
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(styles) == 1
    assert not re.search(r"url\(|@import|@font-face", styles[0])
    assert path.stat().st_size < PAGE_BYTES_MAX


@pytest.mark.parametrize("make", [ended, full, hostile])
def test_every_tag_is_closed_and_every_anchor_has_its_place_once(tmp_path: Path, make: Any) -> None:
    page = page_of(make(tmp_path))

    anchors = [given["href"][1:] for tag, given in page.tags if tag == "a" and given["href"].startswith("#")]
    assert page.open == []
    assert set(anchors) <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    page = page_of(hostile(tmp_path))

    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [given for _, given in page.tags if any(name.startswith("on") for name in given)]
    assert "<script>alert(1)</script>" in page.text


def test_the_policy_forbids_every_request_and_names_the_one_script(tmp_path: Path) -> None:
    policy = next(given["content"] for _, given in page_of(ended(tmp_path)).tags if "http-equiv" in given)

    assert policy.startswith("default-src 'none'; img-src data:;")
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='$", policy)


@pytest.mark.parametrize("make", [full, hostile])
def test_the_same_record_gives_the_same_bytes(tmp_path: Path, make: Any) -> None:
    run_dir = make(tmp_path / "one")
    moved = tmp_path / "elsewhere" / run_dir.name
    shutil.copytree(run_dir, moved)

    assert render(run_dir).read_bytes() == render(moved).read_bytes() == render(run_dir).read_bytes()


def test_the_reader_meets_the_parts_in_their_order(tmp_path: Path) -> None:
    page = page_of(full(tmp_path))

    parts = [name for name in page.ids if name in ORDER]
    assert parts == ORDER


ORDER = ["trust", "figures", "budgets", "load", "violations", "clauses", "charts", "pages", "environment"]


def test_a_violation_shows_five_facts_and_the_history_around_its_evidence(tmp_path: Path) -> None:
    broken = clause("TASK-FINAL-1", Status.VIOLATED, violations=(violation(),))

    text = page_of(ended(tmp_path, [broken])).text

    for fact in ("connection c1 received running after completed", "nothing follows completed, failed or canceled"):
        assert fact in text
    assert "client#4, server#0" in text
    assert "cut c1" in text
    assert "harness replay .runs/r/scripts/task-final-1.json" in text
    # The neighbours of client#4, which nobody cited.
    assert "client#3 0.4000 s client/c1 received" in text
    assert "client#5 5.1120 s client ok 200" in text


def test_evidence_of_a_side_server_is_found_in_its_own_history(tmp_path: Path) -> None:
    broken = clause("TASK-FINAL-1", Status.VIOLATED, violations=(violation(evidence=("canary/client#0",)),))
    run_dir = ended(tmp_path, [broken])
    side = run_dir / "history" / "canary"
    side.mkdir()
    line = '{"recorder":"canary/client","index":0,"at_ns":5,"kind":"note","data":{"text":"side by side"}}\n'
    (side / "client.jsonl").write_text(line)

    text = page_of(run_dir).text

    assert "side by side" in text
    assert "Not in the history" not in text


def test_evidence_that_is_not_in_the_history_is_named(tmp_path: Path) -> None:
    broken = clause("TASK-FINAL-1", Status.VIOLATED, violations=(violation(evidence=("nobody#9",)),))

    assert "Not in the history of this record: nobody#9" in page_of(ended(tmp_path, [broken])).text


def test_only_the_first_violations_of_a_clause_are_shown_and_the_rest_counted(tmp_path: Path) -> None:
    many = tuple(violation(f"violation number {number}") for number in range(9))

    text = page_of(ended(tmp_path, [clause("TASK-FINAL-1", Status.VIOLATED, violations=many)])).text

    assert ("violation number 4" in text, "violation number 5" in text) == (True, False)
    assert "4 more violations of TASK-FINAL-1" in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"results": None}, "This run has no verdicts"),
        ({"results": None}, "This run is incomplete"),
        ({"results": (), "events": []}, "none left a history"),
    ],
)
def test_a_run_that_was_cut_off_still_has_a_page(tmp_path: Path, given: dict[str, Any], said: str) -> None:
    assert said in page_of(record(tmp_path, **given)).text


def test_a_history_cut_off_in_a_line_is_said_and_the_verdicts_are_shown(tmp_path: Path) -> None:
    run_dir = ended(tmp_path)
    with (run_dir / "history" / "client.jsonl").open("a") as file:
        file.write('{"recorder": "cli')

    text = page_of(run_dir).text

    assert "client.jsonl line 7 is no event" in text
    assert "RT-PREFIX-1" in text


def test_a_run_without_load_or_browser_has_no_such_part(tmp_path: Path) -> None:
    page = page_of(ended(tmp_path))

    assert not {"load", "pages", "violations"} & set(page.ids)


def test_why_a_load_run_does_not_count_stands_on_the_page(tmp_path: Path) -> None:
    run_dir = ended(tmp_path, load=load_summary(void=["the generator's loop was late by 157.3 ms"]))

    assert "This run does not count: the generator's loop was late by 157.3 ms" in page_of(run_dir).text


def test_recorders_are_summed_up_by_kind_and_each_can_be_looked_up(tmp_path: Path) -> None:
    names = ("browser-1", "browser-2", "client", "server", "browser")
    events = [{"recorder": name, "index": 0, "at_ns": 5, "kind": "note", "data": {}} for name in names]

    text = page_of(ended(tmp_path, events=events)).text

    assert "browser: 2 pages, 3 events; client: 1 event; server: 1 event" in text
    assert "Each of them (5)" in text
    assert "browser-2 1" in text


def test_a_history_without_phases_has_a_page_and_no_phases_drawn(tmp_path: Path) -> None:
    event = {"recorder": "client", "index": 0, "at_ns": 5, "kind": "received", "data": {"message": {}}}
    later = {**event, "index": 1, "at_ns": 2 * 10**9}

    assert History(()).phases() == []
    assert "Phases and faults" not in page_of(ended(tmp_path, events=[event, later])).text


def test_phases_are_drawn_for_each_history_that_has_more_than_one(tmp_path: Path) -> None:
    def phase(index: int, name: str, recorder: str) -> dict[str, Any]:
        at_ns = index * 10**9
        return {"recorder": recorder, "index": index, "at_ns": at_ns, "kind": "phase", "data": {"name": name}}

    run_dir = ended(tmp_path, events=[phase(0, "start", "client"), phase(1, "end", "client")])
    for side in ("scenario", "t0-hello"):
        (run_dir / "history" / side).mkdir()
        events = [phase(number, name, f"{side}/client") for number, name in enumerate(("start", "quiet", "end"))]
        lines = "".join(f"{json.dumps(event)}\n" for event in events)
        (run_dir / "history" / side / "client.jsonl").write_text(lines)

    page = page_of(run_dir)

    assert page.text.count("Seconds since its first event") == 2
    assert "Phases and faults: scenario" in page.text
    assert "Phases and faults: hello, simulated" in page.text


def test_faults_that_overlap_have_a_lane_each() -> None:
    def fault(index: int, action: str, tab: str) -> SimpleNamespace:
        data = {"name": "cut", "action": action, "tab": tab}
        at_ns = index * 10**9
        return SimpleNamespace(ref=f"c#{index}", recorder="c", index=index, at_ns=at_ns, kind="fault", data=data)

    actions = [("inject", "ann"), ("inject", "ben"), ("heal", "ann"), ("heal", "ben")]
    spans = History([fault(index, *given) for index, given in enumerate(actions)]).phases()

    assert [(span.lane, span.start, span.end) for span in spans] == [("cut ann", 0, 2), ("cut ben", 1, 3)]


def test_what_is_said_twice_of_a_load_is_the_same(tmp_path: Path) -> None:
    run_dir = ended(tmp_path, load=load_summary())
    series = {"name": "delivery", "whole": {"buckets": [[900, 500]], "sub_bits": 6}}
    (run_dir / "samples" / "worker-1.json").write_text(json.dumps({"series": [series]}))

    assert "500 values on a logarithmic axis: p50 4.1 ms, p95 9 ms, p99 14.2 ms." in page_of(run_dir).text


def test_a_clause_that_is_not_supported_says_what_is_lacking_in_words(tmp_path: Path) -> None:
    lacking = clause("LIVE-BUS-1", Status.UNSUPPORTED, why="bus", needs=("bus",))
    forbidden = clause("REST-X-1", Status.UNSUPPORTED, why="not allowed: connections:1000")

    text = page_of(ended(tmp_path, [lacking, forbidden])).text

    assert "lacks a message bus between several server processes: 1 clause" in text
    assert "does not allow 1000 connections at once: 1 clause" in text


@pytest.mark.parametrize(
    ("results", "opened"), [((Status.HOLDS,), False), ((Status.VIOLATED,), True), ((Status.UNKNOWN,), True)]
)
def test_families_with_something_to_look_at_stand_open(
    tmp_path: Path, results: tuple[Status, ...], opened: bool
) -> None:
    page = page_of(ended(tmp_path, [clause("RT-X-1", status) for status in results]))

    assert [("open" in given) for tag, given in page.tags if "family" in given.get("class", "")] == [opened]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("2 of 9 violated: RT-PUSH-1.", '2 of 9 violated: <span class="whole">RT-PUSH-1</span>.'),
        ("PERF-P1, <b>", '<span class="whole">PERF-P1</span>, &lt;b&gt;'),
        ("The contract holds", "The contract holds"),
    ],
)
def test_no_line_of_the_headline_ends_inside_an_id(text: str, html: str) -> None:
    assert str(unbroken(text)) == html


def test_the_page_says_what_a_section_is_and_how_to_do_the_run_again(tmp_path: Path) -> None:
    folder = ended(tmp_path)
    replay = "./dev harness verify --seed 7"
    RunRecord(folder, read_record(folder).info).update(facts={"judged_by": {"replay": replay}})
    text = page_of(folder).text

    assert SECTIONS_TOLD in text
    assert replay in text
