"""Many rooms at once, in as many round trips as for one.

The index by user finds them, and may be some milliseconds behind: a room just joined can be missing. What it finds is
read again, consistently, so a room just left cannot be there.
"""

from collections.abc import Iterable

from tasksync.entities import Room, RoomView
from tasksync.tables.rooms import ROOM, MembershipItem, RoomItem, RoomsTable


class RoomReads(RoomsTable):
    """Rooms as the overview and the resolution of keys need them."""

    def hints_of(self, user_id: str, limit: int) -> list[str]:
        """Ids of the first rooms that a user is in, oldest first: from the index, so no right to see them."""
        found = MembershipItem.by_user.query(user_id, limit=limit, page_size=limit)
        return [item.room_id for item in found if isinstance(item, MembershipItem)]

    def views(self, room_ids: Iterable[str], user_id: str) -> dict[str, RoomView]:
        """By id, those of the rooms that the user is in, without the other memberships. Two round trips for 100."""
        wanted = list(dict.fromkeys(room_ids))
        # Before the right to see them, so that nothing is shown that came to be after the user had left.
        rooms = _rooms(wanted)
        memberships = self.memberships_in(wanted, user_id)
        return {i: RoomView(rooms[i], memberships[i], ()) for i in wanted if i in memberships and i in rooms}

    def all_of(self, user_id: str) -> list[Room]:
        """All rooms that a user is in: one round trip, and one more for each 100 of them."""
        hints = [item.room_id for item in MembershipItem.by_user.query(user_id)]
        return [room for room in _rooms(hints).values() if user_id in room.member_ids]


def _rooms(room_ids: Iterable[str]) -> dict[str, Room]:
    keys = [(room_id, ROOM) for room_id in room_ids]
    return {item.room_id: item.entity() for item in RoomItem.batch_get(keys, consistent_read=True)}
