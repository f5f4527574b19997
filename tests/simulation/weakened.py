"""Guards taken away at the edge, one at a time, to see that the simulation notices what they were for.

The product is not touched: a condition is taken out of the request on its way to the double. Guards that others stand
behind (a membership that must not exist yet, where the room's version is compared as well) are not listed: taking such
a one away alone breaks nothing.
"""

from collections.abc import Callable
from typing import Any

from tests.simulation.task_items import TASKS_TABLE, is_task

Json = dict[str, Any]
Chosen = Callable[[str, str, Json], bool]
"""Whether a write is concerned: its kind, its table, its key or item."""


def _item(kind: str, prefix: str) -> Chosen:
    return lambda its_kind, table, key: (
        its_kind == kind and table == "RoomsTable" and key["item"]["S"].startswith(prefix)
    )


def _of(kind: str, its_table: str) -> Chosen:
    return lambda its_kind, table, _: (its_kind, table) == (kind, its_table)


def _task(kind: str) -> Chosen:
    return lambda its_kind, table, key: (
        its_kind == kind and table == TASKS_TABLE and is_task((key["owner_id"]["S"], key["item"]["S"]))
    )


def _respread(kind: str) -> Chosen:
    return lambda its_kind, table, key: its_kind == kind and table == TASKS_TABLE and key["item"]["S"].startswith("J#")


def _log(kind: str, prefix: str) -> Chosen:
    return lambda its_kind, table, key: its_kind == kind and table == "LogTable" and key["item"]["S"].startswith(prefix)


GUARDS: dict[str, Chosen] = {
    "user-active": _of("ConditionCheck", "UsersTable"),
    "actor-membership": _of("ConditionCheck", "RoomsTable"),
    "membership-unchanged": _item("Delete", "MEMBER#"),
    "role-unchanged": _item("Update", "MEMBER#"),
    "room-counts-and-version": _item("Update", "ROOM"),
    "former-member": _item("ConditionCheck", "FORMER#"),
    "code-free": _item("Put", "CODE"),
    "task-revision-at-update": _task("Update"),
    "trashed-at-purge": _task("Delete"),
    "place-of-the-task-before": _task("ConditionCheck"),
    "respread-step": _respread("Update"),
    "idempotency-record-absent": _of("Put", "IdempotencyTable"),
    "name-free": _of("Put", "UsersTable"),
    "log-entry": _log("Put", "c#"),
    "log-marker": _log("Put", "v#"),
    "log-head": _log("Update", "head"),
    "token-still-good": _of("Update", "SessionsTable"),
}


def without(guard: str) -> Callable[[str, Json], Json]:
    """What takes this guard out of every write that has it."""
    chosen = GUARDS[guard]

    def weaken(operation: str, body: Json) -> Json:
        if operation != "TransactWriteItems":
            kind = operation.removesuffix("Item")
            return _weakened({kind: body}, chosen)[kind] if "ConditionExpression" in body else body
        return {**body, "TransactItems": [_weakened(each, chosen) for each in body["TransactItems"]]}

    return weaken


def _weakened(write: Json, chosen: Chosen) -> Json:
    ((kind, part),) = write.items()
    if not chosen(kind, part["TableName"], part.get("Key") or part["Item"]):
        return write
    return {kind: {name: value for name, value in part.items() if name != "ConditionExpression"}}
