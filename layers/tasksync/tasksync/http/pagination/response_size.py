"""How much one response holds: lists are cut where it is full, and go on in the next one.

Lambda passes on 6 MB of a function's answer, in which the body is a text within JSON: there each quotation mark and
each backslash of the body takes one more byte. So that is how bytes are counted here.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

MOST_BYTES = 4_000_000

Item = TypeVar("Item")

_encode = msgspec.json.Encoder().encode


class Filling:
    """A response that is being filled."""

    def __init__(self) -> None:
        self.left = MOST_BYTES
        """So many bytes find room."""
        self.empty = True
        self.full = False
        """Something has found no room. Nothing smaller is put in its place: a list goes on behind what is in it."""

    def copy(self) -> "Filling":
        """To try what finds room; see ``become``."""
        other = Filling()
        other.become(self)
        return other

    def become(self, other: "Filling") -> None:
        """Take over how much is in the other one."""
        self.left, self.empty = other.left, other.empty

    def take(self, value: Any) -> Any:
        """``value`` as it is to be put into the body, or None if it finds no room there. The first one always does."""
        written = _encode(value)
        size = len(written) + written.count(b'"') + written.count(b"\\") + 1
        if self.full or (size > self.left and not self.empty):
            self.full = True
            return None
        self.empty = False
        self.left -= size
        return msgspec.Raw(written)

    def take_all(self, items: Iterable[Item], view: Callable[[Item], Any]) -> list[Any]:
        """The first of the items, as ``view`` shows them: as many as find room."""
        taken = []
        for item in items:
            part = self.take(view(item))
            if part is None:
                break
            taken.append(part)
        return taken
