"""Header fields of a request, from ``multiValueHeaders`` of API Gateway's event.

The event's ``headers`` has one line of each name, the last one: a second ``If-Match`` there replaces the first.
"""

from collections.abc import Iterator, Mapping, Sequence

from tasksync.model.errors import BadIdempotencyKey, TaskSyncError, TokenMalformed, UnsupportedMediaType

# Fields that take one value, and the error that several are. Any other field is a list.
_SINGLE: dict[str, type[TaskSyncError]] = {
    "authorization": TokenMalformed,
    "content-type": UnsupportedMediaType,
    "idempotency-key": BadIdempotencyKey,
}


class Headers(Mapping[str, str]):
    """Values by name in lower case. Several lines of one field are one list (RFC 9110 §5.3).

    A field that takes one value raises its error when it is read and its lines differ: which of them counts, somebody
    on the way may have decided in another way.
    """

    def __init__(self, lines: Mapping[str, Sequence[str]] | None) -> None:
        """``lines``: ``multiValueHeaders``, null where there are none."""
        self._lines: dict[str, list[str]] = {}
        for name, values in (lines or {}).items():
            self._lines.setdefault(name.lower(), []).extend(values)

    def __getitem__(self, name: str) -> str:
        lines = self._lines[name]
        if len(lines) == 1:
            return lines[0]
        error = _SINGLE.get(name)
        if error is None:
            return ", ".join(lines)
        if len(set(lines)) > 1:
            raise error(f"There are several {name.title()} headers, which differ. Send one.")
        return lines[0]

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)
