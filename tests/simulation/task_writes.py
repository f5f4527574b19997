"""Whether each write of a task is one that its request, or the function behind it, may make.

A task leaves a list by the request that trashes it and comes back by the request that restores it; it is gone for good
only from the trash, or with its owner. A task that is moved stands where it was put, except for what was moved there
at the same time; when ranks become short, the order stays.
"""

from collections.abc import Callable, Iterator

from tests.simulation.expressions import Item
from tests.simulation.functions import Call, Invocation
from tests.simulation.invariants import Tables, Violation, is_purged
from tests.simulation.tables import Change, Key
from tests.simulation.task_items import (
    TASKS_TABLE,
    TRASH_SECONDS,
    entries,
    is_change_of_task,
    is_trashed,
    misplaced,
    place,
    tasks,
    trashed_at,
)

CLOCKS_DIFFER_SECONDS = 1.0
"""By how much the clocks of two functions may differ."""
_OF_THE_TRASH = {"trashed_at", "trashed_by", "person_id", "assignees", "by_created"}
_OF_THE_TRASH |= {"by_deadline", "by_status", "by_status_deadline", "by_rank"}
OF_EVERY_WRITE = {"version", "revision", "stamp", "updated_at", "updated_by", "copied"}

_MOVE = "POST /tasks/{task_id}/move"
_REMOVAL = "DELETE /users/{user_id}"
# By what is done to a task, the requests that do it.
_ROUTES = {
    "created": {"POST /tasks"},
    "changed": {"PATCH /tasks/{task_id}", _MOVE},
    "trashed": {"DELETE /tasks/{task_id}"},
    "restored": {"POST /tasks/{task_id}/restore"},
    "purged": {"DELETE /rooms/{room_id}/trash/{task_id}", "DELETE /users/{user_id}/trash/{task_id}"},
}


class TaskWrites:
    """All writes of tasks of one seed."""

    def __init__(self, tables: Tables, commits: Callable[[], int], now: Callable[[], float]) -> None:
        self._tables = tables
        self._commits = commits
        self._now = now
        self._placed: dict[Key, int] = {}
        """By task, with which commit it came to its place in the manual order."""

    def committed(self, changes: list[Change], invocation: Invocation | None) -> None:
        """Raise ``Violation`` if one of these writes, which were just made, may not be."""
        for change in changes:
            if not is_change_of_task(change):
                continue
            what = _what(change)
            if change.new is not None:
                self._check_content(change, change.new, what)
            call = invocation.call if invocation else None
            if invocation is not None and call is not None and call.route != _REMOVAL:
                if what != "changed" or _place(change.old) != _place(change.new):
                    self._placed[change.key] = self._commits()
                self._check_request(change, what, call, invocation)
            elif what != "changed":
                self._check_purge(change, what)
            elif _place(change.old) != _place(change.new):
                self._check_respread(change, changes)

    def _check_content(self, change: Change, new: Item, what: str) -> None:
        if wrong := misplaced(new):
            raise Violation(f"I15: {wrong}")
        task_id, old = change.key[1], change.old
        if what in ("trashed", "restored") and old is not None and _kept(old) != _kept(new):
            raise Violation(f"I6: {task_id} was {what}, and is another one")
        wanted, found = list(entries(old or {})), list(entries(new))
        if what == "trashed" and found != wanted:
            raise Violation(f"I15: {task_id} was trashed, and notes other assignees")
        if what == "restored" and found != [each for each in wanted if self._holds(change.key[0], *each)]:
            raise Violation(f"I15: {task_id} was restored, and is assigned by {found}; it noted {wanted}")
        if what in ("created", "changed"):
            for each in found:
                if each not in wanted and not self._holds(change.key[0], *each):
                    raise Violation(f"I15: {task_id} is assigned by {each}, which is no membership now")

    def _holds(self, owner: str, user_id: str, join_id: str | None) -> bool:
        """Whether this is a membership of the room now; of a personal task, whether it is the owner."""
        if not owner.startswith("room_"):
            return user_id == owner
        member = self._tables["RoomsTable"].items.get((owner, f"MEMBER#{user_id}"))
        return member is not None and member["join_id"]["S"] == join_id

    def _check_request(self, change: Change, what: str, call: Call, invocation: Invocation) -> None:
        """It does what its route is for, to the task that it names, in the version that it names."""
        task_id = change.key[1]
        if call.route not in _ROUTES.get(what, ()) or call.ids.get("task_id", task_id) != task_id:
            raise Violation(f"I6: {task_id} was {what} by {call.route} {dict(call.ids)}")
        if change.old is None:
            return
        version = f'"{change.old["version"]["N"]}"'
        if call.headers.get("If-Match", version) != version:
            raise Violation(f"I6: {task_id} was {what} in a version that If-Match did not name")
        if is_trashed(change.old) and invocation.began > self._ends(change.old) + CLOCKS_DIFFER_SECONDS:
            raise Violation(f"I11: {task_id} was {what} by a request that came when its time was over")
        if call.route == _MOVE and change.new is not None:
            self._check_place(change.key, change.new, (call.body or {})["after"], invocation)

    def _check_purge(self, change: Change, what: str) -> None:
        """By a function behind a stream, or the sweeper."""
        if change.new is not None or change.old is None:
            raise Violation(f"I6: {change.key[1]} was {what} by nobody's request")
        if is_purged(self._tables, change.key[0]):
            return
        if what != "purged":
            raise Violation(f"I6: {change.key[1]} was not in the trash, and is lost")
        if self._now() < self._ends(change.old) - CLOCKS_DIFFER_SECONDS:
            raise Violation(f"I6: {change.key[1]} was purged before its time")

    def _check_respread(self, change: Change, changes: list[Change]) -> None:
        """Ranks change, and the order does not."""
        owner, status = change.key[0], _place(change.new)[0]
        now = {key: _place(task) for key, task in tasks(self._tables[TASKS_TABLE]) if key[0] == owner}
        column = {key: each for key, each in now.items() if each[0] == status}
        before = column | {each.key: _place(each.old) for each in changes if is_change_of_task(each)}
        if sorted(column, key=lambda key: column[key]) != sorted(before, key=lambda key: before[key]):
            raise Violation(f"{change.key[1]} has another rank, and another place")

    def _check_place(self, key: Key, task: Item, behind: str | None, invocation: Invocation) -> None:
        status, rank, _ = place(task)
        low = ""
        if behind is not None:
            before = self._tables[TASKS_TABLE].items.get((key[0], behind))
            if before is None or is_trashed(before) or place(before)[0] != status or place(before)[1] >= rank:
                raise Violation(f"{key[1]} was put behind {behind}, which does not stand before it")
            low = place(before)[1]
        for other, its_rank in self._column(key[0], status):
            between = low < its_rank <= rank and other != key
            if between and self._placed[other] <= invocation.seen_commits:
                raise Violation(f"{key[1]} was put behind {behind}, and {other[1]} stood between them before")

    def _column(self, owner: str, status: str) -> Iterator[tuple[Key, str]]:
        for key, task in tasks(self._tables[TASKS_TABLE]):
            if key[0] == owner and not is_trashed(task) and place(task)[0] == status:
                yield key, place(task)[1]

    def _ends(self, task: Item) -> float:
        return trashed_at(task) + TRASH_SECONDS


def _what(change: Change) -> str:
    if change.old is None:
        return "created"
    if change.new is None:
        return "purged" if is_trashed(change.old) else "deleted"
    if is_trashed(change.old):
        return "changed in the trash" if is_trashed(change.new) else "restored"
    return "trashed" if is_trashed(change.new) else "changed"


def _place(task: Item | None) -> tuple[str, str, str]:
    """Of a task in the trash: nowhere."""
    return ("", "", "") if task is None or is_trashed(task) else place(task)


def _kept(task: Item) -> Item:
    """What trash and restore leave alone."""
    return {name: value for name, value in task.items() if name not in _OF_THE_TRASH | OF_EVERY_WRITE}
