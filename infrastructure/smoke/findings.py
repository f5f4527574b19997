"""Results of checks, one line each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.smoke.journey import Unhealthy

Check: TypeAlias = Callable[[], list[str]]
"""Returns what is wrong, a sentence each; nothing where all is well."""


@dataclass(frozen=True)
class Finding:
    """What one check found. ``faults``: empty if all is well."""

    name: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        if not self.faults:
            return f"ok      {self.name}"
        return "\n".join(f"FAILED  {self.name}: {fault}" for fault in self.faults)


def carry_out(checks: dict[str, Check]) -> list[Finding]:
    """Every check, also after one that failed. A check that cannot look has failed."""
    found = []
    for name, check in checks.items():
        try:
            faults = check()
        except (Unhealthy, OSError, BotoCoreError, ClientError, ValueError) as error:
            faults = [f"could not be looked at: {error}"]
        found.append(Finding(name, tuple(faults)))
    return found
