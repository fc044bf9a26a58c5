"""Pure packages take time, chance and I/O as input; elsewhere only the named shells reach for a clock.

The bans are on names in the source: what a module imports, and what it calls through an import.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.tests.source_tree import PROJECT_ROOT, Module, SourceTree, offences, within, written_tree

PURE = (
    "reference_server.contract",
    "reference_server.core",
    "harness.checkers",
    "harness.faults",
    "harness.simulation",
)
PURE_CLIENT = re.compile(r"harness\.client\.(core\w*|reload)(\..+)?$|harness\.client\.tests\.test_(core\w*|reload)$")
IMPURE = ("asyncio", "os", "random", "socket", "threading", "time", "uuid")

CLOCKED = ("reference_server", "harness.client")
SHELLS = ("reference_server.environment_asyncio", "harness.client.shell")
OUTSIDE_SHELLS = {
    "clock": ("time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.strftime"),
    "wall clock": (
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    ),
    "chance": ("secrets", "uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom"),
    "threads and executors": (
        "threading",
        "_thread",
        "multiprocessing",
        "concurrent.futures",
        "asyncio.to_thread",
        "anyio.to_thread",
    ),
}
EXECUTOR_METHODS = ("run_in_executor", "set_default_executor")


def is_pure(module: Module) -> bool:
    return within(module.name, *PURE) or PURE_CLIENT.match(module.name) is not None


def offences_against_purity(_: SourceTree, module: Module) -> Iterator[str]:
    if not is_pure(module):
        return
    for found in module.imports:
        if within(found.target, *IMPURE):
            yield f"{module.path}:{found.line}: {module.name} imports {found.target}; it comes in as input"


def offences_against_environment(_: SourceTree, module: Module) -> Iterator[str]:
    """Clocks, chance and threads come from `Environment` in the server and the client."""
    if not within(module.name, *CLOCKED) or within(module.name, *SHELLS):
        return
    reach = {name: kind for kind, names in OUTSIDE_SHELLS.items() for name in names}
    for line, used in _names_used(module):
        banned = next((name for name in reach if within(used, name)), None)
        if banned is not None:
            yield f"{module.path}:{line}: {module.name} uses {used}; {reach[banned]} come from Environment"
        elif used.rpartition(".")[2] in EXECUTOR_METHODS:
            yield f"{module.path}:{line}: {module.name} uses {used}; executors come from Environment"


def _names_used(module: Module) -> Iterator[tuple[int, str]]:
    """Give every import and every dotted use of an imported name, under the name it has at home."""
    homes = dict(_homes(module))
    for found in module.imports:
        yield found.line, found.target
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            first, *rest = ast.unparse(node).split(".")
            yield node.lineno, ".".join([homes.get(first, first), *rest])


def _homes(module: Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.asname, alias.name) for alias in node.names if alias.asname)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((alias.asname or alias.name, f"{node.module}.{alias.name}") for alias in node.names)


@pytest.fixture(scope="module")
def project() -> SourceTree:
    return SourceTree.read(PROJECT_ROOT)


def test_the_laws_look_at_server_and_harness(project: SourceTree) -> None:
    assert {"reference_server", "harness"} <= project.packages


@pytest.mark.parametrize("package", [*PURE, "harness.client.core"])
def test_every_pure_package_is_there_to_be_judged(project: SourceTree, package: str) -> None:
    assert [name for name in project.modules if name.startswith(package)], f"no module of {package} found"


def test_pure_packages_import_no_clock_chance_or_io(project: SourceTree) -> None:
    assert offences(project, offences_against_purity) == []


def test_only_environment_shells_reach_for_clock_chance_and_threads(project: SourceTree) -> None:
    assert offences(project, offences_against_environment) == []


@pytest.mark.parametrize("impure", IMPURE)
@pytest.mark.parametrize("package", ["reference_server.core", "harness.checkers.tests", "harness.client.core_rest"])
def test_an_impure_import_is_named(tmp_path: Path, package: str, impure: str) -> None:
    name = package if package.endswith("rest") else f"{package}.module"
    tree = written_tree(tmp_path, {name: f"'''Doc.'''\ndef late():\n    import {impure}\n"})

    (offence,) = offences(tree, offences_against_purity)
    assert offence.startswith(f"{name.replace('.', '/')}.py:3: ")


def test_a_shell_of_the_client_is_not_pure_and_may_import_asyncio(tmp_path: Path) -> None:
    tree = written_tree(tmp_path, {"harness.client.shell": "import asyncio, time\n"})

    assert offences(tree, offences_against_purity) == []


@pytest.mark.parametrize(
    "text",
    [
        "import time\nnow = time.time()",
        "from time import time_ns\nnow = time_ns()",
        "import time as clock\nnow = clock.time_ns()",
        "import datetime\nnow = datetime.datetime.now()",
        "from datetime import datetime\nnow = datetime.utcnow()",
        "from datetime import datetime as moment, UTC\nnow = moment.now(UTC)",
        "import secrets",
        "from uuid import uuid4",
        "import uuid\nname = uuid.uuid4()",
        "import os\nsalt = os.urandom(16)",
        "import threading",
        "from concurrent.futures import ThreadPoolExecutor",
        "import asyncio\nasync def hash():\n    await asyncio.to_thread(print)",
        "import asyncio\ndef hash():\n    return asyncio.get_running_loop().run_in_executor(None, print)",
    ],
)
def test_a_clock_chance_or_thread_outside_the_shells_is_named(tmp_path: Path, text: str) -> None:
    tree = written_tree(tmp_path, {"reference_server.driver": text, "harness.client.rest": text})

    found = offences(tree, offences_against_environment)
    assert {offence.split(":")[0] for offence in found} == {
        "reference_server/driver.py",
        "harness/client/rest.py",
    }


@pytest.mark.parametrize("name", ["reference_server.environment_asyncio", "harness.client.shell", "harness.run"])
def test_a_shell_may_reach_for_clock_and_threads(tmp_path: Path, name: str) -> None:
    tree = written_tree(tmp_path, {name: "import secrets, threading, time\nnow = time.time()\n"})

    assert offences(tree, offences_against_environment) == []


def test_a_date_made_from_an_input_is_no_offence(tmp_path: Path) -> None:
    text = "from datetime import UTC, datetime\nshown = datetime.fromtimestamp(0, UTC).isoformat()\n"
    tree = written_tree(tmp_path, {"reference_server.app": text})

    assert offences(tree, offences_against_environment) == []
