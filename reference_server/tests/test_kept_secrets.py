"""Secrets that nobody set: kept beside the database, and believed only while they are what was kept (contract §2)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reference_server.settings.secrets_file import admin_password, jwt_secret
from reference_server.settings.values import Settings, SettingsError
from reference_server.tests.test_process import refused

MADE = "made of 256 bits, as text, by the process"
Secret = Callable[[Settings, Callable[[], str]], str | None]
KEPT: list[tuple[Secret, str]] = [(jwt_secret, "z.db.secret"), (admin_password, "z.db.admin")]

both = pytest.mark.parametrize(("secret", "name"), KEPT, ids=[name for _, name in KEPT])


def settings(folder: Path) -> Settings:
    return Settings(db=str(folder / "z.db"))


def refusal(secret: Secret, path: Path, content: bytes, mode: int = 0o600) -> str:
    """Put a file where a secret is kept; return how it is refused. It is left as it was."""
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(SettingsError) as told:
        secret(settings(path.parent), lambda: MADE)
    assert path.read_bytes() == content
    return str(told.value)


@both
def test_what_was_made_is_found_again_in_a_private_file(tmp_path: Path, secret: Secret, name: str) -> None:
    assert secret(settings(tmp_path), lambda: MADE) == MADE
    assert secret(settings(tmp_path), lambda: "another one") == MADE
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


@both
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622])
def test_one_that_others_may_read_or_write_is_refused(tmp_path: Path, secret: Secret, name: str, mode: int) -> None:
    sentence = refusal(secret, tmp_path / name, MADE.encode(), mode)

    assert sentence.startswith(f"{tmp_path / name}: ")
    assert sentence.endswith("is a secret and others may read this file; make it yours: chmod 600")


@both
@pytest.mark.parametrize("content", [b"", b" \n", b"wee"])
def test_one_that_is_shorter_than_one_that_is_set_is_refused(
    tmp_path: Path, secret: Secret, name: str, content: bytes
) -> None:
    sentence = refusal(secret, tmp_path / name, content)

    assert sentence.startswith(f"{tmp_path / name}: its value can't be used; expected ")
    assert "wee" not in sentence


@both
def test_one_that_is_no_text_is_refused(tmp_path: Path, secret: Secret, name: str) -> None:
    assert "is no text; restore it, or remove it" in refusal(secret, tmp_path / name, MADE.encode() + b"\xff")


@pytest.mark.parametrize(
    ("content", "mode"),
    [(b"\xff" * 40, 0o600), (MADE.encode(), 0o644), (b"short", 0o600)],
    ids=["no text", "not private", "short"],
)
def test_a_process_does_not_start_with_one_and_says_so_in_one_line(tmp_path: Path, content: bytes, mode: int) -> None:
    kept = tmp_path / "z.db.secret"
    kept.write_bytes(content)
    kept.chmod(mode)

    assert str(kept) in refused("--port", "0", "--db", str(tmp_path / "z.db"))
