"""`report.html`: one file that needs nothing else, neither network nor neighbour.

The same record gives the same bytes. Its own policy forbids every request, and allows no script but the one it carries,
by hash; so text from a target stays text even if escaping failed.
"""

import base64
import hashlib
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from harness.records import read_record
from harness.verdicts import SECTIONS_TOLD
from reports import words
from reports.view import MARKS, View, view_of

TEMPLATES: Final = Path(__file__).with_name("templates")
REPORT: Final = "report.html"


def render(run_dir: Path) -> Path:
    """Write `report.html` into the record and return its path; raises RecordError when there is no record to read."""
    page = html(view_of(read_record(run_dir)))
    path = run_dir / REPORT
    path.write_text(page, encoding="utf-8")
    return path


def html(view: View) -> str:
    """Return the page."""
    style, script = (TEMPLATES / name for name in ("report.css", "report.js"))
    code = script.read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html")
        .render(
            view=view,
            sections=SECTIONS_TOLD,
            mark=MARKS[view.outcome.level],
            number=words.number,
            unbroken=words.unbroken,
            count=words.count,
            series=words.SERIES,
            ledger=words.LEDGER,
            needs=words.NEEDS,
            targets=words.TARGETS,
            style=Markup(style.read_text(encoding="utf-8")),
            script=Markup(code),
            policy=f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'",
        )
    )


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
