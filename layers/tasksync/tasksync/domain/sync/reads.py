"""What services that follow change logs need of repositories, and how they read at the same time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

from tasksync.domain.gather import GatherAll
from tasksync.model.entities import Membership, RoomView, Task, User
from tasksync.model.following import ListedTasks, LogEnds, LoggedChange

Item = TypeVar("Item")

MOST_KEYS = 100
"""Of one read of users or memberships."""
MOST_TASKS = 50
"""Of one read of tasks."""


class Logs(Protocol):
    """``dynamodb/change_log/reading.py``."""

    def ends(self, log_ids: Sequence[str]) -> LogEnds: ...
    def entries(self, log_id: str, after: int, last: int) -> list[LoggedChange] | None: ...


class Rooms(Protocol):
    """``dynamodb/rooms/queries.py``."""

    def joins_of(self, user_id: str) -> dict[str, str]: ...
    def view(self, room_id: str, user_id: str) -> RoomView | None: ...
    def memberships_in(self, room_ids: Iterable[str], user_id: str) -> dict[str, Membership]: ...


class Tasks(Protocol):
    """``dynamodb/tasks/following.py``."""

    def current(self, task_ids: Sequence[str]) -> dict[str, Task]: ...
    def listed(self, owner_id: str, after: str, limit: int) -> ListedTasks: ...
    def whole(self, tasks: Sequence[Task]) -> list[Task]: ...


class People(Protocol):
    """``dynamodb/users/repository.py``."""

    def find_many(self, user_ids: Iterable[str]) -> dict[str, User]: ...


def parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, each once, in lists of at most ``size``."""
    left = iter(dict.fromkeys(items))
    while part := list(islice(left, size)):
        yield part


def gathered(gather: GatherAll, *groups: Sequence[Callable[[], Any]]) -> list[list[Any]]:
    """The results of groups of reads, all of them at the same time: for each group a list."""
    reads = [read for group in groups for read in group]
    found = iter(gather(*reads))
    return [list(islice(found, len(group))) for group in groups]
