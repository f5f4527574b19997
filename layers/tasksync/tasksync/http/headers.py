"""The headers of a request, from ``multiValueHeaders`` of API Gateway's event.

The event's ``headers`` has only the last line of each name: a second ``If-Match`` would replace the first.
"""

from collections.abc import Iterator, Mapping, Sequence

from tasksync.model.errors import BadIdempotencyKey, TaskSyncError, TokenMalformed, UnsupportedMediaType

# Headers with a single value, and the error for several values. All other headers are lists.
_SINGLE: dict[str, type[TaskSyncError]] = {
    "authorization": TokenMalformed,
    "content-type": UnsupportedMediaType,
    "idempotency-key": BadIdempotencyKey,
}


class Headers(Mapping[str, str]):
    """Values by name in lower case. Several lines of one header are joined to a list (RFC 9110 §5.3).

    Reading a header with a single value raises its error if its lines differ: an intermediary may have used another of
    them.
    """

    def __init__(self, lines: Mapping[str, Sequence[str]] | None) -> None:
        """``lines``: ``multiValueHeaders``; None if there are no headers."""
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
