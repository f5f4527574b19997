"""Responses with pages of lists, and links to the next page."""

import json
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from tasksync.http.pagination import cursors
from tasksync.http.pagination.response_size import SizeBudget
from tasksync.http.request import Request
from tasksync.http.responses import Response
from tasksync.http.schemas.fields import CursorQuery, Paging
from tasksync.model.entities import Page
from tasksync.runtime import deadline

# Limits of one response with several lists: items of each read, and number of reads.
_AT_ONCE = 100
_MOST_READS = 20

Item = TypeVar("Item")
Rendered = TypeVar("Rendered", bound=Mapping[str, Any])


def position(request: Request, paging: CursorQuery) -> str | None:
    """The position of the requested page. Raises ``BadCursor`` for a cursor of another list, caller or filter."""
    return None if paging.cursor is None else cursors.unseal(paging.cursor, _identity(request))


def listing(
    request: Request,
    paging: Paging,
    read: Callable[[int, str | None], Page[Item]],
    render: Callable[[Item], Rendered],
) -> Response:
    """A page of a list, with a link to the next page (RFC 8288). Raises ``BadCursor``.

    ``read`` takes a limit and a position, and returns the items after it. If they are too large for one response, it is
    called again with a lower limit, to get the position of the next page. ``render`` renders an item.
    """
    found = _fitting(read, render, paging.limit, position(request, paging), SizeBudget())
    return with_next(request, {"items": found.items, "next_cursor": None}, found.next)


@dataclass(frozen=True, slots=True)
class Part(Generic[Item]):
    """One of several lists in a response: its name, how it is read, and how an item is rendered."""

    name: str
    read: Callable[[int, str | None], Page[Item]]
    render: Callable[[Item], Mapping[str, Any]]


def chained(request: Request, body: Mapping[str, Any], parts: Sequence[Part[Any]], start: str | None) -> Response:
    """``body`` with several lists, read one after the other from ``start``, as far as one response can hold them.

    Parts with the same name are one list. At most 20 reads are made, and none when time is nearly over. The rest is on
    the next page.
    """
    budget = SizeBudget()
    budget.take(body)
    found: dict[str, list[Any]] = {part.name: [] for part in parts}
    number, after = (0, None) if start is None else json.loads(start)
    for _ in range(_MOST_READS):
        part = parts[number]
        fitted = _fitting(part.read, part.render, _AT_ONCE, after, budget)
        found[part.name] += fitted.items
        number, after = (number + 1, None) if fitted.next is None else (number, fitted.next)
        if number == len(parts) or budget.full or not deadline.has_time():
            break
    rest = None if number == len(parts) else json.dumps([number, after])
    return with_next(request, {**body, **found, "next_cursor": None}, rest)


class _Fitted(NamedTuple):
    """Encoded items, and the position after them."""

    items: list[Any]
    next: str | None


def _fitting(
    read: Callable[[int, str | None], Page[Item]],
    render: Callable[[Item], Mapping[str, Any]],
    limit: int,
    after: str | None,
    budget: SizeBudget,
) -> _Fitted:
    """The items after a position: at most ``limit``, and as many as fit into ``budget``."""
    overflowing = False
    while limit:
        page = read(limit, after)
        trial = budget.copy()
        items = trial.take_all(page.items, render)
        if len(items) == len(page.items):
            budget.become(trial)
            budget.full = overflowing
            return _Fitted(items, page.next)
        overflowing, limit = True, len(items)
    budget.full = True
    return _Fitted([], after)


def with_next(request: Request, body: Mapping[str, Any], next_position: str | None) -> Response:
    """``body`` with ``next_cursor`` and a ``Link`` header, if there is a next page."""
    if next_position is None:
        return Response(200, body)
    cursor = cursors.seal(next_position, _identity(request))
    query = urllib.parse.urlencode([*_pairs(request, {"cursor"}), ("cursor", cursor)])
    link = f'<{request.root}{request.path}?{query}>; rel="next"'
    return Response(200, {**body, "next_cursor": cursor}, {"Link": link})


def _identity(request: Request) -> str:
    """What a cursor is bound to: the caller, the list and its filters. The page size may change between pages."""
    pairs = sorted(_pairs(request, {"cursor", "limit"}))
    return urllib.parse.urlencode([("caller", request.caller.user_id), ("path", request.path), *pairs])


def _pairs(request: Request, without: set[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.parameters.items() if name not in without for value in values]
