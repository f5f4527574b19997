"""Reads ministack's in-memory state as rows: the rows that changed since the last save, and the restore of all rows.

Its services say what their state is, as they do for the files that ministack itself writes when it is stopped in order.
Three things are rows of their own, because they grow with what people do and only what has changed is to be written:

- items of tables: ministack replaces items and never alters them, in two functions that are listened to here;
- records of streams that a function has yet to process, and how far each function is;
- points of metrics, to which others are only ever added.

All operations of DynamoDB run on the thread of the event loop, without a pause within them. Captured on that thread, a
transaction and the records of its changes are there as a whole or not at all. How far a function has processed a stream
is captured before all else, so what it did about those records is captured with it: after a start it can be handed a
record twice, but none is left out.
"""

import ast
import hashlib
import json
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

# ministack has no place to listen at: what is private in it is read and replaced here.
# ruff: noqa: SLF001
from ministack import app
from ministack.core import persistence
from ministack.core.responses import AccountRegionScopedDict
from ministack.services import cloudformation, cloudwatch, dynamodb, lambda_svc

from infrastructure.local.errors import StateDamaged
from infrastructure.local.state import Changes, Key

_logger = logging.getLogger(__name__)

# Their state without rows of their own, by the names that ministack has for it: it would copy all rows each time.
FIELDS = {
    "dynamodb": (
        *("tags", "ttl_settings", "pitr_settings", "kinesis_destinations", "contributor_insights", "backups"),
        *("resource_policies", "exports", "imports"),
    ),
    "cloudwatch": (
        *("alarms", "composite_alarms", "composite_triggers", "alarm_history", "dashboards", "resource_tags"),
    ),
}
# They change by more than the requests that come for them: by streams, alarms, and what functions could not process.
_CHANGE_BY_THEMSELVES = {"dynamodb", "cloudwatch", "sqs"}
# Others may, too, in threads of ministack's: a function that becomes active. None of that is a change of somebody's.
_SECONDS_BETWEEN_LOOKS_AT_ALL = 60.0


class Memory:
    """One for a process, made before ministack starts."""

    def __init__(self) -> None:
        self._marked: set[str] = set()
        self._looked_at_all = -_SECONDS_BETWEEN_LOOKS_AT_ALL
        self._changed_items: deque[tuple[str, str, str]] = deque()
        self._trimming = threading.RLock()
        self._may_hand_on = threading.Event()
        self._may_hand_on.set()
        self._code: dict[str, bytes] = {}
        self._code_used: set[str] = set()
        # What is saved, as far as it takes to see what is not.
        self._digests: dict[tuple[str, str], bytes] = {}
        self._items: dict[str, Any] = {}
        self._records: dict[str, tuple[int, int]] = {}
        self._points: dict[Any, tuple[Any, int]] = {}
        self._outdated: list[Key] = []
        self._code_saved: set[str] = set()

    # -------------------------------------------------------------------------------------------- listening

    def listen(self) -> None:
        """Hear what changes from now on."""
        for name, handler in app.SERVICE_HANDLERS.items():
            app.SERVICE_HANDLERS[name] = self._marking(name, handler)
        dynamodb._set_item = self._marking_item(dynamodb._set_item)
        dynamodb._remove_item = self._marking_item(dynamodb._remove_item)
        trim, poll = dynamodb._trim_stream_records, lambda_svc._poll_dynamodb_streams

        def trim_whole(*arguments: Any, **named: Any) -> None:
            # It shortens a stream and then counts by how much, and not only on the thread of the event loop.
            with self._trimming:
                trim(*arguments, **named)

        dynamodb._trim_stream_records = trim_whole
        lambda_svc._poll_dynamodb_streams = lambda: self._may_hand_on.is_set() and poll()
        # Code of functions: else in files, which would have to agree with the rest of the state at any moment.
        lambda_svc._write_code_blob = self._keep_code
        lambda_svc._prune_orphan_code_blobs = self._use_code

    def hand_on(self) -> None:
        """Let functions process what was left in the streams. They are deployed now and reach what they need.

        Before, they could not, and ministack does not repeat records that a function reports as failed.
        """
        self._may_hand_on.set()

    def _marking(self, name: str, handler: Callable[..., Any]) -> Callable[..., Any]:
        """A service whose state is looked at after each request."""
        configuration = app.SERVICE_REGISTRY[name]
        concerned = {configuration.get("state_key", configuration["module"]), *configuration.get("sub_modules", ())}
        if name == "cloudformation":
            concerned = set(app._state_map)

        async def handle(*arguments: Any) -> Any:
            try:
                return await handler(*arguments)
            finally:
                self._marked |= concerned

        return handle

    def _marking_item(self, change: Callable[..., Any]) -> Callable[..., Any]:
        def change_and_mark(table: Any, partition: str, sort: str, *item: Any) -> Any:
            before = change(table, partition, sort, *item)
            self._changed_items.append((table["TableArn"], partition, sort))
            return before

        return change_and_mark

    def _keep_code(self, code: bytes) -> str:
        name = hashlib.sha256(code).hexdigest()
        self._code[name] = code
        return name

    def _use_code(self, used: set[str]) -> None:
        self._code_used = set(used)

    # -------------------------------------------------------------------------------------------- capturing

    def capture(self, changes: Changes, whole: bool = False) -> None:
        """Add what has changed since the last call. On the thread of the event loop.

        While CloudFormation is changing a stack, all but what is in tables and streams waits for its end: a stack that
        is saved half way could be neither updated nor deleted. ``whole``: it is saved nevertheless.
        """
        positions = dict(lambda_svc._dynamodb_stream_positions._data)
        settled = whole or not any(
            str(stack.get("StackStatus", "")).endswith("_IN_PROGRESS") for stack in cloudformation._stacks.all_values()
        )
        if settled:
            if whole or time.monotonic() > self._looked_at_all + _SECONDS_BETWEEN_LOOKS_AT_ALL:
                self._marked |= app._state_map.keys()
                self._looked_at_all = time.monotonic()
            self._capture_services(changes)
            self._capture_points(changes)
        self._capture_streams(changes, positions)
        self._capture_items(changes, settled)

    def _capture_services(self, changes: Changes) -> None:
        services = app._build_persistence_save_dict()
        for name in sorted(self._marked | _CHANGE_BY_THEMSELVES):
            try:
                state = _without_rows(name) if name in FIELDS else services[name]() if name in services else None
                text = _text(name, state)
            except RuntimeError:
                # Another thread has added something meanwhile: it stays marked.
                continue
            except (TypeError, ValueError):
                _logger.exception("The state of %s cannot be written", name)
                self._marked.discard(name)
                continue
            self._marked.discard(name)
            if state is not None:
                self._put_if_new(changes, "service", name, text)
            if name == "lambda":
                self._capture_code(changes)

    def _capture_code(self, changes: Changes) -> None:
        for name in self._code_saved - self._code_used:
            changes.remove("code", "", name)
        for name in self._code_used - self._code_saved:
            changes.put("code", "", name, persistence._json_default(self._code[name]))
        self._code_saved = self._code_used
        self._code = {}

    def _capture_points(self, changes: Changes) -> None:
        while self._outdated:
            changes.remove(*self._outdated.pop())
        metrics = dict(cloudwatch._metrics._data)
        for key in self._points.keys() - metrics.keys():
            del self._points[key]
            changes.empty("points", repr(key))
        for key, points in metrics.items():
            last, row = self._points.get(key, (None, 0))
            first = len(points)
            while first and points[first - 1] is not last:
                first -= 1
            if added := points[first:]:
                changes.put("points", repr(key), f"{row:012}", added)
                self._points[key] = (added[-1], row + 1)

    def _capture_streams(self, changes: Changes, positions: Mapping[Any, int]) -> None:
        ends = {}
        for arn, key in _streams():
            with self._trimming:
                start = dynamodb._stream_trimmed._data.get(key, 0)
                records = list(dynamodb._stream_records._data.get(key, ()))
            end = ends[arn] = start + len(records)
            needed = min([end, *(max(start, positions.get(mapping, start)) for mapping in _mappings(arn))])
            first, after = self._records.get(arn, (start, start))
            for position in range(first, min(needed, after)):
                changes.remove("record", arn, f"{position:012}")
            for position in range(max(needed, after), end):
                changes.put("record", arn, f"{position:012}", records[position - start])
            self._records[arn] = (needed, end)
        for arn in self._records.keys() - ends.keys():
            del self._records[arn]
            changes.empty("record", arn)
        self._put_if_new(changes, "streams", "ends", json.dumps(ends))
        self._put_if_new(changes, "streams", "positions", json.dumps([[*key, at] for key, at in positions.items()]))

    def _capture_items(self, changes: Changes, settled: bool) -> None:
        tables = {table["TableArn"]: table["items"] for table in dynamodb._tables.all_values()}
        if settled:
            for arn in self._items.keys() - tables.keys():
                del self._items[arn]
                changes.empty("item", arn)
        for arn, items in tables.items():
            if self._items.get(arn) is not items:
                # A new table, or one whose items were replaced all together.
                self._items[arn] = items
                changes.empty("item", arn)
                for partition, sorted_items in list(items.items()):
                    for sort, item in list(sorted_items.items()):
                        changes.put("item", arn, json.dumps([partition, sort]), item)
        for _ in range(len(self._changed_items)):
            arn, partition, sort = self._changed_items.popleft()
            if arn in tables:
                item = tables[arn].get(partition, {}).get(sort)
                changes.put("item", arn, json.dumps([partition, sort]), item)

    def _put_if_new(self, changes: Changes, kind: str, name: str, text: str) -> None:
        digest = _digest(text)
        if self._digests.get((kind, name)) != digest:
            self._digests[kind, name] = digest
            changes.put(kind, "", name, text)

    # -------------------------------------------------------------------------------------------- restoring

    def restore(self, rows: Iterable[tuple[Key, str]]) -> None:
        """Give ministack what was saved. Raises StateDamaged if that is of a version to come."""
        services: dict[str, Any] = {}
        streams: dict[str, Any] = {}
        code: dict[str, bytes] = {}
        items: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
        records: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        points: dict[Any, list[Any]] = defaultdict(list)
        for (kind, scope, name), text in rows:
            if kind == "item":
                partition, sort = json.loads(name)
                items[scope][partition][sort] = json.loads(text)
            elif kind == "record":
                records[scope].append((int(name), json.loads(text)))
            elif kind == "points":
                self._restore_points(points, scope, name, json.loads(text))
            elif kind == "service":
                self._digests[kind, name] = _digest(text)
                services[name] = _payload(name, json.loads(text, object_hook=persistence._json_object_hook))
            elif kind == "streams":
                self._digests[kind, name] = _digest(text)
                streams[name] = json.loads(text)
            elif kind == "code":
                code[name] = json.loads(text, object_hook=persistence._json_object_hook)
        self._may_hand_on.clear()
        self._code_saved = set(code)
        lambda_svc._read_code_blob = code.get
        for table in services["dynamodb"]["tables"].all_values():
            table["items"] = items[table["TableArn"]]
        services["cloudwatch"]["metrics"] = _scoped(points)
        _load(services)
        self._items = {table["TableArn"]: table["items"] for table in dynamodb._tables.all_values()}
        self._restore_streams(streams, records)

    def _restore_points(self, points: dict[Any, list[Any]], scope: str, name: str, restored: list[Any]) -> None:
        key = ast.literal_eval(scope)
        self._points[key] = (restored[-1], int(name) + 1)
        if max(point["Timestamp"] for point in restored) < time.time() - cloudwatch.TWO_WEEKS_SECONDS:
            self._outdated.append(("points", scope, name))
        else:
            points[key] += restored

    def _restore_streams(self, streams: Mapping[str, Any], records: Mapping[str, list[tuple[int, Any]]]) -> None:
        for arn, key in _streams():
            end = streams["ends"].get(arn, 0)
            kept = records[arn]
            first = kept[0][0] if kept else end
            dynamodb._stream_trimmed._data[key] = first
            dynamodb._stream_records._data[key] = [record for _, record in kept]
            self._records[arn] = (first, end)
        lambda_svc._dynamodb_stream_positions._data = {tuple(key): at for *key, at in streams["positions"]}


def load_files_of_ministack() -> None:
    """What the version before this one saved, if there is anything."""
    found = {name: persistence.load_state(name) for name in app._state_map}
    services = {name: state for name, state in found.items() if state}
    if "lambda" in services:
        # How many records of a stream were processed is there, and the records are not: the count begins at 0 again.
        services["lambda"]["dynamodb_stream_positions"] = AccountRegionScopedDict()
    _load(services)


def _load(services: Mapping[str, Any]) -> None:
    for name, module in app._state_map.items():
        if name in services:
            app._get_module(module).load_persisted_state(services[name])


def _text(name: str, state: Any) -> str:
    """The state of a service, as ministack would write it into a file."""
    content = {"__ministack_format__": persistence._state_format_version(name), "payload": state}
    return json.dumps(content, default=persistence._json_default)


def _payload(name: str, content: Mapping[str, Any]) -> Any:
    if content["__ministack_format__"] > persistence._state_format_version(name):
        raise StateDamaged(f"The state of {name} was saved by a version of ministack that is newer than this one.")
    return content["payload"]


def _without_rows(name: str) -> dict[str, Any]:
    """The state of a service in ministack's form, but for what has rows of its own."""
    if name == "cloudwatch":
        rows = {"metrics": AccountRegionScopedDict()}
    else:
        apart = ("items", dynamodb._INDEX_MEMBERS)
        rows = {
            "tables": _scoped(
                {
                    key: {field: value for field, value in table.items() if field not in apart}
                    for key, table in dynamodb._tables.all_items()
                }
            )
        }
    module = app._get_module(name)
    return rows | {field: getattr(module, f"_{field}") for field in FIELDS[name]}


def _scoped(content: dict[Any, Any]) -> Any:
    scoped = AccountRegionScopedDict()
    scoped._data = content
    return scoped


def _streams() -> Iterator[tuple[str, Any]]:
    """The ARN of each open stream, and under which key ministack has its records."""
    for key, table in dynamodb._tables.all_items():
        if (table.get("StreamSpecification") or {}).get("StreamEnabled"):
            yield table["LatestStreamArn"], key


def _mappings(arn: str) -> list[Any]:
    """Keys of the event source mappings that hand on the records of a stream."""
    return [key for key, mapping in lambda_svc._esms.all_items() if mapping.get("EventSourceArn") == arn]


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode()).digest()
