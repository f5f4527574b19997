"""Random numbers that differ in every container: drawn from the operating system, never from a generator in memory.

A function that starts from a snapshot (SnapStart) starts with the memory of the one that was snapshotted, generators
included. All containers of a version would then draw the same numbers, in the same order: they would sweep the same
segments, and wait equally long before they meet again. ``secrets`` and ``uuid4`` ask the operating system, too.
"""

import time
from collections.abc import Sequence
from random import SystemRandom
from typing import TypeVar

Item = TypeVar("Item")

_of_system = SystemRandom()


def pause(longest_seconds: float) -> None:
    """Sleep for anything up to so long (full jitter), so that those who failed together do not come back together."""
    time.sleep(_of_system.uniform(0, longest_seconds))


def shuffled(items: Sequence[Item]) -> list[Item]:
    """The same items in random order."""
    return _of_system.sample(items, len(items))
