"""The type of ``gather_pair`` (``dynamodb/core/gather.py``), by which domain services run two reads concurrently."""

from collections.abc import Callable
from typing import Protocol, TypeVar

Result = TypeVar("Result")
Other = TypeVar("Other")


class Gather(Protocol):
    """Runs two reads at the same time. The first read may itself be such a pair, the second must not."""

    def __call__(self, first: Callable[[], Result], other: Callable[[], Other], /) -> tuple[Result, Other]: ...
