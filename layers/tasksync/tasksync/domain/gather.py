"""How the rules have several things read at the same time; ``dynamodb/core/gather.py``."""

from collections.abc import Callable
from typing import Protocol, TypeVar

Answer = TypeVar("Answer")
Other = TypeVar("Other")


class Gather(Protocol):
    """Carries out two reads at the same time. The first one may itself be such a pair, the other must not."""

    def __call__(self, first: Callable[[], Answer], other: Callable[[], Other], /) -> tuple[Answer, Other]: ...
