"""Permissions that stay one release longer than the code that used them.

During a rollout the version before serves up to nine requests of ten, and all versions of a function share one role. A
release that stops using an action and takes it away in one step so breaks the version before. Hence two releases: the
first one stops using it and names it in ``GRACE`` with the release that is to take it away; that one does, and an entry
that has come due fails ``contract/test_retained_permissions.py``.

``released.json`` records what the code of the release before uses, so that nothing of it is taken away unnoticed.
``python -m tests.support.retained_permissions`` writes it again: run it after ``tasksync.__version__`` has changed.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import tasksync
from tests.support.stack import Stack

_RECORD = Path(__file__).with_name("released.json")


class Grant(NamedTuple):
    """One action on one resource, which is called by its name in the template."""

    function: str
    action: str
    resource: str

    @classmethod
    def of(cls, function: str, action: str, arn: str) -> "Grant":
        return cls(function, action, arn.rpartition(":")[2].removeprefix("table/"))


_OLD_TASKS: Mapping[str, Mapping[str, Collection[str]]] = {
    "AuditorFunction": {"": ["BatchGetItem", "Scan"]},
    "HealthFunction": {"": ["GetItem"]},
    "MigrationsFunction": {"": ["BatchGetItem", "UpdateItem"]},
    "OverviewFunction": {"": ["BatchGetItem", "Query"], "/index/by_assignee": ["Query"]},
    "RoomCleanupFunction": {"": ["BatchWriteItem", "Query", "UpdateItem"], "/index/room_by_person": ["Query"]},
    "SweeperFunction": dict.fromkeys(
        ["", "/index/by_assignee", "/index/room_by_person"], ("BatchWriteItem", "Query", "UpdateItem")
    ),
    "TasksFunction": dict.fromkeys(["", "/index/*"], ("BatchGetItem", "DeleteItem", "PutItem", "Query", "UpdateItem")),
    "UserRemovalFunction": dict.fromkeys(["", "/index/by_assignee"], ("BatchWriteItem", "Query", "UpdateItem")),
    "UsersFunction": {
        "": ["BatchGetItem", "BatchWriteItem", "Query", "UpdateItem"],
        "/index/by_assignee": ["BatchWriteItem", "Query", "UpdateItem"],
        "/index/by_creator": ["BatchGetItem", "Query"],
    },
}
"""By function and index, what the release before does to the tasks in their old table."""

WITHDRAWN = Grant("ActivityFunction", "dynamodb:BatchWriteItem", "ActivityTable")
"""What the version before must not do any more: entries that it writes late would be in no change log. A record that it
cannot handle comes again, within the day that streams keep it."""

_OLD_TRAILS: Mapping[str, Mapping[str, Collection[str]]] = {
    "AuditorFunction": {"": ["BatchGetItem", "Scan"]},
    "HealthFunction": {"": ["GetItem"]},
    "RoomsFunction": {"": ["Query"]},
    "UsersFunction": {"": ["BatchGetItem"], "/index/by_actor": ["Query"]},
}
"""By function and index, what the release before does to the audit trails in their old table."""

GRACE: Mapping[Grant, str] = {
    # It unassigns former members.
    Grant("RoomCleanupFunction", "dynamodb:BatchGetItem", "RoomsTable"): "0.4.0",
} | {
    Grant(function, f"dynamodb:{action}", f"{table}{index}"): "0.4.0"
    for table, functions in {"TasksTable": _OLD_TASKS, "ActivityTable": _OLD_TRAILS}.items()
    for function, indexes in functions.items()
    for index, actions in indexes.items()
    for action in actions
}
"""What no function uses any more, and the release that takes it away: the second one after the code that used it."""


@dataclass(frozen=True)
class Release:
    """What the code of a release uses. ``number``: as in ``tasksync.__version__``."""

    number: str
    grants: frozenset[Grant]


def current() -> str:
    return tasksync.__version__


def granted(stack: Stack) -> set[Grant]:
    """Everything that the template grants."""
    return {
        Grant.of(function, action, resource)
        for function in stack.functions
        for statement in stack.statements(function)
        for action in statement["Action"]
        for resource in statement["Resource"]
    }


def overdue(grace: Mapping[Grant, str], release: str) -> set[Grant]:
    return {grant for grant, ends in grace.items() if _number(ends) <= _number(release)}


def released() -> Release:
    """As it was recorded."""
    content = json.loads(_RECORD.read_text(encoding="utf-8"))
    grants = {
        Grant(function, action, resource)
        for function, actions in content["grants"].items()
        for action, resources in actions.items()
        for resource in resources
    }
    return Release(content["release"], frozenset(grants))


def record(before: Release, now: Collection[Grant], grace: Mapping[Grant, str], number: str) -> Release:
    """The record of a new release. ``now``: what it grants. Raises ValueError if that lacks what ``before`` uses."""
    lost = before.grants - set(now)
    if lost:
        raise ValueError(f"release {before.number} uses what is not granted any more: {sorted(lost)}")
    return Release(number, frozenset(now) - grace.keys())


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _write(release: Release) -> None:
    grants: dict[str, dict[str, list[str]]] = {}
    for function, action, resource in sorted(release.grants):
        grants.setdefault(function, {}).setdefault(action, []).append(resource)
    content = json.dumps({"release": release.number, "grants": grants}, indent=1)
    _RECORD.write_text(content + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write(record(released(), granted(Stack()), GRACE, current()))
