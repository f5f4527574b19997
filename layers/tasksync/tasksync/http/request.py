"""A request, as middlewares and handlers see it."""

import base64
import binascii
import functools
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from tasksync.domain.rate_limits import Policy
from tasksync.http.entity_tags import EntityTags, entity_tags
from tasksync.http.responses import Response, etag
from tasksync.http.route import SAFE, Route
from tasksync.http.schemas.read_only import ReadOnlyFields
from tasksync.model.entities import Caller, UserRole
from tasksync.model.errors import FieldError, Invalid, LimitStatus, MalformedJson, PreconditionFailed
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import AddRecord

Outcome = TypeVar("Outcome")

_HOST = re.compile(r"[\w.-]+(?::\d+)?|\[[\da-fA-F:.]+\](?::\d+)?", re.ASCII)


class Limits(Protocol):
    """``http/middleware/rate_limits.py``."""

    def consume(self, policies: Iterable[Policy], request: "Request") -> None: ...


class IdempotentRequest(Protocol):
    """One request under one idempotency key of one user; ``http/middleware/idempotency.py``."""

    def replay(self) -> Response | None: ...
    def commit_with(self, response: Response) -> AddRecord: ...
    def store(self, response: Response) -> None: ...


@dataclass
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
    event: Mapping[str, Any]
    """All that API Gateway passed on."""
    route: Route
    ids: Mapping[str, str]
    """The ids in the path, as the client sent them."""
    limits: Limits | None
    """What counts requests; None where no route is limited."""
    limit_statuses: list[LimitStatus] = field(default_factory=list)
    """What is left of the rate limits that the request was counted for."""
    arguments: dict[str, Any] = field(default_factory=dict)
    """What the handler is called with; ``http/middleware/arguments.py`` sets them."""
    read_only_fields: ReadOnlyFields | None = None
    """Set where a change came with read-only fields of the resource."""
    idempotent: IdempotentRequest | None = None
    """Set where the client sent an idempotency key."""

    def count(self, policies: Collection[Policy]) -> None:
        """Count this request for further rate limits, each at most once. Raises ``RateLimited``."""
        if self.limits is not None:
            self.limits.consume(policies, self)

    @functools.cached_property
    def raw_body(self) -> bytes:
        """The body as it was sent. Raises ``MalformedJson`` for what is no base64 although the gateway says so."""
        text = self.event["body"] or ""
        if not self.event.get("isBase64Encoded"):
            return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise MalformedJson from error

    @functools.cached_property
    def caller(self) -> Caller:
        """Who the authorizer says is asking. Only on routes that have the authorizer."""
        found = self.context["authorizer"]
        # An authorizer of the version before, in the minutes of an upgrade, does not say when they signed in.
        authenticated_at = datetime.fromtimestamp(int(found.get("auth_time", 0)), UTC)
        return Caller(found["user_id"], found["session_id"], UserRole(found["role"]), authenticated_at)

    @property
    def ip(self) -> str:
        """The address the gateway saw; never what a header claims."""
        return str(self.context["identity"]["sourceIp"])

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")[:255]

    @property
    def address(self) -> str:
        """The API's root, as the client called it. The gateway responds under no other host than its own."""
        scheme = "https" if self.headers.get("x-forwarded-proto", "http").lower() == "https" else "http"
        host = self.headers.get("host", "")
        return f"{scheme}://{host if _HOST.fullmatch(host) else self.context['domainName']}{self.root}"

    def carry_out(
        self,
        effect: Callable[[], Outcome],
        response: Callable[[Outcome], Response],
        *,
        stored: Callable[[Outcome], Response] | None = None,
        checked: bool = False,
    ) -> Response:
        """The response to an effect, stored in the effect's own transaction where there is an idempotency key.

        ``effect`` says its outcome before it writes: ``unit_of_work.respond_with``.
        ``stored``: what is stored instead of the response if that has a secret; see ``Api.route``, ``restored``.
        ``checked``: the effect itself holds the resource against ``matches``. Otherwise what it changes has no version,
        and ``PreconditionFailed`` is raised where it would be carried out although the client asks for one.
        """
        idempotent = self.idempotent
        rendered: list[Response] = []

        def respond(outcome: Outcome) -> AddRecord | None:
            if not checked:
                self.require_match()
            if idempotent is None:
                return None
            rendered[:] = [(stored or response)(outcome)]
            return idempotent.commit_with(rendered[0])

        unit = unit_of_work.current()
        unit.respond = respond
        writes = unit.usage.writes
        outcome = effect()
        unit.respond = None
        if unit.usage.writes == writes:
            # There was nothing to change, and so no transaction to store the response in.
            respond(outcome)
            if idempotent is not None:
                idempotent.store(rendered[0])
        return rendered[0] if rendered and stored is None else response(outcome)

    def matches(self, version: int | None) -> bool:
        """Whether the client's preconditions (RFC 9110 §13.1) allow changing what is there, in this version.

        None: it has no version, so ``*`` alone stands for it. ``If-None-Match`` is about what PUT, PATCH and DELETE
        find; what a POST makes is not there before.
        """
        return self._mismatch(version) is None

    def require_match(self) -> None:
        """Raises ``PreconditionFailed`` where ``matches`` does not allow changing what has no version."""
        if not self.matches(None):
            raise PreconditionFailed(None)

    def explained(self, error: PreconditionFailed) -> PreconditionFailed:
        """The error, saying which precondition does not hold, and what to do."""
        detail = self._mismatch(error.version)
        return error if detail is None else PreconditionFailed(error.version, detail)

    def _mismatch(self, version: int | None) -> str | None:
        """What is to be said of a precondition that does not hold for this version; None if they hold."""
        tag = None if version is None else etag(version)
        wanted = self.entity_tags("If-Match")
        if wanted is not None and not wanted.match(tag, weakly=False):
            if tag is None:
                return "This has no version, so no entity tag in If-Match can match: leave it out, or send If-Match: *."
            if wanted.weak and not wanted.strong:
                return (
                    "A weak entity tag (W/) never matches in If-Match (RFC 9110 §13.1.1). Send the ETag as it was "
                    f"given, without W/; the current one is {tag}."
                )
            return (
                f"If-Match does not name the current entity tag, which is {tag}: the resource has been changed since. "
                "Get it again, and make your change in what is there now."
            )
        unwanted = None if self.method == "POST" else self.entity_tags("If-None-Match")
        if unwanted is not None and unwanted.match(tag, weakly=True):
            return "If-None-Match allows this only if there is nothing here, or another version than it names."
        return None

    def check_preconditions(self) -> None:
        """Raises ``BadPrecondition`` for a precondition of another form than RFC 9110 §13.1 says."""
        for header in ("If-None-Match",) if self.method in SAFE else ("If-Match", "If-None-Match"):
            self.entity_tags(header)

    def entity_tags(self, header: str) -> EntityTags | None:
        """What a precondition names; None where there is none. Raises ``BadPrecondition``."""
        value = self.headers.get(header.lower())
        return None if value is None else entity_tags(header, value)

    def merged(self, current: Mapping[str, Any], change: Callable[[], Outcome]) -> Outcome:
        """What ``change`` makes of a resource, once what was sent back is held against it as it is shown to the caller.

        Every change of a resource goes through this. Raises ``PreconditionFailed``; ``Invalid`` with what is wrong with
        read-only fields (``http/schemas/read_only.py``) and with those that ``change`` refuses.
        """
        field_errors: list[FieldError] = []
        try:
            if self.read_only_fields is not None:
                self.read_only_fields.require_unaltered(current)
        except Invalid as found:
            field_errors += found.field_errors
        try:
            changed = change()
        except Invalid as found:
            raise Invalid([*field_errors, *found.field_errors]) from found
        if field_errors:
            raise Invalid(field_errors)
        return changed

    @property
    def precondition(self) -> Callable[[int | None], bool] | None:
        """``matches``, or None where the client sent no precondition: then any version may be changed."""
        return self.matches if "if-match" in self.headers or "if-none-match" in self.headers else None

    def accepted_age(self, lifetime: int) -> int | None:
        """How many seconds old a response may be that is cached for ``lifetime``; None: it must be made anew.

        ``Cache-Control`` as a request has it (RFC 9111 §5.2.1), and ``Pragma`` where there is none (§5.4).
        """
        directives = self._cache_directives()
        if directives.keys() & {"no-cache", "no-store"}:
            return None
        oldest = lifetime - _seconds(directives.get("min-fresh", "0"), lifetime)
        oldest = min(oldest, _seconds(directives.get("max-age", str(lifetime)), 0))
        return oldest if oldest > 0 else None

    @property
    def may_be_stored(self) -> bool:
        """Whether its response may be cached for other requests: not with ``no-store`` (RFC 9111 §5.2.1.5)."""
        return "no-store" not in self._cache_directives()

    def _cache_directives(self) -> dict[str, str]:
        text = self.headers.get("cache-control", self.headers.get("pragma", ""))
        pairs = (directive.partition("=") for directive in text.lower().split(","))
        return {name.strip(): value.strip().strip('"') for name, _, value in pairs}

    def unchanged(self, version: int | str) -> bool:
        """Whether ``If-None-Match`` (RFC 9110 §13.1.2) says that the client has this version."""
        known = self.entity_tags("If-None-Match")
        return known is not None and known.match(etag(version), weakly=True)


Handle = Callable[[Request], Response]
"""Makes the response to a request, with all that is further in."""


class Middleware(Protocol):
    """What each request passes on its way to the handler: it calls ``handle``, or responds by itself."""

    def __call__(self, request: Request, handle: Handle) -> Response: ...


def _seconds(value: str, otherwise: int) -> int:
    """A number of seconds (RFC 9111 §1.2.2), or ``otherwise`` for what is none."""
    # Ten digits are 300 years: with more, it is as long.
    return int(value[:10]) if value.isdecimal() and value.isascii() else otherwise
