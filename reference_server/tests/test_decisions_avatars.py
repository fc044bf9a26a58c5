"""Pictures of accounts as decisions (contract §3 users)."""

import pytest

from reference_server.core.answers import BlobBody, Decision
from reference_server.core.calls import Caller, Upload
from reference_server.tests.desk import Desk, shown
from reference_server.tests.forms import GIF, PNG


def show(desk: Desk, caller: Caller, blob: str, content: bytes = PNG) -> Decision:
    return desk.decide("set_avatar", caller, upload=Upload(blob, len(content), "0" * 64, content[:16]))


def avatar_url(desk: Desk, caller: Caller) -> object:
    return shown(desk.decide("me", caller).answer)["avatar_url"]


@pytest.mark.parametrize(("content", "media"), [(PNG, "image/png"), (GIF, "image/gif")])
def test_a_picture_is_served_with_the_type_of_its_content(content: bytes, media: str) -> None:
    desk = Desk()
    caller = desk.register()
    answer = show(desk, caller, "secret", content).answer
    picture = desk.decide("get_avatar", path={"id": "secret"}).answer

    assert (answer.status, shown(answer)["avatar_url"]) == (200, "/api/v1/avatars/secret")
    assert avatar_url(desk, caller) == "/api/v1/avatars/secret"
    assert (picture.status, picture.body, picture.media) == (200, BlobBody("secret"), media)
    assert ("Content-Security-Policy", "sandbox") in picture.headers


def test_a_new_picture_drops_the_one_before() -> None:
    desk = Desk()
    caller = desk.register()

    assert show(desk, caller, "first").dropped == ()
    assert show(desk, caller, "second").dropped == ("first",)
    assert desk.decide("get_avatar", path={"id": "first"}).answer.status == 404
    assert list(desk.store.transact(lambda tx: tx.blobs())) == ["second"]


def test_pictures_of_two_accounts_are_apart() -> None:
    desk = Desk()
    ann, bob = desk.register("a@b.c"), desk.register("b@b.c")
    show(desk, ann, "anns")

    assert show(desk, bob, "bobs").dropped == ()
    assert [avatar_url(desk, one) for one in (ann, bob)] == ["/api/v1/avatars/anns", "/api/v1/avatars/bobs"]


@pytest.mark.parametrize("name", ["", "unknown", "../secret", "None"])
def test_an_unknown_picture_is_404(name: str) -> None:
    desk = Desk()
    desk.register()

    assert desk.decide("get_avatar", path={"id": name}).answer.status == 404
