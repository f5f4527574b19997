"""Streams are read side by side, with a stand-in for the parts of ministack that read them."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infrastructure.local import side_by_side

REGION = ("000000000000", "eu-west-1")
SECONDS = 30.0


class Positions(dict[str, int]):
    def get_scoped(self, _account: str, _region: str, name: str) -> int | None:
        return self.get(name)


class Ministack:
    """Two functions, of which ``slow`` reads two streams, and one record of a stream at a time."""

    def __init__(self) -> None:
        self.ends = {"Rooms": 0, "Tasks": 0}
        self.calls: list[tuple[str, str, int]] = []
        self.running: list[str] = []
        self.most = 0
        self.polls = 0
        self.slow_runs = threading.Event()
        self.let_go = threading.Event()
        self._changing = threading.Lock()
        self._dynamodb_stream_positions = Positions()
        self._esm_wake = threading.Event()

    def stream_end_position(self, table: str, *, account_id: str, region: str) -> int:
        assert (account_id, region) == REGION
        return self.ends[table]

    def _iter_all_esms(self) -> Iterator[Any]:
        for function, table in (("slow", "Rooms"), ("slow", "Tasks"), ("quick", "Rooms")):
            arn = f"arn:aws:dynamodb:eu-west-1:000000000000:table/{table}/stream/label"
            yield *REGION, {"UUID": f"{function} {table}", "FunctionName": function, "EventSourceArn": arn}
        yield *REGION, {"UUID": "queue", "FunctionName": "quick", "EventSourceArn": "arn:aws:sqs:eu-west-1:0:queue"}

    def _poll_dynamodb_streams(self) -> bool:
        self.polls += 1
        processed = False
        for *_, mapping in self._iter_all_esms():
            if ":dynamodb:" not in mapping["EventSourceArn"]:
                continue
            table = mapping["EventSourceArn"].split("/")[1]
            position = self._dynamodb_stream_positions.setdefault(mapping["UUID"], 0)
            if position < self.ends[table]:
                self._call(mapping["FunctionName"], table, position)
                self._dynamodb_stream_positions[mapping["UUID"]] = position + 1
                processed = True
        return processed

    def _call(self, function: str, table: str, position: int) -> None:
        with self._changing:
            self.running.append(function)
            self.most = max(self.most, self.running.count(function))
        if function == "slow":
            self.slow_runs.set()
            assert self.let_go.wait(SECONDS)
        with self._changing:
            self.running.remove(function)
            self.calls.append((function, table, position))


def until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.005)
    return False


@pytest.fixture
def ministack() -> Iterator[Any]:
    module: Any = Ministack()
    side_by_side.install(module, module)
    yield module
    module.let_go.set()


def test_a_function_that_takes_long_keeps_no_other_waiting(ministack: Any) -> None:
    ministack.ends["Rooms"] = 2

    ministack._poll_dynamodb_streams()  # noqa: SLF001  # ministack calls what was put in this place
    assert ministack.slow_runs.wait(SECONDS)

    assert until(lambda: ministack.calls == [("quick", "Rooms", 0), ("quick", "Rooms", 1)])


def test_a_function_has_one_call_at_a_time_each_record_once_and_in_order(ministack: Any) -> None:
    ministack.ends |= {"Rooms": 2, "Tasks": 2}
    ministack.let_go.set()

    for _ in range(20):
        ministack._poll_dynamodb_streams()  # noqa: SLF001  # ministack calls what was put in this place
    assert until(lambda: len(ministack.calls) >= 6)
    ministack._poll_dynamodb_streams()  # noqa: SLF001  # ministack calls what was put in this place

    assert ministack.most == 1
    for function, table in (("slow", "Rooms"), ("slow", "Tasks"), ("quick", "Rooms")):
        positions = [position for *names, position in ministack.calls if names == [function, table]]
        assert positions == [0, 1]


def test_ministack_looks_again_when_a_function_has_ended(ministack: Any) -> None:
    ministack.ends["Rooms"] = 1
    ministack.let_go.set()

    ministack._poll_dynamodb_streams()  # noqa: SLF001  # ministack calls what was put in this place

    assert ministack._esm_wake.wait(SECONDS)  # noqa: SLF001  # ministack's own thread waits for it


def test_nothing_runs_where_nothing_has_come(ministack: Any) -> None:
    names = ("slow Rooms", "slow Tasks", "quick Rooms")
    ministack._dynamodb_stream_positions.update(dict.fromkeys(names, 0))  # noqa: SLF001  # as after earlier records

    assert not ministack._poll_dynamodb_streams()  # noqa: SLF001  # ministack calls what was put in this place
    for thread in threading.enumerate():
        if thread.name.startswith("stream-"):
            thread.join(SECONDS)

    assert ministack.polls == 0
