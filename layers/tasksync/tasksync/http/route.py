"""A route: what it takes, what handles it, and what the API's description says of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from tasksync.domain.rate_limits import Policy
from tasksync.http.responses import Response
from tasksync.model.errors import TaskSyncError

SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing (RFC 9110 §9.2.1): no idempotency key, no precondition of a change is looked at."""

Handler = Callable[..., Response]
"""Gets the request, the path's ids by name, and ``body`` and ``query`` where the route declares them."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a route responds with; ``infrastructure/openapi`` reads it."""

    status: int
    response: Any
    """The shape of a success's body, as msgspec knows types; None where there is none."""
    media_types: tuple[str, ...]
    raises: tuple[type[TaskSyncError], ...]
    """What can go wrong beyond what any route of its kind may meet."""
    tagged: bool
    """Whether the response carries an entity tag that is not a version of it."""
    failed_response: Any
    """The shape of a response with status 503 that is no problem document; None where there is none."""
    token: str | None
    """What the API's description calls the token it takes, if that is not the access token."""
    located: bool = True
    """Whether a response with status 201 has a Location."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route as its function declares it."""

    method: str
    path: str
    handler: Handler
    body: type[msgspec.Struct] | None
    query: type[msgspec.Struct]
    limits: tuple[Policy, ...]
    """The rate limits that it counts for."""
    public: bool
    """Whether it is read without an access token."""
    restored: Callable[[Response], Response] | None
    """Completes a response that was stored under an idempotency key without the secret in it."""
    description: Description
