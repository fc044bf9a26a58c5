"""Settings: environment first, command line over it, one clear sentence for what can't be used."""

from pathlib import Path

import pytest

from reference_server.settings import Settings, SettingsError, read_settings


def test_every_setting_has_a_default() -> None:
    assert read_settings([], {}) == Settings()


def test_the_command_line_wins_over_the_environment() -> None:
    environment = {
        "ZEROSTATE_PORT": "1",
        "ZEROSTATE_TASK_MS": "5:6",
        "ZEROSTATE_ORIGINS": "https://a.example, https://b",
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
        (["serve"], {}, "serve"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_was_expected(
    arguments: list[str], environment: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(arguments, environment)

    assert named in str(refused.value)


@pytest.mark.parametrize("name", ["ZEROSTATE_JWT_SECRET", "ZEROSTATE_ADMIN_PASSWORD"])
def test_a_secret_never_stands_in_a_sentence(name: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings([], {name: "short"})

    assert "short" not in str(refused.value)
