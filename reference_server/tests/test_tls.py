"""TLS: REST, pages and socket over one certificate, time limits as without it, bad files in words."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from reference_server.settings.sources import read_settings
from reference_server.settings.tls import tls_options
from reference_server.settings.values import Settings, SettingsError
from reference_server.tests.certificates import Certificate, made_certificate
from reference_server.tests.process import DEADLINE_S, SYSTEM, ServerProcess, read_to_end, upgrade_request


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return made_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(certificate: Certificate) -> Iterator[ServerProcess]:
    arguments = ("--db", ":memory:", "--limits", "off", "--handshake-timeout", "1", *certificate.options)
    with ServerProcess(*arguments, ca=certificate.cert) as running:
        yield running


def secured(server: ServerProcess, plain: socket.socket) -> ssl.SSLSocket:
    assert server.trust is not None
    return server.trust.wrap_socket(plain, server_hostname=server.host)


def test_it_says_ready_with_https_and_serves_rest_and_pages(server: ServerProcess) -> None:
    token = server.register("rest@example.org")

    assert server.url.startswith("https://")
    assert server.call("GET", "/users/me", token).json()["email"] == "rest@example.org"
    assert (
        f"connect-src 'self' {server.url} wss://{server.host}:{server.port};"
        in (server.http.get("/dashboard.html").headers["Content-Security-Policy"])
    )


def test_the_socket_is_wss_and_hears_what_is_published(server: ServerProcess) -> None:
    with server.connect(server.register("socket@example.org")) as opened:
        assert "client_id" in json.loads(opened.recv(DEADLINE_S))["data"]
        assert server.call("POST", "/ws/broadcast", server.admin(), json=SYSTEM).json()["recipients"] == 1
        assert json.loads(opened.recv(DEADLINE_S))["data"] == SYSTEM["data"]


def test_a_large_answer_arrives_whole_and_the_connection_ends_with_it(server: ServerProcess) -> None:
    with server.raw() as plain, secured(server, plain) as opened:
        opened.sendall(b"GET /js/client_core.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head, _, body = read_to_end(opened).partition(b"\r\n\r\n")

    assert f"content-length: {len(body)}".encode() in head


def test_a_refused_handshake_is_read_whole(server: ServerProcess) -> None:
    with server.raw() as plain, secured(server, plain) as opened:
        opened.sendall(upgrade_request("not.a.token"))

        assert json.loads(read_to_end(opened).partition(b"\r\n\r\n")[2])["error"] == "unauthorized"


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x00", b"GET /health HTTP/1.1\r\n\r\n"])
def test_a_tls_handshake_that_does_not_come_is_ended(server: ServerProcess, sent: bytes) -> None:
    with server.raw() as opened:
        opened.sendall(sent)
        read = read_to_end(opened)

    assert not read.startswith(b"HTTP/")


def test_old_protocols_are_refused(server: ServerProcess) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1

    with server.raw() as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain)


def test_an_open_socket_and_a_silent_one_do_not_hold_the_end_up(certificate: Certificate) -> None:
    with ServerProcess("--db", ":memory:", *certificate.options, ca=certificate.cert) as server:
        token = server.register()
        with server.connect(token) as opened, server.raw() as plain, secured(server, plain) as silent:
            opened.recv(DEADLINE_S)
            silent.sendall(upgrade_request(token))
            assert b"101" in silent.recv(65536)

            # The silent one stays: a server that waited for it would not end at all.
            assert server.end() == 0
            assert json.loads(opened.recv(DEADLINE_S))["data"]["level"] == "warning"
            with pytest.raises(ConnectionClosed) as closed:
                opened.recv(DEADLINE_S)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
            assert server.errors() == ""


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda made: made.cert.unlink(), "can't read the certificate"),
        (lambda made: made.key.unlink(), "can't read the key"),
        (lambda made: made.cert.write_text("no certificate"), "is no PEM certificate"),
        (lambda made: made.key.write_text("no key"), "is no PEM private key"),
        (lambda made: made_certificate(made.key.parent, password=b"a password"), "is encrypted"),
        (lambda made: made.key.write_bytes(other_key(made.key.parent)), "does not belong to the certificate"),
    ],
    ids=["no certificate", "no key", "not a certificate", "not a key", "encrypted", "another key"],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, spoil: Callable[[Certificate], object], said: str) -> None:
    made = made_certificate(tmp_path)
    spoil(made)

    with pytest.raises(SettingsError, match=said) as refused:
        tls_options(Settings(tls_cert=made.cert, tls_key=made.key))
    assert len(str(refused.value).splitlines()) == 1


def other_key(folder: Path) -> bytes:
    (folder / "other").mkdir()
    return made_certificate(folder / "other").key.read_bytes()


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key"])
def test_one_without_the_other_is_refused(option: str) -> None:
    with pytest.raises(SettingsError, match="--tls-cert and --tls-key need each other"):
        read_settings([option, "x.pem"], {})
