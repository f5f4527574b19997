"""Marks users whose deletion started before marks existed, so that the sweeper finds them."""

from tasksync.dynamodb.core.connection import Transaction
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.dynamodb.users.items import UserItem, mark_as_deleting
from tasksync.model.entities import UserStatus
from tasksync.model.errors import WriteConflict
from tasksync.runtime.settings import settings


class DeletedUsers:
    id = "0005-deleted-users"
    description = "users being deleted are marked for the sweeper"

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        return scan_page(settings.users_table, segment, segments, after, limit)

    def change(self, item: Raw) -> bool:
        # Claims are in the same table, and have no status.
        if item.get("status") != {"S": UserStatus.DELETING} or "unfinished" in item:
            return False
        transaction = Transaction()
        user = UserItem(item["user_id"]["S"])
        transaction.update(user, [mark_as_deleting()], UserItem.status == UserStatus.DELETING.value, WriteConflict)
        try:
            transaction.commit()
        except WriteConflict:
            return False  # erased meanwhile
        return True
