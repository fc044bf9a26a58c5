"""The import map of the architecture: who may import whom, and no modules that import each other in a ring.

The map itself is RULES; a test obeys the rule of the package it lies beside.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.tests.source_tree import (
    PACKAGES,
    PROJECT_ROOT,
    Import,
    Module,
    SourceTree,
    offences,
    within,
    written_tree,
)

CONTRACT = "reference_server.contract"
RUNNERS = ("harness.run", "harness.simulate", "harness.mutants.selfcheck")
ASYNCIO_SHELLS = ("harness.client.shell",)
FRONTS = ("harness.cli", "harness.verify")
BEHIND_THE_FRONTS = (*RUNNERS, "e2e", "loadtests", "reports")


@dataclass(frozen=True, slots=True)
class Rule:
    """What the modules of a package may import of ours; the first rule that covers a module is its rule."""

    package: str
    allowed: tuple[str, ...]
    reason: str


RULES = (
    Rule(CONTRACT, (CONTRACT,), "the contract imports nothing of ours"),
    Rule("reference_server.core", ("reference_server.core", CONTRACT), "the core imports the contract only"),
    Rule("reference_server", ("reference_server",), "the reference server imports nothing else of ours"),
    *(
        Rule(
            name,
            ("harness", "reference_server", "scenarios"),
            "the folders are imported by cli and verify alone",
        )
        for name in ("harness.targets.simulated", "harness.mutants")
    ),
    *(
        Rule(name, ("harness", CONTRACT, "scenarios", *BEHIND_THE_FRONTS), "the server runs as a process")
        for name in FRONTS
    ),
    Rule(
        "harness",
        ("harness", CONTRACT, "scenarios"),
        "targets/simulated and mutants alone know the server beyond its contract, cli and verify the folders",
    ),
    Rule("scenarios", ("scenarios", "harness", CONTRACT), "scenarios are data"),
    Rule("loadtests", ("loadtests", "harness", CONTRACT, "scenarios"), "users know contract and harness"),
    Rule("e2e", ("e2e", "harness", CONTRACT, "scenarios"), "browser tests know contract and harness"),
    Rule(
        "reports",
        ("reports", "harness.records", "harness.verdicts"),
        "reports read records only",
    ),
)


def rule_of(module: Module) -> Rule:
    name = module.owner if module.is_test else module.name
    return next(rule for rule in RULES if within(name, rule.package))


def offences_against_map(_: SourceTree, module: Module) -> Iterator[str]:
    rule = rule_of(module)
    allowed = (*rule.allowed, "harness.targets") if module.is_test else rule.allowed
    for found in module.own_imports:
        if not within(found.target, *allowed):
            yield _sentence(module, found, rule.reason)


def offences_against_fronts(_: SourceTree, module: Module) -> Iterator[str]:
    """Runners and outer folders are imported by `cli` and `verify` alone, inside functions."""
    home = module.owner.split(".")[0] if module.is_test else module.name
    for found in module.own_imports:
        behind = next((name for name in BEHIND_THE_FRONTS if within(found.target, name)), None)
        if behind is None or within(home, behind) or found.typing_only or _may_run(module, behind):
            continue
        if not within(module.name, *FRONTS):
            yield _sentence(module, found, "only cli and verify import runners and outer folders")
        elif not found.lazy:
            yield _sentence(module, found, "runners and outer folders are imported inside functions")


def _may_run(module: Module, behind: str) -> bool:
    """Tell whether this is a test of a runner, or a runner that builds on another."""
    tests_one = module.is_test and module.owner == "harness"
    return behind in RUNNERS and (tests_one or module.name in RUNNERS)


def offences_against_gevent(tree: SourceTree, module: Module) -> Iterator[str]:
    """What loadtests import, directly or through others, has no asyncio in it."""
    if not within(module.name, "loadtests") or module.is_test:
        return
    for found in module.imports:
        target = tree.resolve(found.target)
        if within(found.target, "asyncio", "uvloop"):
            yield _sentence(module, found, "loadtests import no asyncio")
        elif target is not None and not found.typing_only:
            chain = _chain_to_asyncio(tree, target)
            if chain:
                yield _sentence(module, found, f"loadtests import no asyncio: {' -> '.join(chain)}")


def _chain_to_asyncio(tree: SourceTree, start: str) -> list[str]:
    waiting, seen = [[start]], {start}
    while waiting:
        chain = waiting.pop(0)
        module = tree.modules.get(chain[-1])
        if module is None:
            continue
        if within(module.name, *ASYNCIO_SHELLS):
            return chain
        for found in module.imports:
            if found.lazy or found.typing_only:
                continue
            if within(found.target, "asyncio", "uvloop"):
                return [*chain, "asyncio"]
            target = tree.resolve(found.target)
            if target is not None and target not in seen:
                seen.add(target)
                waiting.append([*chain, target])
    return []


def cycles(tree: SourceTree) -> list[str]:
    """Give each ring of modules that import each other at top level, once."""
    return _rings({name: _imported_at_top(tree, module) for name, module in tree.modules.items()})


def _rings(edges: dict[str, set[str]]) -> list[str]:
    rings: dict[frozenset[str], str] = {}
    for start in edges:
        ring = _way_back(edges, start)
        if ring:
            rings.setdefault(frozenset(ring), f"{' -> '.join(ring)}: modules import each other in a ring")
    return list(rings.values())


def folder_cycles(tree: SourceTree, package: str) -> list[str]:
    """Give each ring of a package's folders and single modules that import each other at top level, once."""
    edges: dict[str, set[str]] = {}
    for name, module in tree.modules.items():
        if within(name, package) and name != package and not module.is_test:
            targets = {_folder(target, package) for target in _imported_at_top(tree, module) if within(target, package)}
            edges.setdefault(_folder(name, package), set()).update(targets - {_folder(name, package), package})
    return [ring.replace("modules", "folders") for ring in _rings(edges)]


def _folder(name: str, package: str) -> str:
    """Return the part of a package that a module belongs to: a folder, or the module itself."""
    return ".".join(name.split(".")[: package.count(".") + 2])


def _imported_at_top(tree: SourceTree, module: Module) -> set[str]:
    eager = (found.target for found in module.own_imports if not found.lazy and not found.typing_only)
    resolved = (tree.resolve(target) for target in eager)
    return {target for target in resolved if target is not None and target != module.name}


def _way_back(edges: dict[str, set[str]], start: str) -> list[str]:
    waiting, seen = [[start]], {start}
    while waiting:
        way = waiting.pop(0)
        for target in sorted(edges.get(way[-1], ())):
            if target == start:
                return [*way, start]
            if target not in seen:
                seen.add(target)
                waiting.append([*way, target])
    return []


def _sentence(module: Module, found: Import, reason: str) -> str:
    return f"{module.path}:{found.line}: {module.name} imports {found.target}; {reason}"


@pytest.fixture(scope="module")
def project() -> SourceTree:
    return SourceTree.read(PROJECT_ROOT)


def test_the_laws_look_at_every_package_of_the_project(project: SourceTree) -> None:
    assert {"reference_server", "harness"} <= project.packages
    assert {rule.package.split(".")[0] for rule in RULES} == set(PACKAGES)


def test_imports_follow_the_map(project: SourceTree) -> None:
    assert offences(project, offences_against_map) == []


def test_only_the_fronts_import_runners_and_outer_folders(project: SourceTree) -> None:
    assert offences(project, offences_against_fronts) == []


def test_load_tests_reach_no_asyncio(project: SourceTree) -> None:
    assert offences(project, offences_against_gevent) == []


def test_no_modules_import_each_other_in_a_ring(project: SourceTree) -> None:
    assert cycles(project) == []


def test_no_folders_of_the_reference_server_import_each_other_in_a_ring(project: SourceTree) -> None:
    assert folder_cycles(project, "reference_server") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("reference_server.contract.codes", "import reference_server.core.hub"),
        ("reference_server.core.hub", "from reference_server.store import memory"),
        ("reference_server.core.hub", "from ..store import memory"),
        ("reference_server.core.tests.test_hub", "from reference_server.store import memory"),
        ("reference_server.app", "from harness import history"),
        ("reference_server.app", "import importlib\nimportlib.import_module('harness.history')"),
        ("reference_server.app", "def late():\n    import scenarios.catalog"),
        ("harness.targets.local", "from reference_server import app"),
        ("harness.targets.tests.test_local", "from reference_server import app"),
        ("harness.checkers.ordering", "import e2e.conftest"),
        ("harness.verify", "from reference_server.core import hub"),
        ("harness.mutants.drops", "import reports.page"),
        ("scenarios.catalog", "import loadtests.users"),
        ("e2e.test_dashboard", "from reference_server.core import hub"),
        ("reports.page", "from harness import history"),
        ("reports.page", "from harness.checkers import ordering"),
    ],
)
def test_an_import_against_the_map_is_named(tmp_path: Path, name: str, text: str) -> None:
    found = offences(written_tree(tmp_path, {name: text}), offences_against_map)

    path = f"{name.replace('.', '/')}.py"
    assert [offence.split(":")[0] for offence in found] == [path]
    assert found[0].startswith(f"{path}:{len(text.splitlines())}:")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("reference_server.core.hub", "from reference_server.contract import codes"),
        ("reference_server.tests.test_app", "from harness.targets import local"),
        ("harness.targets.simulated", "from reference_server.core import hub"),
        ("harness.mutants.drops", "from reference_server.core import hub"),
        ("harness.client.rest", "from reference_server.contract import operations"),
        ("harness.verify", "def verify():\n    import e2e"),
        ("reports.page", "from harness.records import read"),
    ],
)
def test_an_import_the_map_allows_is_no_offence(tmp_path: Path, name: str, text: str) -> None:
    tree = written_tree(tmp_path, {name: text})

    assert offences(tree, offences_against_map) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("harness.cli", "import reports.page"),
        ("harness.verify", "from harness.run import run_scenario"),
        ("harness.conformance.rest", "def late():\n    from harness.run import run_scenario"),
        ("harness.pytest_plugin", "import e2e"),
    ],
)
def test_an_import_past_the_fronts_is_named(tmp_path: Path, name: str, text: str) -> None:
    tree = written_tree(tmp_path, {"harness.run": "", name: text})

    assert len(offences(tree, offences_against_fronts)) == 1


def test_a_lazy_import_by_a_front_is_no_offence(tmp_path: Path) -> None:
    tree = written_tree(tmp_path, {"harness.cli": "def report():\n    from reports import page\n"})

    assert offences(tree, offences_against_fronts) == []


def test_asyncio_behind_a_load_test_is_named_with_the_way_to_it(tmp_path: Path) -> None:
    tree = written_tree(
        tmp_path,
        {
            "loadtests.users": "from harness import history\n",
            "harness.history": "from harness import clock\n",
            "harness.clock": "import asyncio\n",
        },
    )

    (offence,) = offences(tree, offences_against_gevent)
    assert offence.endswith("harness.history -> harness.clock -> asyncio")


def test_asyncio_imported_later_does_not_reach_a_load_test(tmp_path: Path) -> None:
    tree = written_tree(
        tmp_path,
        {
            "loadtests.users": "from harness import history\n",
            "harness.history": "def late():\n    import asyncio\n",
        },
    )

    assert offences(tree, offences_against_gevent) == []


def test_a_ring_of_modules_is_named_once(tmp_path: Path) -> None:
    tree = written_tree(
        tmp_path,
        {
            "harness.a": "from harness import b\n",
            "harness.b": "import harness.c\n",
            "harness.c": "from .a import name\n",
        },
    )

    assert cycles(tree) == ["harness.a -> harness.b -> harness.c -> harness.a: modules import each other in a ring"]


def test_a_ring_of_folders_is_named_where_no_modules_make_one(tmp_path: Path) -> None:
    tree = written_tree(
        tmp_path,
        {
            "reference_server.http.one": "from reference_server import driver\n",
            "reference_server.http.two": "",
            "reference_server.driver": "from reference_server.files.three import name\n",
            "reference_server.files.three": "from reference_server.http.two import name\n",
            "reference_server.files.tests.test_three": "from reference_server.http.one import name\n",
        },
    )

    assert cycles(tree) == []
    (ring,) = folder_cycles(tree, "reference_server")
    assert ring.endswith("folders import each other in a ring")
    assert {"reference_server.http", "reference_server.driver", "reference_server.files"} <= set(
        ring.split(":")[0].split(" -> ")
    )


def test_a_ring_for_types_or_inside_a_function_is_no_ring(tmp_path: Path) -> None:
    tree = written_tree(
        tmp_path,
        {
            "harness.a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from harness.b import B\n",
            "harness.b": "from harness import c\n",
            "harness.c": "def late():\n    from harness import a, b\n",
        },
    )

    assert cycles(tree) == []
