"""The items of tasks: their own, links, long descriptions and jobs. I15: the links are the live task's assignees."""

from collections.abc import Iterator
from datetime import datetime

from tests.simulation.expressions import Item
from tests.simulation.tables import Change, Key, Table

TASKS_TABLE = "TasksTableV2"
_LINK, _DESCRIPTION, _JOB = "A#", "D#", "J#"
_PARTS = (_LINK, _DESCRIPTION, _JOB)
_NOBODY = "none"
_COMPLETED = "3"
_STATUSES = {"pending": "1", "in progress": "2", "completed": _COMPLETED}
_OF_LIVE_TASKS = ("by_deadline", "by_status", "by_status_deadline", "by_rank")
TRASH_SECONDS = 30 * 86_400.0
"""How long a task stays in the trash: ``TrashDays``."""
RESPREAD_SECONDS = 30.0
"""How long after the move that made a rank long the sweeper makes ranks short."""
_SHORT_IN_A_CROWD = 2


def is_task(key: Key) -> bool:
    """Whether the item is a task's own."""
    return not key[1].startswith(_PARTS)


def is_change_of_task(change: Change) -> bool:
    return change.table == TASKS_TABLE and is_task(change.key)


def is_trashed(task: Item) -> bool:
    return "trashed_at" in task


def trashed_at(task: Item) -> float:
    """Of a task in the trash: since when, in seconds since 1970."""
    return datetime.fromisoformat(task["trashed_at"]["S"]).timestamp()


def due_respreads(table: Table, now: float) -> Iterator[str]:
    """The owners of those that the sweeper should have carried out."""
    for (owner, item), job in table.items.items():
        if item.startswith(_JOB) and datetime.fromisoformat(job["since"]["S"]).timestamp() + RESPREAD_SECONDS < now:
            yield owner


def crowded(number: int, put: Item) -> Item:
    """A new task as if many moves had given it a rank so close to the task before that the next gets a long one.

    ``number``: of the task, from 0. The first two have short ranks: of them, the second gets another rank when ranks
    become short, and the first does not.
    """
    rank = f"h0P0000{number:02}V" if number < _SHORT_IN_A_CROWD else f"h0Qabcdef{'0' * 190}{number:02}V"
    created = str(put["by_created"]["S"]).removeprefix("T#")
    return {**put, "rank": {"S": rank}, "by_rank": {"S": f"T#{_STATUSES[put['status']['S']]}#{rank}#{created}"}}


def place(task: Item) -> tuple[str, str, str]:
    """Of a live task: its status, its rank there, and what orders tasks of equal rank."""
    return task["status"]["S"], task["rank"]["S"], str(task["by_created"]["S"]).removeprefix("T#")


def misplaced(task: Item) -> str | None:
    """What is wrong with the lists that a task is in."""
    created = task["by_created"]["S"]
    if is_trashed(task):
        held = [name for name in _OF_LIVE_TASKS if name in task]
        if held or not created.startswith(f"X#{task['trashed_at']['S']}#") or task.get("person_id") != {"S": "TRASH"}:
            return f"{task['item']['S']} is in the trash, and listed by {held or created}"
        return None
    status, rank, created_part = place(task)
    wanted = f"T#{_STATUSES[status]}#{rank}#{created_part}"
    if not created.startswith("T#") or task["by_rank"]["S"] != wanted or task.get("person_id") == {"S": "TRASH"}:
        return f"{task['item']['S']} is listed by {created}, {task['by_rank']['S']}, and not {wanted}"
    return None


def entries(task: Item) -> Iterator[tuple[str, str | None]]:
    """Of each assignee that a task notes, the user id, and the join id if there is one."""
    for each in task.get("assignees", {"L": []})["L"]:
        user_id, _, join_id = str(each["S"]).partition(" ")
        yield user_id, join_id or None


def assignments(task: Item) -> Iterator[tuple[str, str | None]]:
    """As ``entries``, of a live task; nobody has a task in the trash."""
    return iter(()) if is_trashed(task) else entries(task)


def tasks(table: Table) -> Iterator[tuple[Key, Item]]:
    return ((key, item) for key, item in table.items.items() if is_task(key))


def broken_links(table: Table, purged: frozenset[str]) -> Iterator[str]:
    """``purged``: the rooms and people whose items are being deleted, one by one."""
    wanted: dict[Key, Item] = {}
    for key, task in tasks(table):
        if "description_digest" in task and key[0] not in purged and _description_of(key) not in table.items:
            yield f"I15: {key[1]} has no more than the beginning of its description"
        wanted |= {(key[0], link["item"]["S"]): link for link in _links(key, task)}
    found = {key: item for key, item in table.items.items() if key[1].startswith(_LINK)}
    for key in wanted.keys() | found.keys():
        if key[0] not in purged and wanted.get(key) != found.get(key):
            yield f"I15: {key[1]} is {found.get(key)}, and by its task {wanted.get(key)}"
    for owner, item in table.items:
        of_task = table.items.get((owner, item.removeprefix(_DESCRIPTION)), {})
        if item.startswith(_DESCRIPTION) and owner not in purged and "description_digest" not in of_task:
            yield f"I15: {item} belongs to no task"


def _description_of(key: Key) -> Key:
    return key[0], _DESCRIPTION + key[1]


def _links(key: Key, task: Item) -> Iterator[Item]:
    """Those that a task must have."""
    if is_trashed(task):
        return
    created = str(task["by_created"]["S"]).removeprefix("T#")
    deadline = str(task["by_deadline"]["S"]).removeprefix("T#").removesuffix(f"#{created}")
    status, priority = list(str(task["by_status"]["S"]).removeprefix("T#")[:2])
    for user_id, join_id in list(assignments(task)) or [(_NOBODY, None)]:
        begin = f"{_LINK}{user_id}#{'2' if status == _COMPLETED else '1'}{priority}#"
        link = {
            "owner_id": key[0],
            "item": f"{_LINK}{user_id}#{key[1]}",
            "by_created": f"{begin}{created}",
            "by_deadline": f"{begin}{deadline}#{created}",
        }
        if user_id != _NOBODY:
            link |= {"person_id": user_id, "assignee_id": user_id}
        if join_id is not None:
            link["join_id"] = join_id
        yield {name: {"S": value} for name, value in link.items()}
