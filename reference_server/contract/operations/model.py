"""What a row of the table of operations says (contract §§1, 3)."""

from typing import Any, Final, Literal, NamedTuple

from msgspec import Struct

BASE: Final = "/api/v1"
JSON: Final = "application/json"
WASM: Final = "application/wasm"
PICTURES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
Auth = Literal["none", "user", "admin"]
Method = Literal["GET", "POST", "PUT", "DELETE"]


class FileField(NamedTuple):
    """The one file of a multipart body: sizes in bytes, `kinds` the media types that its content may show."""

    name: str
    bytes_min: int
    bytes_max: int
    kinds: tuple[str, ...]


class Operation(NamedTuple):
    """One row of §3: what is asked for, what comes back, and the errors of its own.

    `body` is JSON; `form` (the text fields) and `file` come as multipart/form-data. `keys`: an API key may call it.
    `media` is the type of a successful answer; what is not JSON has `bytes` as its `answer`.
    """

    name: str
    method: Method
    path: str
    auth: Auth
    summary: str
    success: int
    answer: type[Any]
    body: type[Struct] | None = None
    body_required: bool = True
    query: type[Struct] | None = None
    errors: tuple[int, ...] = ()
    tag: str = ""
    limited: bool = True
    form: type[Struct] | None = None
    file: FileField | None = None
    keys: bool = True
    media: str = JSON

    @property
    def statuses(self) -> frozenset[int]:
        """Every status that the contract lets this operation answer."""
        own = {self.success, *self.errors, 500, 503}
        if self.limited:
            own.add(429)
        if self.auth != "none":
            own.add(401)
        if self.auth == "admin" or not self.keys:
            own.add(403)
        if self.takes_body:
            own |= {400, 413, 415}
        return frozenset(own)

    @property
    def takes_body(self) -> bool:
        """Say whether a body belongs to the request, JSON or multipart."""
        return self.body is not None or self.file is not None
