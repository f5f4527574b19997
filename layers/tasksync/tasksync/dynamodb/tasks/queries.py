"""Tasks as overview, export and the resolution of keys need them: without any right to see them."""

from tasksync.dynamodb.tasks.items import TasksItem
from tasksync.dynamodb.tasks.lists import ForwardList
from tasksync.dynamodb.tasks.mapper import LISTED, LinkRow
from tasksync.dynamodb.tasks.query_plan import of_person, of_person_in_room
from tasksync.dynamodb.tasks.repository import TasksRepository
from tasksync.model.entities import Page, Task, TaskStatus
from tasksync.model.queries import TaskFilter

# It sorts behind all characters of a sort key.
_END = "~"
_OPEN = frozenset(TaskStatus) - {TaskStatus.COMPLETED}


class OpenTasks:
    """The ids of open tasks, newest first, some at a time. Completed ones are not read, however many there are."""

    def __init__(self, links: ForwardList[LinkRow]) -> None:
        self._links = links

    @property
    def more(self) -> bool:
        """Whether there may be more."""
        return self._links.goes_on

    def read(self, wanted: int) -> list[str]:
        """The next ids, in one round trip or a few."""
        return [link.id for link in self._links.read(wanted)]


class TaskReads(TasksRepository):
    """The tasks of a person, wherever they are."""

    def open_of(self, user_id: str) -> OpenTasks:
        """What is assigned to a person and not completed. From an index, which may be some milliseconds behind."""
        return OpenTasks(ForwardList(of_person(user_id, TaskFilter(statuses=_OPEN, descending=True)), None, None))

    def personal_of(self, user_id: str) -> OpenTasks:
        """Of a person's personal tasks, those that are not completed."""
        wanted = TaskFilter(assignee_id=user_id, statuses=_OPEN, descending=True)
        return OpenTasks(ForwardList(of_person_in_room(user_id, wanted), None, None))

    def created_for_others(self, user_id: str, limit: int, after: str | None) -> Page[Task]:
        """What a person has created and is not assigned to, oldest first, with whole descriptions.

        Found in an index that may be some milliseconds behind, and read consistently. A page is shorter than ``limit``
        where tasks have just been deleted or assigned to their creator.
        """
        beyond = TasksItem.by_created.between(after or LISTED, LISTED + _END)
        read = next(TasksItem.by_person.query(user_id, beyond, page_size=limit).page_iter)
        ids = [raw["item"]["S"] for raw in read["Items"]]
        found = self.find_many(ids) if ids else {}
        tasks = [found[each] for each in ids if each in found and user_id not in found[each].assignee_ids]
        last = read.get("LastEvaluatedKey")
        return Page(self.whole(tasks), None if last is None else f"{last['by_created']['S']}{_END}")
