"""Keeps a client's copy of everything that a user sees: their rooms with members and tasks, and their personal tasks.

A client first gets everything in pages, then what has changed. A page either lists, or has changes: while
something is to be listed (after the first request, a room that was joined, a log of which entries have expired), it is
listed; the changes since come afterwards. The head of a log is read before anything that it counts is: what a listing
missed, or showed older than it is, is in the log after that head.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from tasksync.domain.gather import GatherAll
from tasksync.domain.sync.pages import Members, Piece, SyncPage
from tasksync.domain.sync.reads import MOST_KEYS, MOST_TASKS, Logs, People, Rooms, Tasks, gathered, parts
from tasksync.model.change_log import counts_of
from tasksync.model.entities import ActivityResource, Caller, Membership, RoomView, Task, User
from tasksync.model.following import (
    FIRST,
    NO_JOIN,
    START,
    Following,
    ListedTasks,
    LogEnds,
    LoggedChange,
    Place,
    join_digest,
)
from tasksync.model.times import time_ordered_part

Value = TypeVar("Value")

MOST_LISTED = 20
"""How many rooms one page lists: each has up to 95 members, whose names are read."""
MOST_MEMBERS = 1_000
"""Of the rooms whose members have changed, how many members one page shows, and those of one room more."""


class _Read(NamedTuple):
    """What the first round of reads has found."""

    caller: Caller
    following: Following
    ends: LogEnds
    joins: Mapping[str, str]
    """By room, the join ids of the caller's memberships, from an index: candidates, no right."""


class SyncService:
    """Reads pages of ``/sync``. With nothing new, a page takes one round trip; with changes, three."""

    def __init__(self, rooms: Rooms, logs: Logs, tasks: Tasks, people: People, gather: GatherAll) -> None:
        self._rooms = rooms
        self._logs = logs
        self._tasks = tasks
        self._people = people
        self._gather = gather

    def page(self, caller: Caller, following: Following | None, limit: int) -> SyncPage:
        """The page after ``following``; None: the first page. ``limit``: how many changes, or rooms and tasks."""
        places = {} if following is None else following.places
        listing = any(place.listed is not None for place in places.values())
        wanted = [caller.user_id] if listing else [caller.user_id, *places]
        ends, joins = self._gather(lambda: self._logs.ends(wanted), lambda: self._rooms.joins_of(caller.user_id))
        mine = places.get(caller.user_id)
        lost = mine is None or following is None or following.epoch != ends.epoch or mine.seq > _seq(ends, caller)
        if lost or following is None:
            read = _Read(caller, Following(ends.epoch, {}), ends, joins)
            return SyncPage(True, read.following, self._listed(read, limit), more=True)
        read = _Read(caller, following, ends, joins)
        pieces = self._listed(read, limit)
        if pieces or listing:
            return SyncPage(False, following, pieces, more=True)
        return self._changed(read, limit)

    def _listed(self, read: _Read, limit: int) -> list[Piece]:
        """Of what is to be listed, the next part."""
        me, places = read.caller.user_id, read.following.places
        unlisted = [owner for owner, place in places.items() if place.listed is not None]
        gained = [owner for owner in (me, *sorted(read.joins)) if owner not in places]
        owners = sorted([*unlisted, *gained], key=lambda owner: owner != me)[:MOST_LISTED]
        if not owners:
            return []
        begun = [owner for owner in owners if owner in places and places[owner].listed != START]
        fresh = [owner for owner in owners if owner not in begun]
        ends = self._logs.ends(fresh) if any(owner != me for owner in fresh) else read.ends
        sizes = _sizes({owner: None if owner in begun else ends.of(owner).tasks for owner in owners}, limit)
        rooms = [owner for owner in sizes if owner != me]
        fresh_rooms = [room for room in rooms if room in fresh]
        [memberships], of_lists, of_views = gathered(
            self._gather,
            [lambda: self._rooms.memberships_in([room for room in rooms if room in begun], me)],
            [partial(self._tasks.listed, owner, _after(places.get(owner)), size) for owner, size in sizes.items()],
            [partial(self._rooms.view, room, me) for room in fresh_rooms],
        )
        lists: dict[str, ListedTasks] = dict(zip(sizes, of_lists, strict=True))
        views: dict[str, RoomView | None] = dict(zip(fresh_rooms, of_views, strict=True))
        whole, names = self._whole_tasks(lists, [view for view in views.values() if view], me if me in fresh else None)
        pieces: list[Piece] = []
        for owner, listed in lists.items():
            tasks = [task for task in whole if task.owner_id == owner]
            if owner in begun:
                membership = memberships.get(owner)
                now = NO_JOIN if owner == me else _join(membership)
                pieces += _continued(owner, places[owner], now, listed, tasks)
            elif owner == me:
                place = Place(read.ends.of(me).seq, NO_JOIN, FIRST)
                pieces += _with_tasks([Piece(owner_id=me, place=place, user=names.get(me))], place, listed, tasks)
            elif (view := views[owner]) is not None:
                place = Place(ends.of(owner).seq, join_digest(view.caller.join_id), FIRST)
                first = Piece(
                    owner_id=owner,
                    place=place,
                    room=_counted(view, ends),
                    whole=True,
                    members=_named(view, names),
                )
                pieces += _with_tasks([first], place, listed, tasks)
            elif owner in places:
                pieces.append(Piece(owner_id=owner, place=None))
        return pieces

    def _whole_tasks(
        self, lists: Mapping[str, ListedTasks], views: Sequence[RoomView], me: str | None
    ) -> tuple[list[Task], dict[str, User]]:
        """The listed tasks with their whole descriptions, and the users who are members or ``me``."""
        members = [member.user_id for view in views for member in view.members]
        user_ids = [*members, *([] if me is None else [me])]
        tasks = [task for listed in lists.values() for task in listed.tasks]
        long = [task for task in tasks if task.description_digest is not None]
        people, texts = gathered(
            self._gather,
            [partial(self._people.find_many, part) for part in parts(user_ids, MOST_KEYS)],
            [partial(self._tasks.whole, long[start : start + MOST_KEYS]) for start in range(0, len(long), MOST_KEYS)],
        )
        users: dict[str, User] = _merged(people)
        whole: dict[str, Task] = {task.id: task for part in texts for task in part}
        shown = [whole.get(task.id) if task.description_digest is not None else task for task in tasks]
        return [task for task in shown if task is not None], users

    def _changed(self, read: _Read, limit: int) -> SyncPage:
        """What has changed in logs that the client has wholly."""
        me, places, ends = read.caller.user_id, read.following.places, read.ends
        behind = {owner: number for owner, place in places.items() if (number := ends.of(owner).seq - place.seq)}
        shares = _shares({owner: number for owner, number in behind.items() if number > 0}, limit)
        joined = {room: join_digest(join_id) for room, join_id in read.joins.items()}
        rooms = [
            room
            for room, place in places.items()
            if room != me and (room in shares or behind.get(room, 0) < 0 or joined.get(room) != place.join)
        ]
        if not shares and not rooms:
            return SyncPage(False, read.following, [], more=False)
        of_logs, of_rooms = gathered(
            self._gather,
            [
                partial(self._logs.entries, owner, places[owner].seq, places[owner].seq + n)
                for owner, n in shares.items()
            ],
            [partial(self._rooms.view, room, me) for room in rooms],
        )
        entries: dict[str, list[LoggedChange] | None] = dict(zip(shares, of_logs, strict=True))
        views: dict[str, RoomView | None] = dict(zip(rooms, of_rooms, strict=True))
        if me in entries and entries[me] is None:
            return self.page(read.caller, None, limit)
        pieces = []
        changed: dict[str, list[LoggedChange]] = {}
        for room, view in views.items():
            if view is None:
                pieces.append(Piece(owner_id=room, place=None))
            elif join_digest(view.caller.join_id) != places[room].join or behind.get(room, 0) < 0:
                pieces.append(_again(room))
            elif room in entries:
                of_room = entries[room]
                if of_room is None:
                    pieces.append(_again(room))
                else:
                    changed[room] = of_room
        mine = entries.get(me)
        pieces += self._pieces({**({} if mine is None else {me: mine}), **changed}, views, read)
        places_after = {**places, **{piece.owner_id: piece.place for piece in pieces}}
        more = any(place is not None and _is_behind(place, ends.of(owner).seq) for owner, place in places_after.items())
        return SyncPage(False, read.following, pieces, more)

    def _pieces(
        self, changed: Mapping[str, list[LoggedChange]], views: Mapping[str, RoomView | None], read: _Read
    ) -> list[Piece]:
        """The pieces for these entries."""
        me, places = read.caller.user_id, read.following.places
        shown: dict[str, RoomView | None] = {}
        user_ids: list[str] = []
        task_ids: list[str] = []
        with_members = set()
        for owner, entries in changed.items():
            view = views.get(owner)
            others = any(entry.resource != ActivityResource.TASK for entry in entries)
            if others and len(user_ids) > MOST_MEMBERS:
                continue  # on the next page
            shown[owner] = view
            task_ids += [entry.resource_id for entry in entries if entry.resource == ActivityResource.TASK]
            if others:
                with_members.add(owner)
                user_ids += [me] if view is None else [member.user_id for member in view.members]
        rooms = [owner for owner in shown if owner != me]
        found = gathered(
            self._gather,
            [partial(self._people.find_many, part) for part in parts(user_ids, MOST_KEYS)],
            [partial(self._tasks.current, part) for part in parts(task_ids, MOST_TASKS)],
            [partial(self._rooms.memberships_in, part, me) for part in parts(rooms, MOST_KEYS)],
        )
        users: dict[str, User] = _merged(found[0])
        tasks: dict[str, Task] = _merged(found[1])
        memberships: dict[str, Membership] = _merged(found[2])
        pieces: list[Piece] = []
        for owner, view in shown.items():
            if view is not None and memberships.get(owner) != view.caller:
                continue  # it ended, or has another role, since the room was read: the next page knows what now
            pieces.append(
                Piece(
                    owner_id=owner,
                    place=places[owner],
                    room=None if view is None else _counted(view, read.ends),
                    members=_named(view, users) if view is not None and owner in with_members else None,
                    user=users.get(me) if owner == me and owner in with_members else None,
                )
            )
            seen: set[str] = set()
            for entry in changed[owner]:
                place = replace(places[owner], seq=entry.seq)
                if entry.resource != ActivityResource.TASK or entry.resource_id in seen:
                    pieces[-1] = replace(pieces[-1], place=place)
                    continue
                seen.add(entry.resource_id)
                task = tasks.get(entry.resource_id)
                gone = entry.resource_id if task is None else None
                pieces.append(Piece(owner_id=owner, place=place, task=task, gone_task_id=gone))
        return pieces


def _seq(ends: LogEnds, caller: Caller) -> int:
    return ends.of(caller.user_id).seq


def _after(place: Place | None) -> str:
    """After which task the listing goes on."""
    return FIRST if place is None or place.listed in (None, START) else str(place.listed)


def _join(membership: Membership | None) -> bytes | None:
    return None if membership is None else join_digest(membership.join_id)


def _counted(view: RoomView, ends: LogEnds) -> RoomView:
    """With the counts of its log as it was when its head was read: later ones come with the entries that count them."""
    return replace(view, tasks=counts_of(view.room, ends.of(view.room.id).counts))


def _again(room_id: str) -> Piece:
    """The room is to be listed from the beginning."""
    return Piece(owner_id=room_id, place=Place(0, NO_JOIN, START))


def _is_behind(place: Place, head: int) -> bool:
    return place.listed is not None or place.seq < head


def _sizes(tasks: Mapping[str, int | None], limit: int) -> dict[str, int]:
    """How many tasks to list of which owners, in their order. ``tasks``: how many each has, if that is known: one more
    is read, to see that there are no more, and the owner itself counts as one.
    """
    sizes: dict[str, int] = {}
    left = limit
    for owner, number in tasks.items():
        if left <= 0:
            break
        sizes[owner] = left if number is None else min(left, max(number, 0) + 1)
        left -= sizes[owner]
    return sizes


def _shares(behind: Mapping[str, int], limit: int) -> dict[str, int]:
    """How many entries to read of which logs: of each some, so that a busy one does not keep back the others."""
    shares: dict[str, int] = {}
    left = limit
    even = max(1, limit // max(1, len(behind)))
    for owner, number in behind.items():
        if left > 0:
            shares[owner] = min(number, even, left)
            left -= shares[owner]
    for owner, share in shares.items():
        more = min(behind[owner] - share, left)
        shares[owner], left = share + more, left - more
    return shares


def _continued(
    owner_id: str, place: Place, join: bytes | None, listed: ListedTasks, tasks: Sequence[Task]
) -> list[Piece]:
    """More of a listing that has begun. ``join``: by which the caller is a member now; None: they are none."""
    if join is None:
        return [Piece(owner_id=owner_id, place=None)]
    if join != place.join:
        return [_again(owner_id)]
    return _with_tasks([Piece(owner_id=owner_id, place=place)], place, listed, tasks)


def _with_tasks(pieces: list[Piece], place: Place, listed: ListedTasks, tasks: Iterable[Task]) -> list[Piece]:
    """The pieces, and after them the tasks. ``listed``: what was read, of which some may have gone since."""
    pieces += [
        Piece(owner_id=task.owner_id, place=replace(place, listed=time_ordered_part(task.id)), task=task)
        for task in tasks
    ]
    last = time_ordered_part(listed.tasks[-1].id) if listed.tasks else place.listed
    pieces[-1] = replace(pieces[-1], place=replace(place, listed=None if listed.ended else last))
    return pieces


def _named(view: RoomView, users: Mapping[str, User]) -> Members:
    """The members in the order they joined, without users who are being deleted."""
    return tuple((member, users[member.user_id]) for member in view.members if member.user_id in users)


def _merged(found: Iterable[Mapping[str, Value]]) -> dict[str, Value]:
    return {key: value for part in found for key, value in part.items()}
