"""What a run of the fuzzer came to: which statuses each operation answered, and how many operations reached success."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from reference_server.contract.operations import OPERATIONS

REACHED_SHARE_MIN: Final = 0.95
"""How many of the operations must have answered 2xx."""


@dataclass(slots=True)
class Outcome:
    """Counts answers by operation and status, cases that a rule mended, and failures that a promise explains."""

    answers: dict[str, Counter[int]] = field(default_factory=dict)
    mended: Counter[str] = field(default_factory=Counter)
    promised: Counter[str] = field(default_factory=Counter)
    findings: set[tuple[str, str]] = field(default_factory=set)
    """Operation and kind of failure, each once."""

    def count(self, operation: str, status: int) -> None:
        """Take one answer."""
        self.answers.setdefault(operation, Counter())[status] += 1

    @property
    def reached(self) -> frozenset[str]:
        """The operations that answered 2xx."""
        return frozenset(
            operation.name
            for operation in OPERATIONS
            if any(200 <= status < 300 for status in self.answers.get(operation.name, ()))
        )

    @property
    def reached_share(self) -> float:
        """The part of all operations that answered 2xx, 0 to 1."""
        return len(self.reached) / len(OPERATIONS)

    def table(self) -> Iterator[str]:
        """Give one line an operation: its statuses with how often each came, and those that never came."""
        width = max(len(operation.name) for operation in OPERATIONS)
        for operation in OPERATIONS:
            counted: Mapping[int, int] = self.answers.get(operation.name, Counter())
            came = "  ".join(f"{status}: {counted[status]}" for status in sorted(counted))
            missing = ", ".join(str(status) for status in sorted(operation.statuses - set(counted)))
            yield f"{operation.name:<{width}}  {came or 'never asked'}" + (f"  (never {missing})" if missing else "")

    def verdict(self) -> str:
        """Say in a line how much was found, how many operations reached success, and which did not."""
        missed = [operation.name for operation in OPERATIONS if operation.name not in self.reached]
        found = "1 finding" if len(self.findings) == 1 else f"{len(self.findings)} findings"
        told = f"{found}; {len(self.reached)} of {len(OPERATIONS)} operations reached 2xx ({self.reached_share:.1%})"
        return f"{told}; not {', '.join(missed)}" if missed else told
