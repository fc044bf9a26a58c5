"""Profile and picture of an account (contract §3 users)."""

import base64
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from harness.checkers.expectations import expect
from harness.client.forms import File, Form
from harness.client.rest import RecordedSession, Request
from harness.conformance.stage import Stage, read_as
from harness.conformance.suite import Act, Row
from reference_server.contract import limits
from reference_server.contract.operations import BASE

PICTURES: Final[dict[str, bytes]] = {
    "image/png": base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    ),
    "image/gif": base64.b64decode("R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="),
    "image/webp": base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="),
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9",
}
"""The smallest pictures of each kind; a JPEG is told by its head, which is all that is judged."""

NO_PICTURES: Final[tuple[tuple[str, bytes], ...]] = (
    ("html", b"<html><script>alert(1)</script></html>"),
    ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    ("wasm", b"\x00asm\x01\x00\x00\x00"),
    ("half-a-head", b"\x89PN"),
    ("empty", b""),
)

ROWS: Final = (
    Row("REST-FIELD-1", "profile-blank-name", {"status": [400], "details_has": "full_name"}, "update_me",
        body={"full_name": "   "}),
    Row("REST-FIELD-1", "profile-long-name", {"status": [400], "details_has": "full_name"}, "update_me",
        body={"full_name": "x" * (limits.FULL_NAME_CHARS_MAX + 1)}),
    Row("REST-FIELD-1", "profile-email", {"status": [400], "details_has": "email"}, "update_me",
        body={"email": "no address", "password": "long enough 1"}),
    Row("REST-TYPE-1", "avatar-json", {"status": [415]}, "set_avatar", body={"avatar": "x"}),
)  # fmt: skip


async def a_change_of_profile(stage: Stage) -> None:
    """REST-PROFILE-1: the name by itself; the e-mail with the password, and one signs in with the new one only."""
    session = await stage.newcomer("renamed")
    before = session.person.email
    name = "Zoë \N{GRINNING FACE} Ångström"
    kept = {"id": session.account_id, "full_name": name, "email": before}
    await stage.ask(session, "update_me", "REST-PROFILE-1/name", body={"full_name": name}, status=[200], body_has=kept)
    email = f"zsh-{stage.run}-Renamed@Example.com"
    body = {"email": email, "password": session.person.password}
    changed = {**kept, "email": email}
    await stage.ask(session, "update_me", "REST-PROFILE-1/email", body=body, status=[200], body_has=changed)
    await stage.ask(session, "me", "REST-PROFILE-1/me", status=[200], body_has=changed)
    shown = {"user.id": session.account_id, "user.email": email}
    new, old = ({"email": one, "password": session.person.password} for one in (email.lower(), before))
    await stage.ask(None, "login", "REST-PROFILE-1/login-new", body=new, status=[200], body_has=shown)
    await stage.ask(None, "login", "REST-PROFILE-1/login-old", body=old, status=[401])


async def a_refused_change_of_email(stage: Stage) -> None:
    """REST-PROFILE-2: nothing changes."""
    session, other = await stage.newcomer("keeps"), await stage.newcomer("owns")
    wanted = f"zsh-{stage.run}-wanted@example.com"
    right, taken = session.person.password, other.person.email.upper()
    for name, status, body in (
        ("wrong-password", 401, {"email": wanted, "password": "certainly not this 1"}),
        ("password-before-conflict", 401, {"email": taken, "password": "certainly not this 1"}),
        ("taken", 409, {"email": taken, "password": right}),
    ):
        await stage.ask(session, "update_me", f"REST-PROFILE-2/{name}", body=body, status=[status])
    unchanged = {"email": session.person.email}
    await stage.ask(session, "me", "REST-PROFILE-2/unchanged", status=[200], body_has=unchanged)


class _Shown(Struct):
    avatar_url: str


async def _upload(stage: Stage, session: RecordedSession, content: bytes, case: str = "", **expected: Any) -> Any:
    # The type that the part claims is never the true one: it must not be believed.
    form = Form(file=File("avatar", content, name="zsh.png", kind="image/bmp"))
    return await stage.ask(session, "set_avatar", case or None, form=form, **expected)


async def pictures(stage: Stage) -> None:
    """REST-AVATAR-1 and REST-AVATAR-2: by content, shown by me, and served to whoever has the URL."""
    session = await stage.newcomer("pictured")
    for kind, content in PICTURES.items():
        name = kind.partition("/")[2]
        made = read_as(await _upload(stage, session, content, f"REST-AVATAR-1/{name}", status=[200]), _Shown)
        shown = {"avatar_url": made.avatar_url}
        await stage.ask(session, "me", f"REST-AVATAR-1/{name}-shown", status=[200], body_has=shown)
        headers = {"content-type": kind, "x-content-type-options": "nosniff", "content-security-policy": "sandbox*"}
        row = expect(status=[200], header=headers, sha256=File("avatar", content).sha256)
        request = Request(method="GET", path=urlsplit(made.avatar_url).path)
        await stage.client.send(request, case=f"REST-AVATAR-2/{name}", expect=row)


async def pictures_have_urls_of_their_own(stage: Stage) -> None:
    """REST-AVATAR-4: another URL for each upload, and none that follows from who one is."""
    session = await stage.newcomer("pictured")
    content = PICTURES["image/png"]
    first = read_as(await _upload(stage, session, content), _Shown).avatar_url
    await _upload(stage, session, content, "REST-AVATAR-4/another", status=[200], body_not={"avatar_url": first})
    for name, guess in (("account", session.account_id), ("number", "1"), ("name", "zsh.png")):
        request = Request(method="GET", path=f"{BASE}/avatars/{guess}")
        await stage.client.send(request, case=f"REST-AVATAR-4/guess-{name}", expect=expect(status=[404]))


async def what_is_no_picture(stage: Stage) -> None:
    """REST-AVATAR-3: whatever it is called; and nothing changes."""
    session = await stage.newcomer("unpictured")
    for name, content in NO_PICTURES:
        await _upload(stage, session, content, f"REST-AVATAR-3/{name}", status=[400], details_has="avatar")
    nothing = Form(fields=(("avatar", "a text"),))
    case = "REST-AVATAR-3/no-file"
    await stage.ask(session, "set_avatar", case, form=nothing, status=[400], details_has="avatar")
    large = PICTURES["image/png"] + bytes(limits.AVATAR_BYTES_MAX)
    await _upload(stage, session, large, "REST-AVATAR-3/too-large", status=[413])
    await stage.ask(session, "me", "REST-AVATAR-3/unchanged", status=[200], body_has={"avatar_url": None})


ACTS: Final = (
    Act(("REST-PROFILE-1",), a_change_of_profile),
    Act(("REST-PROFILE-2",), a_refused_change_of_email),
    Act(("REST-AVATAR-1", "REST-AVATAR-2"), pictures),
    Act(("REST-AVATAR-4",), pictures_have_urls_of_their_own),
    Act(("REST-AVATAR-3",), what_is_no_picture),
)
