"""Random numbers from the operating system, which differ in every container.

A function that starts from a snapshot (SnapStart) has the memory of the snapshotted container, including the state of
random generators. All containers would then draw the same numbers: they would sweep in the same order, and retry after
the same pauses. ``secrets`` and ``uuid4`` use the operating system too.
"""

import time
from collections.abc import Sequence
from random import SystemRandom
from typing import TypeVar

Item = TypeVar("Item")

_of_system = SystemRandom()


def pause(longest_seconds: float) -> None:
    """Sleep for a random time up to ``longest_seconds`` (full jitter), so that retries do not collide again."""
    time.sleep(_of_system.uniform(0, longest_seconds))


def shuffled(items: Sequence[Item]) -> list[Item]:
    """The same items in random order."""
    return _of_system.sample(items, len(items))
