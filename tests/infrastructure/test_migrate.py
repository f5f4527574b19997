"""`make migrate`: calls until all is done, and what it prints."""

import io
import json
from typing import Any

import pytest

from infrastructure import tasks_move
from infrastructure.migrate import MigrationFailed, done, finish, lines, until_done


class Functions:
    """Lambda's API as far as it is used: a function that gives one response after the other."""

    def __init__(self, *responses: dict[str, Any]) -> None:
        self._responds = iter(responses)
        self.events: list[dict[str, Any]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  # as boto3 names them
        assert FunctionName == "MigrationsFunction"
        self.events.append(json.loads(Payload))
        response = next(self._responds)
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in response else {}
        return {"Payload": io.BytesIO(json.dumps(response).encode()), **failed}


def report(looked_at: int, is_done: bool, error: str | None = None) -> dict[str, Any]:
    state = {
        "id": "0001-x",
        "description": "rooms have x",
        "looked_at": looked_at,
        "changed": 1,
        "left": 0,
        "done": is_done,
    }
    return {"migrations": [state], "error": error}


def test_it_calls_until_all_is_done_and_restarts_only_once() -> None:
    functions = Functions(report(10, False), report(20, False), report(30, True))

    reports = list(until_done(functions, "MigrationsFunction", {"again": ["0001-x"], "items_per_second": 5}))

    assert [done(each) for each in reports] == [False, False, True]
    rate = {"items_per_second": 5}
    assert functions.events == [{"again": ["0001-x"], **rate}, rate, rate]


def test_a_state_request_calls_once() -> None:
    functions = Functions(report(10, False))

    [found] = until_done(functions, "MigrationsFunction", {"status": True, "again": []})

    assert list(lines(found)) == ["0001-x  under way: 1 of 10 items changed; rooms have x"]


@pytest.mark.parametrize(
    "response", [report(10, False, "DependencyFailed"), {"errorMessage": "timed out", "errorType": "Timeout"}]
)
def test_an_interruption_is_reported_with_its_reason(response: dict[str, Any]) -> None:
    with pytest.raises(MigrationFailed, match=r"interrupted: (DependencyFailed|timed out)"):
        list(until_done(Functions(response), "MigrationsFunction", {}))


def compared(left: int) -> dict[str, Any]:
    [state] = report(10, True)["migrations"]
    return {"migrations": [{**state, "id": "0007-copies-compared", "left": left}], "error": None}


@pytest.mark.parametrize(
    ("begun", "restarted"),
    [
        (False, ["0006-tasks-copied", "0007-copies-compared", "0008-copies-of-deleted-tasks", "0009-assignments"]),
        (True, ["0007-copies-compared", "0008-copies-of-deleted-tasks", "0009-assignments"]),
    ],
)
def test_an_upgrade_copies_tasks_from_the_start_or_continues_and_compares_them_all(
    begun: bool, restarted: list[str]
) -> None:
    functions = Functions(compared(0))
    printed: list[str] = []

    tasks_move.copy(functions, "MigrationsFunction", begun=begun, progress=printed.append)

    assert [event["again"] for event in functions.events] == [restarted]
    assert printed == ["0007-copies-compared  done: 1 of 10 items changed; rooms have x"]


def test_an_upgrade_stops_where_tasks_could_not_be_copied() -> None:
    with pytest.raises(MigrationFailed, match="2 tasks could not be copied"):
        tasks_move.copy(Functions(compared(2)), "MigrationsFunction", begun=True, progress=lambda _: None)


def test_after_a_deployment_what_is_not_done_is_carried_out() -> None:
    functions = Functions(report(10, False), report(20, False), report(30, True))
    printed: list[str] = []

    finish(functions, "MigrationsFunction", printed.append)

    assert functions.events == [{"status": True}, *[{"items_per_second": 2_000}] * 2]
    assert len(printed) == 2


def test_after_a_deployment_with_nothing_to_migrate_nothing_is_called_but_the_state() -> None:
    functions = Functions(report(30, True))

    finish(functions, "MigrationsFunction", pytest.fail)

    assert functions.events == [{"status": True}]
