"""The auditor: whether what is stored keeps the invariants, item by item.

The tables are read while they are in use, so what is read of two items may never have stood side by side. A fault is
therefore only a suspicion at first: what it concerns is read again, several times over a second, and it is a violation
only if every one of these readings shows it. A transaction in progress shows for milliseconds.
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
    EntrySnapshot,
    FamilySnapshot,
    FormerMemberSnapshot,
    IdempotencySnapshot,
    NameSnapshot,
    RoomSnapshot,
    SessionSnapshot,
    Snapshot,
    TaskSnapshot,
    TrailSnapshot,
    UnassignmentSnapshot,
    UnreadableSnapshot,
    UserSnapshot,
)
from tasksync.model.activity import time_of
from tasksync.model.entities import SETTLED_AFTER, FormerRole, RoomRole, UserStatus
from tasksync.model.ids import owner_of
from tasksync.runtime import clock
from tasksync.runtime.deadline import KeepGoing

_READINGS = 5
_PAUSE_SECONDS = 0.25
_MOST_SHOWN = 100
_EXPIRED_ITEMS_STAY = timedelta(days=7)
"""At most: DynamoDB deletes them within some days, by all that it says. If they stay, it has not been told to."""


class Invariant(StrEnum):
    """What must hold, always; of I11, once at rest. ``STATEMENTS`` says it in words."""

    READABLE = "I0"
    MEMBER_COUNT = "I1"
    ADMIN_COUNT = "I2"
    MEMBERSHIP = "I3"
    TASK_OWNER = "I4"
    CLAIMS = "I5"
    TASK_VERSION = "I6"
    NO_JOIN_AFTER_DEATH = "I7"
    IDEMPOTENCY = "I8"
    AUDIT_TRAIL = "I9"
    REFRESH_TOKEN = "I10"  # noqa: S105  # names an invariant
    NOTHING_LEFT = "I11"
    FORMER_MEMBER = "I16"
    MARKED = "I17"


STATEMENTS = {
    Invariant.READABLE: "every item can be read as what it says it is",
    Invariant.MEMBER_COUNT: "a room's member_count is the number of its memberships, and its member_ids are theirs",
    Invariant.ADMIN_COUNT: "its admin_count is the number of admins, at least 1 while it has members",
    Invariant.MEMBERSHIP: "a membership is in a live room",
    Invariant.TASK_OWNER: "a task has its room, a personal task its person",
    Invariant.CLAIMS: "names, e-mail addresses and codes have one claim each, which names who has them or is retired",
    Invariant.TASK_VERSION: "a task's version is at least 1, and its id and sort keys fit its content",
    Invariant.NO_JOIN_AFTER_DEATH: "nobody joins a room after its last member left",
    Invariant.IDEMPOTENCY: "an idempotency key has one record, with the fingerprint of its request and the response",
    Invariant.AUDIT_TRAIL: "audit entries and commits match one to one",
    Invariant.REFRESH_TOKEN: "a session has one live refresh token, a family of its own, and a user",
    Invariant.NOTHING_LEFT: "nothing is empty, orphaned or unfinished for longer than a removal takes",
    Invariant.MARKED: "what is to be removed is marked for the sweeper, and nothing else is",
    Invariant.FORMER_MEMBER: "whom an admin removed is not in the room: added by an admin, they are no former member",
}

ELSEWHERE = {
    Invariant.NO_JOIN_AFTER_DEATH: "a matter of order, which tables do not keep: shown by the model and the simulation",
}
"""Those that the tables cannot decide, and why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant looked at for one item. ``fault`` is None where it holds."""

    invariant: Invariant
    item: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """How one invariant fares. ``shown`` holds the first 100 violations."""

    invariant: Invariant
    checked: int
    violations: int
    shown: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """``complete`` is False if the time was over before everything was read."""

    findings: tuple[Finding, ...]
    complete: bool


class Store(Protocol):
    """``dynamodb/integrity/snapshots.py``."""

    def readings(self) -> Iterator[list[Snapshot]]: ...
    def again(self, reading: Snapshot) -> Snapshot | None: ...


class Auditor:
    """One audit."""

    def __init__(
        self, store: Store, older_than: timedelta, wait: Callable[[float], None], trails_kept: timedelta
    ) -> None:
        """``older_than``: how long a removal may take (I11), beside the time that a user's item stays by intent, and
        how long a record of the streams (I9).

        ``wait`` pauses for some seconds. ``trails_kept``: how long entries of audit trails are kept.
        """
        self._store = store
        self._trails_kept = trails_kept
        self._older_than = older_than
        self._wait = wait
        self._families: dict[str, SessionSnapshot] = {}
        self._checked: Counter[Invariant] = Counter()
        self._violations: dict[Invariant, list[Check]] = {invariant: [] for invariant in Invariant}
        self._counted: Counter[Invariant] = Counter()

    def run(self, keep_going: KeepGoing) -> Report:
        complete = True
        for readings in self._store.readings():
            if not keep_going():
                complete = False
                break
            self._look_at([*readings, *self._shared_families(readings)])
        return Report(
            tuple(
                Finding(each, self._checked[each], self._counted[each], tuple(self._violations[each]))
                for each in Invariant
            ),
            complete,
        )

    def _look_at(self, readings: Iterable[Snapshot]) -> None:
        suspects: list[Snapshot] = []
        for reading in readings:
            found = list(self._checks(reading))
            self._checked.update(check.invariant for check in found)
            if any(check.fault for check in found):
                suspects.append(reading)
        for violation in self._confirmed(suspects):
            self._counted[violation.invariant] += 1
            if len(self._violations[violation.invariant]) < _MOST_SHOWN:
                self._violations[violation.invariant].append(violation)

    def _confirmed(self, suspects: list[Snapshot]) -> list[Check]:
        """The faults that every one of several further readings shows."""
        faults = {(check.invariant, check.item): check for reading in suspects for check in self._faults(reading)}
        for number in range(_READINGS):
            if not suspects:
                break
            if number:
                self._wait(_PAUSE_SECONDS)
            suspects = [again for reading in suspects if (again := self._store.again(reading)) is not None]
            still = {(check.invariant, check.item): check for reading in suspects for check in self._faults(reading)}
            faults = {key: check for key, check in still.items() if key in faults}
            suspects = [reading for reading in suspects if any(True for _ in self._faults(reading))]
        return list(faults.values())

    def _checks(self, reading: Snapshot) -> Iterator[Check]:
        now = clock.now()
        yield from checks(reading, now, self._older_than)
        yield from checks_of_trail(reading, now, self._older_than, self._trails_kept)

    def _faults(self, reading: Snapshot) -> Iterator[Check]:
        return (check for check in self._checks(reading) if check.fault)

    def _shared_families(self, readings: Iterable[Snapshot]) -> list[Snapshot]:
        """Sessions whose family was met before in another session."""
        shared: list[Snapshot] = []
        for reading in readings:
            if isinstance(reading, SessionSnapshot):
                first = self._families.setdefault(reading.session.family_hash, reading)
                if first.session.id != reading.session.id:
                    shared.append(FamilySnapshot((first, reading)))
        return shared


def checks(reading: Snapshot, at: datetime, older_than: timedelta) -> Iterator[Check]:  # noqa: C901  # a table of cases
    """Every invariant that concerns what was read, with its fault if it does not hold at this time."""
    since = at - older_than
    match reading:
        case RoomSnapshot():
            yield from _checks_of_room(reading, since)
        case CodeSnapshot():
            yield from _checks_of_code(reading, since)
        case FormerMemberSnapshot():
            yield from _checks_of_former_member(reading)
        case UnassignmentSnapshot():
            yield from _checks_of_unassignment(reading, since)
        case UserSnapshot():
            yield from _checks_of_user(reading, since)
        case NameSnapshot():
            yield _check_of_claim(reading.owner, reading.claim, reading.claim in reading.claims_of_owner)
        case TaskSnapshot():
            yield from _checks_of_task(reading, since)
        case SessionSnapshot():
            yield _check_of_session(reading, at)
        case FamilySnapshot():
            yield _check_of_family(reading)
        case IdempotencySnapshot():
            yield _check_of_record(reading)
    yield _check_of_form(reading)


def _check_of_form(reading: Snapshot) -> Check:
    if isinstance(reading, UnreadableSnapshot):
        return Check(Invariant.READABLE, f"item {' '.join(reading.key)} in {reading.table}", reading.reason)
    return Check(Invariant.READABLE, "", None)


def _checks_of_room(reading: RoomSnapshot, since: datetime) -> Iterator[Check]:
    room, members = reading.room, reading.members
    for member in members:
        name = f"membership of {member.user_id} in {reading.room_id}"
        live = room is not None and room.member_count >= 1
        yield Check(Invariant.MEMBERSHIP, name, None if live else "is in no live room")
        yield Check(Invariant.NOTHING_LEFT, name, _left_by(member.user_id, reading, since))
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
        None if reading.code_owner == room.id else f"code {room.code} is claimed by {reading.code_owner or 'nobody'}"
    )
    yield Check(Invariant.CLAIMS, room.id, fault)
    left = room.member_count == 0 and room.updated_at <= since
    yield Check(Invariant.NOTHING_LEFT, room.id, f"is empty since {room.updated_at}" if left else None)
    yield _check_of_mark(room.id, "empty", to_be_removed=room.member_count == 0, marked=reading.marked)


def _left_by(user_id: str, reading: RoomSnapshot, since: datetime) -> str | None:
    if user_id not in reading.known_users:
        return "is of no user"
    deleting_since = reading.deleting_since.get(user_id)
    left = deleting_since is not None and deleting_since <= since
    return f"is of a user who is being deleted since {deleting_since}" if left else None


def _checks_of_user(reading: UserSnapshot, since: datetime) -> Iterator[Check]:
    user = reading.user
    deleting = user.status is UserStatus.DELETING
    for claim, owner in reading.claim_owners.items():
        # The names of somebody who is being deleted are free, and may be somebody else's.
        fault = None if owner == user.id or deleting else f"{claim} is claimed by {owner or 'nobody'}"
        yield Check(Invariant.CLAIMS, f"{user.id} with {claim}", fault)
    left = deleting and user.updated_at <= since - SETTLED_AFTER
    yield Check(Invariant.NOTHING_LEFT, user.id, f"is being deleted since {user.updated_at}" if left else None)
    yield _check_of_mark(user.id, "being deleted", to_be_removed=deleting, marked=reading.marked)


def _check_of_mark(item: str, state: str, *, to_be_removed: bool, marked: bool) -> Check:
    fault = f"is {state} and not marked" if to_be_removed else f"is marked and not {state}"
    return Check(Invariant.MARKED, item, fault if marked != to_be_removed else None)


def _checks_of_unassignment(reading: UnassignmentSnapshot, since: datetime) -> Iterator[Check]:
    due = reading.due
    name = f"unassignment of {due.user_id} in {due.room_id}"
    fault = f"is due since {due.since}" if due.since <= since else None
    yield Check(Invariant.NOTHING_LEFT, name, fault if reading.user_known else "is of no user")


def _checks_of_task(reading: TaskSnapshot, since: datetime) -> Iterator[Check]:
    task = reading.task
    yield Check(Invariant.TASK_OWNER, task.id, None if reading.owner_known else f"there is no {task.owner_id}")
    faults = [
        fault
        for fault, holds in {
            f"has version {task.version}": task.version >= 1,
            f"is stored under {task.owner_id}": owner_of(task.id) == task.owner_id,
            "has sort keys of other content": reading.sort_keys_fit,
        }.items()
        if not holds
    ]
    yield Check(Invariant.TASK_VERSION, task.id, ", ".join(faults) or None)
    fault = None if reading.assignee_known else f"is assigned to {task.assignee_id}, who is no user"
    if fault is None and reading.left_since is not None and reading.left_since <= since:
        fault = f"is assigned to {task.assignee_id} by a membership that was over at {reading.left_since}"
    yield Check(Invariant.NOTHING_LEFT, task.id, fault)


def _checks_of_code(reading: CodeSnapshot, since: datetime) -> Iterator[Check]:
    """A code is in use by the room that its claim names, or it is retired, and that room has another one."""
    in_use = reading.code_of_owner == reading.code
    yield _check_of_claim(reading.owner, f"code {reading.code}", in_use is (reading.free_at is None))
    left = reading.free_at is not None and reading.free_at <= since - _EXPIRED_ITEMS_STAY
    fault = f"is retired, and free since {reading.free_at}" if left else None
    yield Check(Invariant.NOTHING_LEFT, f"code {reading.code}", fault)


def _checks_of_former_member(reading: FormerMemberSnapshot) -> Iterator[Check]:
    former = reading.former
    name = f"{former.user_id}, who was in {former.room_id}"
    back = former.role is FormerRole.REMOVED and reading.member
    yield Check(Invariant.FORMER_MEMBER, name, "was removed, and is in it by no admin's doing" if back else None)
    yield Check(Invariant.NOTHING_LEFT, name, None if reading.user_known else "is no user")


def _check_of_claim(owner: str, what: str, holds: bool) -> Check:
    return Check(Invariant.CLAIMS, f"claim of {owner} on {what}", None if holds else "names somebody who has it not")


def _check_of_session(reading: SessionSnapshot, at: datetime) -> Check:
    session, fault = reading.session, None
    # DynamoDB deletes an expired item some time after its end; until then it is only ignored.
    if not reading.user_known and session.expires_at > at:
        fault = f"is of {session.user_id}, who is no user"
    if not session.refresh_hash or not session.family_hash:
        fault = "has no refresh token"
    return Check(Invariant.REFRESH_TOKEN, session.id, fault)


def _check_of_family(reading: FamilySnapshot) -> Check:
    name = " and ".join(each.session.id for each in reading.sessions)
    fault = "are of one family of refresh tokens" if len(reading.sessions) > 1 else None
    return Check(Invariant.REFRESH_TOKEN, name, fault)


def _check_of_record(reading: IdempotencySnapshot) -> Check:
    """Whether it says what was asked, and holds the answer to a request that was carried out."""
    try:
        whole = bool(reading.record.fingerprint) and 200 <= json.loads(reading.record.response)["status"] < 300
    except (ValueError, KeyError, TypeError):
        whole = False
    return Check(
        Invariant.IDEMPOTENCY, f"idempotency record {reading.record.id}", None if whole else "is of no finished request"
    )


def checks_of_trail(reading: Snapshot, at: datetime, older_than: timedelta, kept: timedelta) -> Iterator[Check]:
    """Whether audit trails have neither gaps nor entries of what was not committed (I9).

    The latest change has its entries, and each entry has those of the change before it: so each change has its own.
    """
    if isinstance(reading, EntrySnapshot):
        # An entry ends by its time, and so does the one before it, earlier.
        live = [each for each in reading.missing if (at - time_of(each)).total_seconds() < reading.kept_seconds]
        faults = ["follows an entry that is not there"] if live else []
        if reading.version is not None and reading.version < reading.number:
            faults.append(f"is of version {reading.number}, and there is {reading.version}")
        yield Check(Invariant.AUDIT_TRAIL, f"entry {reading.entry_id} of {reading.room_id}", ", ".join(faults) or None)
    if isinstance(reading, TaskSnapshot | RoomSnapshot) and reading.trail is not None:
        yield _check_of_latest(reading, reading.trail, at - older_than, at - kept)


def _check_of_latest(
    reading: TaskSnapshot | RoomSnapshot, trail: TrailSnapshot, since: datetime, ended: datetime
) -> Check:
    missing = trail.missing and ended < trail.changed_at <= since
    fault = f"was changed at {trail.changed_at}, and its trail does not say so" if missing else None
    name = reading.task.id if isinstance(reading, TaskSnapshot) else reading.room_id
    return Check(Invariant.AUDIT_TRAIL, name, fault)


def _differs(name: str, stored: int, counted: int) -> str | None:
    return None if stored == counted else f"has {name} {stored}, and {counted} counted"
