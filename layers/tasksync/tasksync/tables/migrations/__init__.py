"""The migrations, in the order in which they are carried out. One that was released keeps its id and its place."""

from tasksync.tables.migrations.m0001_member_ids import MemberIds

MIGRATIONS = (MemberIds(),)
