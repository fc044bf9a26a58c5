"""`junit.xml`: one testcase a clause, its family as the suite, for CI systems that show nothing else.

| verdict | in JUnit |
|---|---|
| holds | a passed testcase |
| violated | `failure`, with the five facts of each violation |
| violated, known and not yet due | `skipped`, with the reason it is accepted |
| unsupported | `skipped`, with what the target lacks or does not allow |
| unknown | `error`: it should have been exercised and was not |
| run void, incomplete or failed | one more suite `run` with an `error`, so that no reader takes the rest for green |
| messages lost under load | the suite `run` with a `failure`: no clause's verdict tells it |
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

from harness.records import read_record
from harness.verdicts import ClauseResult, Level, Status
from reports.load import losses_of, read_load
from reports.outcome import Outcome, day_of, excused, outcome_of, read_verdicts, with_status
from reports.words import by_family, five_facts, why_of, xml_text


def write(run_dir: Path) -> Path:
    """Write `junit.xml` into the record and return its path; raises RecordError."""
    record = read_record(run_dir)
    verdicts = read_verdicts(record)
    day = day_of(record.info)
    results = verdicts.results if verdicts is not None else ()
    outcome = outcome_of(record.info, verdicts, day, losses_of(read_load(record)))
    tree = junit(results, outcome, day)
    path = run_dir / "junit.xml"
    path.write_bytes(ET.tostring(tree, encoding="utf-8", xml_declaration=True) + b"\n")
    return path


def junit(results: Sequence[ClauseResult], outcome: Outcome, day: date) -> ET.Element:
    """Return the document of the results, by the table above."""
    root = ET.Element("testsuites", name="zerostate-harness")
    only_the_run = outcome.level is Level.VIOLATED and not with_status(results, Status.VIOLATED)
    if outcome.level in (Level.FAILED, Level.VOID) or only_the_run:
        suite = ET.SubElement(root, "testsuite", name="run")
        case = ET.SubElement(suite, "testcase", classname="run", name="the run as a whole")
        _say(case, "failure" if only_the_run else "error", f"{outcome.sentence} {outcome.why}".strip())
        _count(suite)
    for family, members in by_family(results):
        suite = ET.SubElement(root, "testsuite", name=family)
        for result in members:
            _testcase(suite, result, day)
        _count(suite)
    _count(root)
    return root


def _testcase(suite: ET.Element, result: ClauseResult, day: date) -> None:
    name = xml_text(f"{result.id} {result.text}")
    case = ET.SubElement(suite, "testcase", classname=suite.get("name", ""), name=name)
    match result.status:
        case Status.VIOLATED if excused(result, day):
            _say(case, "skipped", f"known: {result.known}")
        case Status.VIOLATED:
            _say(case, "failure", result.why, "\n\n".join(five_facts(result)))
        case Status.UNKNOWN:
            _say(case, "error", result.why)
        case Status.UNSUPPORTED:
            _say(case, "skipped", f"unsupported: {why_of(result)}")
        case Status.HOLDS:
            pass


def _say(case: ET.Element, kind: str, message: str, text: str = "") -> None:
    element = ET.SubElement(case, kind, message=xml_text(message))
    if text:
        element.text = xml_text(text)


def _count(element: ET.Element) -> None:
    element.set("tests", str(len(list(element.iter("testcase")))))
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(len(list(element.iter(kind)))))
