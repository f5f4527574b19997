"""The types of ``gather_pair`` and ``gather`` (``dynamodb/core/gather.py``), which run reads concurrently."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

Result = TypeVar("Result")
Other = TypeVar("Other")


class Gather(Protocol):
    """Runs two reads at the same time. Each may be such a pair itself."""

    def __call__(self, first: Callable[[], Result], other: Callable[[], Other], /) -> tuple[Result, Other]: ...


class GatherAll(Protocol):
    """Runs any number of reads at the same time. Each may gather reads itself."""

    def __call__(self, *reads: Callable[[], Any]) -> list[Any]: ...
