"""The protocol with guards taken away, and the fault that this must lead to."""

from dataclasses import dataclass

from tests.model.configurations import (
    ACCOUNTS,
    ASSIGNING,
    CLOSING,
    CODES,
    FORGETTING,
    KEYS,
    MEMBERSHIP,
    MOVING,
    PERSONAL_TASKS,
    REMOVAL,
    RESPREADING,
    RETIRED,
    RETRIES,
    RETURNING,
    SUCCESSION,
    TASKS,
    TRASH,
)
from tests.model.guards import Guard
from tests.model.model import Configuration, Model

_COUNT = "I1: member_count is not the number of memberships"
_ADMINS = "I2: admin_count is not the number of admins"
_LEADERLESS = "I2: a room with members and no admin"
_DEAD_MEMBER = "I3: a membership of a dead room"
_LOST_MEMBER = "I3: a membership of a person who is not there"
_ORPHAN = "I4: a task of a room that is not there"
_UNCLAIMED = "I5: a room without the claim on its code"
_NAMELESS = "I5: a person without the claim on their name"
_LOST = "I6: an acknowledged change of a task is lost"
_UNLINKED = "I15: the links are not the task's assignees"
_TRASH_LINK = "I15: a link of a task in the trash"
_UNDONE = "an assignment by a membership that has not ended is undone"
_LEFT_LINK = "I11: an assignment by a membership that ended is left over"
_REVIVED = "I7: somebody enters a dead room"
_TWO_EFFECTS = "I8: one idempotency key has two effects"
_TWO_RESPONSES = "I8: one idempotency key has two responses"
_REGAINED = "I16: a former member is more than before by joining again"
_BACK = "I16: somebody who was removed comes back by a code"
_TOO_MUCH = "a code gives more than its room lets it"
_GIVEN_UP = "a code that a room has given up is given to a room"
_UNMARKED = "I17: a dead room is not marked"
_LEFT_ROOM = "I11: a dead room is left over"
_LEFT_USER = "I11: a person whose deletion was accepted is left over"
_NO_ADMIN = "a room is administered by somebody who is no admin"
_NO_WRITER = "a task is written by somebody who may not"
_LATER = "a later membership is ended than the one that was meant"
_WRONG_CODE = "a code opens a room that has another one"
_REORDERED = "the order changes when ranks become short"
_IF_MATCH = "a change is made although If-Match names another version"


@dataclass(frozen=True)
class Mutant:
    removed: frozenset[Guard]
    configuration: Configuration
    fault: str

    @property
    def name(self) -> str:
        return " + ".join(sorted(guard.name for guard in self.removed))

    @property
    def model(self) -> Model:
        return Model(self.configuration.brief, self.removed)


def _mutant(configuration: Configuration, fault: str, *removed: Guard) -> Mutant:
    return Mutant(frozenset(removed), configuration, fault)


MUTANTS = (
    _mutant(REMOVAL, _LOST_MEMBER, Guard.JOIN_ACTIVE),
    _mutant(CLOSING, _COUNT, Guard.JOIN_NEW),
    _mutant(MEMBERSHIP, _REVIVED, Guard.JOIN_VERSION),
    _mutant(MEMBERSHIP, _COUNT, Guard.JOIN_ATOMIC),
    _mutant(CODES, _WRONG_CODE, Guard.JOIN_CODE),
    _mutant(RETURNING, _TOO_MUCH, Guard.JOIN_VERSION),
    _mutant(RETURNING, _TOO_MUCH, Guard.JOIN_ROLE),
    _mutant(RETURNING, _REGAINED, Guard.JOIN_LOWER),
    _mutant(RETURNING, _BACK, Guard.JOIN_REMOVED),
    _mutant(RETURNING, _BACK, Guard.JOIN_FORMER),
    _mutant(CLOSING, _NO_ADMIN, Guard.ADD_ACTOR),
    _mutant(RETURNING, "I16: a member of whom it says that they were removed", Guard.ADD_FORGETS),
    _mutant(MEMBERSHIP, _COUNT, Guard.LEAVE_MEMBER),
    _mutant(MEMBERSHIP, _LATER, Guard.LEAVE_JOIN),
    _mutant(MEMBERSHIP, _LATER, Guard.LEAVE_PINNED),
    _mutant(MEMBERSHIP, _ADMINS, Guard.LEAVE_ROLE),
    _mutant(MEMBERSHIP, _LEADERLESS, Guard.LEAVE_LAST_ADMIN),
    _mutant(MEMBERSHIP, "I17: a room with members is marked as dead", Guard.LEAVE_LAST),
    _mutant(MEMBERSHIP, _UNMARKED, Guard.LEAVE_MARKS),
    _mutant(MEMBERSHIP, _COUNT, Guard.LEAVE_ATOMIC),
    _mutant(RETURNING, _REGAINED, Guard.LEAVE_ROLE),
    _mutant(RETURNING, _BACK, Guard.LEAVE_NOTED),
    _mutant(RETURNING, _BACK, Guard.LEAVE_NOTED_ATOMIC),
    _mutant(MEMBERSHIP, _NO_ADMIN, Guard.REMOVE_ACTOR),
    _mutant(RETURNING, _BACK, Guard.REMOVE_NOTED),
    _mutant(CLOSING, _NO_ADMIN, Guard.ROLE_ACTOR),
    _mutant(MEMBERSHIP, _COUNT, Guard.ROLE_MEMBER),
    _mutant(MEMBERSHIP, _ADMINS, Guard.ROLE_BEFORE),
    _mutant(MEMBERSHIP, _LEADERLESS, Guard.ROLE_LAST_ADMIN),
    _mutant(CLOSING, _NO_ADMIN, Guard.CODE_ACTOR),
    _mutant(CODES, _UNCLAIMED, Guard.CODE_FREE),
    _mutant(CLOSING, _IF_MATCH, Guard.CODE_VERSION),
    _mutant(CODES, "I5: a claim on a code that its room does not have", Guard.CODE_VERSION, Guard.CODE_OWNER),
    _mutant(RETIRED, _GIVEN_UP, Guard.CODE_RETIRED),
    _mutant(ACCOUNTS, _LOST_MEMBER, Guard.OPEN_ACTIVE),
    _mutant(CODES, _UNCLAIMED, Guard.OPEN_FREE),
    _mutant(CLOSING, _NO_ADMIN, Guard.CLOSE_MEMBERS),
    _mutant(CLOSING, _DEAD_MEMBER, Guard.CLOSE_VERSION),
    _mutant(CLOSING, _UNMARKED, Guard.CLOSE_MARKS),
    _mutant(CLOSING, _DEAD_MEMBER, Guard.READ_COMPLETE),
    _mutant(TASKS, _NO_WRITER, Guard.TASK_CREATOR),
    _mutant(TASKS, "a task is assigned to somebody outside the room", Guard.TASK_ASSIGNEE),
    _mutant(TASKS, _NO_WRITER, Guard.TASK_EDITOR),
    _mutant(TASKS, _NO_WRITER, Guard.TASK_ROLE),
    _mutant(TASKS, _LOST, Guard.TASK_VERSION),
    _mutant(ACCOUNTS, "I4: a task of a person who is not there", Guard.TASK_PERSONAL),
    _mutant(RETRIES, _TWO_EFFECTS, Guard.IDEMPOTENCY_NEW),
    _mutant(KEYS, _TWO_EFFECTS, Guard.IDEMPOTENCY_NEW),
    _mutant(RETRIES, _TWO_RESPONSES, Guard.IDEMPOTENCY_ATOMIC),
    _mutant(KEYS, _TWO_EFFECTS, Guard.IDEMPOTENCY_ATOMIC),
    _mutant(RETRIES, _TWO_RESPONSES, Guard.IDEMPOTENCY_AGAIN),
    _mutant(KEYS, _TWO_RESPONSES, Guard.IDEMPOTENCY_AGAIN),
    _mutant(RETRIES, "what was carried out is answered with an error", Guard.TOKEN),
    _mutant(KEYS, "one request is carried out twice", Guard.TOKEN),
    _mutant(TASKS, "a task of a live room is deleted", Guard.CLEANUP_READS),
    _mutant(TASKS, _ORPHAN, Guard.CLEANUP_ALL),
    _mutant(TASKS, _ORPHAN, Guard.CLEANUP_ROOM_LAST),
    _mutant(CODES, "the claim of another room is deleted", Guard.CLEANUP_DEAD, Guard.CLEANUP_OWNER),
    _mutant(RETIRED, _GIVEN_UP, Guard.CLEANUP_RETIRES),
    _mutant(TASKS, _LEFT_ROOM, Guard.REDELIVERY),
    _mutant(TASKS, _LEFT_ROOM, Guard.REDELIVERY, Guard.SWEEPER),
    _mutant(ACCOUNTS, _LEFT_USER, Guard.SWEEPER),
    _mutant(ACCOUNTS, _NAMELESS, Guard.REMOVAL_MARKS),
    _mutant(REMOVAL, _LOST_MEMBER, Guard.REMOVAL_INDEX),
    _mutant(SUCCESSION, _LEADERLESS, Guard.SUCCESSION),
    _mutant(SUCCESSION, _COUNT, Guard.SUCCESSOR_MEMBER),
    _mutant(SUCCESSION, _ADMINS, Guard.SUCCESSION_COUNTS),
    _mutant(FORGETTING, "I16: it says how somebody left who is not there any more", Guard.FORGET),
    _mutant(FORGETTING, "I16: it says how somebody left who is not there any more", Guard.FORGET_LAST),
    _mutant(ACCOUNTS, "I4: a task assigned to a person who is not there", Guard.UNASSIGN_LAST),
    _mutant(ACCOUNTS, _LOST, Guard.UNASSIGN_REVISION),
    _mutant(ACCOUNTS, _NAMELESS, Guard.NAME_OWNER),
    _mutant(ACCOUNTS, "I5: a session of a person who is not there", Guard.LOGIN_ACTIVE),
    _mutant(ACCOUNTS, _NAMELESS, Guard.NAME_FREE),
    _mutant(ASSIGNING, _UNLINKED, Guard.TASK_LINKS),
    _mutant(ASSIGNING, _UNLINKED, Guard.TASK_REVISION),
    _mutant(ASSIGNING, _UNLINKED, Guard.UNASSIGN_REVISION),
    _mutant(ASSIGNING, _LEFT_LINK, Guard.UNASSIGN_LINKS),
    _mutant(ASSIGNING, _UNDONE, Guard.UNASSIGN_JOIN),
    _mutant(ASSIGNING, _UNDONE, Guard.UNASSIGN_ORDER),
    _mutant(ASSIGNING, _LEFT_LINK, Guard.LEAVE_DUE),
    _mutant(ASSIGNING, _LEFT_LINK, Guard.DUE_FIRST),
    _mutant(ASSIGNING, _LEFT_LINK, Guard.DUE_SAME),
    _mutant(TRASH, _LOST, Guard.TASK_VERSION),
    _mutant(TRASH, _TRASH_LINK, Guard.TRASH_LINKS),
    _mutant(TRASH, _TRASH_LINK, Guard.UNASSIGN_LIVE),
    _mutant(TRASH, _NO_WRITER, Guard.RESTORE_WRITER),
    _mutant(TRASH, "a task is assigned to somebody outside the room", Guard.RESTORE_JOIN),
    _mutant(TRASH, "a task is assigned to somebody outside the room", Guard.RESTORE_DROPS, Guard.RESTORE_JOIN),
    _mutant(TRASH, _LOST, Guard.RESTORE_REVISION),
    _mutant(TRASH, _UNLINKED, Guard.RESTORE_LINKS),
    _mutant(TRASH, "a task is purged that is not in the trash", Guard.PURGE_TRASHED),
    _mutant(MOVING, _LOST, Guard.TASK_VERSION),
    _mutant(MOVING, "a task is put behind one that does not stand before it", Guard.MOVE_AFTER),
    _mutant(MOVING, "a task is shown as it was before it was moved", Guard.MOVE_THERE),
    _mutant(RESPREADING, "a task is put elsewhere, and none was moved meanwhile", Guard.MOVE_STEP),
    _mutant(RESPREADING, _REORDERED, Guard.RESPREAD_WAITS),
    _mutant(RESPREADING, _REORDERED, Guard.RESPREAD_STEP),
    _mutant(RESPREADING, "a task gets a rank, and is not the one that was read", Guard.RESPREAD_REVISION),
    _mutant(RESPREADING, _REORDERED, Guard.RESPREAD_ORDER),
    _mutant(RESPREADING, "I11: ranks that are to become short are left over", Guard.SWEEPER),
    _mutant(PERSONAL_TASKS, "I15: a link of a task that is not there", Guard.CLEANUP_ALL),
)

SPARE = (
    _mutant(CODES, "CODE_VERSION", Guard.CODE_OWNER),
    _mutant(CODES, "CLEANUP_OWNER", Guard.CLEANUP_DEAD),
    _mutant(CODES, "CLEANUP_DEAD", Guard.CLEANUP_OWNER),
    _mutant(RETRIES, "IDEMPOTENCY_AGAIN", Guard.IDEMPOTENCY_FIRST),
    _mutant(TRASH, "RESTORE_JOIN", Guard.RESTORE_DROPS),
)
"""Guards that can be missed as long as another stands, named here in place of a fault: they are there twice over."""
