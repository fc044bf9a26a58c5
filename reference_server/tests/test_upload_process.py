"""Files against a real process: every refusal in its order, cut connections, full disks, `Expect` (contract §§1-3)."""

import json
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reference_server.contract import limits
from reference_server.tests.forms import END, GIF, PNG, SVG, TYPE, form, part
from reference_server.tests.process import ServerProcess, read_to_end, wait_until
from reference_server.tests.test_process import refused

AVATAR = "/users/me/avatar"
FORM = {"Content-Type": TYPE}
TEXT = {"Content-Type": "text/plain"}
PICTURE = form(("avatar", PNG))
MIB = 1024 * 1024
OVER = b"x" * (limits.AVATAR_BYTES_MAX + limits.FORM_OVERHEAD_BYTES_MAX + 1)


class Files:
    """A server with its database and blobs below a folder."""

    def __init__(self, folder: Path) -> None:
        self.db = folder / "zerostate.db"
        self.blobs = folder / "zerostate.db.blobs"

    def start(self) -> ServerProcess:
        return ServerProcess("--db", str(self.db), "--limits", "off")

    def kept(self) -> set[str]:
        return {path.name for path in (self.blobs / "kept").iterdir()}

    def staged(self) -> set[str]:
        return {path.name for path in (self.blobs / "staged").iterdir()}

    def wait_nothing_but(self, kept: set[str]) -> None:
        wait_until(lambda: (self.kept(), self.staged()) == (kept, set()), f"{self.kept()} and {self.staged()} left")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def server(files: Files) -> Iterator[ServerProcess]:
    with files.start() as running:
        yield running


@pytest.fixture(scope="module")
def token(server: ServerProcess) -> str:
    return server.register()


def avatar_of(server: ServerProcess, token: str) -> str:
    url: str = server.call("GET", "/users/me", token).json()["avatar_url"]
    return url


@pytest.mark.parametrize(
    ("method", "signed_in", "named", "status", "field"),
    [
        ("PUT", False, {"content": OVER, "headers": TEXT}, 405, None),
        ("POST", False, {"content": OVER, "headers": TEXT}, 401, None),
        ("POST", True, {"content": OVER, "headers": TEXT}, 413, None),
        ("POST", True, {"content": iter([OVER]), "headers": TEXT}, 413, None),
        ("POST", True, {"content": iter([OVER]), "headers": FORM}, 413, None),
        ("POST", True, {"content": form(("avatar", PNG + b"x" * limits.AVATAR_BYTES_MAX)), "headers": FORM}, 413, None),
        ("POST", True, {"content": PICTURE, "headers": TEXT}, 415, None),
        ("POST", True, {"content": iter([PICTURE]), "headers": TEXT}, 415, None),
        ("POST", True, {"content": PICTURE}, 415, None),
        ("POST", True, {}, 415, None),
        ("POST", True, {"json": {"avatar": "x"}}, 415, None),
        ("POST", True, {"content": PICTURE, "headers": {"Content-Type": "multipart/form-data"}}, 400, "Content-Type"),
        ("POST", True, {"content": b"", "headers": FORM}, 400, "body"),
        ("POST", True, {"content": b"no form", "headers": FORM}, 400, "body"),
        ("POST", True, {"content": PICTURE[: -len(END)], "headers": FORM}, 400, "body"),
        ("POST", True, {"content": form(), "headers": FORM}, 400, "avatar"),
        ("POST", True, {"content": form(("avatar", b"")), "headers": FORM}, 400, "avatar"),
        ("POST", True, {"content": form(("avatar", SVG)), "headers": FORM}, 400, "avatar"),
        ("POST", True, {"content": part("avatar", PNG) + PICTURE, "headers": FORM}, 400, "avatar"),
    ],
)
def test_the_first_error_that_applies_is_answered_and_nothing_is_left(
    server: ServerProcess,
    files: Files,
    token: str,
    method: str,
    signed_in: bool,
    named: dict[str, Any],
    status: int,
    field: str | None,
) -> None:
    before = files.kept()
    answer = server.call(method, AVATAR, token if signed_in else None, **named)

    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert [fault["field"] for fault in answer.json().get("details", [])] == ([] if field is None else [field])
    files.wait_nothing_but(before)


def test_a_picture_is_served_from_its_url_alone_and_replaced_by_the_next(server: ServerProcess, files: Files) -> None:
    token = server.register("pictures@example.org")
    before = files.kept()
    assert avatar_of(server, token) is None
    answer = server.call("POST", AVATAR, token, files={"avatar": ("me.exe", PNG, "text/html")})
    url = answer.json()["avatar_url"]
    picture = server.http.get(url)

    assert (answer.status_code, url) == (200, avatar_of(server, token))
    assert (picture.status_code, picture.content) == (200, PNG)
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.headers["Content-Length"] == str(len(PNG))
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    assert picture.headers["Content-Security-Policy"] == "sandbox"
    assert len(url.rpartition("/")[2]) >= 43
    assert server.http.head(url).status_code == 405

    assert server.call("POST", AVATAR, token, files={"avatar": GIF}).status_code == 200
    assert server.http.get(url).status_code == 404
    assert server.http.get(avatar_of(server, token)).headers["Content-Type"] == "image/gif"
    files.wait_nothing_but(before | {avatar_of(server, token).rpartition("/")[2]})


def test_a_large_picture_comes_back_byte_by_byte(server: ServerProcess, token: str) -> None:
    content = PNG + bytes(range(256)) * ((limits.AVATAR_BYTES_MAX - len(PNG)) // 256)
    answer = server.call("POST", AVATAR, token, content=iter([form(("avatar", content))]), headers=FORM)

    assert answer.status_code == 200, answer.text
    assert server.http.get(answer.json()["avatar_url"]).content == content


def request(token: str | None, length: int, *more: str, media: str = TYPE) -> bytes:
    lines = [f"POST /api/v1{AVATAR} HTTP/1.1", "Host: x", f"Content-Type: {media}", f"Content-Length: {length}", *more]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_an_upload_that_is_cut_off_leaves_nothing_and_a_hundred_take_no_place(
    server: ServerProcess, files: Files, token: str
) -> None:
    before = files.kept()
    for _ in range(limits.UPLOADS_PER_ACCOUNT_MAX * 3):
        with server.raw() as opened:
            opened.sendall(request(token, 2 * MIB) + part("avatar", PNG + b"x" * 200_000)[:-2])
            wait_until(lambda: bool(files.staged()), "the upload never began")
        wait_until(lambda: not files.staged(), "something is left of the upload")

    assert files.kept() == before
    assert server.call("POST", AVATAR, token, files={"avatar": PNG}).status_code == 200


def test_a_sender_that_waits_for_100_gets_it_and_then_the_answer(server: ServerProcess, token: str) -> None:
    with server.raw() as opened:
        opened.sendall(request(token, len(PICTURE), "Expect: 100-continue", "Connection: close"))
        assert opened.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        opened.sendall(PICTURE)

        assert read_to_end(opened).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("signed_in", "length", "media", "status"),
    [(False, 100, TYPE, 401), (True, 10**9, TYPE, 413), (True, 100, "text/plain", 415)],
)
def test_a_sender_that_waits_for_100_is_refused_without_it_and_the_connection_ends(
    server: ServerProcess, token: str, signed_in: bool, length: int, media: str, status: int
) -> None:
    with server.raw() as opened:
        opened.sendall(request(token if signed_in else None, length, "Expect: 100-continue", media=media))
        head, _, body = read_to_end(opened).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in head.lower()
    assert set(json.loads(body)) >= {"error", "message"}


def test_a_peer_of_http_1_0_gets_no_100(server: ServerProcess, token: str) -> None:
    with server.raw() as opened:
        sent = request(token, len(PICTURE), "Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")
        opened.sendall(sent + PICTURE)

        assert read_to_end(opened).startswith(b"HTTP/1.1 200 ")


def test_a_reader_that_goes_away_gives_its_place_back(server: ServerProcess, token: str) -> None:
    content = PNG + b"x" * (limits.AVATAR_BYTES_MAX - len(PNG))
    url = server.call("POST", AVATAR, token, files={"avatar": content}).json()["avatar_url"]
    for _ in range(limits.DOWNLOADS_PER_CALLER_MAX + 1):
        with server.raw() as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            opened.sendall(f"GET {url} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert opened.recv(1000).startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 "))

    def served() -> bool:
        return server.http.get(url).content == content

    wait_until(served, "no place came back")


def test_readiness_names_the_blob_store(server: ServerProcess) -> None:
    assert server.http.get("/ready").json()["checks"]["blobs"] == "ok"


# crashes and disks


def test_what_a_crash_leaves_is_removed_at_the_next_start_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with files.start() as server:
        token = server.register()
        url = server.call("POST", AVATAR, token, files={"avatar": PNG}).json()["avatar_url"]
        with server.raw() as opened:
            opened.sendall(request(token, 2 * MIB) + part("avatar", PNG + b"x" * 200_000)[:-2])
            wait_until(lambda: bool(files.staged()), "the upload never began")
            server.child.kill()
            server.child.wait()
    (files.blobs / "kept" / "a-file-without-a-row").write_bytes(PNG)
    assert files.staged()

    with files.start() as server:
        assert server.http.get(url).content == PNG
        assert (files.kept(), files.staged()) == ({url.rpartition("/")[2]}, set())


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux limits the files of another process")
def test_a_disk_that_is_full_is_503_leaves_nothing_and_the_process_lives(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with files.start() as server:
        token = server.register()
        resource.prlimit(server.child.pid, resource.RLIMIT_FSIZE, (MIB, MIB))
        refused = server.call("POST", AVATAR, token, files={"avatar": PNG + b"x" * 2 * MIB})
        files.wait_nothing_but(set())
        taken = server.call("POST", AVATAR, token, files={"avatar": PNG})

        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.json()["retry_after"] == 1
        assert taken.status_code == 200
        assert server.http.get("/ready").status_code == 200


def test_a_blob_that_lies_nowhere_is_503_and_other_calls_go_on(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with files.start() as server:
        token = server.register()
        url = server.call("POST", AVATAR, token, files={"avatar": PNG}).json()["avatar_url"]
        (files.blobs / "kept" / url.rpartition("/")[2]).unlink()

        assert server.http.get(url).status_code == 503
        assert server.call("GET", "/users/me", token).status_code == 200


def test_a_server_that_is_told_to_end_leaves_nothing_of_a_half_upload_at_its_next_start(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with files.start() as server:
        token = server.register()
        with server.raw() as opened:
            opened.sendall(request(token, 2 * MIB) + part("avatar", PNG + b"x" * 200_000)[:-2])
            wait_until(lambda: bool(files.staged()), "the upload never began")
            assert server.end() == 0
    with files.start():
        assert (files.kept(), files.staged()) == (set(), set())


@pytest.mark.parametrize("blobs", ["a-file", "s3://Bad_Bucket", "s3://"])
def test_a_blob_store_that_can_not_be_is_one_line(tmp_path: Path, blobs: str) -> None:
    (tmp_path / "a-file").write_text("no folder")
    where = blobs if blobs.startswith("s3:") else str(tmp_path / blobs)

    assert "blobs" in refused("--port", "0", "--db", str(tmp_path / "zerostate.db"), "--blobs", where)


def test_a_bucket_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    aws = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    line = refused("--port", "0", "--db", str(tmp_path / "zerostate.db"), "--blobs", "s3://bucket", **aws)

    assert "AWS_ENDPOINT_URL" in line
    assert "a-secret" not in line


def test_a_database_in_memory_takes_no_blob_folder() -> None:
    assert "--db" in refused("--port", "0", "--db", ":memory:", "--blobs", "somewhere")


def test_a_server_keeps_its_files_in_a_bucket(tmp_path: Path) -> None:
    from moto.server import ThreadedMotoServer

    peer = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    peer.start()
    try:
        endpoint = "http://{}:{}".format(*peer.get_host_and_port())
        assert httpx.put(f"{endpoint}/bucket").is_success
        with ServerProcess(
            "--db",
            str(tmp_path / "zerostate.db"),
            "--blobs",
            "s3://bucket/files",
            AWS_ENDPOINT_URL=endpoint,
            AWS_ACCESS_KEY_ID="x",
            AWS_SECRET_ACCESS_KEY="y",
            AWS_REGION="us-east-1",
        ) as server:
            token = server.register()
            url = server.call("POST", AVATAR, token, files={"avatar": PNG}).json()["avatar_url"]

            assert server.http.get(url).content == PNG
            assert server.http.get("/ready").status_code == 200
    finally:
        peer.stop()
