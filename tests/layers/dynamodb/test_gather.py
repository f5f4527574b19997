"""Several reads at the same time, in several threads, before a service that answers each when a test lets it."""

import threading
from collections.abc import Callable, Iterator
from contextvars import copy_context
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tasksync.aws.client import DYNAMODB, Client, RetryPolicy
from tasksync.dynamodb.core.connection import count
from tasksync.dynamodb.core.gather import gather, gather_pair
from tasksync.model import change_context
from tasksync.runtime import deadline, unit_of_work
from tasksync.runtime.unit_of_work import UsageCounters
from tests.layers.aws.replies import Reply, Tables, failed, found
from tests.support.aws import environment

SECONDS = 30
"""How long a test waits for what should have been at the same time."""

AT_ONCE = 3
"""The thread that asks included."""


@pytest.fixture(autouse=True)
def _concurrent() -> Iterator[None]:
    with environment({"CONCURRENT_READS": str(AT_ONCE)}):
        yield


@pytest.fixture
def one_by_one() -> Iterator[None]:
    with environment({"CONCURRENT_READS": "1"}):
        yield


def reader(**replies: list[Callable[[], Reply]]) -> Callable[[str], Callable[[], Any]]:
    """What reads a table, by its name. Its replies come one after the other."""
    client = Client(DYNAMODB, RetryPolicy(1, 3, 3), observe=count)
    client.events = Tables(**replies).events
    return lambda table: partial(client.call, "GetItem", {"TableName": table})


def units(number: float) -> Reply:
    return 200, b'{"ConsumedCapacity": {"CapacityUnits": %f}}' % number, {}


def throttled() -> Reply:
    return failed(400, "ThrottlingException")


def refused() -> Reply:
    return failed(400, "AccessDeniedException")


def held(event: threading.Event, reply: Reply) -> Callable[[], Reply]:
    """A reply that comes once the event is there."""

    def wait() -> Reply:
        assert event.wait(SECONDS)
        return reply

    return wait


def test_reads_run_concurrently() -> None:
    met = threading.Barrier(3)

    def reply() -> Reply:
        met.wait(SECONDS)
        return found()

    read = reader(a=[reply], b=[reply], c=[reply])

    assert len(gather(read("a"), read("b"), read("c"))) == 3


def test_results_are_in_the_order_of_the_calls() -> None:
    last, middle = threading.Event(), threading.Event()

    def first_to_respond() -> Reply:
        middle.set()
        return found(n="c")

    def second_to_respond() -> Reply:
        assert middle.wait(SECONDS)
        last.set()
        return found(n="b")

    read = reader(a=[held(last, found(n="a"))], b=[second_to_respond], c=[first_to_respond])

    responses = gather(read("a"), read("b"), read("c"))

    assert [response["Item"] for response in responses] == [{"n": "a"}, {"n": "b"}, {"n": "c"}]


@pytest.mark.parametrize("failing", [("a", "c"), ("b", "c")])
def test_of_several_errors_that_of_the_first_call_is_raised(failing: tuple[str, str]) -> None:
    """Though it came after the other."""
    sooner, later = failing[1], failing[0]
    failed_sooner = threading.Event()

    def fail_sooner() -> Reply:
        failed_sooner.set()
        return refused()

    replies: dict[str, list[Callable[[], Reply]]] = {table: [found] for table in ("a", "b", "c")}
    replies[sooner] = [fail_sooner]
    replies[later] = [held(failed_sooner, failed(400, "ValidationException"))]
    read = reader(**replies)

    with pytest.raises(ClientError, match="ValidationException"):
        gather(read("a"), read("b"), read("c"))


@pytest.mark.parametrize("failing", ["a", "b"])
def test_no_call_is_running_when_an_error_is_raised(failing: str) -> None:
    asked, finished = threading.Event(), threading.Event()

    def slow() -> Reply:
        asked.set()
        # As long as the others take, and longer.
        threading.Event().wait(0.05)
        finished.set()
        return found()

    replies: dict[str, list[Callable[[], Reply]]] = {table: [found] for table in ("a", "b")}
    replies[failing] = [held(asked, refused())]
    read = reader(**replies, c=[slow])

    with pytest.raises(ClientError):
        gather(read("a"), read("b"), read("c"))

    assert finished.is_set()


def test_usage_is_added_up_and_waiting_time_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    read = reader(
        a=[partial(units, 1)], b=[throttled, throttled, partial(units, 2)], c=[throttled, partial(units, 0.5)]
    )

    with unit_of_work.begin() as unit:
        gather(read("a"), read("b"), read("c"))

    assert unit.usage == UsageCounters(round_trips=6, capacity_units=3.5, throttles=3, in_sequence=3)


@pytest.mark.parametrize("failing", ["a", "b"])
def test_usage_is_counted_although_one_call_fails(failing: str) -> None:
    replies: dict[str, list[Callable[[], Reply]]] = {table: [partial(units, 1)] for table in ("a", "b")}
    replies[failing] = [refused]
    read = reader(**replies, c=[partial(units, 1)])

    with unit_of_work.begin() as unit, pytest.raises(ClientError):
        gather(read("a"), read("b"), read("c"))

    assert unit.usage == UsageCounters(round_trips=3, capacity_units=2.0, throttles=0, in_sequence=1)


def test_attempts_without_a_response_count_in_every_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    silence = ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")
    read = reader(a=[found], b=[lambda: silence] * 3)

    with unit_of_work.begin() as unit, pytest.raises(ReadTimeoutError):
        gather(read("a"), read("b"))

    assert (unit.usage.round_trips, unit.usage.in_sequence) == (4, 3)


def test_reads_that_gather_themselves_run_concurrently() -> None:
    met = threading.Barrier(3)

    def reply() -> Reply:
        met.wait(SECONDS)
        return found()

    read = reader(a=[reply], b=[reply], c=[reply])

    _, nested = gather_pair(read("a"), lambda: gather(read("b"), read("c")))

    assert len(nested) == 2


def test_more_reads_than_threads_are_all_run() -> None:
    tables = "abcdefgh"
    replies: dict[str, list[Callable[[], Reply]]] = {table: [partial(found, n=table)] for table in tables}
    read = reader(**replies)

    responses = gather(*map(read, tables))

    assert [response["Item"]["n"] for response in responses] == list(tables)


def test_nothing_to_read_has_no_results() -> None:
    assert gather() == []


def test_every_thread_knows_the_remaining_time_and_the_caller() -> None:
    met = threading.Barrier(3)

    def read() -> tuple[int, bool, str]:
        met.wait(SECONDS)
        return threading.get_ident(), deadline.has_time(), unit_of_work.change_context()

    def asked() -> list[tuple[int, bool, str]]:
        deadline.begin(lambda: deadline.RESERVE_MILLISECONDS)
        with unit_of_work.begin("usr_1", "a request"):
            return gather(read, read, read)

    known = copy_context().run(asked)

    assert [(time_left, change_context.read(written)) for _, time_left, written in known] == [
        (False, change_context.ChangeContext("usr_1", "a request"))
    ] * 3
    threads = {ident for ident, _, _ in known}
    assert len(threads) == 3
    assert threading.get_ident() in threads


def test_nested_pairs_finish_with_fewer_threads_than_reads() -> None:
    replies: dict[str, list[Callable[[], Reply]]] = {table: [partial(found, n=table)] for table in "abcde"}
    read = reader(**replies)

    responses = gather_pair(
        lambda: gather_pair(lambda: gather_pair(lambda: gather_pair(read("a"), read("b")), read("c")), read("d")),
        read("e"),
    )

    ((((a, b), c), d), e) = responses
    assert [response["Item"]["n"] for response in (a, b, c, d, e)] == list("abcde")


@pytest.mark.usefixtures("one_by_one")
def test_with_one_thread_the_first_error_ends_the_calls() -> None:
    read = reader(a=[found], b=[refused], c=[])

    with unit_of_work.begin() as unit, pytest.raises(ClientError, match="AccessDenied"):
        gather(read("a"), read("b"), read("c"))

    assert (unit.usage.round_trips, unit.usage.in_sequence) == (2, 1)
