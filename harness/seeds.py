"""One printed seed and what flows from it: named streams of chance, and people.

Each part draws from a stream of its own name, so that a part which draws more disturbs no other.
"""

import hashlib
import random
import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from faker import Faker

from harness.targets.base import Person
from reference_server.contract import limits

PASSWORD_ALPHABET: Final = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789äß€"
PASSWORD_BYTES_LEFT: Final = 4
"""The widest character of the alphabet takes 3 bytes; one below the limit keeps the draw simple."""


def derived(seed: int, name: str) -> int:
    """Return the seed of the stream `name`: 64 bits of SHA-256 over seed and name."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big")


def stream(seed: int, name: str) -> random.Random:
    """Return a generator that depends on `seed` and `name` only."""
    return random.Random(derived(seed, name))


def people(seed: int, names: Iterable[str], run: str = "") -> list[Person]:
    """Return one person for each name; `run` tells the accounts of two runs on one target apart.

    E-mails are `zsh-<run>-<name>@example.com` (contract §10), passwords 8 to 72 bytes of UTF-8 (§3).
    """
    tag = run or f"{derived(seed, 'run') & 0xFFFFFFFF:08x}"
    return [_person(seed, tag, name) for name in names]


def _person(seed: int, tag: str, name: str) -> Person:
    faker = _faker()
    faker.seed_instance(derived(seed, f"person:{name}"))
    return Person(name, f"zsh-{tag}-{_local_part(name)}@example.com", _password(seed, tag, name), faker.name())


@cache
def _faker() -> Faker:
    """Make it once: loading its providers takes longer than a simulated history."""
    return Faker("en_US")


def _local_part(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or f"x{derived(0, name) & 0xFFFF:04x}"


def _password(seed: int, tag: str, name: str) -> str:
    draw = stream(seed, f"password:{tag}:{name}")
    target = draw.randint(limits.PASSWORD_BYTES_MIN + PASSWORD_BYTES_LEFT, limits.PASSWORD_BYTES_MAX)
    word = ""
    while len(word.encode()) <= target - PASSWORD_BYTES_LEFT:
        word += draw.choice(PASSWORD_ALPHABET)
    return word
