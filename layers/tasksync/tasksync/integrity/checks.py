"""The auditor: checks the invariants of the stored data, item by item.

The tables are in use while the auditor reads them, so two items may be read in states that never existed at the same
time. A failed check is therefore only a suspicion at first. The auditor reads the items again, five times in one
second, and reports a violation only if every snapshot shows it. A transaction in progress is visible for milliseconds
only.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from tasksync.integrity.snapshot import (
    CodeSnapshot,
    ConnectionsSnapshot,
    DueSnapshot,
    EntrySnapshot,
    FamilySnapshot,
    FormerMemberSnapshot,
    IdempotencySnapshot,
    LoggedSnapshot,
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
from tasksync.model.entities import MAX_INDEX_LAG, FormerRole, RoomRole, UserStatus
from tasksync.model.live import CONNECTION_LIFETIME, MOST_CONNECTIONS
from tasksync.model.times import owner_of
from tasksync.runtime.deadline import KeepGoing

_CONFIRMING_READS = 5
_PAUSE_SECONDS = 0.25
_MOST_SHOWN = 100
_EXPIRED_ITEMS_STAY = timedelta(days=7)
"""DynamoDB deletes expired items within some days. If they stay longer, the table has no TTL attribute."""


class Invariant(StrEnum):
    """The invariants. They hold at any time; I11 holds when no removal is in progress. ``STATEMENTS`` describes
    each."""

    READABLE = "I0"
    MEMBER_COUNT = "I1"
    ADMIN_COUNT = "I2"
    MEMBERSHIP = "I3"
    TASK_OWNER = "I4"
    CLAIMS = "I5"
    TASK_VERSION = "I6"
    NO_JOIN_AFTER_DEATH = "I7"
    IDEMPOTENCY = "I8"
    REFRESH_TOKEN = "I10"  # noqa: S105  # names an invariant
    NOTHING_LEFT = "I11"
    LOG = "I12"
    LOGGED = "I13"
    LINKS = "I15"
    FORMER_MEMBER = "I16"
    MARKED = "I17"
    WEBHOOKS = "I18"
    LIVE = "I19"


STATEMENTS = {
    Invariant.READABLE: "every item can be read as what it says it is",
    Invariant.MEMBER_COUNT: "a room's member_count is the number of its memberships, and its member_ids are theirs",
    Invariant.ADMIN_COUNT: "its admin_count is the number of admins, at least 1 while it has members",
    Invariant.MEMBERSHIP: "a membership is in a live room",
    Invariant.TASK_OWNER: "a task has its room, a personal task its person",
    Invariant.CLAIMS: "names, e-mail addresses and codes have one claim each, which names who has them or is retired",
    Invariant.TASK_VERSION: "a task's version is at least 1, and its id and sort keys fit its content",
    Invariant.NO_JOIN_AFTER_DEATH: "nobody joins a room after its last member left",
    Invariant.IDEMPOTENCY: "an idempotency key has one record, with the request's fingerprint and the response",
    Invariant.REFRESH_TOKEN: "a session has one live refresh token, a family of its own, and a user",
    Invariant.NOTHING_LEFT: "nothing is empty, orphaned or unfinished for longer than a removal takes",
    Invariant.LOG: "the entries of a change log are numbered up to its head, without a gap",
    Invariant.LOGGED: "a change log is as far as its room, user and tasks are, and counts each task where it belongs",
    Invariant.LINKS: "links are those of the tasks' assignees, and each long description has its task",
    Invariant.MARKED: "what is to be removed is marked for the sweeper, and nothing else is",
    Invariant.WEBHOOKS: "a room's webhooks are counted, its log is marked if it has any, and what is pending is due",
    Invariant.LIVE: "connections are few and of sessions that have not ended, and nothing expired stays",
    Invariant.FORMER_MEMBER: "whom an admin removed is not in the room: added by an admin, they are no former member",
}

ELSEWHERE = {
    Invariant.NO_JOIN_AFTER_DEATH: "it is about an order, which tables do not store: checked by model and simulation",
}
"""The invariants that the stored data cannot show, and where they are checked instead."""


@dataclass(frozen=True, slots=True)
class Check:
    """The check of one invariant for one item. ``fault`` says what is wrong; None if the invariant holds."""

    invariant: Invariant
    item: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one invariant. ``shown`` holds the first 100 violations."""

    invariant: Invariant
    checked: int
    violations: int
    shown: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an audit. ``complete`` is False if the time ran out before everything was read."""

    findings: tuple[Finding, ...]
    complete: bool


class Store(Protocol):
    """``dynamodb/integrity/snapshots.py``."""

    def snapshots(self) -> Iterator[list[Snapshot]]: ...
    def read_again(self, snapshot: Snapshot) -> Snapshot | None: ...


class Auditor:
    """Runs one audit."""

    def __init__(self, store: Store, older_than: timedelta, wait: Callable[[float], None], in_trash: timedelta) -> None:
        """``older_than``: how long a removal may take (I11), not counting ``MAX_INDEX_LAG``, and how long a stream
        record may take (I12, I13).

        ``wait`` sleeps for a number of seconds. ``in_trash``: how long a task stays in the trash.
        """
        self._store = store
        self._in_trash = in_trash
        self._older_than = older_than
        self._wait = wait
        self._families: dict[str, SessionSnapshot] = {}
        self._checked: Counter[Invariant] = Counter()
        self._violations: dict[Invariant, list[Check]] = {invariant: [] for invariant in Invariant}
        self._counted: Counter[Invariant] = Counter()

    def run(self, keep_going: KeepGoing) -> Report:
        complete = True
        for snapshots in self._store.snapshots():
            if not keep_going():
                complete = False
                break
            self._look_at([*snapshots, *self._shared_families(snapshots)])
        return Report(
            tuple(
                Finding(each, self._checked[each], self._counted[each], tuple(self._violations[each]))
                for each in Invariant
            ),
            complete,
        )

    def _look_at(self, snapshots: Iterable[Snapshot]) -> None:
        suspects: list[Snapshot] = []
        for snapshot in snapshots:
            found = list(self._checks(snapshot))
            self._checked.update(check.invariant for check in found)
            if any(check.fault for check in found):
                suspects.append(snapshot)
        for violation in self._confirmed(suspects):
            self._counted[violation.invariant] += 1
            if len(self._violations[violation.invariant]) < _MOST_SHOWN:
                self._violations[violation.invariant].append(violation)

    def _confirmed(self, suspects: list[Snapshot]) -> list[Check]:
        """The failed checks that every one of five further snapshots shows."""
        faults = {(check.invariant, check.item): check for snapshot in suspects for check in self._faults(snapshot)}
        for number in range(_CONFIRMING_READS):
            if not suspects:
                break
            if number:
                self._wait(_PAUSE_SECONDS)
            suspects = [again for snapshot in suspects if (again := self._store.read_again(snapshot)) is not None]
            still = {(check.invariant, check.item): check for snapshot in suspects for check in self._faults(snapshot)}
            faults = {key: check for key, check in still.items() if key in faults}
            suspects = [snapshot for snapshot in suspects if any(True for _ in self._faults(snapshot))]
        return list(faults.values())

    def _checks(self, snapshot: Snapshot) -> Iterator[Check]:
        yield from checks(snapshot, times.now(), self._older_than, self._in_trash)

    def _faults(self, snapshot: Snapshot) -> Iterator[Check]:
        return (check for check in self._checks(snapshot) if check.fault)

    def _shared_families(self, snapshots: Iterable[Snapshot]) -> list[Snapshot]:
        """Pairs of sessions that share a family of refresh tokens."""
        shared: list[Snapshot] = []
        for snapshot in snapshots:
            if isinstance(snapshot, SessionSnapshot):
                first = self._families.setdefault(snapshot.session.family_hash, snapshot)
                if first.session.id != snapshot.session.id:
                    shared.append(FamilySnapshot((first, snapshot)))
        return shared


def checks(snapshot: Snapshot, at: datetime, older_than: timedelta, in_trash: timedelta) -> Iterator[Check]:  # noqa: C901, PLR0912  # a table of cases
    """The checks of all invariants that concern this snapshot.

    ``older_than``, ``in_trash``: as the ``Auditor`` takes them.
    """
    since = at - older_than
    match snapshot:
        case RoomSnapshot():
            yield from _checks_of_room(snapshot, since)
            if snapshot.logged is not None:
                yield _check_of_logged(snapshot.room_id, snapshot.logged, since)
        case CodeSnapshot():
            yield from _checks_of_code(snapshot, since)
        case FormerMemberSnapshot():
            yield from _checks_of_former_member(snapshot)
        case UnassignmentSnapshot():
            yield from _checks_of_unassignment(snapshot, since)
        case UserSnapshot():
            yield from _checks_of_user(snapshot, since)
            yield _check_of_logged(snapshot.user.id, snapshot.logged, since)
        case NameSnapshot():
            yield _check_of_claim(snapshot.owner, snapshot.claim, snapshot.claim in snapshot.claims_of_owner)
        case TaskSnapshot():
            yield from _checks_of_task(snapshot, since, in_trash)
            yield _check_of_logged(snapshot.task.id, snapshot.logged, since)
        case EntrySnapshot():
            yield _check_of_entry(snapshot, since)
        case MissingSnapshot():
            yield _check_of_missing(snapshot, since)
        case TaskPartSnapshot():
            fault = None if snapshot.fits else "is of no task that has it"
            yield Check(Invariant.LINKS, f"{snapshot.item} of {snapshot.owner_id}", fault)
        case RespreadSnapshot():
            began = snapshot.respread.since
            fault = f"is due since {began}" if began <= since - MAX_INDEX_LAG else None
            yield Check(Invariant.NOTHING_LEFT, f"respread of ranks in {snapshot.respread.owner_id}", fault)
        case SessionSnapshot():
            yield _check_of_session(snapshot, at)
        case FamilySnapshot():
            yield _check_of_family(snapshot)
        case WebhooksSnapshot():
            yield _check_of_webhooks(snapshot)
        case MarkedLogSnapshot():
            yield _check_of_marked_log(snapshot)
        case DueSnapshot():
            yield _check_of_due(snapshot, since)
        case ConnectionsSnapshot():
            yield _check_of_connections(snapshot, at)
        case TicketSnapshot():
            yield _check_of_ticket(snapshot, at)
        case IdempotencySnapshot():
            yield _check_of_idempotency_record(snapshot)
    yield _check_of_form(snapshot)


def _check_of_form(snapshot: Snapshot) -> Check:
    if isinstance(snapshot, UnreadableSnapshot):
        return Check(Invariant.READABLE, f"item {' '.join(snapshot.key)} in {snapshot.table}", snapshot.reason)
    return Check(Invariant.READABLE, "", None)


def _checks_of_room(snapshot: RoomSnapshot, since: datetime) -> Iterator[Check]:
    room, members = snapshot.room, snapshot.members
    for member in members:
        name = f"membership of {member.user_id} in {snapshot.room_id}"
        live = room is not None and room.member_count >= 1
        yield Check(Invariant.MEMBERSHIP, name, None if live else "is in no live room")
        yield Check(Invariant.NOTHING_LEFT, name, _left_by(member.user_id, snapshot, since))
    if room is None:
        return
    counted = len(members)
    fault = _differs("member_count", room.member_count, counted)
    unlike = room.member_ids ^ {member.user_id for member in members}
    if fault is None and unlike:
        fault = f"has other member_ids than memberships, in {', '.join(sorted(unlike))}"
    yield Check(Invariant.MEMBER_COUNT, room.id, fault)
    admins = sum(member.role is RoomRole.ADMIN for member in members)
    fault = _differs("admin_count", room.admin_count, admins) or ("has no admin" if members and not admins else None)
    yield Check(Invariant.ADMIN_COUNT, room.id, fault)
    fault = (
        None if snapshot.code_owner == room.id else f"code {room.code} is claimed by {snapshot.code_owner or 'nobody'}"
    )
    yield Check(Invariant.CLAIMS, room.id, fault)
    left = room.member_count == 0 and room.updated_at <= since
    yield Check(Invariant.NOTHING_LEFT, room.id, f"is empty since {room.updated_at}" if left else None)
    yield _check_of_mark(room.id, "empty", to_be_removed=room.member_count == 0, marked=snapshot.marked)


def _left_by(user_id: str, snapshot: RoomSnapshot, since: datetime) -> str | None:
    if user_id not in snapshot.known_users:
        return "is of no user"
    deleting_since = snapshot.deleting_since.get(user_id)
    left = deleting_since is not None and deleting_since <= since
    return f"is of a user who is being deleted since {deleting_since}" if left else None


def _checks_of_user(snapshot: UserSnapshot, since: datetime) -> Iterator[Check]:
    user = snapshot.user
    deleting = user.status is UserStatus.DELETING
    for claim, owner in snapshot.claim_owners.items():
        # The names of a user who is being deleted are free: another user may have them.
        fault = None if owner == user.id or deleting else f"{claim} is claimed by {owner or 'nobody'}"
        yield Check(Invariant.CLAIMS, f"{user.id} with {claim}", fault)
    left = deleting and user.updated_at <= since - MAX_INDEX_LAG
    yield Check(Invariant.NOTHING_LEFT, user.id, f"is being deleted since {user.updated_at}" if left else None)
    yield _check_of_mark(user.id, "being deleted", to_be_removed=deleting, marked=snapshot.marked)


def _check_of_mark(item: str, state: str, *, to_be_removed: bool, marked: bool) -> Check:
    fault = f"is {state} and not marked" if to_be_removed else f"is marked and not {state}"
    return Check(Invariant.MARKED, item, fault if marked != to_be_removed else None)


def _checks_of_unassignment(snapshot: UnassignmentSnapshot, since: datetime) -> Iterator[Check]:
    due = snapshot.due
    name = f"unassignment of {due.user_id} in {due.room_id}"
    fault = f"is due since {due.since}" if due.since <= since else None
    yield Check(Invariant.NOTHING_LEFT, name, fault if snapshot.user_known else "is of no user")


def _checks_of_task(snapshot: TaskSnapshot, since: datetime, in_trash: timedelta) -> Iterator[Check]:
    task = snapshot.task
    yield Check(Invariant.TASK_OWNER, task.id, None if snapshot.owner_known else f"there is no {task.owner_id}")
    faults = [
        fault
        for fault, holds in {
            f"has version {task.version}": task.version >= 1,
            f"is stored under {task.owner_id}": owner_of(task.id) == task.owner_id,
            "has keys of indexes of other content": snapshot.keys_fit,
        }.items()
        if not holds
    ]
    yield Check(Invariant.TASK_VERSION, task.id, ", ".join(faults) or None)
    unknown, left = (", ".join(sorted(each)) for each in (snapshot.unknown_assignees, snapshot.left))
    fault = f"is assigned to {unknown}, who is no user" if unknown else None
    if fault is None and snapshot.left_since is not None and snapshot.left_since <= since:
        fault = f"is assigned to {left} by a membership that was over at {snapshot.left_since}"
    if task.trashed_at is not None and task.trashed_at + in_trash <= since - MAX_INDEX_LAG:
        fault = f"is in the trash since {task.trashed_at}"
    yield Check(Invariant.NOTHING_LEFT, task.id, fault)
    faults = [
        fault
        for fault, holds in {
            "has other links than assignees": snapshot.links_fit,
            "lacks its description": snapshot.description_fits,
        }.items()
        if not holds
    ]
    yield Check(Invariant.LINKS, task.id, ", ".join(faults) or None)


def _checks_of_code(snapshot: CodeSnapshot, since: datetime) -> Iterator[Check]:
    """Either the room that the claim names uses the code, or the code is retired and the room has another one."""
    in_use = snapshot.code_of_owner == snapshot.code
    yield _check_of_claim(snapshot.owner, f"code {snapshot.code}", in_use is (snapshot.free_at is None))
    left = snapshot.free_at is not None and snapshot.free_at <= since - _EXPIRED_ITEMS_STAY
    fault = f"is retired, and free since {snapshot.free_at}" if left else None
    yield Check(Invariant.NOTHING_LEFT, f"code {snapshot.code}", fault)


def _checks_of_former_member(snapshot: FormerMemberSnapshot) -> Iterator[Check]:
    former = snapshot.former
    name = f"{former.user_id}, who was in {former.room_id}"
    back = former.role is FormerRole.REMOVED and snapshot.member
    yield Check(Invariant.FORMER_MEMBER, name, "was removed, and is in it by no admin's doing" if back else None)
    yield Check(Invariant.NOTHING_LEFT, name, None if snapshot.user_known else "is no user")


def _check_of_claim(owner: str, what: str, holds: bool) -> Check:
    return Check(Invariant.CLAIMS, f"claim of {owner} on {what}", None if holds else "names somebody who has it not")


def _check_of_session(snapshot: SessionSnapshot, at: datetime) -> Check:
    session, fault = snapshot.session, None
    # DynamoDB deletes an expired item with a delay; until then the functions ignore it.
    if not snapshot.user_known and session.expires_at > at:
        fault = f"is of {session.user_id}, who is no user"
    if not session.refresh_hash or not session.family_hash:
        fault = "has no refresh token"
    return Check(Invariant.REFRESH_TOKEN, session.id, fault)


def _check_of_family(snapshot: FamilySnapshot) -> Check:
    name = " and ".join(each.session.id for each in snapshot.sessions)
    fault = "are of one family of refresh tokens" if len(snapshot.sessions) > 1 else None
    return Check(Invariant.REFRESH_TOKEN, name, fault)


def _check_of_idempotency_record(snapshot: IdempotencySnapshot) -> Check:
    """The record has the fingerprint of the request, and the response of a request that succeeded."""
    try:
        whole = bool(snapshot.record.fingerprint) and 200 <= json.loads(snapshot.record.response or "")["status"] < 300
    except (ValueError, KeyError, TypeError):
        whole = False
    return Check(
        Invariant.IDEMPOTENCY,
        f"idempotency record {snapshot.record.id}",
        None if whole else "is of no finished request",
    )


def _check_of_entry(entry: EntrySnapshot, since: datetime) -> Check:
    """Entries expire in the order of their numbers: the one after a live entry is live."""
    fault = None
    if entry.seq > entry.head and entry.at <= since:
        fault = f"is after the head, {entry.head}"
    elif entry.live and entry.seq < entry.head and not entry.followed:
        fault = "is the last one before a gap"
    return Check(Invariant.LOG, f"entry {entry.seq} of {entry.log_id}", fault)


def _check_of_logged(thing_id: str, logged: LoggedSnapshot, since: datetime) -> Check:
    marker, fault = logged.marker, None
    at_rest = logged.changed_at <= since
    if marker is not None and marker.revision > logged.revision:
        fault = f"is in its log up to revision {marker.revision}, and has {logged.revision}"
    elif at_rest and (marker is None or marker.revision < logged.revision):
        fault = f"was changed at {logged.changed_at}, and its log does not say so"
    elif marker is not None and marker.revision == logged.revision and marker.counted is not logged.counted:
        fault = f"is counted as {marker.counted}, and is {logged.counted}"
    return Check(Invariant.LOGGED, thing_id, fault)


def _check_of_missing(missing: MissingSnapshot, since: datetime) -> Check:
    fault = f"is missing since {missing.since}, and its log does not say so" if missing.since <= since else None
    return Check(Invariant.LOGGED, missing.thing_id, fault)


def _check_of_webhooks(snapshot: WebhooksSnapshot) -> Check:
    fault = _differs("webhooks", snapshot.counted, snapshot.there)
    if fault is None and not snapshot.marked:
        fault = "has webhooks, and its log is not marked"
    if not snapshot.room_known:
        fault = "is no room, and has webhooks"
    return Check(Invariant.WEBHOOKS, snapshot.room_id, fault)


def _check_of_marked_log(snapshot: MarkedLogSnapshot) -> Check:
    fault = None if snapshot.has_webhooks else "is marked, and its room has no webhooks"
    return Check(Invariant.WEBHOOKS, f"log of {snapshot.room_id}", fault)


def _check_of_due(snapshot: DueSnapshot, since: datetime) -> Check:
    fault = "is pending, and the sweeper does not see to it" if snapshot.must_be_due else None
    if snapshot.due_at is not None:
        fault = f"is due since {snapshot.due_at}" if snapshot.due_at <= since else None
    return Check(Invariant.WEBHOOKS, f"{snapshot.item} of {snapshot.room_id}", fault)


def _check_of_connections(snapshot: ConnectionsSnapshot, at: datetime) -> Check:
    connections = snapshot.stored.connections
    last = max((each.expires_at for each in connections), default=snapshot.expires_at)
    longest = max((each.expires_at - each.opened_at for each in connections), default=timedelta())
    faults = [
        fault
        for fault, holds in {
            f"has {len(connections)} connections": len(connections) <= MOST_CONNECTIONS,
            f"has connections of {', '.join(sorted(snapshot.ended))}, which ended": not snapshot.ended,
            f"has a connection for {longest}": longest <= CONNECTION_LIFETIME,
            f"expires at {snapshot.expires_at}, before its connections": last <= snapshot.expires_at,
            f"is expired since {snapshot.expires_at}": _may_be_there(snapshot.expires_at, at),
        }.items()
        if not holds
    ]
    return Check(Invariant.LIVE, f"connections of {snapshot.stored.user_id}", ", ".join(faults) or None)


def _check_of_ticket(snapshot: TicketSnapshot, at: datetime) -> Check:
    fault = None if _may_be_there(snapshot.expires_at, at) else f"is expired since {snapshot.expires_at}"
    return Check(Invariant.LIVE, snapshot.live_id, fault)


def _may_be_there(expires_at: datetime, at: datetime) -> bool:
    return at < expires_at + _EXPIRED_ITEMS_STAY


def _differs(name: str, stored: int, counted: int) -> str | None:
    return None if stored == counted else f"has {name} {stored}, and {counted} counted"
