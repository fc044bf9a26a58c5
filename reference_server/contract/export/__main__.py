"""`python -m reference_server.contract.export`: rewrite the documents, or with `--check` say which have drifted."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from reference_server.contract.export.asyncapi import asyncapi
from reference_server.contract.export.openapi import openapi

FOLDER: Final = Path(__file__).parents[1]
DOCUMENTS: Final[dict[str, Callable[[], dict[str, Any]]]] = {"openapi.json": openapi, "asyncapi.json": asyncapi}
USAGE: Final = 2


def text_of(document: dict[str, Any]) -> str:
    """Return a document as it stands in its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Rewrite the files, or with `--check` compare; return the exit code."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write(f"unknown arguments {arguments}; use --check or none\n")
        return USAGE
    wanted = {folder / name: text_of(make()) for name, make in DOCUMENTS.items()}
    if not arguments:
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        return 0
    drifted = [path.name for path, text in wanted.items() if not _holds(path, text)]
    for name in drifted:
        sys.stderr.write(f"{name} has drifted from the tables; run python -m reference_server.contract.export\n")
    return 1 if drifted else 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
