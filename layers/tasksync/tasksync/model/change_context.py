"""The change context: who made the latest change of a room, task or user, in which request. The item has it.

A stream record has the item before and after a change, but not who changed it. So each update writes the change context
(``runtime/unit_of_work.py``).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

Roles = tuple[str | None, str | None]
"""A member's role before and after; None: no member."""


@dataclass(frozen=True, slots=True)
class ChangeContext:
    """``actor_id``: None if the service itself made the change, to finish a deletion or an unassignment.

    ``members``: the changes of memberships, by user. Memberships are separate items, but each transaction that changes
    one also updates the room's item: so one stream record describes the whole commit.
    """

    actor_id: str | None
    request_id: str | None
    members: Mapping[str, Roles] = field(default_factory=dict)


def read(text: str) -> ChangeContext:
    """Read what an item stores; ``runtime/unit_of_work.py`` writes it."""
    written = json.loads(text)
    members = {user_id: (before, after) for user_id, (before, after) in written.get("members", {}).items()}
    return ChangeContext(written["actor_id"], written["request_id"], members)
