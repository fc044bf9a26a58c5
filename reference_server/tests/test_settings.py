"""Settings: command line over environment over file over default, one clear sentence for what can't be used."""

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from reference_server.settings.sources import read_settings
from reference_server.settings.table import SETTINGS
from reference_server.settings.values import FILE_BYTES_MAX, Settings, SettingsError


def refusal(arguments: list[str], environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        read_settings(arguments, environment)
    sentence = str(refused.value)
    assert len(sentence.splitlines()) == 1
    return sentence


def written(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def test_every_setting_has_a_default_and_a_row() -> None:
    assert read_settings([], {}) == Settings()
    assert [field.name for field in fields(Settings)] == [setting.name for setting in SETTINGS]


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "port = 1\nworkers = 1\nqueue_max = 1\n")
    environment = {"ZEROSTATE_PORT": "2", "ZEROSTATE_WORKERS": "2", "ZEROSTATE_SETTINGS": file}
    settings = read_settings(["--port", "3"], environment)

    assert (settings.port, settings.workers, settings.queue_max) == (3, 2, 1)
    assert settings.keep_alive == Settings().keep_alive


def test_a_file_on_the_command_line_is_read_in_place_of_the_environments(tmp_path: Path) -> None:
    file = written(tmp_path, "port = 1\n")

    assert read_settings([f"--settings={file}"], {"ZEROSTATE_SETTINGS": "nowhere.toml"}).port == 1


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read_settings([], {"ZEROSTATE_PORT": "", "ZEROSTATE_SETTINGS": ""}) == Settings()


def test_what_the_file_may_say(tmp_path: Path) -> None:
    lines = (
        'host = "::1"',
        'task_ms = "5:6"',
        "token_ttl = 3.5",
        "limits = false",
        'origins = ["https://a.example:443", "*"]',
        'proxies = "10.0.0.1, fd00::/8"',
        "retry_delays = [0, 0.5, 1]",
        'jwt_secret = "0123456789abcdef0123456789abcdef"',
    )
    settings = read_settings(["--settings", written(tmp_path, "\n".join(lines))], {})

    assert (settings.host, settings.task_ms, settings.token_ttl) == ("::1", (5, 6), 3.5)
    assert settings.limits == "off"
    assert settings.origins == ("https://a.example", "*")
    assert settings.proxies == (ip_network("10.0.0.1/32"), ip_network("fd00::/8"))
    assert settings.retry_delays == (0.0, 0.5, 1.0)
    assert settings.jwt_secret == "0123456789abcdef0123456789abcdef"


def test_how_often_and_how_dear_is_said_in_parts() -> None:
    settings = read_settings(["--handshake-rate", "5:2", "--password-cost", "64:1:2", "--account-rate", "7"], {})

    assert (settings.handshake_rate, settings.password_cost, settings.account_rate) == ((5, 2), (64, 1, 2), 7)
    assert (settings.address_rate, Settings().handshake_rate) == (100, (60, 10))
    assert Settings().password_cost == (19 * 1024, 2, 1)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("prot = 1", "settings.toml: the setting prot is unknown; did you mean port?"),
        ("settings = 'other.toml'", "the setting settings is unknown"),
        ("[network]\nport = 1", "the setting network is unknown"),
        ("port = '1'", "settings.toml: port: '1' can't be used; expected a port from 0"),
        ("port = true", "settings.toml: port: True can't be used"),
        ("port = 70000", "settings.toml: port: '70000' can't be used"),
        ("port = 1.5", "port: 1.5"),
        ("host = 1", "host: 1"),
        ("host = 'a\\nb'\n'", "is no TOML"),
        ('db = "a\\u0000b"', "settings.toml: db: 'a\\x00b' can't be used"),
        ("origins = [['https://a.example']]", "origins"),
        ("origins = ['https://a.example,https://b.example']", "origins"),
        ("limits = 'maybe'", "limits: 'maybe'"),
        ("admin_password = 'short'", "settings.toml: admin_password: its value can't be used"),
        ("admin_password = 12345678", "settings.toml: admin_password: its value can't be used"),
        ("port 1", "settings.toml is no TOML"),
        ("port = 1\nport = 2", "is no TOML"),
        ("#" * (FILE_BYTES_MAX + 1), "is over 65536 bytes"),
    ],
)
def test_what_a_file_cannot_say_is_named_with_its_place(tmp_path: Path, text: str, named: str) -> None:
    assert named in refusal(["--settings", written(tmp_path, text)], {})


@pytest.mark.parametrize("name", ["nowhere.toml", "."])
def test_a_file_that_cannot_be_read_is_named_with_who_named_it(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / name)

    assert refusal(["--settings", path], {}).startswith(f"--settings: can't read {Path(path)}: ")
    assert refusal([], {"ZEROSTATE_SETTINGS": path}).startswith(f"ZEROSTATE_SETTINGS: can't read {Path(path)}: ")


def test_a_secret_stands_in_no_file_that_others_may_read(tmp_path: Path) -> None:
    file = written(tmp_path, "admin_password = 'correct horse'\n")
    Path(file).chmod(0o640)

    sentence = refusal(["--settings", file], {})
    assert "admin_password is a secret and others may read this file; make it yours: chmod 600" in sentence
    assert "correct horse" not in sentence


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
        (["--address-rate", "0"], {}, "--address-rate: '0'"),
        (["--account-rate", "1000001"], {}, "--account-rate"),
        (["--handshake-rate", "60"], {}, "--handshake-rate"),
        (["--handshake-rate", "0:10"], {}, "--handshake-rate"),
        (["--password-cost", "7:1:1"], {}, "--password-cost: '7:1:1'"),
        (["--password-cost", "19456:2"], {}, "--password-cost"),
        (["--password-cost", "2000000:1:1"], {}, "--password-cost"),
        (["--session-cookie", "yes"], {}, "--session-cookie: 'yes' can't be used; expected on or off"),
        ([], {"ZEROSTATE_ADMIN_EMAIL": "bad"}, "ZEROSTATE_ADMIN_EMAIL: 'bad' can't be used; expected an e-mail"),
        ([], {"ZEROSTATE_ADMIN_EMAIL": "a" * 250 + "@b.example"}, "ZEROSTATE_ADMIN_EMAIL"),
        (["serve"], {}, "the argument serve is unknown; --help lists them"),
        (["--prot", "1"], {}, "the argument --prot is unknown; did you mean --port?"),
        (["--por=1"], {}, "the argument --por is unknown; did you mean --port?"),
        (["--port"], {}, "--port: expected one argument; see --help"),
        ([], {"ZEROSTATE_PROT": "1"}, "the environment's ZEROSTATE_PROT is unknown; did you mean ZEROSTATE_PORT?"),
        (["--accounts", "20001"], {}, "--accounts: '20001' can't be used; expected how many numbered accounts"),
        (["--accounts", "1", "--db", ":memory:"], {}, "name --accounts-file"),
        (["--admin-password", "hunter22"], {}, "--admin-password is no option"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_was_expected(
    arguments: list[str], environment: dict[str, str], named: str
) -> None:
    sentence = refusal(arguments, environment)

    assert named in sentence
    assert "hunter22" not in sentence


def test_the_longest_token_life_a_wildcard_and_networks_are_taken() -> None:
    settings = read_settings(
        ["--token-ttl", "315360000", "--origins", "*, http://[::1]:80", "--proxies", "10.0.0.1, fd00::/8"], {}
    )

    assert settings.token_ttl == 315_360_000
    assert settings.origins == ("*", "http://[::1]")
    assert settings.proxies == (ip_network("10.0.0.1/32"), ip_network("fd00::/8"))


@pytest.mark.parametrize("name", ["ZEROSTATE_JWT_SECRET", "ZEROSTATE_ADMIN_PASSWORD"])
def test_a_secret_never_stands_in_a_sentence(name: str) -> None:
    assert "short" not in refusal([], {name: "short"})


def test_the_help_tells_every_setting_with_its_default_and_its_other_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_settings(["--help"], {})
    told = " ".join(capsys.readouterr().out.split())

    assert ended.value.code == 0
    for setting in SETTINGS:
        assert setting.variable in told, setting
        assert setting.secret or f"[default: {setting.shown(getattr(Settings(), setting.name))}; env: " in told
        assert setting.secret or f"{setting.option} {'[X]' if setting.flag else 'X'} " in told
    assert "ZEROSTATE_SETTINGS" in told
