"""moto's slow paths, replaced by quick ones that do the same: half of the time of all tests in process was spent there.

- A response is written by walking the service's description, for each attribute of each item again. What the calls on
  items answer has its form already, so it is written as it is.
- A transaction copies its tables, with all that their streams have ever recorded. Records and single values do not
  change, so a copy may share them.
- Values are compared, sorted and measured through descriptions of their types. Most are texts.

``tests/infrastructure/test_quick_moto.py`` holds both ways against each other.
"""

import base64
import functools
import json
from collections.abc import Set
from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import StreamRecord
from moto.dynamodb.responses import DynamoHandler

ON_ITEMS = {
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactGetItems",
    "TransactWriteItems",
}
# Their values are texts, numbers as texts, truth values and bytes: none that could be changed in place.
_SINGLE = {"S", "N", "B", "BOOL", "NULL"}

# Without their types: their methods are replaced below.
_handlers: Any = DynamoHandler
_values: Any = DynamoType
_records: Any = StreamRecord

own_serialized = BaseResponse.serialized
_own_copy = _values.__deepcopy__
_own_cast_value = _values.cast_value.fget
_own_size = _values.size
_own_equal = _values.__eq__


def install() -> None:
    """Let moto take the quick paths from now on, in this process."""
    _handlers.serialized = _serialized
    _values.__deepcopy__ = _copied
    _values.cast_value = property(_cast_value)
    _values.size = _size
    _values.__eq__ = _equal
    _records.__deepcopy__ = _shared


def _serialized(handler: DynamoHandler, answer: ActionResult) -> Any:
    result = answer.result
    action = handler._get_action()  # noqa: SLF001  # moto's own
    if not isinstance(result, dict) or action not in ON_ITEMS:
        return own_serialized(handler, answer)
    described = _described(action)
    given = {name: value for name, value in result.items() if name in described and value is not None}
    headers = {"Content-Type": "application/x-amz-json-1.0", **handler.response_headers}
    return 200, headers, json.dumps(given, default=_plain)


@functools.cache
def _described(action: str) -> Set[str]:
    """What the service's description says that an answer has; moto's have more."""
    answer: Any = get_service_model("dynamodb").operation_model(action).output_shape
    return frozenset(answer.members)


def _plain(value: DynamoType | bytes) -> Any:
    """What is no JSON in an answer."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.to_json()


def _copied(value: DynamoType, memo: dict[int, Any]) -> Any:
    return value if value.type in _SINGLE else _own_copy(value, memo)


def _shared(record: StreamRecord, memo: dict[int, Any]) -> StreamRecord:  # noqa: ARG001  # as copy.deepcopy calls it
    return record


def _cast_value(value: DynamoType) -> Any:
    return value.value if value.type == "S" else _own_cast_value(value)


def _size(value: DynamoType) -> Any:
    return len(value.value.encode()) if value.type == "S" else _own_size(value)


def _equal(value: DynamoType, other: DynamoType) -> Any:
    if value.type == "S":
        return other.type == "S" and value.value == other.value
    return _own_equal(value, other)
