"""The migrations, in the order in which they run. The id and the order of a released migration never change.

``0002-task-sort-keys`` and ``0003-assignments`` wrote to the old tasks table. ``0006-tasks-copied`` makes all sort keys
anew, and ``0009-assignments`` does what 0003 did, so a stack from before them needs no other version in between.
"""

from collections.abc import Callable

from tasksync.dynamodb.migrations.logged import Complete
from tasksync.dynamodb.migrations.m0001_member_ids import MemberIds
from tasksync.dynamodb.migrations.m0004_dead_rooms import DeadRooms
from tasksync.dynamodb.migrations.m0005_deleted_users import DeletedUsers
from tasksync.dynamodb.migrations.m0006_tasks_copied import TasksCopied
from tasksync.dynamodb.migrations.m0007_copies_compared import CopiesCompared
from tasksync.dynamodb.migrations.m0008_copies_of_deleted_tasks import CopiesOfDeletedTasks
from tasksync.dynamodb.migrations.m0009_assignments import Assignments
from tasksync.dynamodb.migrations.m0010_activity_adopted import ActivityAdopted
from tasksync.dynamodb.migrations.m0011_rooms_logged import RoomsLogged
from tasksync.dynamodb.migrations.m0012_tasks_logged import TasksLogged
from tasksync.dynamodb.migrations.m0013_users_logged import UsersLogged
from tasksync.dynamodb.migrations.m0014_deletions_logged import DeletionsLogged, End

WAITING_FOR_TASKS = {
    "0010-activity-adopted",
    "0011-rooms-logged",
    "0012-tasks-logged",
    "0013-users-logged",
    "0014-deletions-logged",
}
"""While tasks are closed, nobody waits for these: they run when tasks are open."""


def released(
    adopt: Callable[[str], bool], complete: Complete, end: End
) -> tuple[
    MemberIds,
    DeadRooms,
    DeletedUsers,
    TasksCopied,
    CopiesCompared,
    CopiesOfDeletedTasks,
    Assignments,
    ActivityAdopted,
    RoomsLogged,
    TasksLogged,
    UsersLogged,
    DeletionsLogged,
]:
    """``adopt``, ``complete``, ``end``: of the sequencer, see ``ActivityAdopted`` and ``RoomsLogged``."""
    return (
        MemberIds(),
        DeadRooms(),
        DeletedUsers(),
        TasksCopied(),
        CopiesCompared(),
        CopiesOfDeletedTasks(),
        Assignments(),
        ActivityAdopted(adopt),
        RoomsLogged(complete),
        TasksLogged(complete),
        UsersLogged(complete),
        DeletionsLogged(end),
    )
