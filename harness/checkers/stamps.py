"""RFC 3339 timestamps as the contract wants them (§1 timestamps), read to integers that compare."""

import re
from datetime import UTC, datetime

_FORM = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)\Z", re.IGNORECASE)


def is_contract_stamp(value: object) -> bool:
    """Say whether `value` is RFC 3339, UTC, with a fraction."""
    found = _FORM.match(value) if isinstance(value, str) else None
    return found is not None and bool(found[2]) and found[3] in ("Z", "z", "+00:00") and stamp_ns(value) is not None


def stamp_ns(value: object) -> int | None:
    """Return nanoseconds since the Unix epoch of any RFC 3339 instant; None when it is none."""
    found = _FORM.match(value) if isinstance(value, str) else None
    if found is None:
        return None
    zone = "+00:00" if found[3] in ("Z", "z") else found[3]
    try:
        moment = datetime.fromisoformat(found[1].upper() + zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return int(moment.timestamp()) * 1_000_000_000 + int(((found[2] or "") + "0" * 9)[:9])
