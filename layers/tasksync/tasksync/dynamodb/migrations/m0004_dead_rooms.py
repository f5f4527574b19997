"""Rooms without members from before such rooms were marked: without the mark, the sweeper does not find them."""

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.dynamodb.rooms.conditions import mark_as_dead
from tasksync.dynamodb.rooms.items import ROOM_ITEM, RoomItem
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings


class DeadRooms:
    id = "0004-dead-rooms"
    description = "empty rooms are marked for the sweeper"

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        return scan_page(settings.rooms_table, segment, segments, after, limit)

    def change(self, item: Raw) -> bool:
        if item["item"]["S"] != ROOM_ITEM or item["member_count"]["N"] != "0" or "unfinished" in item:
            return False
        transaction = Transaction()
        # Nothing enters a dead room: if the condition does not hold, the room is gone.
        room = RoomItem.at(item["room_id"]["S"])
        transaction.update(room, [mark_as_dead()], RoomItem.member_count == 0, WriteConflict)
        try:
            transaction.commit()
        except WriteConflict:
            return False
        return True
