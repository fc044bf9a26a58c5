"""A correct server that is given by its URL, with the limits of the contract, is accused of nothing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from harness.records import read_record
from harness.targets.local import FAST_TASKS, ServerProcess
from harness.verdicts import Status
from harness.verify.options import checked_options
from harness.verify.run import verify

RATES = {"SEC-RATE-1", "SEC-RATE-2"}


@pytest.fixture
def honest() -> Iterator[str]:
    with ServerProcess(options=FAST_TASKS) as server:
        yield server.url


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_honest_server_given_by_its_url_is_accused_of_nothing(tmp_path: Path, honest: str) -> None:
    options = checked_options(
        target=honest, only="rest,security,socket,scenario", seed=5, out=str(tmp_path), quiet=True
    )
    verify(options)

    results = read_record((tmp_path / "latest").resolve()).verdicts().results
    assert [(result.id, result.why) for result in results if result.status is Status.VIOLATED] == []
    told = {result.id: (result.status, result.why) for result in results if result.id in RATES}
    assert {status for status, _ in told.values()} <= {Status.HOLDS, Status.UNKNOWN}
    assert all("too slow to exceed" in why for status, why in told.values() if status is Status.UNKNOWN), told


def lent_accounts(url: str, count: int) -> list[dict[str, str]]:
    accounts = [{"email": f"zsh-lent-{n}@example.com", "password": f"long enough {n}"} for n in range(count)]
    for account in accounts:
        given = httpx.post(f"{url}/api/v1/users/register", json={**account, "full_name": "Lent"}, trust_env=False)
        assert given.status_code == 201
    return accounts


def profile_file(folder: Path, url: str, accounts: list[dict[str, str]]) -> str:
    """Write the profile of a target that allows what one away from here allows by default."""
    tables = [f'[[accounts]]\nemail = "{a["email"]}"\npassword = "{a["password"]}"\n' for a in accounts]
    path = folder / "profile.toml"
    path.write_text(f'api = "{url}"\nallow = ["tasks", "connections:8"]\n' + "\n".join(tables), encoding="utf-8")
    return str(path)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_target_that_allows_only_the_default_can_end_well(tmp_path: Path, honest: str) -> None:
    target = profile_file(tmp_path, honest, lent_accounts(honest, 2))
    options = checked_options(
        target=target, only="rest,security,socket,scenario", seed=5, out=str(tmp_path), quiet=True
    )
    code = verify(options)

    results = read_record((tmp_path / "latest").resolve()).verdicts().results
    unsettled = (Status.VIOLATED, Status.UNKNOWN)
    assert [(result.id, result.why) for result in results if result.status in unsettled] == []
    assert code == 0
    unsupported = {result.id: result.why for result in results if result.status is Status.UNSUPPORTED}
    assert unsupported["SEC-RATE-1"] == "not allowed: accounts"
    assert unsupported["SEC-SOCKETS-1"].startswith("not allowed")
    assert sum(result.status is Status.HOLDS for result in results) > 30
