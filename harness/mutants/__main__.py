"""`python -m harness.mutants NAME [ARGS]`: serve one mutant, with the arguments of `python -m reference_server`."""

import difflib
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from harness.mutants.catalog import BY_NAME
from reference_server import __main__ as server
from reference_server.app import PAGES

UNUSABLE: Final = 3
TEXT_SUFFIXES: Final = frozenset({".css", ".html", ".js", ".json", ".svg"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the mutant until told to end; return the exit code, 3 for a name that is none."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    name = given[0] if given else ""
    if name not in BY_NAME:
        print(f"harness.mutants: {unknown(name)}", file=sys.stderr)
        return UNUSABLE
    parts = BY_NAME[name].parts
    with tempfile.TemporaryDirectory(prefix="zsh-mutant-") as folder:
        try:
            pages = spoiled_pages(Path(folder) / "pages", parts.page)
        except ValueError as fault:
            print(f"harness.mutants: {fault}", file=sys.stderr)
            return UNUSABLE
        return server.main(given[1:], parts.driver, pages)


def unknown(name: str) -> str:
    """Say that there is no such mutant, and which was meant."""
    near = difflib.get_close_matches(name, BY_NAME, 1)
    meant = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(BY_NAME)}"
    return f"unknown mutant {name!r}; {meant}"


def spoiled_pages(folder: Path, page: Callable[[str, str], str]) -> Path:
    """Copy the pages to `folder` as the mutant serves them; raises ValueError when there is nothing to break."""
    shutil.copytree(PAGES, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "tests"))
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in TEXT_SUFFIXES:
            text = path.read_text(encoding="utf-8")
            path.write_text(page(path.relative_to(folder).as_posix(), text), encoding="utf-8")
    return folder


if __name__ == "__main__":
    sys.exit(main())
