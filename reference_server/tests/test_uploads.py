"""Uploads and downloads through the driver, on virtual time: what is kept, what never is, what a crash may leave."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from reference_server.contract import limits
from reference_server.contract.models import ErrorBody
from reference_server.contract.operations import BY_NAME
from reference_server.core.answers import Answer, BlobBody, Decision, error
from reference_server.core.calls import Admitted, Call, Context, Head, Route
from reference_server.core.decisions import DECISIONS
from reference_server.core.rows import replaced_account
from reference_server.core.transaction import Transaction
from reference_server.driver import Driver
from reference_server.operations import Options
from reference_server.store.base import StoreError
from reference_server.store.memory import MemoryStore
from reference_server.tests.blobs import TroubledBlobs
from reference_server.tests.forms import END, GIF, PNG, SVG, form, part
from reference_server.tests.virtual import Caller, VirtualEnvironment, VirtualSockets
from reference_server.transfers.blob_access import Download

T = TypeVar("T")
AVATAR = "/users/me/avatar"
PICTURE = form(("avatar", PNG))
LARGE = form(("avatar", PNG + b"\0" * 50_000))


class FailingStore(MemoryStore):
    broken = False

    def transact(self, work: Callable[[Transaction], T]) -> T:
        value = super().transact(work)
        if self.broken:
            raise StoreError("the disk is full")
        return value


class World:
    def __init__(self, decide: Callable[[Transaction, Call, Context], Decision] | None = None) -> None:
        self.environment = VirtualEnvironment()
        self.store = FailingStore()
        self.blobs = TroubledBlobs()
        sockets = VirtualSockets()
        decisions = DECISIONS if decide is None else {**DECISIONS, "set_avatar": decide}
        self.driver = Driver(self.environment, self.store, sockets, Options(), decisions=decisions, blobs=self.blobs)
        sockets.driver = self.driver
        self.driver.start(lambda: None)
        self.environment.run()
        self.caller = Caller(self.driver, self.environment)
        self.token = self.caller.register()

    def upload(self, body: bytes = PICTURE) -> Answer:
        return self.caller.upload(AVATAR, self.token, body)

    def nothing_is_left(self) -> bool:
        self.environment.run()
        return not (self.blobs.staged or self.blobs.inner.names() or self.driver.uploads.unfinished)

    def shown(self) -> object:
        return getattr(self.caller.call("GET", "/users/me", self.token).body, "avatar_url")  # noqa: B009


def refusing(status: int) -> Callable[[Transaction, Call, Context], Decision]:
    return lambda *_: Decision(error(status, "no"))


def failing(tx: Transaction, call: Call, context: Context) -> Decision:
    raise ZeroDivisionError("a secret detail")


def test_a_file_is_durable_before_its_decision_runs() -> None:
    seen: list[list[str]] = []

    def decide(tx: Transaction, call: Call, context: Context) -> Decision:
        assert call.upload is not None
        seen.append([call.upload.blob, *world.blobs.names()])
        return DECISIONS["set_avatar"](tx, call, context)

    world = World(decide)

    assert world.upload().status == 200
    assert seen == [[seen[0][0]] * 2]


@pytest.mark.parametrize(
    ("decide", "status"), [(refusing(404), 404), (refusing(409), 409), (refusing(503), 503), (failing, 500)]
)
def test_a_file_whose_decision_refuses_or_fails_is_deleted(
    decide: Callable[[Transaction, Call, Context], Decision], status: int
) -> None:
    world = World(decide)

    assert world.upload().status == status
    assert world.nothing_is_left()
    assert len(world.blobs.deleted) == 1


def test_a_file_whose_row_can_not_be_committed_is_deleted() -> None:
    world = World()
    sending = world.caller.send_form(AVATAR, world.token, PICTURE)
    world.store.broken = True
    world.environment.run()

    assert [answer.status for answer in sending.answers] == [503]
    assert world.nothing_is_left()


def test_a_file_that_another_takes_the_place_of_is_deleted_after_the_commit() -> None:
    world = World()
    world.upload()
    first = world.shown()
    assert world.upload(form(("avatar", GIF))).status == 200
    world.environment.run()

    assert [f"/api/v1/avatars/{name}" for name in world.blobs.deleted] == [first]
    assert [f"/api/v1/avatars/{name}" for name in world.blobs.names()] == [world.shown()]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (form(), "avatar"),
        (form(("picture", PNG)), "avatar"),
        (form(("avatar", b"")), "avatar"),
        (form(("avatar", SVG)), "avatar"),
        (form(("avatar", PNG), ("avatar", PNG)), "avatar"),
        (form(("avatar", PNG))[: -len(END)], "body"),
        (part("avatar", PNG), "body"),
        (b"no form", "body"),
    ],
)
def test_a_wrong_form_is_400_names_the_field_and_leaves_nothing(body: bytes, field: str) -> None:
    world = World()
    answer = world.upload(body)

    assert isinstance(answer.body, ErrorBody)
    assert isinstance(answer.body.details, list)
    assert (answer.status, [fault.field for fault in answer.body.details]) == (400, [field])
    assert world.nothing_is_left()
    assert world.shown() is None


def test_a_full_disk_is_503_with_retry_after_and_leaves_nothing() -> None:
    world = World()
    world.blobs.full = True
    answer = world.upload(LARGE)

    assert (answer.status, dict(answer.headers)["Retry-After"]) == (503, "1")
    assert world.nothing_is_left()
    world.blobs.full = False
    assert world.upload().status == 200


def test_a_store_that_can_not_keep_is_503_and_the_picture_stays_as_it_was() -> None:
    world = World()
    world.upload()
    before = world.shown()
    world.blobs.broken = True

    assert world.upload().status == 503
    assert world.shown() == before


def test_workers_that_are_all_taken_are_503() -> None:
    world = World()
    world.environment.workers_full = True

    assert world.upload().status == 503
    assert world.driver.uploads.unfinished == 0


@pytest.mark.parametrize("after_ms", [0, 15, 25])
def test_an_upload_that_is_given_up_leaves_nothing_once_its_worker_is_done(after_ms: int) -> None:
    world = World()
    world.environment.offload_ms = 10
    sending = world.caller.send_form(AVATAR, world.token, LARGE)
    world.environment.run_to((world.environment.now_ns / 1e6 + after_ms) / 1e3)
    assert sending.receiving is not None
    sending.receiving.abandon()
    sending.receiving.abandon()
    world.environment.run_to(world.environment.now_ns / 1e9 + 1)

    assert sending.answers == []
    assert world.nothing_is_left()


def test_an_upload_brings_its_next_piece_once_the_last_is_written() -> None:
    world = World()
    world.environment.offload_ms = 10
    sending = world.caller.send_form(AVATAR, world.token, LARGE)
    sent = []
    for _ in range(4):
        world.environment.run_to(world.environment.now_ns / 1e9 + 0.01)
        sent.append(sending.sent)

    assert sent == [2, 3, 4, 5]


def test_uploads_at_once_are_bounded_for_each_account() -> None:
    world = World()
    world.environment.offload_ms = 10
    sendings = [world.caller.send_form(AVATAR, world.token, LARGE) for _ in range(limits.UPLOADS_PER_ACCOUNT_MAX + 1)]
    refused = [answer.status for sending in sendings for answer in sending.answers]
    other = world.caller.send_form(AVATAR, _registered(world), LARGE)

    assert refused == [503]
    assert other.answers == []


def _registered(world: World) -> str:
    answers = world.caller.ask(
        "POST", "/users/register", None, {"email": "bob@example.org", "password": "12345678", "full_name": "Bob"}
    )
    while not answers:
        world.environment.run_to(world.environment.now_ns / 1e9 + 0.001)
    token: str = getattr(answers[0].body, "token")  # noqa: B009
    return token


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-length": str(limits.AVATAR_BYTES_MAX + limits.FORM_OVERHEAD_BYTES_MAX + 1)}, 413),
        ({"content-length": "99999999", "content-type": "application/json"}, 413),
        ({"content-type": "application/json"}, 415),
        ({"content-type": "multipart/form-data"}, 400),
    ],
)
def test_an_upload_is_refused_by_its_head_before_its_body_is_read(headers: dict[str, str], status: int) -> None:
    world = World()
    sending = world.caller.send_form(AVATAR, world.token, PICTURE, headers=headers)

    assert [answer.status for answer in sending.answers] == [status]
    assert sending.sent == 0


def test_without_a_token_no_body_is_read() -> None:
    sending = World().caller.send_form(AVATAR, None, PICTURE)

    assert ([answer.status for answer in sending.answers], sending.sent) == ([401], 0)


# what is left behind by a crash


def test_a_start_removes_what_no_row_points_at_and_keeps_the_rest() -> None:
    world = World()
    world.upload()
    staged = world.blobs.inner.stage("a-stray-blob")
    staged.keep()
    sockets = VirtualSockets()
    again = Driver(world.environment, world.store, sockets, Options(), blobs=world.blobs)
    again.start(lambda: None)

    assert [f"/api/v1/avatars/{name}" for name in world.blobs.names()] == [world.shown()]


# downloads


class Reading:
    def __init__(self, world: World, body: BlobBody) -> None:
        self.opened: list[Download | Answer] = []
        head = Head("GET", "/", "", {}, "192.0.2.1")
        admitted = Admitted(Route(BY_NAME["get_avatar"], {"id": body.blob}), head, None)
        world.driver.open_blob(admitted, Answer(200, body), self.opened.append)
        world.environment.run()

    @property
    def download(self) -> Download:
        (opened,) = self.opened
        assert isinstance(opened, Download)
        return opened


def kept(world: World, content: bytes, name: str = "a-blob") -> BlobBody:
    staged = world.blobs.inner.stage(name)
    staged.write(content)
    staged.keep()
    return BlobBody(name, len(content))


def every_place_is_free(world: World) -> bool:
    body = kept(world, b"content", "one-more")
    return all(
        isinstance(opened, Download)
        for _ in range(limits.DOWNLOADS_PER_CALLER_MAX)
        for opened in Reading(world, body).opened
    )


def test_a_blob_goes_out_in_pieces_of_a_bounded_size() -> None:
    world = World()
    content = bytes(range(256)) * 700
    download = Reading(world, kept(world, content)).download
    read: list[bytes | None] = []
    while not read or read[-1]:
        download.read(read.append)
        world.environment.run()
    download.close()

    assert b"".join(piece or b"" for piece in read) == content
    assert max(len(piece or b"") for piece in read) == limits.DOWNLOAD_CHUNK_BYTES
    assert every_place_is_free(world)


def test_a_damaged_blob_is_503() -> None:
    world = World()
    kept(world, b"content")
    (answer,) = Reading(world, BlobBody("a-blob", 3)).opened

    assert isinstance(answer, Answer)
    assert answer.status == 503
    assert every_place_is_free(world)


def test_a_blob_that_is_gone_though_its_row_names_it_is_503_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.upload()
    (name,) = world.blobs.inner.names()
    world.blobs.inner.delete(name)
    (answer,) = Reading(world, BlobBody(name)).opened

    assert isinstance(answer, Answer)
    assert answer.status == 503
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert every_place_is_free(world)


def test_a_blob_that_was_deleted_after_the_decision_is_404_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.upload()
    (name,) = world.blobs.inner.names()
    world.upload()
    (answer,) = Reading(world, BlobBody(name)).opened

    assert isinstance(answer, Answer)
    assert answer.status == 404
    assert caplog.records == []
    assert every_place_is_free(world)


def test_what_took_the_place_of_a_deleted_blob_goes_out_with_its_own_answer() -> None:
    world = World()
    world.upload()
    (name,) = world.blobs.inner.names()
    row = world.store.transact(lambda tx: tx.account_by_avatar(name))
    assert row is not None
    newer = kept(world, GIF)
    # As when a version of a binary is deleted and uploaded again while its first answer is on its way.
    world.store.transact(
        lambda tx: tx.update_account(replaced_account(row, avatar=newer.blob, avatar_type="image/gif"))
    )
    admitted = Admitted(Route(BY_NAME["get_avatar"], {"id": newer.blob}), Head("GET", "/", "", {}, "192.0.2.1"), None)
    opened: list[Download | Answer] = []
    world.blobs.inner.delete(name)
    world.driver.open_blob(admitted, Answer(200, BlobBody(name), media="image/png"), opened.append)
    world.environment.run()

    (download,) = opened
    assert isinstance(download, Download)
    assert (download.answer.media, download.size) == ("image/gif", len(GIF))
    download.close()


def test_downloads_at_once_are_bounded_for_each_caller() -> None:
    world = World()
    body = kept(world, b"content")
    readings = [Reading(world, body) for _ in range(limits.DOWNLOADS_PER_CALLER_MAX)]
    (refused,) = Reading(world, body).opened
    for reading in readings:
        reading.download.close()
        reading.download.close()

    assert isinstance(refused, Answer)
    assert refused.status == 503
    assert isinstance(Reading(world, body).download, Download)
