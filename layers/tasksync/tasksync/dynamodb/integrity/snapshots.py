"""The auditor's snapshots of all tables: read page by page and consistently, without any write.

Referenced items, such as the room of a task, are read after the item that refers to them. So a reference to an item
that was created earlier is always found.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pynamodb.exceptions import PynamoDBException

from tasksync.dynamodb.activity.deletions import DELETION
from tasksync.dynamodb.activity.versions import version_of
from tasksync.dynamodb.change_log.decoder import HEAD
from tasksync.dynamodb.change_log.items import MARKER, entry_item
from tasksync.dynamodb.core.connection import shared_connection
from tasksync.dynamodb.core.mapper import Raw, text_of
from tasksync.dynamodb.core.unfinished import Unfinished
from tasksync.dynamodb.idempotency.items import IdempotencyItem
from tasksync.dynamodb.integrity.change_logs import entry_snapshots, logged, missing_snapshots, read_item
from tasksync.dynamodb.integrity.live import connections_snapshots, read_live_item, ticket_snapshots
from tasksync.dynamodb.integrity.references import (
    codes_by_id,
    item_at,
    items_at,
    join_ids,
    key_names,
    rooms_by_id,
    users_by_id,
)
from tasksync.dynamodb.integrity.webhooks import (
    due_snapshots,
    marked_log_snapshots,
    read_webhook_item,
    webhooks_snapshots,
)
from tasksync.dynamodb.migrations.positions import POSITION
from tasksync.dynamodb.rooms.former_members import FormerMemberItem
from tasksync.dynamodb.rooms.items import CODE, ROOM_ITEM, CodeItem, RoomsItem
from tasksync.dynamodb.rooms.mapper import MEMBERSHIP, ROOM
from tasksync.dynamodb.rooms.unassignments import UnassignmentItem
from tasksync.dynamodb.sessions.items import KEY
from tasksync.dynamodb.sessions.mapper import session_of
from tasksync.dynamodb.tasks.mapper import DESCRIPTION, JOB, LINK, TASK, digest, stored, task_of
from tasksync.dynamodb.tasks.respreads import RESPREAD, RESPREADS
from tasksync.dynamodb.users.items import email_claim, name_claim
from tasksync.dynamodb.users.mapper import USER
from tasksync.dynamodb.webhooks.items import STATE
from tasksync.integrity.snapshot import (
    CodeSnapshot,
    ConnectionsSnapshot,
    DueSnapshot,
    EntrySnapshot,
    FamilySnapshot,
    FormerMemberSnapshot,
    IdempotencySnapshot,
    MarkedLogSnapshot,
    MissingSnapshot,
    NameSnapshot,
    RespreadSnapshot,
    RoomSnapshot,
    SessionSnapshot,
    Snapshot,
    TaskPartSnapshot,
    TaskSnapshot,
    TicketSnapshot,
    UnassignmentSnapshot,
    UnreadableSnapshot,
    UserSnapshot,
    WebhooksSnapshot,
)
from tasksync.model import times
from tasksync.model.activity import Version
from tasksync.model.entities import (
    DueUnassignment,
    FormerMember,
    IdempotencyRecord,
    Membership,
    Room,
    Task,
    User,
    UserStatus,
)
from tasksync.model.times import is_room_id
from tasksync.runtime.settings import settings

Parsed = TypeVar("Parsed")

_Claim = tuple[str, str, datetime | None]
"""A room code, the id of its room, and, for a retired code, when it becomes free."""

_UNREADABLE = (PynamoDBException, ValueError, TypeError, KeyError, AttributeError)


class AuditRepository:
    """Reads snapshots of all stored items."""

    def __init__(self, page_items: int | None = None) -> None:
        """``page_items``: the maximum number of items on a page; None: as many as DynamoDB returns, up to 1 MB."""
        self._page_items = page_items
        # The order matters: items that refer to others are read before those.
        self._tables: dict[str, Callable[[list[Raw]], list[Snapshot]]] = {
            settings.idempotency_table: _idempotency_snapshots,
            settings.log_table: _log_snapshots,
            settings.webhooks_table: _webhook_snapshots,
            settings.tasks_table: _task_snapshots,
            settings.live_table: _live_snapshots,
            settings.sessions_table: _session_snapshots,
            settings.rooms_table: _room_snapshots,
            settings.users_table: _user_snapshots,
        }

    def snapshots(self) -> Iterator[list[Snapshot]]:
        """All snapshots, page by page. An item collection that spans pages, such as a large room, is read in parts."""
        for table, snapshots_of in self._tables.items():
            for page in self._pages(table):
                yield snapshots_of(page)

    def read_again(self, snapshot: Snapshot) -> Snapshot | None:
        """A new snapshot of the same item; None if it was deleted."""
        if isinstance(snapshot, FamilySnapshot):
            found = [self.read_again(each) for each in snapshot.sessions]
            return FamilySnapshot(tuple(each for each in found if isinstance(each, SessionSnapshot)))
        table, raws = _raws(snapshot)
        return next((each for each in self._tables[table](raws) if type(each) is type(snapshot)), None)

    def _pages(self, table: str) -> Iterator[list[Raw]]:
        request: dict[str, Any] = {"TableName": table, "ConsistentRead": True}
        if self._page_items is not None:
            request["Limit"] = self._page_items
        return _query_pages("Scan", request)


def _raws(snapshot: Snapshot) -> tuple[str, list[Raw]]:  # noqa: C901, PLR0912  # a table of cases
    """The table and the current items of a snapshot."""
    match snapshot:
        case RoomSnapshot():
            return settings.rooms_table, _items_of(settings.rooms_table, snapshot.room_id)
        case CodeSnapshot():
            return item_at(settings.rooms_table, CodeItem.at(snapshot.code).room_id, CODE)
        case FormerMemberSnapshot():
            item = FormerMemberItem.of(snapshot.former)
            return item_at(settings.rooms_table, item.room_id, item.item)
        case UnassignmentSnapshot():
            mark = UnassignmentItem.at(snapshot.due.room_id, snapshot.due.user_id)
            return item_at(settings.rooms_table, mark.room_id, mark.item)
        case UserSnapshot():
            return item_at(settings.users_table, snapshot.user.id)
        case NameSnapshot():
            return item_at(settings.users_table, snapshot.claim)
        case TaskSnapshot():
            return item_at(settings.tasks_table, snapshot.task.owner_id, snapshot.task.id)
        case TaskPartSnapshot():
            return item_at(settings.tasks_table, snapshot.owner_id, snapshot.item)
        case RespreadSnapshot():
            return item_at(settings.tasks_table, snapshot.respread.owner_id, RESPREAD)
        case SessionSnapshot():
            return item_at(settings.sessions_table, snapshot.session.id)
        case EntrySnapshot():
            return item_at(settings.log_table, snapshot.log_id, entry_item(snapshot.seq))
        case MissingSnapshot():
            return item_at(settings.log_table, snapshot.log_id, MARKER + snapshot.thing_id)
        case WebhooksSnapshot():
            return settings.webhooks_table, _items_of(settings.webhooks_table, snapshot.room_id, STATE)
        case DueSnapshot():
            return item_at(settings.webhooks_table, snapshot.room_id, snapshot.item)
        case ConnectionsSnapshot():
            return item_at(settings.live_table, snapshot.stored.user_id)
        case TicketSnapshot():
            return item_at(settings.live_table, snapshot.live_id)
        case MarkedLogSnapshot():
            return item_at(settings.log_table, snapshot.room_id, HEAD)
        case IdempotencySnapshot():
            return item_at(settings.idempotency_table, snapshot.record.id)
        case UnreadableSnapshot():
            return item_at(snapshot.table, *snapshot.key)
        case FamilySnapshot():
            raise TypeError("a family is several items")


def _items_of(table: str, room_id: str, prefix: str | None = None) -> list[Raw]:
    """Those whose sort keys have this prefix, if it is given."""
    query = {
        "TableName": table,
        "KeyConditionExpression": "room_id = :room" + ("" if prefix is None else " AND begins_with(#item, :prefix)"),
        "ExpressionAttributeValues": {":room": {"S": room_id}} | ({} if prefix is None else {":prefix": {"S": prefix}}),
        "ConsistentRead": True,
    }
    if prefix is not None:
        query["ExpressionAttributeNames"] = {"#item": "item"}
    return [raw for page in _query_pages("Query", query) for raw in page]


def _query_pages(operation: str, request: dict[str, Any]) -> Iterator[list[Raw]]:
    while True:
        response = shared_connection().dispatch(operation, request)
        yield response["Items"]
        if "LastEvaluatedKey" not in response:
            return
        request = {**request, "ExclusiveStartKey": response["LastEvaluatedKey"]}


def _task_snapshots(raws: list[Raw]) -> list[Snapshot]:
    def parse(raw: Raw) -> tuple[Task, bool, Version]:
        task = TASK.read(raw)
        fit = all(text_of(raw, name) == value for name, value in stored(task).keys.items())
        return task, fit, version_of(raw)

    beside = [raw for raw in raws if raw["item"]["S"].startswith((LINK, DESCRIPTION))]
    jobs = [raw for raw in raws if raw["item"]["S"].startswith(JOB)]
    parsed, snapshots = _parsed(
        settings.tasks_table, [raw for raw in raws if not raw["item"]["S"].startswith((LINK, DESCRIPTION, JOB))], parse
    )
    owners = {task.owner_id for task, _, _ in parsed}
    rooms = {owner for owner in owners if is_room_id(owner)}
    positions = logged(version for _, _, version in parsed)
    found = rooms_by_id(rooms)
    assigned = {each for task, _, _ in parsed for each in task.assignee_ids}
    known = found.keys() | users_by_id(owners - rooms | assigned).keys()
    joins = join_ids(
        {(task.owner_id, each) for task, _, _ in parsed for each in task.assignee_ids if is_room_id(task.owner_id)}
    )
    parts = _parts_of(task for task, _, _ in parsed)
    for task, fit, _ in parsed:
        # Of a task in the trash, assignees are only noted.
        assignees = () if task.trashed_at is not None else task.assignee_ids
        left = _former_assignees(task, joins) if assignees else ()
        snapshots.append(
            TaskSnapshot(
                task,
                fit,
                task.owner_id in known,
                tuple(each for each in assignees if each not in known),
                positions[task.id],
                left,
                _left_since(found.get(task.owner_id)) if left else None,
                all(_is_link(parts.get(item), stored) for item, stored in stored(task).links.items()),
                task.description_digest is None
                or _digest_of(parts.get(DESCRIPTION + task.id)) == task.description_digest,
            )
        )
    return snapshots + _part_snapshots(beside) + _respread_snapshots(jobs)


def _respread_snapshots(raws: list[Raw]) -> list[Snapshot]:
    parsed, snapshots = _parsed(settings.tasks_table, raws, RESPREADS.read)
    return [*snapshots, *map(RespreadSnapshot, parsed)]


def _part_snapshots(raws: list[Raw]) -> list[Snapshot]:
    """Links and long descriptions, with the tasks that they are of."""
    tasks = {raw["item"]["S"]: raw for raw in items_at(settings.tasks_table, {_task_key(raw): None for raw in raws})}

    def parse(raw: Raw) -> Task:
        return TASK.read(raw)

    known = {task.id: task for task in _parsed(settings.tasks_table, tasks.values(), parse)[0]}
    return [
        TaskPartSnapshot(raw["owner_id"]["S"], raw["item"]["S"], _is_part(raw, known.get(_task_key(raw)[1])))
        for raw in raws
    ]


def _task_key(part: Raw) -> tuple[str, str]:
    return part["owner_id"]["S"], task_of(part["item"]["S"])


def _is_part(raw: Raw, task: Task | None) -> bool:
    if task is None:
        return False
    if raw["item"]["S"].startswith(DESCRIPTION):
        return task.description_digest == _digest_of(raw)
    return _is_link(raw, stored(task).links.get(raw["item"]["S"], {}))


def _is_link(raw: Raw | None, stored: Mapping[str, str]) -> bool:
    """Whether the item has these attributes beside its key, and no others."""
    return raw is not None and {name: text_of(raw, name) for name in raw.keys() - {"owner_id", "item"}} == stored


def _digest_of(raw: Raw | None) -> str | None:
    text = text_of(raw, "text")
    return None if text is None else digest(text)


def _parts_of(tasks: Iterable[Task]) -> dict[str, Raw]:
    """By sort key, the links and descriptions that these tasks must have, and that are there."""
    keys = [
        (task.owner_id, item)
        for task in tasks
        for item in [*stored(task).links, *([] if task.description_digest is None else [DESCRIPTION + task.id])]
    ]
    return {raw["item"]["S"]: raw for raw in items_at(settings.tasks_table, keys)}


def _former_assignees(task: Task, joins: dict[tuple[str, str], str | None]) -> tuple[str, ...]:
    """The assignees of a task of a room whose membership has ended. ``joins``: the join ids of members, by room and
    user."""
    if not is_room_id(task.owner_id):
        return ()
    return tuple(
        each.user_id
        for each in task.assignees
        if (task.owner_id, each.user_id) not in joins or each.join_id not in (None, joins[task.owner_id, each.user_id])
    )


def _left_since(raw: Raw | None) -> datetime | None:
    """``TaskSnapshot.left_since``; None for tasks of a room without members, which are about to be deleted.

    ``raw``: the room. If it cannot be read, the room's own check reports that.
    """
    try:
        room = None if raw is None else ROOM.read(raw)
    except _UNREADABLE:
        return None
    return room.updated_at if room is not None and room.member_count else None


def _room_snapshots(raws: list[Raw]) -> list[Snapshot]:
    def parse(raw: Raw) -> Room | Membership | FormerMember | DueUnassignment | _Claim:
        kind = text_of(raw, "kind")
        if kind == "room":
            return ROOM.read(raw)
        if kind == "membership":
            return MEMBERSHIP.read(raw)
        item = RoomsItem.from_raw_data(raw)
        if isinstance(item, CodeItem):
            expires_at = item.attribute_values.get("expires_at")
            free_at = None if expires_at is None else datetime.fromtimestamp(int(expires_at), UTC)
            return item.room_id.removeprefix(CodeItem.at("").room_id), item.owner, free_at
        if isinstance(item, FormerMemberItem | UnassignmentItem):
            return item.entity()
        raise ValueError("no kind of item of this table")

    parsed, snapshots = _parsed(settings.rooms_table, raws, parse)
    rooms = {each.id: each for each in parsed if isinstance(each, Room)}
    members: dict[str, list[Membership]] = {room_id: [] for room_id in rooms}
    for each in parsed:
        if isinstance(each, Membership):
            members.setdefault(each.room_id, []).append(each)
    claims = [each for each in parsed if isinstance(each, tuple)]
    items = [raw for raw in raws if raw["item"]["S"] == ROOM_ITEM and raw["room_id"]["S"] in rooms]
    positions = logged(version_of(raw) for raw in items)
    users = users_by_id({member.user_id for of_room in members.values() for member in of_room})
    codes = codes_by_id({room.code for room in rooms.values()})
    claimants = rooms_by_id({owner for _, owner, _ in claims})
    former = [each for each in parsed if isinstance(each, FormerMember)]
    dues = [each for each in parsed if isinstance(each, DueUnassignment)]
    people = users_by_id({each.user_id for each in former} | {due.user_id for due in dues})
    marked = {raw["room_id"]["S"] for raw in raws if raw["item"]["S"] == ROOM_ITEM and _is_marked(raw, Unfinished.ROOM)}
    back = join_ids({(each.room_id, each.user_id) for each in former})
    for room_id, of_room in members.items():
        room = rooms.get(room_id)
        claim = codes.get(CodeItem.at(room.code).room_id) if room else None
        owner = None if claim is None or "expires_at" in claim else text_of(claim, "owner")
        known = {member.user_id: users[member.user_id] for member in of_room if member.user_id in users}
        deleting = {
            user_id: times.parse(raw["updated_at"]["S"])
            for user_id, raw in known.items()
            if text_of(raw, "status") == UserStatus.DELETING.value
        }
        position = positions.get(room_id)
        snapshots.append(
            RoomSnapshot(room_id, room, tuple(of_room), owner, frozenset(known), deleting, position, room_id in marked)
        )
    snapshots += [CodeSnapshot(code, by, text_of(claimants.get(by), "code"), free_at) for code, by, free_at in claims]
    snapshots += [
        FormerMemberSnapshot(each, each.user_id in people, (each.room_id, each.user_id) in back) for each in former
    ]
    snapshots += [UnassignmentSnapshot(each, each.user_id in people) for each in dues]
    return snapshots


def _user_snapshots(raws: list[Raw]) -> list[Snapshot]:
    def parse(raw: Raw) -> User | tuple[str, str]:
        kind = text_of(raw, "kind")
        if kind == "user":
            return USER.read(raw)
        if kind == "claim":
            return raw["user_id"]["S"], raw["owner"]["S"]
        raise ValueError("no kind of item of this table")

    parsed, snapshots = _parsed(settings.users_table, raws, parse)
    users = {user: _claims(user.username, user.email) for user in parsed if isinstance(user, User)}
    claims = [each for each in parsed if isinstance(each, tuple)]
    found = users_by_id({claim for of_user in users.values() for claim in of_user} | {owner for _, owner in claims})
    marked = {raw["user_id"]["S"] for raw in raws if _is_marked(raw, Unfinished.USER)}
    known = {user.id for user in users}
    positions = logged(version_of(raw) for raw in raws if raw["user_id"]["S"] in known)
    for user, of_user in users.items():
        owners = {claim: text_of(found.get(claim), "owner") for claim in of_user}
        snapshots.append(UserSnapshot(user, owners, user.id in marked, positions[user.id]))
    for claim, owner in claims:
        username, email = (text_of(found.get(owner), name) for name in ("username", "email"))
        snapshots.append(NameSnapshot(claim, owner, _claims(username, email)))
    return snapshots


def _log_snapshots(raws: list[Raw]) -> list[Snapshot]:
    parsed, snapshots = _parsed(settings.log_table, raws, read_item)
    return [*snapshots, *entry_snapshots(parsed), *missing_snapshots(parsed), *marked_log_snapshots(parsed)]


def _webhook_snapshots(raws: list[Raw]) -> list[Snapshot]:
    parsed, snapshots = _parsed(settings.webhooks_table, raws, read_webhook_item)
    return [*snapshots, *webhooks_snapshots(parsed), *due_snapshots(parsed)]


def _live_snapshots(raws: list[Raw]) -> list[Snapshot]:
    parsed, snapshots = _parsed(settings.live_table, raws, read_live_item)
    return [*snapshots, *ticket_snapshots(parsed), *connections_snapshots(parsed)]


def _session_snapshots(raws: list[Raw]) -> list[Snapshot]:
    # Public keys are in the same table; no invariant is about them.
    raws = [raw for raw in raws if not raw["session_id"]["S"].startswith(KEY)]

    parsed, snapshots = _parsed(settings.sessions_table, raws, session_of)
    known = users_by_id({session.user_id for session in parsed})
    snapshots += [SessionSnapshot(session, session.user_id in known) for session in parsed]
    return snapshots


def _idempotency_snapshots(raws: list[Raw]) -> list[Snapshot]:
    def parse(raw: Raw) -> IdempotencyRecord:
        item = IdempotencyItem.from_raw_data(raw)
        return IdempotencyRecord(item.receipt_id, item.fingerprint, item.answer)

    # Deletion notes and migration positions are in the same table; they belong to no request.
    raws = [raw for raw in raws if not raw["receipt_id"]["S"].startswith((DELETION, POSITION))]
    parsed, snapshots = _parsed(settings.idempotency_table, raws, parse)
    snapshots += [IdempotencySnapshot(record) for record in parsed]
    return snapshots


def _parsed(table: str, raws: Iterable[Raw], parse: Callable[[Raw], Parsed]) -> tuple[list[Parsed], list[Snapshot]]:
    """The parsed items, and snapshots of those that cannot be parsed."""
    parsed: list[Parsed] = []
    unreadable: list[Snapshot] = []
    for raw in raws:
        try:
            parsed.append(parse(raw))
        except _UNREADABLE as error:
            key = tuple(raw[name]["S"] for name in key_names(table))
            unreadable.append(UnreadableSnapshot(table, key, f"{type(error).__name__}: {error}"))
    return parsed, unreadable


def _claims(username: str | None, email: str | None) -> frozenset[str]:
    """The claims of a user with this username and address."""
    claims = [name_claim(username)] if username is not None else []
    return frozenset(claims + ([email_claim(email)] if email is not None else []))


def _is_marked(raw: Raw, kind: Unfinished) -> bool:
    """Whether the item is in the index of unfinished removals."""
    return text_of(raw, "unfinished") == kind and "updated_at" in raw
