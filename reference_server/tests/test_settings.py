"""Settings: environment first, command line over it, one clear sentence for what can't be used."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from reference_server.settings import Settings, SettingsError, read_settings


def test_every_setting_has_a_default() -> None:
    assert read_settings([], {}) == Settings()


def test_the_command_line_wins_over_the_environment() -> None:
    environment = {
        "ZEROSTATE_PORT": "1",
        "ZEROSTATE_TASK_MS": "5:6",
        "ZEROSTATE_ORIGINS": "https://a.example:443, https://B",
    }
    settings = read_settings(["--port", "2", "--tap", "tap.jsonl", "--limits", "off"], environment)

    assert (settings.port, settings.task_ms, settings.limits) == (2, (5, 6), "off")
    assert settings.origins == ("https://a.example", "https://b")
    assert settings.tap == Path("tap.jsonl")


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (["--port", "-1"], {}, "--port: '-1'"),
        (["--workers", "0"], {}, "--workers: '0'"),
        (["--token-ttl", "nan"], {}, "--token-ttl: 'nan'"),
        (["--retry-delays", "1,x"], {}, "--retry-delays"),
        (["--retry-delays", "1,2"], {}, "--retry-delays"),
        ([], {"ZEROSTATE_SEED": "red"}, "ZEROSTATE_SEED: 'red'"),
        (["--sync", "never"], {}, "normal or full"),
        (
            ["--token-ttl", "99999999999"],
            {},
            "--token-ttl: '99999999999' can't be used; expected seconds, 1 to 315360000",
        ),
        (["--task-ms", "0:99999999999"], {}, "--task-ms"),
        (["--retry-delays", "1,2,1e300"], {}, "--retry-delays"),
        (["--keep-alive", "1e300"], {}, "--keep-alive"),
        (["--origins", "foo"], {}, "--origins: 'foo' can't be used; expected allowed origins"),
        (["--origins", "https://a.example/"], {}, "--origins"),
        (["--origins", "https://a.example:70000"], {}, "--origins"),
        (["--proxies", "zz"], {}, "--proxies: 'zz'"),
        (["--proxies", "10.0.0.1/8"], {}, "--proxies"),
        ([], {"ZEROSTATE_ADMIN_EMAIL": "bad"}, "ZEROSTATE_ADMIN_EMAIL: its value can't be used; expected an e-mail"),
        ([], {"ZEROSTATE_ADMIN_EMAIL": "a" * 250 + "@b.example"}, "ZEROSTATE_ADMIN_EMAIL"),
        (["serve"], {}, "serve"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_was_expected(
    arguments: list[str], environment: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(arguments, environment)

    assert named in str(refused.value)


def test_the_longest_token_life_a_wildcard_and_networks_are_taken() -> None:
    settings = read_settings(
        ["--token-ttl", "315360000", "--origins", "*, http://[::1]:80", "--proxies", "10.0.0.1, fd00::/8"], {}
    )

    assert settings.token_ttl == 315_360_000
    assert settings.origins == ("*", "http://[::1]")
    assert settings.proxies == (ip_network("10.0.0.1/32"), ip_network("fd00::/8"))


@pytest.mark.parametrize("name", ["ZEROSTATE_JWT_SECRET", "ZEROSTATE_ADMIN_PASSWORD"])
def test_a_secret_never_stands_in_a_sentence(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings([], {name: "short"})

    assert "short" not in str(refused.value)
