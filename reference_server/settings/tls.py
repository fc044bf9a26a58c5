"""The server's certificate: read before anything is opened, refused in words (settings `tls_cert`, `tls_key`)."""

import ssl
from pathlib import Path
from typing import Any, Final

from reference_server.settings.values import Settings, SettingsError

GOODBYE_S: Final = 2.0
"""How long a peer may take to answer TLS's own goodbye; less than what a shutdown may take."""


def tls_options(settings: Settings) -> dict[str, Any]:
    """Return what `loop.create_server` is told of TLS, nothing for plain connections; raises SettingsError."""
    if settings.tls_cert is None or settings.tls_key is None:
        return {}
    return {
        "ssl": _context(settings.tls_cert, settings.tls_key),
        # A minute by default; the contract gives any handshake 10 s (§5 liveness).
        "ssl_handshake_timeout": settings.handshake_timeout,
        "ssl_shutdown_timeout": GOODBYE_S,
    }


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for path, what in ((certificate, "certificate"), (key, "key")):
        _check_readable(path, what)
    try:
        # Without an answer of ours OpenSSL would ask the terminal for the password of an encrypted key, and wait.
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as fault:
        raise SettingsError(_refusal(certificate, key, fault)) from fault
    return context


def _no_password() -> str:
    return ""


def _check_readable(path: Path, what: str) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as fault:
        raise SettingsError(f"can't read the {what} {path}: {fault.strerror}; name a PEM file") from fault


def _refusal(certificate: Path, key: Path, fault: ssl.SSLError) -> str:
    if fault.reason == "KEY_VALUES_MISMATCH":
        return f"the key {key} does not belong to the certificate {certificate}; name the one it was made with"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    except ssl.SSLError:
        return f"the certificate {certificate} is no PEM certificate; expected -----BEGIN CERTIFICATE-----"
    return f"the key {key} is no PEM private key, or is encrypted; expected -----BEGIN PRIVATE KEY-----"
