"""Adds ``member_ids`` to the items of rooms that were created before this attribute existed.

Joins and leaves update ``member_ids`` in old rooms too, so the set may exist and lack the older members. Otherwise it
is right, so its size shows whether it is complete. The room's version and change context stay, and with them ETags and
the audit trail.
"""

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.dynamodb.rooms.conditions import same_version
from tasksync.dynamodb.rooms.items import ROOM_ITEM, RoomItem
from tasksync.dynamodb.rooms.mapper import ROOM
from tasksync.dynamodb.rooms.repository import partition
from tasksync.model.entities import Membership, Room
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings

_ATTEMPTS = 10


class MemberIds:
    id = "0001-member-ids"
    description = "rooms name their members"

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        return scan_page(settings.rooms_table, segment, segments, after, limit)

    def change(self, item: Raw) -> bool:
        if item["item"]["S"] != ROOM_ITEM:
            return False
        room: Room | None = ROOM.read(item)
        for _ in range(_ATTEMPTS):
            # Rooms without members are skipped: a write would trigger their removal again.
            if room is None or room.member_count in (0, len(room.member_ids)):
                return False
            room, members = partition(room.id)
            if room is not None and room.member_count == len(members) > 0 and _changed(room, members):
                return True
        raise WriteConflict


def _changed(room: Room, members: list[Membership]) -> bool:
    """Write the set; False if the room has changed since it was read."""
    transaction = Transaction()
    member_ids = RoomItem.member_ids.set({member.user_id for member in members})
    transaction.update(RoomItem.at(room.id), [member_ids], same_version(room), WriteConflict)
    try:
        transaction.commit()
    except WriteConflict:
        return False
    return True
