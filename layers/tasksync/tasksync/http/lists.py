"""Pages of lists: where one begins, and how it says where the next one does."""

import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tasksync.entities import Page
from tasksync.http import cursors
from tasksync.http.answers import Listing
from tasksync.http.fields import From
from tasksync.http.request import Request
from tasksync.http.responses import Response

Item = TypeVar("Item")
View = TypeVar("View", bound=Mapping[str, Any])


def position(request: Request, paging: From) -> str | None:
    """Where the page asked for begins. Raises ``BadCursor`` for a cursor of another list, caller or filter."""
    return None if paging.cursor is None else cursors.unseal(paging.cursor, _identity(request))


def listing(request: Request, page: Page[Item], view: Callable[[Item], View]) -> Response:
    """A page of a list, each item as ``view`` shows it, with the way to the next page (RFC 8288)."""
    body: Listing[View] = {"items": [view(item) for item in page.items], "next_cursor": None}
    return with_next(request, body, page.next)


def with_next(request: Request, body: Mapping[str, Any], place: str | None) -> Response:
    """``body`` with the way to where it goes on, if it does: ``next_cursor``, and a link."""
    if place is None:
        return Response(200, body)
    cursor = cursors.seal(place, _identity(request))
    query = urllib.parse.urlencode([*_pairs(request, {"cursor"}), ("cursor", cursor)])
    link = f'<{request.root}{request.path}?{query}>; rel="next"'
    return Response(200, {**body, "next_cursor": cursor}, {"Link": link})


def _identity(request: Request) -> str:
    """The caller, the list and its filters. Not the page size: that may change from page to page."""
    pairs = sorted(_pairs(request, {"cursor", "limit"}))
    return urllib.parse.urlencode([("caller", request.caller.user_id), ("path", request.path), *pairs])


def _pairs(request: Request, without: set[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.parameters.items() if name not in without for value in values]
