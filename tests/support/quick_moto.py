"""moto's slow paths, replaced by quick ones that do the same: half of the time of all tests in process was spent there.

- Each request becomes one of a web server, its JSON is also read as a form, and its account is looked up. A request
  needs none of that to find the method that answers it.
- A response is written by walking the service's description, for each attribute of each item again. What the calls on
  items and on records of streams answer has its form already, so it is written as it is.
- A transaction copies its tables, once for each of its operations, with all items and all records of their streams. One
  copy will do, of the partitions that it writes to. Records and single values do not change, so a copy may share them.
- The expression of an update is parsed two or three times, and copied as any object is. The words of a condition are
  found anew each time.
- A walk through an expression asks of each of its nodes what kinds of nodes it is about, and whether this is one.
- Values are compared, sorted and measured through descriptions of their types. Most are texts.

``tests/infrastructure/test_quick_moto.py`` holds both ways against each other.
"""

import base64
import copy
import functools
import json
import re
import uuid
from collections import deque
from collections.abc import Set
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from botocore.awsrequest import AWSPreparedRequest
from moto.core import responses
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.parse import JSONParser
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model
from moto.dynamodb import comparisons, models
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import StreamRecord
from moto.dynamodb.parsing import ast_nodes, expressions, validators
from moto.dynamodb.responses import DynamoHandler
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler
from moto.secretsmanager.responses import SecretsManagerResponse
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT

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
OF_STREAMS = {"GetRecords"}
# Their values are texts, numbers as texts, truth values and bytes: none that could be changed in place.
_SINGLE = {"S", "N", "B", "BOOL", "NULL"}

# Without their types: their methods are replaced below.
_handlers: Any = DynamoHandler
_streams: Any = DynamoDBStreamsHandler
_stubber: Any = BotocoreStubber
_responses: Any = responses
_values: Any = DynamoType
_records: Any = StreamRecord
_nodes: Any = ast_nodes
_comparisons: Any = comparisons
_expressions: Any = expressions
_validators: Any = validators
_models: Any = models
_backend: Any = models.DynamoDBBackend

# By what stands before the operation in X-Amz-Target.
_HANDLERS: dict[str, Any] = {
    "DynamoDB_20120810": DynamoHandler,
    "DynamoDBStreams_20120810": DynamoDBStreamsHandler,
    "secretsmanager": SecretsManagerResponse,
}
_URL = re.compile(rf"https://[a-z.]+\.{REGION}\.amazonaws\.com/")

own_process = BotocoreStubber.process_request
own_serialized = BaseResponse.serialized
own_transaction = _backend.transact_write_items
own_walk = _nodes.DepthFirstTraverser.traverse_node_recursively
own_clauses = _nodes.Node.find_clauses
own_lexed = _comparisons.ConditionExpressionParser._lex_condition_expression  # noqa: SLF001  # moto's own
_own_copy = _values.__deepcopy__
_own_cast_value = _values.cast_value.fget
_own_size = _values.size
_own_equal = _values.__eq__


def install() -> None:
    """Let moto take the quick paths from now on, in this process."""
    _stubber.process_request = _process
    _responses.method_names_from_class = functools.cache(_responses.method_names_from_class)
    for handlers in _HANDLERS.values():
        handlers._enrich_response = staticmethod(_with_request_id)  # noqa: SLF001  # moto's own
    _handlers.serialized = _streams.serialized = _serialized
    _values.__deepcopy__ = _copied
    _values.cast_value = property(_cast_value)
    _values.size = _size
    _values.__eq__ = _equal
    _records.__deepcopy__ = _shared
    _nodes.DepthFirstTraverser.traverse_node_recursively = _walked
    _nodes.Node.find_clauses = _clauses
    _comparisons.ConditionExpressionParser._lex_condition_expression = _lexed  # noqa: SLF001  # moto's own
    parser = _expressions.UpdateExpressionParser
    parser.make = staticmethod(functools.cache(parser.make))
    _validators.deepcopy = _copied_node
    _backend.transact_write_items = _transacted
    _models.copy = SimpleNamespace(deepcopy=_copied_once)


def _process(stubber: BotocoreStubber, request: AWSPreparedRequest) -> Any:
    headers = Headers([(name, _text(value)) for name, value in request.headers.items()])
    service, _, action = headers.get("X-Amz-Target", "").partition(".")
    if service not in _HANDLERS or not _URL.fullmatch(str(request.url)):
        return own_process(stubber, request)
    handler = _HANDLERS[service]()
    handler.headers = headers
    handler.raw_body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
    handler.body = handler.raw_body.decode()
    handler.region, handler.current_account = REGION, ACCOUNT
    handler.querystring, handler.uri_match = {}, {}
    handler.response_headers = {"server": "amazon.com"}
    if handler.automated_parameter_parsing:
        handler.params = _parser(action).parse({"body": handler.raw_body})
    try:
        return handler.call_action()
    except HTTPException as error:
        return error.code, error.get_headers(), error.get_body()


@functools.cache
def _parser(action: str) -> Any:
    return JSONParser(get_service_model("dynamodb").operation_model(action), map_type=dict)


def _with_request_id(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
    if "status" in headers:
        headers["status"] = str(headers["status"])
    headers["x-amzn-requestid"] = uuid.uuid4().hex
    return headers, body


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _serialized(handler: DynamoHandler | DynamoDBStreamsHandler, response: ActionResult) -> Any:
    result = response.result
    action = handler._get_action()  # noqa: SLF001  # moto's own
    if not isinstance(result, dict) or action not in ON_ITEMS | OF_STREAMS:
        return own_serialized(handler, response)
    described = _described(handler.boto3_service_name, action)
    given = {name: value for name, value in result.items() if name in described and value is not None}
    headers = {"Content-Type": "application/x-amz-json-1.0", **handler.response_headers}
    return 200, headers, json.dumps(given, default=plain)


@functools.cache
def _described(service: str, action: str) -> Set[str]:
    """What the service's description says that a response has; moto's have more."""
    response: Any = get_service_model(service).operation_model(action).output_shape
    return frozenset(response.members)


def plain(value: DynamoType | bytes | datetime) -> Any:
    """What is no JSON in a response."""
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=UTC).timestamp()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.to_json()


# By the type of a value: an abstract class is slow to ask.
_is_node: Any = functools.cache(lambda kind: issubclass(kind, _nodes.Node))
_has_clauses: Any = functools.cache(lambda kind: issubclass(kind, _nodes.Expression | _nodes.UpdateExpressionFunction))

_kinds: dict[tuple[type, type], type | None] = {}
"""By the type of a walk and that of a node: the kind under which the walk processes it; None if it does not."""


def _walked(walk: Any, node: Any, place: int = -1) -> Any:
    if not _is_node(type(node)):
        return node
    parent = node.parent
    for number, child in enumerate(node.children or ()):
        walk.pre_processing_of_child(node, number)
        if _is_node(type(child)):
            _walked(walk, child, number)
    types = type(walk), type(node)
    if types not in _kinds:
        processed = walk._processing_map()  # noqa: SLF001  # moto's own
        _kinds[types] = next((kind for kind in processed if isinstance(node, kind)), None)
    kind = _kinds[types]
    if kind is not None:
        node = walk._processing_map()[kind](node)  # noqa: SLF001  # moto's own
        node.parent = parent
        if parent:
            parent.children[place] = node
    return node


def _clauses(node: Any, kinds: list[type]) -> list[Any]:
    clauses = []
    for child in node.children or ():
        kind = type(child)
        if kind in kinds:
            clauses.append(child)
        elif _has_clauses(kind):
            clauses += _clauses(child, kinds)
    return clauses


def _lexed(parser: Any) -> deque[Any]:
    return deque(_words(parser.condition_expression))


@functools.cache
def _words(condition: str) -> list[Any]:
    return list(own_lexed(_comparisons.ConditionExpressionParser(condition, None, None)))


def _copied_node(node: Any, parent: Any = None) -> Any:
    """Nodes are made of nodes, and of values that do not change. Values alone are copied as they are elsewhere."""
    if not _is_node(type(node)):
        return copy.deepcopy(node)
    copied = object.__new__(type(node))
    vars(copied).update(vars(node), parent=parent)
    if node.children is not None:
        copied.children = [_copied_node(child, copied) if _is_node(type(child)) else child for child in node.children]
    return copied


_backups: dict[int, Any] = {}
"""Of the tables of the transaction under way, by the identity of each, what it was before."""


def _transacted(backend: Any, operations: list[dict[str, Any]]) -> None:
    written: dict[str, set[DynamoType]] = {}
    for operation in operations:
        [part] = operation.values()
        if part["TableName"] in backend.tables:
            hash_key = backend.tables[part["TableName"]].hash_key_attr
            written.setdefault(part["TableName"], set()).add(DynamoType((part.get("Key") or part["Item"])[hash_key]))
    _backups.update({id(backend.tables[name]): _backup(backend.tables[name], keys) for name, keys in written.items()})
    try:
        own_transaction(backend, operations)
    finally:
        _backups.clear()


def _backup(table: Any, hash_keys: Set[DynamoType]) -> Any:
    """A copy that shares with the table what no write to these partitions changes."""
    copied = copy.copy(table)
    copied.items = copy.copy(table.items)
    for hash_key in hash_keys & table.items.keys():
        copied.items[hash_key] = copy.deepcopy(table.items[hash_key])
    if table.stream_shard is not None:
        copied.stream_shard = copy.copy(table.stream_shard)
        copied.stream_shard.table, copied.stream_shard.items = copied, [*table.stream_shard.items]
    return copied


def _copied_once(value: Any) -> Any:
    return _backups[id(value)] if id(value) in _backups else copy.deepcopy(value)


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
