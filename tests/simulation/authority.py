"""Whether who wrote something had the right to it at that moment, not a moment before."""

from tests.simulation.expressions import Item
from tests.simulation.invariants import Tables, Violation
from tests.simulation.tables import Change
from tests.simulation.task_items import TASKS_TABLE

_SHOWN_OF_ROOM = ("name", "code", "join_role")


def check(tables: Tables, changes: list[Change], user_id: str) -> None:
    """Raise ``Violation`` if a member wrote what their role does not allow. ``tables`` are as the write left them."""
    created = {change.key[0] for change in changes if change.key[1] == "ROOM" and change.old is None}
    for change in changes:
        owner = change.key[0]
        if change.table == TASKS_TABLE and owner.startswith("room_"):
            allowed = {"admin", "member"}
        elif change.table == "RoomsTable" and owner.startswith("room_") and owner not in created:
            if not _needs_admin(change, user_id):
                continue
            allowed = {"admin"}
        else:
            continue
        role = _role(tables, changes, owner, user_id)
        if role not in allowed:
            raise Violation(f"{user_id} wrote {change.key[1]} of {owner} as {role or 'somebody who is no member'}")


def _needs_admin(change: Change, user_id: str) -> bool:
    """Everything but entering and leaving oneself; closing a room ends memberships of others, too."""
    if change.key[1] == "ROOM":
        return _shown(change.old) != _shown(change.new)
    oneself = change.key[1] == f"MEMBER#{user_id}"
    return not oneself or (change.old is not None and change.new is not None)


def _shown(room: Item | None) -> list[object]:
    return [(room or {}).get(name) for name in _SHOWN_OF_ROOM]


def _role(tables: Tables, changes: list[Change], room_id: str, user_id: str) -> str | None:
    """The role before the write."""
    key = (room_id, f"MEMBER#{user_id}")
    before = tables["RoomsTable"].items.get(key)
    for change in changes:
        if change.key == key:
            before = change.old
    return str(before["role"]["S"]) if before else None
