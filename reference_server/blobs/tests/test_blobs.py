"""What every blob store keeps, and what each refuses in words; S3 is a peer on loopback that speaks it."""

import builtins
import itertools
import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from reference_server.blobs import (
    BlobError,
    BlobMissingError,
    BlobReader,
    Blobs,
    FolderBlobs,
    MemoryBlobs,
    S3Blobs,
    StagedBlob,
)

CONTENT = bytes(range(256)) * 40
LARGE = b"0123456789abcdef" * 65_536 * 6
"""6 MiB: more than one part of a multipart upload."""
IDENTITY = "0123456789abcdef" * 2
BUCKETS = itertools.count(1)
NOT_NAMES = ["", ".", "..", "a/b", "../a", "a.part", "ä", "a\0", "x" * 129]


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "an id for tests")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "a key for tests")
        patch.setenv("AWS_REGION", "us-east-1")
        peer = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        peer.start()
        host, port = peer.get_host_and_port()
        try:
            yield f"http://{host}:{port}"
        finally:
            peer.stop()


@pytest.fixture(params=["memory", "folder", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "memory":
        return MemoryBlobs()
    if request.param == "folder":
        return FolderBlobs(tmp_path / "blobs")
    url: str = request.getfixturevalue("s3_url")
    bucket = f"bucket-{next(BUCKETS)}"
    assert httpx.put(f"{url}/{bucket}").is_success
    return S3Blobs(bucket, "zerostate/blobs", url)


def keep(blobs: Blobs, name: str, content: bytes = CONTENT, chunk_bytes: int = 1000) -> None:
    staged = blobs.stage(name)
    for start in range(0, len(content), chunk_bytes):
        staged.write(content[start : start + chunk_bytes])
    staged.keep()


def fill(staged: StagedBlob) -> None:
    """Write until a part is full, which sends it, and on."""
    for _ in range(7):
        staged.write(LARGE[: 1024 * 1024])


def content_of(reader: BlobReader, bytes_max: int = 4096) -> bytes:
    read = b""
    while chunk := reader.read(bytes_max):
        assert len(chunk) <= bytes_max
        read += chunk
    reader.close()
    return read


@pytest.mark.parametrize("content", [b"", b"x", CONTENT, LARGE], ids=["empty", "one byte", "small", "large"])
def test_a_kept_blob_reads_back_byte_by_byte(blobs: Blobs, content: bytes) -> None:
    keep(blobs, "a-blob_1", content, 65_536)
    reader = blobs.open("a-blob_1")

    assert reader.size == len(content)
    assert content_of(reader, 65_536) == content
    assert list(blobs.names()) == ["a-blob_1"]


def test_a_staged_blob_can_neither_be_read_nor_found(blobs: Blobs) -> None:
    staged = blobs.stage("a")
    staged.write(CONTENT)

    assert list(blobs.names()) == []
    with pytest.raises(BlobError):
        blobs.open("a")
    staged.discard()


@pytest.mark.parametrize("content", [b"", CONTENT, LARGE], ids=["empty", "small", "large"])
def test_a_discarded_blob_leaves_nothing_however_often(blobs: Blobs, content: bytes) -> None:
    staged = blobs.stage("a")
    staged.write(content)
    staged.discard()
    staged.discard()

    assert list(blobs.names()) == []


def test_a_kept_blob_can_no_longer_be_discarded(blobs: Blobs) -> None:
    staged = blobs.stage("a")
    staged.write(CONTENT)
    staged.keep()
    staged.discard()

    assert content_of(blobs.open("a")) == CONTENT


def test_a_deleted_blob_is_gone_and_others_stay(blobs: Blobs) -> None:
    for name in ("a", "b"):
        keep(blobs, name)
    blobs.delete("a")
    blobs.delete("a")

    assert list(blobs.names()) == ["b"]
    with pytest.raises(BlobMissingError):
        blobs.open("a")


def test_an_open_blob_reads_to_its_end_when_it_is_deleted_meanwhile(blobs: Blobs) -> None:
    keep(blobs, "a")
    reader = blobs.open("a")
    first = reader.read(10)
    blobs.delete("a")

    assert first + content_of(reader) == CONTENT


def test_a_check_leaves_nothing(blobs: Blobs) -> None:
    blobs.check()

    assert list(blobs.names()) == []


def test_a_sweep_takes_what_is_kept_for_kept(blobs: Blobs) -> None:
    keep(blobs, "a")
    blobs.sweep()

    assert list(blobs.names()) == ["a"]


def test_whose_blobs_they_are_is_said_once_and_is_no_blob(blobs: Blobs) -> None:
    assert blobs.owner() is None
    blobs.own(IDENTITY)
    blobs.own("f" * 32)
    blobs.sweep()

    assert blobs.owner() == IDENTITY
    assert list(blobs.names()) == []


@pytest.mark.parametrize("name", NOT_NAMES)
@pytest.mark.parametrize("act", ["stage", "open", "delete"])
def test_a_name_that_means_something_to_a_path_is_refused(blobs: Blobs, act: str, name: str) -> None:
    with pytest.raises(BlobError):
        getattr(blobs, act)(name)


# the folder


def test_a_folder_is_its_owners_alone(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "blobs")
    blobs.own(IDENTITY)
    keep(blobs, "a")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}

    assert modes == {"blobs": 0o700, "staged": 0o700, "kept": 0o700, "owner": 0o600, "a": 0o600}


@pytest.mark.parametrize("mark", [b"", b"0123", IDENTITY.encode() + b"0", b"\xff" * 32])
def test_a_folder_whose_mark_says_nothing_is_refused_in_words(tmp_path: Path, mark: bytes) -> None:
    (tmp_path / "owner").write_bytes(mark)

    with pytest.raises(BlobError, match=r"/owner does not say whose blobs those are; restore it, or remove it"):
        FolderBlobs(tmp_path).owner()


def test_a_folder_is_swept_of_what_a_crash_left_and_of_nothing_else(tmp_path: Path) -> None:
    FolderBlobs(tmp_path)
    (tmp_path / "staged" / "a").write_bytes(CONTENT)
    (tmp_path / "a letter.txt").write_text("not ours")
    FolderBlobs(tmp_path).sweep()

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a letter.txt", "kept", "staged"]


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file")

    with pytest.raises(BlobError, match=r"can't be made .*--blobs"):
        FolderBlobs(tmp_path / "blobs")


@pytest.mark.parametrize("fails", ["write", "fsync", "rename"])
def test_a_full_disk_leaves_nothing_and_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    staged = FolderBlobs(tmp_path).stage("a")
    staged.write(CONTENT)
    act: Callable[[], object] = staged.keep
    if fails == "write":
        staged._close()
        monkeypatch.setattr(staged, "_file", type("Full", (), {"write": full, "close": full})())
        act = partial(staged.write, CONTENT)
    elif fails == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(Path, "rename", full)

    with pytest.raises(BlobError, match="no space left on device"):
        act()
    staged.discard()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_full_disk_leaves_no_half_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    blobs = FolderBlobs(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(BlobError, match="no space left on device"):
            blobs.own(IDENTITY)
    assert blobs.owner() is None

    blobs.own(IDENTITY)
    assert blobs.owner() == IDENTITY


def test_a_folder_that_can_no_longer_be_written_fails_its_check(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    (tmp_path / "staged").rmdir()

    with pytest.raises(BlobError, match="can't be written"):
        blobs.check()


def test_a_folder_that_gives_back_other_bytes_than_were_written_fails_its_check(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    # What is written there is gone.
    (tmp_path / "staged" / "check").symlink_to(os.devnull)

    with pytest.raises(BlobError, match="gives back other bytes than were written"):
        blobs.check()
    blobs.check()


# S3


class Amnesia:
    """The library of a peer that takes everything and remembers something else."""

    def __init__(self, library: Any) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def get(self, *asked: Any) -> "Amnesia":
        self._library.get(*asked)
        return self

    def bytes(self) -> bytes:
        return b"something else"


def test_a_bucket_that_gives_back_other_bytes_than_were_written_fails_its_check(
    s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert httpx.put(f"{s3_url}/forgetful").is_success
    blobs = S3Blobs("forgetful", "", s3_url)
    blobs.check()
    monkeypatch.setattr(blobs, "_obstore", Amnesia(blobs._obstore))

    with pytest.raises(BlobError, match="gives back other bytes than were written"):
        blobs.check()


def test_s3_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("obstore"):
            raise ImportError(name)
        return imported(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BlobError, match=r"zerostate-harness\[s3\]"):
        S3Blobs("bucket")


def _keep_large(blobs: Blobs) -> None:
    keep(blobs, "a", LARGE, 1024 * 1024)


ACTS: list[Callable[[Blobs], object]] = [
    lambda blobs: keep(blobs, "a"),
    _keep_large,
    lambda blobs: blobs.open("a"),
    lambda blobs: blobs.delete("a"),
    lambda blobs: blobs.names(),
    lambda blobs: blobs.check(),
    lambda blobs: blobs.owner(),
    lambda blobs: blobs.own(IDENTITY),
]


@pytest.mark.parametrize("act", ACTS, ids=["keep", "keep_large", "open", "delete", "names", "check", "owner", "own"])
def test_an_s3_peer_that_does_not_answer_is_said_in_words(s3_url: str, act: Callable[[Blobs], object]) -> None:
    with pytest.raises(BlobError, match="s3://bucket/p can't be used now; check AWS_ENDPOINT_URL"):
        act(S3Blobs("bucket", "p", "http://127.0.0.1:9"))


def test_a_bucket_that_does_not_exist_is_said_in_words(s3_url: str) -> None:
    with pytest.raises(BlobError, match="no such bucket"):
        S3Blobs("no-bucket-of-this-name", "", s3_url).check()


def test_a_blob_that_could_not_be_sent_is_left_alone(s3_url: str) -> None:
    staged = S3Blobs("bucket", "p", "http://127.0.0.1:9").stage("a")
    with pytest.raises(BlobError, match="can't be used now"):
        fill(staged)
    with pytest.raises(BlobError, match="begin another"):
        staged.keep()
    staged.discard()
