"""Many rooms at once, in as many round trips as for one.

The index by user finds them, and may be some milliseconds behind: a room just joined can be missing. What it finds is
read again, consistently, so a room just left cannot be there.
"""

from collections.abc import Iterable
from functools import partial
from itertools import islice

from msgspec.structs import replace

from tasksync.dynamodb.change_log.counts import counts_by_room, counts_key
from tasksync.dynamodb.core.connection import MOST_KEYS, batch_get, get_many
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.core.mapper import Raw, Row, Text
from tasksync.dynamodb.core.queries import query, raws
from tasksync.dynamodb.rooms.items import room_key
from tasksync.dynamodb.rooms.mapper import MEMBERSHIP, ROOM
from tasksync.dynamodb.rooms.memberships import MembershipItem, membership_key
from tasksync.dynamodb.rooms.repository import RoomsRepository
from tasksync.model.change_log import counts_of
from tasksync.model.entities import Membership, Page, Room, RoomView
from tasksync.runtime.settings import settings

# A room, the membership in it and the head of its log are three keys.
_MOST_VIEWS = MOST_KEYS // 3


class RoomReads(RoomsRepository):
    """The rooms table, with its lists of rooms."""

    def rooms_of(self, user_id: str, limit: int, after: str | None) -> Page[RoomView]:
        """The rooms a user is in, oldest first, with their counts, without the other members.

        The index that finds them may be some milliseconds behind, so a room just joined can be missing. A room just
        left cannot be there: rooms and memberships themselves are read consistently.
        """
        views: list[RoomView] = []
        found = self.memberships_of(user_id, after)
        while batch := [membership.room_id for membership in islice(found, limit + 1 - len(views))]:
            views.extend(self.views(batch, user_id).values())
            if len(views) > limit:
                return Page(views[:limit], views[limit - 1].room.id)
        return Page(views, None)

    def views(self, room_ids: Iterable[str], user_id: str) -> dict[str, RoomView]:
        """By id, those of the rooms that the user is in, with their counts, without the other members.

        33 rooms take one round trip, more of them several at the same time.
        """
        wanted = list(dict.fromkeys(room_ids))
        parts = [wanted[start : start + _MOST_VIEWS] for start in range(0, len(wanted), _MOST_VIEWS)]
        found = gather(*(partial(_views_with_counts, part, user_id) for part in parts))
        return {room_id: view for views in found for room_id, view in views.items()}

    def all_views_of(self, user_id: str) -> list[RoomView]:
        """All rooms that a user is in, without the other members: one round trip, and one more for each 50 of them."""
        wanted = sorted(self.candidate_room_ids(user_id))
        items = get_many(settings.rooms_table, _keys_of_views(wanted, user_id))
        return list(_views(items, wanted, user_id).values())

    def candidate_room_ids(self, user_id: str) -> set[str]:
        """Ids of all rooms that a user is in, from the index."""
        return {raw["room_id"]["S"] for raw in raws(MembershipItem.by_user.query(user_id))}

    def joins_of(self, user_id: str) -> dict[str, str]:
        """By room, the join ids of all memberships of a user, from the index. One round trip: 1 MB holds more of them
        than anybody can have.
        """
        rows, _ = query(
            _JoinRow,
            {
                "TableName": settings.rooms_table,
                "IndexName": "by_user",
                "KeyConditionExpression": "#0 = :0",
                "ProjectionExpression": "#1, #2",
                "ExpressionAttributeNames": {"#0": "user_id", "#1": "room_id", "#2": "join_id"},
                "ExpressionAttributeValues": {":0": {"S": user_id}},
            },
        )
        return {row.room_id.S: row.join_id.S for row in rows}

    def all_of(self, user_id: str) -> list[Room]:
        """All rooms that a user is in: one round trip, and one more for each 100 of them."""
        return self.naming(self.candidate_room_ids(user_id), {user_id})

    def naming(self, room_ids: Iterable[str], user_ids: set[str]) -> list[Room]:
        """Those of the rooms that all these users are in. One round trip for 100."""
        rooms = map(ROOM.read, get_many(settings.rooms_table, map(room_key, room_ids)))
        return [room for room in rooms if user_ids <= room.member_ids]


class _JoinRow(Row, frozen=True, kw_only=True, gc=False):
    """What of a membership says where it is, and by which join."""

    room_id: Text
    join_id: Text


def _keys_of_views(room_ids: list[str], user_id: str) -> list[Raw]:
    return [key for room_id in room_ids for key in (room_key(room_id), membership_key(room_id, user_id))]


def _views_with_counts(room_ids: list[str], user_id: str) -> dict[str, RoomView]:
    rooms, log = settings.rooms_table, settings.log_table
    found = batch_get(
        {
            rooms: {"Keys": _keys_of_views(room_ids, user_id), "ConsistentRead": True},
            log: {"Keys": [counts_key(room_id) for room_id in room_ids], "ConsistentRead": False},
        }
    )
    counts = counts_by_room(found[log])
    views = _views(found[rooms], room_ids, user_id)
    return {i: replace(view, tasks=counts_of(view.room, counts.get(i))) for i, view in views.items()}


def _views(items: Iterable[Raw], wanted: list[str], user_id: str) -> dict[str, RoomView]:
    rooms: dict[str, Room] = {}
    memberships: dict[str, Membership] = {}
    for item in items:
        if item["kind"]["S"] == "room":
            rooms[item["room_id"]["S"]] = ROOM.read(item)
        else:
            memberships[item["room_id"]["S"]] = MEMBERSHIP.read(item)
    found = [room_id for room_id in wanted if room_id in rooms and room_id in memberships]
    return {i: RoomView(rooms[i], memberships[i], ()) for i in found if _may_name(rooms[i], user_id)}


def _may_name(room: Room, user_id: str) -> bool:
    """Whether the user was in the room when it was read: their membership may have been read before, and be over.

    A room from before rooms named their members names none, or too few; it does not say.
    """
    return user_id in room.member_ids or len(room.member_ids) < room.member_count
