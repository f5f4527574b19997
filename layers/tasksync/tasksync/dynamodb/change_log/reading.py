"""Change logs as clients follow them: where they end, and what was appended since a position.

Everything is read consistently. What is up to the head is complete; entries beyond it are never read.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from tasksync.dynamodb.change_log.counts import has_counted_all
from tasksync.dynamodb.change_log.decoder import HEAD, seq_of
from tasksync.dynamodb.change_log.items import EPOCH, entry_item, log_key
from tasksync.dynamodb.core.connection import MOST_KEYS, get_many
from tasksync.dynamodb.core.gather import gather
from tasksync.dynamodb.core.mapper import Raw, Row, Text, stored_as
from tasksync.dynamodb.core.queries import query
from tasksync.model.following import LogEnd, LogEnds, LoggedChange
from tasksync.runtime.settings import settings

_Number: Any = stored_as(int, "N").spelled


class _EntryRow(Row, frozen=True, kw_only=True, gc=False):
    item: Text
    at: Text
    actor_id: Text | None = None
    action: Text
    resource: Text
    resource_id: Text
    changes: Text
    request_id: Text | None = None
    version: _Number | None = None

    def entity(self) -> LoggedChange:
        return LoggedChange(
            seq=seq_of(self.item.S),
            at=self.at.S,
            actor_id=None if self.actor_id is None else self.actor_id.S,
            action=self.action.S,
            resource=self.resource.S,
            resource_id=self.resource_id.S,
            fields=tuple(msgspec.json.decode(self.changes.S)),
            request_id=None if self.request_id is None else self.request_id.S,
            version=None if self.version is None else self.version.N,
        )


class FollowedLogs:
    """The change logs, as far as clients may follow them. Who may follow which is not decided here."""

    def ends(self, log_ids: Sequence[str]) -> LogEnds:
        """Where these logs end. One round trip for 99 of them, and further ones at the same time."""
        keys = [log_key(log_id, HEAD) for log_id in dict.fromkeys([EPOCH, *log_ids])]
        parts = [keys[start : start + MOST_KEYS] for start in range(0, len(keys), MOST_KEYS)]
        found_parts = gather(*(partial(get_many, settings.log_table, part) for part in parts))
        found = {raw["owner_id"]["S"]: raw for part in found_parts for raw in part}
        epoch = found.pop(EPOCH, None)
        return LogEnds(0 if epoch is None else int(epoch[EPOCH]["N"]), {i: _end(raw) for i, raw in found.items()})

    def entries(self, log_id: str, after: int, last: int) -> list[LoggedChange] | None:
        """The entries after ``after`` up to ``last``, which is not beyond the head. One round trip, so at most 1 MB:
        of entries with long texts, fewer.

        None: some of them have expired. DynamoDB deletes expired items in no order, so any of them may be missing.
        """
        rows, more = query(
            _EntryRow,
            {
                "TableName": settings.log_table,
                "KeyConditionExpression": "#0 = :0 AND #1 BETWEEN :1 AND :2",
                "ConsistentRead": True,
                "ExpressionAttributeNames": {"#0": "owner_id", "#1": "item"},
                "ExpressionAttributeValues": {
                    ":0": {"S": log_id},
                    ":1": {"S": entry_item(after + 1)},
                    ":2": {"S": entry_item(last)},
                },
            },
        )
        entries = [row.entity() for row in rows]
        contiguous = [entry.seq for entry in entries] == list(range(after + 1, after + 1 + len(entries)))
        return entries if contiguous and entries and (more is not None or entries[-1].seq == last) else None


def _end(raw: Raw) -> LogEnd:
    return LogEnd(int(raw["seq"]["N"]), int(raw["open"]["N"]), int(raw["completed"]["N"]), has_counted_all(raw))
