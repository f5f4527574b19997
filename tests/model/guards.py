"""The guards of the protocol: each condition, order or repetition that it rests on. A mutant lacks some of them."""

from enum import Enum, auto


class Guard(Enum):
    """Named after the operation and what it makes sure of; the comment says where the code has it."""

    # dynamodb/rooms/repository.py, changes.py: reading and entering
    READ_COMPLETE = auto()  # room_with_members: as many memberships were read as member_count says
    JOIN_ACTIVE = auto()  # _enter: require_active
    JOIN_NEW = auto()  # _enter: the membership must not exist
    JOIN_VERSION = auto()  # _enter: the room's version is the one read
    JOIN_ATOMIC = auto()  # _enter: membership and count in one transaction
    JOIN_CODE = auto()  # domain join: the room read has the code that was given
    JOIN_ROLE = auto()  # domain join: the room says what joining by its code gives, if anything
    JOIN_LOWER = auto()  # domain join: no more than what one was when one left
    JOIN_REMOVED = auto()  # domain join: whoever was removed does not come back
    JOIN_FORMER = auto()  # join: require_former_member
    ADD_ACTOR = auto()  # add: require_membership(actor)
    ADD_FORGETS = auto()  # add: forget_former_member

    # dynamodb/rooms/conditions.py, changes.py: leaving
    LEAVE_MEMBER = auto()  # end_membership: the membership must exist
    LEAVE_JOIN = auto()  # end_membership: join_id is the one read
    LEAVE_ROLE = auto()  # end_membership: role is the one read
    LEAVE_LAST_ADMIN = auto()  # end_membership: admin_count > 1, unless the membership is the last
    LEAVE_LAST = auto()  # end_membership: member_count is 1 where it was read as the last, and more where not
    LEAVE_MARKS = auto()  # end_membership: mark_as_dead with the last membership
    LEAVE_ATOMIC = auto()  # end_membership: membership and count in one transaction
    LEAVE_PINNED = auto()  # domain remove: a later attempt is about the same join as the first
    LEAVE_DUE = auto()  # remove: note_unassignment
    LEAVE_NOTED = auto()  # remove: note_former_member
    LEAVE_NOTED_ATOMIC = auto()  # remove: in the transaction that ends the membership
    REMOVE_ACTOR = auto()  # remove: require_membership(actor)
    REMOVE_NOTED = auto()  # domain remove: whoever is removed by another is noted as removed, whatever their role

    # dynamodb/rooms/changes.py: administration
    ROLE_ACTOR = auto()  # change_role: require_membership(actor)
    ROLE_MEMBER = auto()  # change_role: the membership must exist
    ROLE_BEFORE = auto()  # change_role: role is the one read
    ROLE_LAST_ADMIN = auto()  # change_role: admin_count > 1
    CODE_ACTOR = auto()  # change_code: require_membership(actor)
    CODE_FREE = auto()  # change_code: the new claim must not exist
    CODE_OWNER = auto()  # change_code: the old claim is the room's
    CODE_VERSION = auto()  # change_code: the room's version is the one read
    CODE_RETIRED = auto()  # change_code: the old claim stays, retired
    OPEN_ACTIVE = auto()  # create: require_active
    OPEN_FREE = auto()  # create: the claim must not exist
    CLOSE_MEMBERS = auto()  # close: every membership is what was read
    CLOSE_VERSION = auto()  # close: the room's version is the one read
    CLOSE_MARKS = auto()  # close: mark_as_dead

    # dynamodb/tasks/changes.py
    TASK_CREATOR = auto()  # create: require_writer
    TASK_ASSIGNEE = auto()  # create, update: each assignee's membership has the join_id that is noted
    TASK_EDITOR = auto()  # update, move, trash, purge: require_writer
    TASK_ROLE = auto()  # require_writer: role is admin or member
    TASK_VERSION = auto()  # update, move, trash: nothing that people asked for was done to the task since it was read
    TASK_REVISION = auto()  # the same, and nothing else either: revision is the one read
    TASK_LINKS = auto()  # create, update: the links are put and deleted in the transaction that changes the task
    TASK_PERSONAL = auto()  # create of a personal task: require_active
    MOVE_AFTER = auto()  # move: the task behind which it is to stand has the rank that was read, and is not trashed
    MOVE_THERE = auto()  # domain move: a task that is found in its place already is the one that was read
    MOVE_STEP = auto()  # move: keep_step, the respread is the one that was read before the ranks
    TRASH_LINKS = auto()  # trash: deletes the links
    RESTORE_WRITER = auto()  # restore: require_writer
    RESTORE_JOIN = auto()  # restore: each assignee who comes back is a member by the join_id that is noted
    RESTORE_DROPS = auto()  # domain restore: nobody comes back by a membership that has ended
    RESTORE_REVISION = auto()  # restore: revision is the one read
    RESTORE_LINKS = auto()  # restore: puts the links
    PURGE_TRASHED = auto()  # delete, purge_trashed: trashed_at is the one read

    # domain/respreading.py; dynamodb/tasks/respreads.py
    RESPREAD_WAITS = auto()  # due: until moves have ended that do not know of it
    RESPREAD_STEP = auto()  # write: keep_step
    RESPREAD_REVISION = auto()  # write: each task's revision is the one read
    RESPREAD_ORDER = auto()  # the first task is written first

    # dynamodb/core/connection.py, http/pipeline.py
    IDEMPOTENCY_NEW = auto()  # IdempotencyRepository.put_record: there must be none
    IDEMPOTENCY_FIRST = auto()  # IdempotencyRepository.put_record: its failure goes before every other
    IDEMPOTENCY_ATOMIC = auto()  # IdempotencyRepository.put_record: in the transaction of the effect
    IDEMPOTENCY_AGAIN = auto()  # before an error is answered, the idempotency record is looked for once more
    TOKEN = auto()  # Transaction: client_request_token, the same for every sending

    # domain/removal.py: remove_dead_room; dynamodb/rooms/repository.py: delete_dead
    CLEANUP_READS = auto()  # find_dead: the room is read again, whatever the record says
    CLEANUP_ALL = auto()  # purge: until the query finds no task
    CLEANUP_ROOM_LAST = auto()  # the room goes after its tasks
    CLEANUP_DEAD = auto()  # delete_dead: member_count = 0
    CLEANUP_OWNER = auto()  # delete_dead: the claim is the room's
    CLEANUP_RETIRES = auto()  # delete_dead: the claim stays, retired
    REDELIVERY = auto()  # streams/records.py: a record is finished only when its run was
    SWEEPER = auto()  # what the streams lost is found by a scheduled run

    # domain/removal.py: UserRemoval
    REMOVAL_MARKS = auto()  # begin_removal: the status is changed before anything is undone
    REMOVAL_INDEX = auto()  # finish, MAX_INDEX_LAG: the user goes only after the index has shown every membership
    SUCCESSION = auto()  # _leave: the last admin names a successor
    SUCCESSOR_MEMBER = auto()  # leave_to: the successor is what was read
    SUCCESSION_COUNTS = auto()  # leave_to: admin_count = 1
    FORGET = auto()  # finish: forget_all_of
    FORGET_LAST = auto()  # finish: after the rooms are left
    UNASSIGN_LAST = auto()  # finish: tasks are unassigned after the rooms are left
    UNASSIGN_REVISION = auto()  # unassign: revision is the one read
    UNASSIGN_LINKS = auto()  # unassign: deletes the link

    # domain/rooms/unassignment.py; dynamodb/rooms/unassignments.py
    UNASSIGN_JOIN = auto()  # only what is assigned by another join than that of the membership there is
    UNASSIGN_LIVE = auto()  # what is in the trash stays as it is
    UNASSIGN_ORDER = auto()  # the membership is read after the task
    DUE_FIRST = auto()  # the pending unassignment is read before all else
    DUE_SAME = auto()  # done: it is the one read

    # dynamodb/users/repository.py
    NAME_OWNER = auto()  # free_claims: the claim is the user's
    LOGIN_ACTIVE = auto()  # dynamodb/sessions/repository.py open: the user is active
    NAME_FREE = auto()  # put_user: the claim must not exist
