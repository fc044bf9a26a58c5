"""What a reader may count on: docstrings, front pages, bounded sizes, nothing left over from one machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.tests.source_tree import PACKAGES, PROJECT_ROOT, Module, SourceTree, offences, written_tree

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
FRONT_PAGE_WORDS_MIN = 30
SKIPPED_SUFFIXES = (".ico", ".jpg", ".png", ".woff2")
UNTRACKED_FOLDERS = re.compile(r"(^|/)(\.[^/]+|__pycache__|build|dist|[^/]+\.egg-info)(/|$)")

# Each pattern is spelt so that it does not match itself.
LEFT_OVERS = {
    "a left-over mark": re.compile(r"\b(?:TO(?:)DO|FIX(?:)ME|X(?:)XX)\b"),
    "a path of one machine": re.compile(r"(?<![\w.:/}])/(?:work|root|farm|opt/wheels|home/\w+|Users/\w+)/"),
    "a host of a package registry": re.compile(
        r"\b(?:pypi|pythonhosted|npm(?:js)?|yarnpkg|unpkg|jsdelivr)\.(?:org|com|net)\b"
        r"|--(?:extra-)?index-url[ =]\S"
    ),
}


def offences_against_docstrings(_: SourceTree, module: Module) -> Iterator[str]:
    if not ast.get_docstring(module.tree):
        yield f"{module.path}:1: {module.name} has no docstring; say the one idea to hold"


def offences_against_front_pages(_: SourceTree, module: Module) -> Iterator[str]:
    """A package of the top level says what lives here, what never does, how to add one, how to run."""
    if module.name not in PACKAGES:
        return
    text = ast.get_docstring(module.tree) or ""
    missing = [word for word in ("never", "add", "run") if not re.search(rf"\b{word}\b", text, re.IGNORECASE)]
    if len(text.split()) < FRONT_PAGE_WORDS_MIN or missing:
        advice = "say what lives here, what never does, how to add one, how to run"
        yield f"{module.path}:1: {module.name} has no front page; {advice}"


def offences_against_size(_: SourceTree, module: Module) -> Iterator[str]:
    lines = len(module.text.splitlines())
    if lines > MODULE_LINES_MAX:
        advice = f"{MODULE_LINES_MAX} at most; split it by noun"
        yield f"{module.path}:{lines}: {module.name} has {lines} lines, {advice}"
    for function in module.functions():
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            advice = f"{FUNCTION_LINES_MAX} at most"
            yield f"{module.path}:{function.lineno}: {function.name} has {lines} lines, {advice}"


def left_overs(root: Path) -> list[str]:
    """Look through every file that is, or is about to be, part of the project."""
    return [offence for path in project_files(root) for offence in _left_overs_in(root, path)]


def project_files(root: Path) -> list[Path]:
    """Ask git; without it (an unpacked archive) take what lies there, hidden folders apart."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, check=False) if (root / ".git").exists() else None
    if listed is not None and listed.returncode == 0:
        names = (Path(name.decode()) for name in listed.stdout.split(b"\0") if name)
    else:
        found = (path.relative_to(root) for path in sorted(root.rglob("*")))
        names = (name for name in found if not UNTRACKED_FOLDERS.search(name.as_posix()))
    return [name for name in names if (root / name).is_file() and name.suffix not in SKIPPED_SUFFIXES]


def _left_overs_in(root: Path, path: Path) -> Iterator[str]:
    for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), start=1):
        for what, pattern in LEFT_OVERS.items():
            found = pattern.search(line)
            if found:
                yield f"{path}:{number}: {what}: {found.group()!r}"


@pytest.fixture(scope="module")
def project() -> SourceTree:
    return SourceTree.read(PROJECT_ROOT)


def test_the_laws_look_at_every_folder(project: SourceTree) -> None:
    assert project.packages == set(PACKAGES)
    assert {"README.md", "LICENSE", "dev", "requirements.lock"} <= {str(path) for path in project_files(PROJECT_ROOT)}


def test_every_module_has_a_docstring(project: SourceTree) -> None:
    assert offences(project, offences_against_docstrings) == []


def test_every_top_folder_has_a_front_page(project: SourceTree) -> None:
    assert offences(project, offences_against_front_pages) == []


def test_modules_and_functions_keep_their_size(project: SourceTree) -> None:
    assert offences(project, offences_against_size) == []


def test_nothing_is_left_over() -> None:
    assert left_overs(PROJECT_ROOT) == []


@pytest.mark.parametrize("text", ["", "import os\n", "# only a comment\n", "''\n"])
def test_a_module_without_docstring_is_named(tmp_path: Path, text: str) -> None:
    assert offences(written_tree(tmp_path, {"harness.tests.__init__": text}), offences_against_docstrings) == [
        "harness/tests/__init__.py:1: harness.tests has no docstring; say the one idea to hold"
    ]


def test_a_thin_front_page_is_named(tmp_path: Path) -> None:
    tree = written_tree(tmp_path, {"reports.__init__": "'''Reports. Never judges. Add a part. Run it.'''\n"})

    assert len(offences(tree, offences_against_front_pages)) == 1


def test_a_long_module_is_named(tmp_path: Path) -> None:
    fits = written_tree(tmp_path / "fits", {"harness.run": "x = 1\n" * MODULE_LINES_MAX})
    long = written_tree(tmp_path / "long", {"harness.run": "x = 1\n" * (MODULE_LINES_MAX + 1)})

    assert offences(fits, offences_against_size) == []
    assert offences(long, offences_against_size) == [
        "harness/run.py:501: harness.run has 501 lines, 500 at most; split it by noun"
    ]


def test_a_long_function_is_named(tmp_path: Path) -> None:
    method = "class Hub:\n    async def accept(self):\n" + "        x = 1\n" * FUNCTION_LINES_MAX

    tree = written_tree(tmp_path, {"harness.run": method})
    assert offences(tree, offences_against_size) == ["harness/run.py:2: accept has 61 lines, 60 at most"]


@pytest.mark.parametrize(
    "line",
    [
        "# TO" + "DO later",
        "FIX" + "ME",
        "path = '/wo" + "rk/main/x.py'",
        "see /home" + "/ann/notes",
        "https://pypi" + ".org/simple",
        "https://files.pythonhosted" + ".org/x.whl",
        "--index-" + "url https://mirror",
        "src=https://cdn.jsdelivr" + ".net/x.js",
    ],
)
def test_a_left_over_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "notes.md").write_text(f"fine\n{line}\n", encoding="utf-8")

    (offence,) = left_overs(tmp_path)
    assert offence.startswith("notes.md:2: ")


@pytest.mark.parametrize("line", ["mktemp x.XXXXXX", "/api/work/items", "https://host/root/a", "npm install"])
def test_an_ordinary_line_is_no_left_over(tmp_path: Path, line: str) -> None:
    (tmp_path / "notes.md").write_text(f"{line}\n", encoding="utf-8")

    assert left_overs(tmp_path) == []
