"""Users: accounts and who is signed in (contract §3): one row an operation."""

from typing import Final

from reference_server.contract import models
from reference_server.contract.operations.model import BASE, Operation

USERS: Final = (
    Operation("register", "POST", f"{BASE}/users/register", "none", "Make an account and sign in", 201,
              models.SessionAnswer, body=models.RegisterRequest, errors=(409,), tag="users"),
    Operation("login", "POST", f"{BASE}/users/login", "none", "Sign in", 200,
              models.SessionAnswer, body=models.LoginRequest, errors=(401,), tag="users"),
    Operation("logout", "POST", f"{BASE}/users/logout", "user", "Revoke this token, or all of the account's", 200,
              models.Message, body=models.LogoutRequest, body_required=False, tag="users", keys=False),
    Operation("me", "GET", f"{BASE}/users/me", "user", "The account of the credential", 200, models.Me, tag="users"),
)  # fmt: skip
