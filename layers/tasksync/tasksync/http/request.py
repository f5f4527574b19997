"""A request, as views see it."""

import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tasksync.entities import Caller, Page, UserRole
from tasksync.http import cursors
from tasksync.http.fields import Paging
from tasksync.http.responses import Response

Item = TypeVar("Item")

_RESERVE_MILLISECONDS = 5_000


@dataclass(frozen=True, slots=True)
class Request:
    """What API Gateway passed on (REST API, proxy event version 1.0), with header names in lower case."""

    id: str
    method: str
    path: str
    """Below the API's root."""
    root: str
    """What stands before ``path`` in the address the client called: the stage, or nothing behind a domain name."""
    parameters: Mapping[str, list[str]]
    headers: Mapping[str, str]
    context: Mapping[str, Any]
    remaining_milliseconds: Callable[[], float]

    @property
    def caller(self) -> Caller:
        """Who the authorizer says is asking. Only on routes that have the authorizer."""
        found = self.context["authorizer"]
        return Caller(found["user_id"], found["session_id"], UserRole(found["role"]))

    @property
    def ip(self) -> str:
        """The address the gateway saw; never what a header claims."""
        return str(self.context["identity"]["sourceIp"])

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")[:255]

    def has_time(self) -> bool:
        """Whether there is time left to begin something more, and still to answer."""
        return self.remaining_milliseconds() > _RESERVE_MILLISECONDS

    def matches(self, version: int) -> bool:
        """Whether ``If-Match`` (RFC 9110 §13.1.1) allows a change of a resource of this version."""
        condition = self.headers.get("if-match")
        return condition is None or _lists(condition, version, weak=False)

    def unchanged(self, version: int) -> bool:
        """Whether ``If-None-Match`` (RFC 9110 §13.1.2) says that the client has this version."""
        condition = self.headers.get("if-none-match")
        return condition is not None and _lists(condition, version, weak=True)

    def position(self, paging: Paging) -> str | None:
        """Where the page asked for begins."""
        return None if paging.cursor is None else cursors.unseal(paging.cursor, self._list_identity())

    def listing(self, page: Page[Item], view: Callable[[Item], Mapping[str, Any]]) -> Response:
        """A page of a list, each item as ``view`` shows it, with the way to the next page."""
        body: dict[str, Any] = {"items": [view(item) for item in page.items], "next_cursor": None}
        if page.next is None:
            return Response(200, body)
        cursor = cursors.seal(page.next, self._list_identity())
        pairs = [(name, value) for name, values in self.parameters.items() if name != "cursor" for value in values]
        query = urllib.parse.urlencode([*pairs, ("cursor", cursor)])
        body["next_cursor"] = cursor
        return Response(200, body, {"Link": f'<{self.root}{self.path}?{query}>; rel="next"'})

    def _list_identity(self) -> str:
        """The caller, the list and its filters. Not the page size: that may change from page to page."""
        pairs = [(n, v) for n, vs in self.parameters.items() if n not in ("cursor", "limit") for v in vs]
        return urllib.parse.urlencode([("caller", self.caller.user_id), ("path", self.path), *sorted(pairs)])


def _lists(condition: str, version: int, *, weak: bool) -> bool:
    tags = [tag.strip() for tag in condition.split(",")]
    if weak:
        tags = [tag.removeprefix("W/") for tag in tags]
    return "*" in tags or f'"{version}"' in tags
