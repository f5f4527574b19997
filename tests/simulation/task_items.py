"""The items of tasks: their own, links and long descriptions. I15: the links are the live task's assignees."""

from collections.abc import Iterator

from tests.simulation.expressions import Item
from tests.simulation.tables import Change, Key, Table

TASKS_TABLE = "TasksTableV2"
_LINK, _DESCRIPTION = "A#", "D#"
_PARTS = (_LINK, _DESCRIPTION)
_NOBODY = "none"
_COMPLETED = "3"


def is_task(key: Key) -> bool:
    """Whether the item is a task's own."""
    return not key[1].startswith(_PARTS)


def is_change_of_task(change: Change) -> bool:
    return change.table == TASKS_TABLE and is_task(change.key)


def is_trashed(task: Item) -> bool:
    return "trashed_at" in task


def assignments(task: Item) -> Iterator[tuple[str, str | None]]:
    """Of each assignee of a live task the user id, and the join id if there is one."""
    for each in [] if is_trashed(task) else task.get("assignees", {"L": []})["L"]:
        user_id, _, join_id = str(each["S"]).partition(" ")
        yield user_id, join_id or None


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
