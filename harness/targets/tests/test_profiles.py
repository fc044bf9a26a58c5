"""A profile says how a target differs; what it says is understood whole or refused in one sentence."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from harness.targets.profiles import (
    BUILT,
    EXAMPLE,
    UNBUILT,
    Profile,
    ProfileError,
    is_loopback,
    password_of,
    read_profile,
    read_target,
)
from harness.verify.plan import plan_of

AWAY = "https://staging.example.org"


def profile(**fields: Any) -> Profile:
    return read_profile({"api": AWAY, **fields}, "staging.toml")


def test_the_example_is_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGING_ADMIN_PASSWORD", "long enough 1")
    example = read_profile(tomllib.loads(EXAMPLE), "example.toml")

    assert "admin" in example.capabilities().needs
    assert "deployments" not in example.capabilities().needs


def test_a_url_away_from_loopback_allows_tasks_and_eight_connections() -> None:
    able = read_target(AWAY).capabilities()

    assert able.grants == {"tasks", "connections"}
    assert able.connections_max == 8
    assert "admin" not in able.needs


def test_a_url_on_loopback_allows_all_but_faults() -> None:
    able = read_target("http://127.0.0.1:8080").capabilities()

    assert {"accounts", "flood", "publish"} <= able.grants
    assert "faults" not in able.grants


def test_the_socket_stands_beside_the_api_unless_said_otherwise() -> None:
    assert read_target(AWAY).socket_url == "wss://staging.example.org/api/v1/ws/connect"
    assert profile(socket="wss://live.example.org/ws").socket_url == "wss://live.example.org/ws"


def test_a_profile_grants_lacks_and_lends() -> None:
    lent = {"email": "a@example.org", "password": "long enough 1"}
    able = profile(allow=["accounts", "tasks", "connections:20"], lacks=["browser"], has=["steer"], admin=lent)

    assert able.capabilities().grants == {"accounts", "tasks", "connections"}
    assert able.capabilities().connections_max == 20
    assert able.capabilities().needs == {"admin", "steer", *BUILT}


def test_what_is_not_built_is_had_by_nobody_unless_said_and_a_part_can_be_lacking() -> None:
    assert not UNBUILT & read_target(AWAY).capabilities().needs
    assert profile(has=["bus"]).capabilities().needs >= {"bus"}
    assert profile(has=["bus"], lacks=["bus"]).capabilities().needs == read_target(AWAY).capabilities().needs


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"acounts": []}, "the key 'acounts' is not understood; did you mean 'accounts'?"),
        ({"auth": "magic"}, "auth 'magic' is not understood; expected header, subprotocol"),
        ({"auth": "query:"}, "auth 'query:' is not understood"),
        ({"allow": ["everything"]}, "allow 'everything' is no grant; expected accounts"),
        ({"allow": ["connections:many"]}, "allow 'connections:many' is no grant"),
        ({"lacks": ["hope"]}, "lacks 'hope' is unknown"),
        ({"rate_limit": 0.0}, "rate_limit 0.0 must be over 0"),
        ({"rate_limit": "slow"}, "rate_limit"),
        ({"ca": "none.pem"}, "ca 'none.pem' is no file"),
        ({"socket": "https://x"}, "expected ws or wss://host"),
        ({"api": "https://user:word@host"}, "must not carry credentials"),
        ({"known": [{"clause": "RT-NONE-1", "reason": "r", "until": "2030-01-01"}]}, "'RT-NONE-1' does not exist"),
        ({"accounts": [{"email": "a@b"}]}, "password"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError) as refused:
        profile(**fields)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_toml_file_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    good, broken = tmp_path / "good.toml", tmp_path / "broken.toml"
    good.write_text(
        f'api = "{AWAY}"\nauth = "query:token"\nknown = [{{clause = "PERF-P1", reason = "r", until = 2030-01-01}}]\n'
    )
    broken.write_text("api = \n")

    assert read_target(str(good)).auth == "query:token"
    assert read_target(str(good)).known[0].clause == "PERF-P1"
    with pytest.raises(ProfileError, match="no TOML"):
        read_target(str(broken))


def test_a_password_may_stand_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    (account,) = profile(accounts=[{"email": "a@example.org", "password": "env:ZSH_TEST_WORD"}]).accounts
    monkeypatch.delenv("ZSH_TEST_WORD", raising=False)
    with pytest.raises(ProfileError, match="which is not set"):
        password_of(account)

    monkeypatch.setenv("ZSH_TEST_WORD", "from outside 1")
    assert password_of(account) == "from outside 1"


def test_the_plan_says_what_will_be_done_before_it_is() -> None:
    told = " / ".join(plan_of(profile(allow=["accounts", "tasks", "flood"], rate_limit=5.0)))

    for words in ("registers accounts", "can't be removed", "submits tasks", "floods limits", "5 calls a second"):
        assert words in told


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:0", "http://a:b", "http://[::1"])
def test_a_url_whose_port_or_host_is_none_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(ProfileError, match="is no URL") as refused:
        read_target(url)

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [("http://localhost:1", True), ("http://127.9.9.9", True), ("http://[::1]:8", True), ("http://10.0.0.1", False)],
)
def test_loopback_is_this_machine(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback
