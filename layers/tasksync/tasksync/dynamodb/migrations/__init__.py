"""The migrations, in the order in which they run. The id and the order of a released migration never change."""

from tasksync.dynamodb.migrations.m0001_member_ids import MemberIds
from tasksync.dynamodb.migrations.m0004_dead_rooms import DeadRooms
from tasksync.dynamodb.migrations.m0005_deleted_users import DeletedUsers

MIGRATIONS = (MemberIds(), DeadRooms(), DeletedUsers())
