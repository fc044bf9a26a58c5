"""Accounts (contract §3 users)."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from reference_server.contract import limits
from reference_server.contract.models.base import NOT_BLANK, Email, Timestamp, Uuid

Password = Annotated[
    str,
    Meta(
        description="8 to 72 bytes of UTF-8",
        # A code point has one to four bytes: no text outside of these lengths can fit.
        extra_json_schema={"minLength": limits.PASSWORD_BYTES_MIN // 4, "maxLength": limits.PASSWORD_BYTES_MAX},
    ),
]
FullName = Annotated[
    str,
    Meta(min_length=1, max_length=limits.FULL_NAME_CHARS_MAX, description="not blank", extra_json_schema=NOT_BLANK),
]
KeyName = Annotated[
    str,
    Meta(min_length=1, max_length=limits.NAME_CHARS_MAX, description="not blank", extra_json_schema=NOT_BLANK),
]
KeyEnvironment = Literal["live", "test"]
KeyStatus = Literal["active", "revoked"]
Role = Literal["user", "admin"]


class RegisterRequest(Struct, frozen=True):
    """`POST /users/register`."""

    email: Email
    password: Password
    full_name: FullName


class LoginRequest(Struct, frozen=True):
    """`POST /users/login`; any strings, so that a wrong one is 401 as an unknown one is."""

    email: str
    password: str


class LogoutRequest(Struct, frozen=True):
    """`POST /users/logout`; the body may be left out."""

    all: bool = False


class SessionUser(Struct, frozen=True):
    """The user in the answer of register and login."""

    id: Uuid
    email: str
    full_name: str
    created_at: Timestamp


class SessionAnswer(Struct, frozen=True):
    """The answer of register and login; `expires_in` in seconds."""

    token: str
    user: SessionUser
    expires_in: Annotated[int, Meta(ge=1)]


class Me(Struct, frozen=True):
    """`GET /users/me`."""

    id: Uuid
    email: str
    full_name: str
    created_at: Timestamp
    avatar_url: str | None
    role: Role


class ProfileRequest(Struct, frozen=True):
    """`PUT /users/me`; a new `email` needs the account's `password` beside it."""

    full_name: FullName | UnsetType = UNSET
    email: Email | UnsetType = UNSET
    password: str | UnsetType = UNSET


class AvatarAnswer(Struct, frozen=True):
    """200 of an avatar's upload; the URL is a path on the API's origin."""

    avatar_url: str
    message: str


class ApiKeyRequest(Struct, frozen=True):
    """`POST /users/me/api-keys`."""

    name: KeyName
    environment: KeyEnvironment


class ApiKey(Struct, frozen=True):
    """An API key as it is listed; the key itself is shown once, when it is made."""

    id: Uuid
    name: str
    environment: KeyEnvironment
    prefix: Annotated[str, Meta(description="what the key begins with, by its environment")]
    last4: Annotated[str, Meta(description="what the key ends with", min_length=4, max_length=4)]
    status: KeyStatus
    created_at: Timestamp
    last_used_at: Annotated[Timestamp | None, Meta(description="to the minute; null when it never was")]


class ApiKeyMade(ApiKey, frozen=True):
    """201 of a new API key: the one time that `key` is shown."""

    key: str


class ApiKeyList(Struct, frozen=True):
    """`GET /users/me/api-keys`: the newest `LISTED_MAX`, revoked ones included; `total` counts them all."""

    api_keys: list[ApiKey]
    total: Annotated[int, Meta(ge=0)]


class ApiKeyRevoked(Struct, frozen=True):
    """`DELETE /users/me/api-keys/{id}`."""

    id: Uuid
    status: Literal["revoked"]
