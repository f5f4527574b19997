"""A DynamoDB of our own: requests and answers as its JSON protocol has them, semantics as its manual gives them.

Each write is one step that nobody sees half of, a transaction likewise. Reads of several items are only as isolated
as AWS promises: ``GetItem`` sees whole transactions, while ``Query``, ``Scan`` and ``BatchGetItem`` may see one
transaction for some items and not yet for others (read committed), even when they are consistent. ``breathe`` is
called in the middle of those, so that somebody else may write there.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation import expressions
from tests.simulation.expressions import Item, Placeholders
from tests.simulation.tables import Change, Key, Keys, Table, TableState

Json = dict[str, Any]

_TOKEN_LIVES_SECONDS = 600.0
_MOST_IN_TRANSACTION = 100
_MOST_IN_BATCH_GET = 100
_MOST_IN_BATCH_WRITE = 25


class ServiceError(Exception):
    """A response that is an error: its code as botocore reads it, its HTTP status, and what else is in its body."""

    def __init__(self, code: str, message: str = "", status: int = 400, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status
        self.document = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **fields}


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """What a database holds at one moment."""

    tables: Mapping[str, TableState]
    tokens: Mapping[str, tuple[float, str]]
    commits: int


class Database:
    """Tables, and the operations on them that the product uses."""

    def __init__(
        self,
        tables: Mapping[str, Mapping[str, Any]],
        now: Callable[[], float],
        lag: Callable[[], float],
        breathe: Callable[[], None],
        committed: Callable[[list[Change]], None],
    ) -> None:
        """``lag``: how long indexes stay behind a write, in seconds. ``committed`` is told of each write at once."""
        self.tables = {name: Table(name, properties) for name, properties in tables.items()}
        self._now = now
        self._lag = lag
        self._breathe = breathe
        self._committed = committed
        self._tokens: dict[str, tuple[float, str]] = {}
        self.commits = 0
        self._operations: dict[str, Callable[[Json], Json]] = {
            "GetItem": self._get,
            "BatchGetItem": self._batch_get,
            "Query": self._query,
            "Scan": self._scan,
            "PutItem": self._put,
            "DeleteItem": self._delete,
            "UpdateItem": self._update,
            "BatchWriteItem": self._batch_write,
            "TransactWriteItems": self._transact,
        }

    def call(self, operation: str, request: Json) -> Json:
        """Carry out one request. Raises ``ServiceError``."""
        return self._operations[operation](request)

    def state(self) -> DatabaseState:
        """All that it holds, to ``restore`` it."""
        tables = {name: table.state() for name, table in self.tables.items()}
        return DatabaseState(tables, dict(self._tokens), self.commits)

    def restore(self, state: DatabaseState) -> None:
        """Hold what it held then."""
        for name, table in self.tables.items():
            table.restore(state.tables[name])
        self._tokens, self.commits = dict(state.tokens), state.commits

    def _get(self, request: Json) -> Json:
        table = self._table(request)
        item = self._readable(table, request).get(table.key(request["Key"]))
        return {} if item is None else {"Item": _projected(item, request)}

    def _batch_get(self, request: Json) -> Json:
        wanted = [(name, key, part) for name, part in request["RequestItems"].items() for key in part["Keys"]]
        if len(wanted) > _MOST_IN_BATCH_GET or len({(name, str(key)) for name, key, _ in wanted}) < len(wanted):
            raise ServiceError("ValidationException", "Too many items requested, or one of them twice")
        found: dict[str, list[Item]] = {name: [] for name in request["RequestItems"]}
        for number, (name, key, part) in enumerate(wanted):
            if number:
                self._breathe()
            table = self.tables[name]
            item = self._readable(table, part).get(table.key(key))
            if item is not None:
                found[name].append(_projected(item, part))
        return {"Responses": found, "UnprocessedKeys": {}}

    def _query(self, request: Json) -> Json:
        table = self._table(request)
        index = _index(table, request)
        in_range = expressions.condition(request["KeyConditionExpression"])
        given = _placeholders(request)
        backwards = not request.get("ScanIndexForward", True)
        return self._page(table, index, request, lambda item: in_range(item, given), backwards)

    def _scan(self, request: Json) -> Json:
        if "IndexName" in request:
            raise ValueError(f"not understood: {request}")
        table = self._table(request)
        by_partition = Keys(table.keys.partition, table.keys.partition)
        segment, segments = request.get("Segment", 0), request.get("TotalSegments", 1)

        def in_segment(item: Item) -> bool:
            return bool(zlib.crc32(table.key(item)[0].encode()) % segments == segment)

        return self._page(table, by_partition, request, in_segment, backwards=False)

    def _page(
        self, table: Table, index: Keys, request: Json, in_range: Callable[[Item], bool], backwards: bool
    ) -> Json:
        placed = self._torn(table, index, request, in_range, backwards)
        if "ExclusiveStartKey" in request:
            start = request["ExclusiveStartKey"]
            ((beyond, _),) = table.in_order(index, {table.key(start): start})
            placed = [each for each in placed if (each[0] < beyond if backwards else each[0] > beyond)]
        limit = request.get("Limit", len(placed) + 1)
        read = [item for _, item in placed[:limit]]
        wanted = expressions.condition(request["FilterExpression"]) if "FilterExpression" in request else None
        given = _placeholders(request)
        items = [item for item in read if wanted is None or wanted(item, given)]
        response: Json = {"Count": len(items), "ScannedCount": len(read)}
        if request.get("Select") != "COUNT":
            response["Items"] = [_projected(item, request) for item in items]
        if len(read) == limit:
            response["LastEvaluatedKey"] = {name: read[-1][name] for name in {*index.names, *table.keys.names}}
        return response

    def _torn(
        self, table: Table, index: Keys, request: Json, in_range: Callable[[Item], bool], backwards: bool
    ) -> list[tuple[tuple[Any, ...], Item]]:
        """What is in range, in order; the second half read after the first."""

        def read() -> list[tuple[tuple[Any, ...], Item]]:
            found = [each for each in table.in_order(index, self._readable(table, request)) if in_range(each[1])]
            return found[::-1] if backwards else found

        first = read()
        if len(first) < 2:
            return first
        self._breathe()
        last = first[len(first) // 2 - 1]
        beyond = [each for each in read() if (each[0] < last[0] if backwards else each[0] > last[0])]
        return first[: len(first) // 2] + beyond

    def _put(self, request: Json) -> Json:
        return self._single(request, request["Item"], lambda _: request["Item"])

    def _delete(self, request: Json) -> Json:
        return self._single(request, request["Key"], lambda _: None)

    def _update(self, request: Json) -> Json:
        return self._single(request, request["Key"], lambda old: _updated(old, request))

    def _single(self, request: Json, key: Item, change: Callable[[Item | None], Item | None]) -> Json:
        table = self._table(request)
        place = table.key(key)
        old = table.items.get(place)
        if not _holds(old, request):
            raise ServiceError("ConditionalCheckFailedException", "The conditional request failed")
        new = change(old)
        self._commit([(table, place, new)])
        return {"Attributes": new} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _batch_write(self, request: Json) -> Json:
        """Several writes, each for itself."""
        writes = [(self.tables[name], write) for name, part in request["RequestItems"].items() for write in part]
        places = {(table.name, _written_key(table, write)) for table, write in writes}
        if len(writes) > _MOST_IN_BATCH_WRITE or len(places) < len(writes):
            raise ServiceError("ValidationException", "Too many items in the batch, or one of them twice")
        for table, write in writes:
            self._commit([(table, _written_key(table, write), write.get("PutRequest", {}).get("Item"))])
            self._breathe()
        return {"UnprocessedItems": {}}

    def _transact(self, request: Json) -> Json:
        token = request["ClientRequestToken"]
        body = json.dumps(request["TransactItems"], sort_keys=True)
        if self._already_done(token, body):
            return {}
        writes = []
        reasons = []
        for (kind, part), *_ in (list(each.items()) for each in request["TransactItems"]):
            table = self._table(part)
            place = table.key(part["Item"] if kind == "Put" else part["Key"])
            old = table.items.get(place)
            reasons.append({"Code": "None" if _holds(old, part) else "ConditionalCheckFailed"})
            writes.append((kind, table, place, part))
        if len(writes) > _MOST_IN_TRANSACTION or len({(each[1].name, each[2]) for each in writes}) < len(writes):
            raise ServiceError(
                "ValidationException", "Transaction request cannot include multiple operations on one item"
            )
        if any(reason["Code"] != "None" for reason in reasons):
            raise cancelled(reasons)
        changes = [
            (table, place, _transacted(kind, table.items.get(place), part))
            for kind, table, place, part in writes
            if kind != "ConditionCheck"
        ]
        self._tokens[token] = self._now() + _TOKEN_LIVES_SECONDS, body
        self._commit(changes)
        return {}

    def _already_done(self, token: str, body: str) -> bool:
        ends, done = self._tokens.get(token, (0.0, ""))
        if ends <= self._now():
            return False
        if done != body:
            raise ServiceError("IdempotentParameterMismatchException", "The token was used for another request")
        return True

    def _commit(self, writes: list[tuple[Table, Key, Item | None]]) -> None:
        seen_at = self._now() + self._lag()
        changes = [table.write(place, item, seen_at) for table, place, item in writes]
        self.commits += 1
        self._committed([change for change in changes if change.old != change.new])

    def _table(self, request: Json) -> Table:
        return self.tables[request["TableName"]]

    def _readable(self, table: Table, request: Json) -> Mapping[Key, Item]:
        consistent = request.get("ConsistentRead", False)
        if consistent and request.get("IndexName") in table.global_:
            raise ServiceError("ValidationException", "Consistent reads are not supported on global secondary indexes")
        return table.items if consistent else table.behind(self._now())


def cancelled(reasons: list[dict[str, str]]) -> ServiceError:
    """A transaction that was not carried out, and for each of its writes why."""
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return ServiceError("TransactionCanceledException", message, CancellationReasons=reasons)


def _index(table: Table, request: Json) -> Keys:
    name = request.get("IndexName")
    return table.keys if name is None else {**table.local, **table.global_}[name]


def _placeholders(request: Json) -> Placeholders:
    return Placeholders(request.get("ExpressionAttributeNames", {}), request.get("ExpressionAttributeValues", {}))


def _holds(old: Item | None, request: Json) -> bool:
    text = request.get("ConditionExpression")
    return text is None or expressions.condition(text)(old or {}, _placeholders(request))


def _projected(item: Item, request: Json) -> Item:
    if "ProjectionExpression" not in request:
        return item
    names = expressions.projection(request["ProjectionExpression"], _placeholders(request))
    return {name: item[name] for name in names if name in item}


def _updated(old: Item | None, request: Json) -> Item:
    """The item after an update; one that was not there begins with its key."""
    try:
        return expressions.update(request["UpdateExpression"])(old or request["Key"], _placeholders(request))
    except expressions.WrongType as error:
        raise ServiceError("ValidationException", str(error)) from error


def _transacted(kind: str, old: Item | None, part: Json) -> Item | None:
    if kind == "Put":
        item: Item = part["Item"]
        return item
    return None if kind == "Delete" else _updated(old, part)


def _written_key(table: Table, write: Json) -> Key:
    return table.key(write["PutRequest"]["Item"] if "PutRequest" in write else write["DeleteRequest"]["Key"])
