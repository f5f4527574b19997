"""Stamps: every change of a room or a task says, on the item itself, who made it and under which request.

A stream shows an item before and after a change, and not who changed it: that is for the stamp to say. It is written by
the update that it is about, and with each of them, so an item carries the stamp of its latest change and of no other.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

Roles = tuple[str | None, str | None]
"""A member's role before and after; None: no member."""

_origin: ContextVar[tuple[str | None, str | None]] = ContextVar("origin", default=(None, None))


@dataclass(frozen=True, slots=True)
class ChangeContext:
    """``actor_id`` is None where the service itself made the change, in carrying out a deletion or an unassignment.

    ``members``: by user, what a change of a room did to memberships. They are items of their own, but come and go in
    the transaction that counts them in the room's item: so each commit has one record that tells all of it.
    """

    actor_id: str | None
    request_id: str | None
    members: Mapping[str, Roles] = field(default_factory=dict)


@contextmanager
def by(actor_id: str | None, request_id: str | None) -> Iterator[None]:
    """Let what is written in this block be stamped so. Entered once for each request, record or schedule."""
    token = _origin.set((actor_id, request_id))
    try:
        yield
    finally:
        _origin.reset(token)


def request_id() -> str | None:
    """Of the request, record or schedule that is being carried out; None outside of a block of ``by``."""
    return _origin.get()[1]


def new(members: Mapping[str, Roles] | None = None) -> str:
    """The stamp of a change that is made now, as it is stored."""
    actor_id, request_id = _origin.get()
    written = {"actor_id": actor_id, "request_id": request_id, **({"members": members} if members else {})}
    return json.dumps(written, separators=(",", ":"))


def read(text: str) -> ChangeContext:
    """Of what ``new`` has written."""
    written = json.loads(text)
    members = {user_id: (before, after) for user_id, (before, after) in written.get("members", {}).items()}
    return ChangeContext(written["actor_id"], written["request_id"], members)
