"""Users: accounts and who is signed in (contract §3): one row an operation."""

from typing import Final

from reference_server.contract import limits, models
from reference_server.contract.operations.model import BASE, PICTURES, FileField, Operation

USERS: Final = (
    Operation("register", "POST", f"{BASE}/users/register", "none", "Make an account and sign in", 201,
              models.SessionAnswer, body=models.RegisterRequest, errors=(409,), tag="users"),
    Operation("login", "POST", f"{BASE}/users/login", "none", "Sign in", 200,
              models.SessionAnswer, body=models.LoginRequest, errors=(401,), tag="users"),
    Operation("logout", "POST", f"{BASE}/users/logout", "user", "Revoke this token, or all of the account's", 200,
              models.Message, body=models.LogoutRequest, body_required=False, tag="users", keys=False),
    Operation("me", "GET", f"{BASE}/users/me", "user", "The account of the credential", 200, models.Me, tag="users"),
    Operation("set_avatar", "POST", f"{BASE}/users/me/avatar", "user", "Show a picture of the account", 200,
              models.AvatarAnswer, tag="users",
              file=FileField("avatar", 1, limits.AVATAR_BYTES_MAX, PICTURES)),
    Operation("get_avatar", "GET", f"{BASE}/avatars/{{id}}", "none", "A picture, to whoever knows its URL", 200,
              bytes, errors=(404,), tag="users", media="image/*"),
    Operation("update_me", "PUT", f"{BASE}/users/me", "user", "Change name or e-mail; an e-mail needs the password",
              200, models.Me, body=models.ProfileRequest, errors=(409,), tag="users"),
    Operation("list_api_keys", "GET", f"{BASE}/users/me/api-keys", "user", "Own API keys, revoked ones too", 200,
              models.ApiKeyList, tag="users", keys=False),
    Operation("make_api_key", "POST", f"{BASE}/users/me/api-keys", "user", "Make an API key, shown this once", 201,
              models.ApiKeyMade, body=models.ApiKeyRequest, tag="users", keys=False),
    Operation("revoke_api_key", "DELETE", f"{BASE}/users/me/api-keys/{{id}}", "user", "Revoke an own API key", 200,
              models.ApiKeyRevoked, errors=(404,), tag="users", keys=False),
)  # fmt: skip
