"""What happens between a function and DynamoDB: something comes in between, or a guard of ``/sync`` is missing.

The product is not touched: requests are looked at on their way out, and responses are changed on their way back.
"""

import contextvars
import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.models import botocore_stubber
from moto.dynamodb.models import dynamodb_backends

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from tests.support.faults import WRITES, Fault, happening, response, text_of

READS = {"BatchGetItem", "GetItem", "Query"}

_comes_between: ContextVar[bool] = ContextVar("comes between", default=False)


@contextmanager
def in_between(number: int, action: Callable[[], None]) -> Iterator[None]:
    """Before the request to DynamoDB with this number is sent, ``action`` is carried out."""
    left = number

    def fault(_: AWSPreparedRequest) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            # In a context of its own, as another invocation has.
            contextvars.copy_context().run(_apart, action)

    with happening(fault, to=READS | WRITES):
        yield


def _apart(action: Callable[[], None]) -> None:
    _comes_between.set(True)
    action()


@contextmanager
def failing(fault: Fault, number: int, times: int) -> Iterator[None]:
    """``fault`` happens to so many requests in a row, from the one with this number on."""
    passed = 0

    def later(request: AWSPreparedRequest) -> AWSResponse | None:
        nonlocal passed
        passed += 1
        return fault(request) if number <= passed < number + times else None

    with happening(later, to=READS | WRITES):
        yield


@contextmanager
def tasks_read_before() -> Iterator[None]:
    """Tasks are read as they were when the block began: before the heads and the entries of the logs."""
    tables = dynamodb_backends[ACCOUNT][REGION].tables
    before = copy.deepcopy(tables["TasksTableV2"])

    def answer(request: AWSPreparedRequest) -> AWSResponse | None:
        if '"TasksTableV2"' not in text_of(request):
            return None
        now = tables["TasksTableV2"]
        tables["TasksTableV2"] = before
        try:
            return _passed_on(request)
        finally:
            tables["TasksTableV2"] = now

    with happening(_of_this_invocation(answer), to=READS):
        yield


@contextmanager
def changed(change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Iterator[None]:
    """Each item that is read is what ``change`` makes of it; None: it is not there."""

    def answer(request: AWSPreparedRequest) -> AWSResponse | None:
        passed = _passed_on(request)
        if passed.status_code != 200:
            return passed
        document = json.loads(passed.content)
        for name in [name for name in ("Items", "Item", "Responses") if name in document]:
            document[name] = _in(name, document[name], change)
        return response(request, 200, {name: each for name, each in document.items() if each is not None})

    with happening(_of_this_invocation(answer), to=READS):
        yield


def _in(name: str, found: Any, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Any:
    if name == "Item":
        return change(found)
    if name == "Responses":
        return {table: _in("Items", items, change) for table, items in found.items()}
    return [item for each in found if (item := change(each)) is not None]


def there_is_no_epoch(item: dict[str, Any]) -> dict[str, Any] | None:
    return None if item.get("owner_id") == {"S": "epoch"} else item


def _passed_on(request: AWSPreparedRequest) -> AWSResponse:
    """The response of moto."""
    answered = botocore_stubber("before-send", request)
    assert answered is not None
    return answered


def _of_this_invocation(answer: Fault) -> Fault:
    """Not to requests of others in between."""
    return lambda request: None if _comes_between.get() else answer(request)
