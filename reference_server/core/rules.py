"""Rules on single fields that the models can't say: sizes in bytes, blank names, the shape of `simulate`.

A rule gives a (place below the field, reason) for each thing that is wrong with a value of the right type. To add
one, write it and give it its row in `RULES`.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct

from reference_server.contract import limits
from reference_server.contract.messages import SystemData
from reference_server.contract.models import (
    OUTCOMES,
    AgentChange,
    AgentForm,
    ApiKeyRequest,
    DeployRequest,
    ProfileRequest,
    RegisterRequest,
    SubmitRequest,
)
from reference_server.core import json_text
from reference_server.core.envelopes import is_rfc3339

Rule = Callable[[Any], list[tuple[str, str]]]


def check_password(password: str) -> list[tuple[str, str]]:
    """8 to 72 bytes of UTF-8 (contract §3 users)."""
    size = len(password.encode())
    if limits.PASSWORD_BYTES_MIN <= size <= limits.PASSWORD_BYTES_MAX:
        return []
    return [("", f"must be {limits.PASSWORD_BYTES_MIN} to {limits.PASSWORD_BYTES_MAX} bytes of UTF-8")]


def check_not_blank(text: str) -> list[tuple[str, str]]:
    """More than white space (contract §2 sizes, §3 users)."""
    return [] if text.strip() else [("", "must not be blank")]


def check_config(config: str) -> list[tuple[str, str]]:
    """JSON text of at most 16 KiB (contract §2 sizes, §3 deployments), as strict as a body."""
    text = config.encode()
    if len(text) > limits.CONFIG_BYTES_MAX:
        return [("", f"must be at most {limits.CONFIG_BYTES_MAX:,} bytes as JSON text")]
    try:
        json_text.parse(text)
    except json_text.JsonTextError as fault:
        return [("", f"is JSON text and {fault.reason}")]
    return []


def check_timestamp(text: str) -> list[tuple[str, str]]:
    """An instant as the contract writes them (§1 timestamps)."""
    return [] if is_rfc3339(text) else [("", "must be an RFC 3339 date-time")]


def check_constraints(constraints: dict[str, Any]) -> list[tuple[str, str]]:
    """At most 16 KiB as JSON text (contract §2 sizes), and `simulate` in its shape (§4)."""
    if len(msgspec.json.encode(constraints)) > limits.CONSTRAINTS_BYTES_MAX:
        return [("", f"must be at most {limits.CONSTRAINTS_BYTES_MAX:,} bytes as JSON text")]
    if "simulate" not in constraints:
        return []
    return [(f".simulate{place}", reason) for place, reason in _against_simulate(constraints["simulate"])]


def _against_simulate(simulate: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(simulate, dict):
        yield "", "must be an object"
        return
    if simulate.get("outcome", "complete") not in OUTCOMES:
        yield ".outcome", f"must be one of {', '.join(OUTCOMES)}"
    if not _bounded(simulate.get("duration_ms", 0), int | float, limits.SIMULATED_MS_MAX):
        yield ".duration_ms", f"must be a number from 0 to {limits.SIMULATED_MS_MAX:,}"
    fail_times = simulate.get("fail_times", 0)
    if not (_bounded(fail_times, int | float, limits.SIMULATED_FAILS_MAX) and is_whole(fail_times)):
        yield ".fail_times", f"must be a whole number from 0 to {limits.SIMULATED_FAILS_MAX:,}"


def is_whole(number: float) -> bool:
    """Say whether a number is whole, however it is written: 2, 2.0, 2e0 are one number in JSON (RFC 8259 §6)."""
    return isinstance(number, int) or number.is_integer()


def _bounded(value: Any, kind: Any, highest: int) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and 0 <= value <= highest


RULES: Final[dict[tuple[type[Struct], str], Rule]] = {
    (RegisterRequest, "password"): check_password,
    (RegisterRequest, "full_name"): check_not_blank,
    (AgentForm, "name"): check_not_blank,
    (AgentChange, "name"): check_not_blank,
    (ProfileRequest, "full_name"): check_not_blank,
    (ApiKeyRequest, "name"): check_not_blank,
    (SubmitRequest, "constraints"): check_constraints,
    (SystemData, "server_time"): check_timestamp,
    (DeployRequest, "config"): check_config,
}
"""By model and field; a value gets here only when it is of the field's type."""
