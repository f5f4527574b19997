"""Completes the change logs of people where records of users were lost: see ``logged.py``."""

from tasksync.dynamodb.migrations.logged import Complete, complete_log_of
from tasksync.dynamodb.migrations.scanning import Raw, scan_page
from tasksync.model.times import is_user_id
from tasksync.runtime.settings import settings


class UsersLogged:
    id = "0013-users-logged"
    description = "change logs are as far as their users"

    def __init__(self, complete: Complete) -> None:
        """``complete``: of the sequencer."""
        self._complete = complete

    def page(self, segment: int, segments: int, after: str | None, limit: int) -> tuple[list[Raw], str | None]:
        items, position = scan_page(settings.users_table, segment, segments, after, limit)
        return [item for item in items if is_user_id(item["user_id"]["S"])], position

    def change(self, item: Raw) -> bool:
        return complete_log_of(item, self._complete)
