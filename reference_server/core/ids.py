"""The forms of ids; a malformed one is an unknown one (contract §1), so it never reaches a store."""

import re
from typing import Final

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_SEEDED: Final = re.compile(r"agent_[0-9]{3}", re.ASCII)


def is_uuid(text: str) -> bool:
    """Say whether `text` is a UUID as the server writes them."""
    return _UUID.fullmatch(text) is not None


def is_agent_id(text: str) -> bool:
    """Say whether `text` can be an agent's id."""
    return _SEEDED.fullmatch(text) is not None or is_uuid(text)
