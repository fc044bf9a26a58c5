"""What a run imports is declared, and what is declared is imported: a wheel brings its own third parties.

Whatever lies in the environment of this checkout could be imported here, declared or not, so the text is compared.
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

from harness.tests.source_tree import PACKAGES, PROJECT_ROOT, Module, SourceTree, written_tree

OPTIONAL = {
    "schemathesis": "dev",
    "testcontainers": "containers",
    "pandas": "analysis",
    "obstore": "s3",
    "picows": "bench",
}
"""Imported only where its extra was asked for; the import says so when it is missing."""


def normal(name: str) -> str:
    """Give a distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(root: Path) -> set[str]:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {normal(re.split(r"[\s<>=!~;\[]", line, maxsplit=1)[0]) for line in project["dependencies"]}


def third_parties(tree: SourceTree) -> dict[str, str]:
    """Give each top-level name that is neither ours nor Python's, with a place that imports it."""
    found: dict[str, str] = {}
    for module in tree.modules.values():
        if not module.is_test or module.name == "e2e.conftest":
            for name in (found_name.split(".")[0] for found_name in _names(module)):
                if name not in PACKAGES and name not in sys.stdlib_module_names and name not in OPTIONAL:
                    found.setdefault(name, str(module.path))
    return found


def _names(module: Module) -> Iterator[str]:
    yield from (found.target for found in module.imports)
    for node in ast.walk(module.tree):
        # What is read out of a package is needed just as well: importlib.resources.files("package").
        match node:
            case ast.Call(func=ast.Attribute(attr="files"), args=[ast.Constant(value=str(name))]):
                yield name
            case _:
                pass


def offences_of_dependencies(
    imported: Mapping[str, str], given: set[str], distributions: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    needed: set[str] = set()
    for name, place in sorted(imported.items()):
        owners = {normal(owner) for owner in distributions.get(name, [name])}
        needed |= owners
        if not owners & given:
            yield f"{place}: imports {name}, but {' or '.join(sorted(owners))} is no dependency in pyproject.toml"
    for name in sorted(given - needed):
        yield f"pyproject.toml: {name} is a dependency that nothing imports"


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    imported = third_parties(SourceTree.read(PROJECT_ROOT))

    assert {"msgspec", "playwright", "locust"} <= imported.keys()
    assert list(offences_of_dependencies(imported, declared(PROJECT_ROOT), packages_distributions())) == []


def test_an_import_that_nobody_declared_and_a_dependency_that_nobody_imports_are_named(tmp_path: Path) -> None:
    text = "from importlib import resources\n\ndef late():\n    import jwt\n    resources.files('axe_core_python')\n"
    imported = third_parties(written_tree(tmp_path, {"harness.a": text, "harness.tests.test_a": "import extra\n"}))

    assert list(offences_of_dependencies(imported, {"left-over", "axe-core-python"}, {"jwt": ["PyJWT"]})) == [
        "harness/a.py: imports jwt, but pyjwt is no dependency in pyproject.toml",
        "pyproject.toml: left-over is a dependency that nothing imports",
    ]
