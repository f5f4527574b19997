"""Who is in which room, by the rooms' own items."""

from collections.abc import Iterable, Mapping

from tasksync.dynamodb.core.connection import get_many
from tasksync.dynamodb.rooms.items import room_key
from tasksync.dynamodb.rooms.mapper import ROOM
from tasksync.runtime.settings import settings


class RoomMembersRepository:
    """The members of many rooms at once."""

    def member_ids(self, room_ids: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """By room, its members, read consistently; a room that does not exist is left out. 100 take one round trip."""
        rooms = map(ROOM.read, get_many(settings.rooms_table, map(room_key, room_ids)))
        return {room.id: room.member_ids for room in rooms}
