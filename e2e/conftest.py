"""What every browser test is lent: a target, a browser, people, and visits whose pages are recorded.

A test that fails, or can't be done here, leaves a `note` with its clauses and the reason: to those who judge it was
not exercised. Without `--run-record` the history is judged at the end, and a violation fails the session.
"""

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser

from e2e import options
from e2e.chromium import chromium
from e2e.judging import judged_lines
from e2e.own_server import OwnServer
from e2e.people import Guest, Reception, reception
from e2e.runs import Run
from e2e.visits import Lobby, Visit
from harness.targets.profiles import is_loopback

RUN = pytest.StashKey[Run]()
FAILED = pytest.StashKey[bool]()
NAMES = pytest.StashKey[list[str]]()
SEED_BITS = 32


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives Chromium")
    config.addinivalue_line("markers", "slow: takes more than a few seconds")
    config.addinivalue_line("markers", "clauses(*ids): what the contract's clauses are judged from this test's record")
    given = config.getoption(options.RUN_RECORD)
    seed = config.getoption(options.RUN_SEED)
    folder = Path(given) if given else Path(tempfile.mkdtemp(prefix="zsh-e2e-"))
    config.stash[RUN] = Run(folder, secrets.randbits(SEED_BITS) if seed is None else seed, is_judged=not given)


def pytest_report_header(config: pytest.Config) -> str:
    run = config.stash[RUN]
    return f"e2e: seed {run.seed}, record {run.folder}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    run = config.stash[RUN]
    config.stash[NAMES] = sorted(
        {f"{item.path.stem}_{item.originalname}" for item in items if hasattr(item, "originalname")}
    )
    outside = [item for item in items if is_browser_test(item) and not run.exercises(clauses_of(item))]
    if outside:
        config.hook.pytest_deselected(items=outside)
        items[:] = [item for item in items if item not in outside]
    # The long visit is opened first and read last, so that its 25 s pass while others work.
    items.sort(key=reads_long_visit)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell `harness e2e`, which asks before it opens anything, what the chosen tests exercise."""
    path = session.config.getoption(options.TELL_CHOICE)
    if path:
        chosen = sorted({clause for item in session.items for clause in clauses_of(item)})
        told = {"clauses": chosen, "names": session.config.stash[NAMES]}
        Path(path).write_bytes(msgspec.json.encode(told))


def is_browser_test(item: pytest.Item) -> bool:
    return item.path.is_relative_to(Path(__file__).parent)


def reads_long_visit(item: pytest.Item) -> bool:
    return "long_visit" in getattr(item, "fixturenames", ())


def clauses_of(item: pytest.Item) -> list[str]:
    return [str(clause) for marker in item.iter_markers("clauses") for clause in marker.args]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: Any = yield
    if report.failed or report.skipped:
        item.stash[FAILED] = report.failed
        why = str(call.excinfo.value).splitlines() if call.excinfo is not None else []
        item.config.stash[RUN].note(clauses_of(item), item.name, "skipped" if report.skipped else "failed", why)
    return report  # type: ignore[no-any-return]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    run = config.stash[RUN]
    for line in run.verdict_lines:
        terminalreporter.write_line(line)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    run = session.config.stash[RUN]
    run.close()
    if run.is_judged and run.has_history:
        run.verdict_lines, violated = judged_lines(run)
        if violated and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


# --- of the session


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest) -> Run:
    """The run that everything is recorded in."""
    return request.config.stash[RUN]


@pytest.fixture(scope="session")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:  # type: ignore[override,unused-ignore]
    """The browser of the session; each visit has a context of its own in it."""
    with chromium(headed=bool(request.config.getoption(options.HEADED, default=False))) as lent:
        yield lent


@pytest.fixture(scope="session")
def target_url(request: pytest.FixtureRequest, run: Run) -> Iterator[str]:
    """Where the pages are: as given, else a reference server of our own."""
    given = request.config.getoption(options.TARGET_URL)
    if given:
        # Every test makes accounts; a target that is not on loopback must have granted that (contract §10).
        if not is_loopback(given) and not request.config.getoption(options.ALLOW_ACCOUNTS):
            pytest.skip(f"not allowed: accounts; {options.ALLOW_ACCOUNTS} says that the target grants them")
        yield str(given).rstrip("/")
        return
    server = OwnServer(run.recorder("browser"))
    server.start()
    yield server.url
    server.end()


@pytest.fixture(scope="session")
def long_visit(request: pytest.FixtureRequest, browser: Browser, target_url: str, run: Run) -> Iterator[Visit]:
    """A dashboard that stays open from the first test to the last."""
    with reception(target_url, run.recorder("browser"), run.seed, run.tag) as desk:
        lobby = Lobby(browser, target_url, run.sink, run.numbers)
        visit = lobby.enter(desk.register("long"), traced=False)
        visit.goto("/dashboard.html")
        yield visit
        lobby.close()


@pytest.fixture(scope="session")
def first_opened(request: pytest.FixtureRequest) -> None:
    """Opens the long visit before the first test when a test of this session will read it."""
    if any(reads_long_visit(item) for item in request.session.items):
        request.getfixturevalue("long_visit")


# --- of one test


@pytest.fixture
def desk(first_opened: None, target_url: str, run: Run, request: pytest.FixtureRequest) -> Iterator[Reception]:
    """Makes accounts on the target."""
    with reception(target_url, run.recorder("browser"), run.seed, run.next_tag()) as lent:
        yield lent


@pytest.fixture
def guest(desk: Reception) -> Guest:
    """Somebody with an account."""
    return desk.register("ada")


@pytest.fixture
def lobby(
    desk: Reception, browser: Browser, target_url: str, run: Run, request: pytest.FixtureRequest
) -> Iterator[Lobby]:
    """Opens recorded pages on the target."""
    lent = Lobby(browser, target_url, run.sink, run.numbers)
    yield lent
    if request.node.stash.get(FAILED, False):
        desk.revoke()
        lent.close(run.browser_folder)
    else:
        lent.close()


@pytest.fixture
def own_server(request: pytest.FixtureRequest, run: Run, first_opened: None) -> Iterator[OwnServer]:
    """A server of our own that may be killed; nothing of the kind is done to a foreign target."""
    if request.config.getoption(options.TARGET_URL) and not request.config.getoption(options.TARGET_LOCAL):
        pytest.skip("needs a server that may be killed and started again; this target is not ours")
    server = OwnServer(run.recorder("browser-own"))
    server.start()
    yield server
    server.end()


@pytest.fixture
def own_desk(own_server: OwnServer, run: Run) -> Iterator[Reception]:
    """Makes accounts on the server that may be killed."""
    with reception(own_server.url, run.recorder("browser-own"), run.seed, run.next_tag()) as lent:
        yield lent


@pytest.fixture
def own_lobby(
    own_server: OwnServer, own_desk: Reception, browser: Browser, run: Run, request: pytest.FixtureRequest
) -> Iterator[Lobby]:
    """Opens recorded pages on the server that may be killed."""
    lent = Lobby(browser, own_server.url, run.sink, run.numbers)
    yield lent
    # Its database ends with it, so there is nothing to revoke.
    lent.close(run.browser_folder if request.node.stash.get(FAILED, False) else None)
