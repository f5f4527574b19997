"""What reads show, held against what was stored while they ran: at any moment between the request and its response.

A read is no snapshot, so whatever changed meanwhile may be shown before or after the change. What stayed as it was is
shown once, in its order, and what was elsewhere all the time is not shown.
"""

from collections.abc import Callable
from typing import Any

from tests.simulation.expressions import Item
from tests.simulation.functions import Call, Invocation, Response
from tests.simulation.invariants import Violation
from tests.simulation.tables import Change, Key
from tests.simulation.task_items import TRASH_SECONDS, is_change_of_task, is_trashed, place, trashed_at
from tests.simulation.task_writes import CLOCKS_DIFFER_SECONDS

_TASK = "GET /tasks/{task_id}"
_OF_ROOM = "GET /rooms/{room_id}/tasks"
_TRASH = {"GET /rooms/{room_id}/trash", "GET /users/{user_id}/trash"}
_COLUMNS = {"pending": "1", "in progress": "2", "completed": "3"}

_States = list[tuple[int, Item | None]]
"""Each with the commit that made it."""


class Reads:
    """How every task and membership was, commit by commit."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._tasks: dict[Key, _States] = {}
        self._members: dict[Key, _States] = {}

    def committed(self, changes: list[Change], number: int) -> None:
        """Note the commit of this number."""
        for change in changes:
            if is_change_of_task(change):
                self._tasks.setdefault(change.key, []).append((number, change.new))
            elif change.table == "RoomsTable" and change.key[1].startswith("MEMBER#"):
                self._members.setdefault(change.key, []).append((number, change.new))

    def answered(self, invocation: Invocation, response: Response) -> None:
        """Raise ``Violation`` if the response to a read shows what was not so."""
        call, since = invocation.call, invocation.seen_commits
        if call is None or response.status not in (200, 404):
            return
        owner = call.ids.get("room_id") or call.ids.get("task_id", call.user_id).partition(".")[0]
        if call.route not in {_TASK, _OF_ROOM, *_TRASH} or (owner.startswith("usr_") and owner != call.user_id):
            return
        if response.status == 404:
            self._check_absence(call, owner, since)
        elif call.route == _TASK:
            self._check_task(call.ids["task_id"], owner, response.body, since)
        elif response.body["next_cursor"] is None:
            self._check_list(call, owner, response.body["items"], since)

    def _check_absence(self, call: Call, owner: str, since: int) -> None:
        members = _window(self._members.get((owner, f"MEMBER#{call.user_id}"), []), since)
        if owner.startswith("room_") and None in members:
            return
        task = _window(self._tasks.get((owner, call.ids.get("task_id", "")), []), since)
        if call.route != _TASK or all(each is not None and not is_trashed(each) for each in task):
            raise Violation(f"{call.route} {dict(call.ids)} was answered with 404, and was there all the time")

    def _check_task(self, task_id: str, owner: str, shown: Any, since: int) -> None:
        states = _window(self._tasks.get((owner, task_id), []), since)
        if not any(_is_shown(each, shown) for each in states):
            raise Violation(f"{task_id} was read in version {shown['version']}, and was not so at the time")

    def _check_list(self, call: Call, owner: str, items: list[Any], since: int) -> None:
        shown = {item["id"]: item for item in items}
        if len(shown) < len(items):
            raise Violation(f"{call.route} {owner} lists a task twice")
        trash, by_rank = call.route in _TRASH, call.query.get("sort") == "rank"
        settled: dict[str, Item] = {}
        for (its_owner, task_id), all_states in self._tasks.items():
            if its_owner != owner:
                continue
            states = _window(all_states, since)
            there = [each for each in states if each is not None and is_trashed(each) == trash and not self._ends(each)]
            if task_id in shown:
                if not any(_is_shown(each, shown[task_id]) for each in states):
                    raise Violation(f"{call.route} {owner} lists {task_id}, which was not so at the time")
                if len(states) == len(there) == 1:
                    settled[task_id] = there[0]
            elif len(there) == len(states) and (len(states) == 1 or not by_rank):
                raise Violation(f"{call.route} {owner} does not list {task_id}, which was there all the time")
        if unknown := [task_id for task_id in shown if (owner, task_id) not in self._tasks]:
            raise Violation(f"{call.route} {owner} lists {unknown}, which were never there")
        _check_order(call, [settled[item["id"]] for item in items if item["id"] in settled], by_rank, trash)

    def _ends(self, task: Item) -> bool:
        """Whether the task's time in the trash is over, or almost."""
        return is_trashed(task) and self._now() + CLOCKS_DIFFER_SECONDS > trashed_at(task) + TRASH_SECONDS


def _check_order(call: Call, listed: list[Item], by_rank: bool, trash: bool) -> None:
    keys = [_sort_key(task, by_rank) for task in listed]
    if keys != sorted(keys, reverse=trash):
        raise Violation(f"{call.route} {dict(call.query)} lists {[task['item']['S'] for task in listed]} in this order")


def _sort_key(task: Item, by_rank: bool) -> tuple[str, ...]:
    if not by_rank:
        return (task["by_created"]["S"],)
    status, rank, created = place(task)
    return _COLUMNS[status], rank, created


def _window(states: _States, since: int) -> list[Item | None]:
    """The state after this commit, and all later ones."""
    before = [state for number, state in states if number <= since]
    return [before[-1] if before else None, *(state for number, state in states if number > since)]


def _is_shown(task: Item | None, shown: Any) -> bool:
    return (
        task is not None
        and is_trashed(task) == ("trashed_at" in shown)
        and task["version"]["N"] == str(shown["version"])
        and task["title"]["S"] == shown["title"]
    )
