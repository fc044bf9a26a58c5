"""The session cookie [ext]: the token where no script can read it, off unless set (contract §2 where it stands).

A browser sends it by itself, so it must never count for a page that is not ours: `SameSite=Strict` keeps it from other
sites, and a request that tells of a page of another site, or of one we don't know by name, is served as if it had
none. Which pages those are is `Origins`' to say; what the cookie looks like is said here.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from reference_server.contract.codes import MALFORMED, MISSING, TokenFault
from reference_server.contract.messages import SESSION_COOKIE
from reference_server.contract.models import SessionAnswer
from reference_server.core.answers import Answer

OURS: Final = ("same-origin", "same-site", "none")
"""What `Sec-Fetch-Site` says of requests that no other site's page made (W3C Fetch Metadata)."""


def token_in(headers: Mapping[str, str]) -> str | TokenFault:
    """Return the token in the request's cookie; of two that have its name, one may be planted: neither is believed."""
    pairs = (pair.partition("=") for pair in headers.get("cookie", "").split(";"))
    tokens = [value.strip() for name, _, value in pairs if name.strip() == SESSION_COOKIE]
    if not tokens:
        return MISSING
    return tokens[0] if len(tokens) == 1 and tokens[0] else MALFORMED


def with_cookie(operation: str, answer: Answer, *, secure: bool) -> Answer:
    """Return the answer of register or login with the cookie set, that of logout with it cleared."""
    if isinstance(answer.body, SessionAnswer):
        return _setting(answer, answer.body.token, answer.body.expires_in, secure)
    if operation == "logout" and answer.status == 200:
        return _setting(answer, "", 0, secure)
    return answer


def _setting(answer: Answer, token: str, max_age_s: int, secure: bool) -> Answer:
    cookie = f"{SESSION_COOKIE}={token}; Max-Age={max_age_s}; Path=/; HttpOnly; SameSite=Strict"
    return replace(answer, headers=(*answer.headers, ("Set-Cookie", f"{cookie}; Secure" if secure else cookie)))
