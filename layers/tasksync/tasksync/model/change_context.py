"""The change context: every change of a room or a task says, on the item itself, who made it and under which request.

A stream shows an item before and after a change, and not who changed it: the change context says that. Each update
writes it (``runtime/unit_of_work.py``), so an item carries that of its latest change and of no other.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

Roles = tuple[str | None, str | None]
"""A member's role before and after; None: no member."""


@dataclass(frozen=True, slots=True)
class ChangeContext:
    """``actor_id`` is None where the service itself made the change, in carrying out a deletion or an unassignment.

    ``members``: by user, what a change of a room did to memberships. They are items of their own, but come and go in
    the transaction that counts them in the room's item: so each commit has one record that tells all of it.
    """

    actor_id: str | None
    request_id: str | None
    members: Mapping[str, Roles] = field(default_factory=dict)


def read(text: str) -> ChangeContext:
    """Read what an item stores; ``unit_of_work.change_context`` writes it."""
    written = json.loads(text)
    members = {user_id: (before, after) for user_id, (before, after) in written.get("members", {}).items()}
    return ChangeContext(written["actor_id"], written["request_id"], members)
