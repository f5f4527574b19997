"""The maximum size of a response: a list that is too long ends early, and continues on the next page.

A Lambda response has at most 6 MB, and contains the body as a JSON string, in which each quotation mark and each
backslash of the body takes one more byte. Bytes are counted in this form here.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

MOST_BYTES = 4_000_000

Item = TypeVar("Item")

_encode = msgspec.json.Encoder().encode


class SizeBudget:
    """Counts the bytes of a response while it is built."""

    def __init__(self) -> None:
        self.left = MOST_BYTES
        """How many bytes are left."""
        self.empty = True
        self.full = False
        """An item did not fit. No smaller item is added after that: the next page continues with this item."""

    def copy(self) -> "SizeBudget":
        """A copy, to try out what fits; see ``become``."""
        other = SizeBudget()
        other.become(self)
        return other

    def become(self, other: "SizeBudget") -> None:
        """Take over the state of ``other``."""
        self.left, self.empty = other.left, other.empty

    def take(self, value: Any) -> Any:
        """Add ``value``, and return it encoded; None if it does not fit. The first value always fits."""
        written = _encode(value)
        size = len(written) + written.count(b'"') + written.count(b"\\") + 1
        if self.full or (size > self.left and not self.empty):
            self.full = True
            return None
        self.empty = False
        self.left -= size
        return msgspec.Raw(written)

    def take_all(self, items: Iterable[Item], render: Callable[[Item], Any]) -> list[Any]:
        """Add the items, rendered by ``render``, until one does not fit. Returns the encoded items."""
        taken = []
        for item in items:
            part = self.take(render(item))
            if part is None:
                break
            taken.append(part)
        return taken
