"""A request as middlewares and handlers see it, made from API Gateway's event and bound to the handler's arguments."""

import base64
import binascii
import functools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import msgspec

from tasksync.domain.rate_limits import Policy
from tasksync.http.entity_tags import EntityTags, entity_tags
from tasksync.http.responses import Response, etag
from tasksync.http.route import SAFE, Route
from tasksync.http.schemas import binding, read_only
from tasksync.http.schemas.fields import NoQuery
from tasksync.http.schemas.read_only import ReadOnlyFields
from tasksync.model import errors
from tasksync.model.entities import Caller, IdempotencyRecord, UserRole
from tasksync.model.errors import FieldError, Invalid, LimitStatus, PreconditionFailed
from tasksync.model.times import is_id
from tasksync.runtime import unit_of_work
from tasksync.runtime.unit_of_work import AddRecord

Outcome = TypeVar("Outcome")

MAX_BODY_BYTES = 160 * 1024

_HOST = re.compile(r"[\w.-]+(?::\d+)?|\[[\da-fA-F:.]+\](?::\d+)?", re.ASCII)

# Headers with a single value, and the error for several values. All others are lists, but for the token: ``bearer.py``.
_SINGLE: dict[str, type[errors.TaskSyncError]] = {
    "content-type": errors.UnsupportedMediaType,
    "idempotency-key": errors.BadIdempotencyKey,
}


class Limits(Protocol):
    """``RateLimits`` of ``http/pipeline.py``."""

    def consume(self, policies: Iterable[Policy], request: "Request") -> None: ...


class IdempotencyRecords(Protocol):
    """Where idempotency records are stored; ``dynamodb/idempotency/repository.py``."""

    def find(self, user_id: str, key: str, request: bytes) -> IdempotencyRecord: ...
    def put_record(self, record: IdempotencyRecord, transaction: Any) -> None: ...
    def store(self, record: IdempotencyRecord) -> None: ...


@dataclass(slots=True)
class IdempotentRequest:
    """A request under an idempotency key that has not been carried out."""

    records: IdempotencyRecords
    record: IdempotencyRecord
    response: Response | None = None
    """What is stored in the record, once the outcome is known."""


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
    user_id: str | None
    """The caller's id. None on a route without the authorizer."""
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
    """What the handler is called with: see ``bind_arguments``."""
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
            raise errors.MalformedJson from error

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

        def respond(outcome: Outcome) -> AddRecord | None:
            if not checked:
                self.require_match()
            if idempotent is None:
                return None
            idempotent.response = (stored or response)(outcome)
            text = msgspec.json.encode(idempotent.response).decode()
            idempotent.record = msgspec.structs.replace(idempotent.record, response=text)
            return functools.partial(idempotent.records.put_record, idempotent.record)

        unit = unit_of_work.current.get()
        unit.respond = respond
        writes = unit.usage.writes
        outcome = effect()
        unit.respond = None
        if unit.usage.writes == writes:
            # There was nothing to change, and so no transaction to store the response in.
            respond(outcome)
            if idempotent is not None:
                idempotent.records.store(idempotent.record)
        rendered = None if idempotent is None or stored is not None else idempotent.response
        return rendered or response(outcome)

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
        if wanted is not None and not wanted.name_version(version, weakly=False):
            if tag is None:
                return "This has no version, so no entity tag in If-Match can match: leave it out, or send If-Match: *."
            if wanted.weak and not wanted.strong:
                return (
                    "A weak entity tag (W/) never matches in If-Match (RFC 9110 §13.1.1). Send the ETag as it was "
                    f"given, without W/; the current version is {tag}."
                )
            return (
                f"If-Match does not name the current version, which is {tag}: the resource has been changed since. "
                "Get it again, and make your change in what is there now."
            )
        unwanted = None if self.method == "POST" else self.entity_tags("If-None-Match")
        if unwanted is not None and unwanted.name_version(version, weakly=True):
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

    def unless_known(self, response: Response) -> Response:
        """The response to a GET, or 304 if ``If-None-Match`` (RFC 9110 §13.1.2) names its entity tag."""
        known = self.entity_tags("If-None-Match")
        if known is None or not known.name(response.headers["ETag"]):
            return response
        # Caches take the headers of this response for the body that they have: its policy above all.
        headers = {name: value for name, value in response.headers.items() if name != "Content-Type"}
        return Response(304, None, headers)


Handle = Callable[[Request], Response]
"""Makes the response to a request, with all that is further in."""


class Middleware(Protocol):
    """What each request passes on its way to the handler: it calls ``handle``, or responds by itself."""

    def __call__(self, request: Request, handle: Handle) -> Response: ...


def request_of(event: Mapping[str, Any], route: Route, ids: Mapping[str, str], limits: Limits | None) -> Request:
    """The request of an event. ``ids``: the ids in the path."""
    context = event["requestContext"]
    path = context["resourcePath"].format_map(event["pathParameters"] or {})
    return Request(
        id=context["requestId"],
        method=context["httpMethod"],
        path=path,
        root=_root(event["path"], path, context),
        parameters=event["multiValueQueryStringParameters"] or {},
        headers=headers_of(event["multiValueHeaders"]),
        context=context,
        user_id=(context.get("authorizer") or {}).get("user_id"),
        event=event,
        route=route,
        ids=ids,
        limits=limits,
    )


def _root(called: str, path: str, context: Mapping[str, Any]) -> str:
    """What stands before the route's path in the address that was called.

    Under API Gateway's own domain that is the stage, which ``event["path"]`` leaves out; under a domain of one's own
    it is the base path, which ``event["path"]`` has.
    """
    if ".execute-api." in context.get("domainName", ""):
        return f"/{context['stage']}"
    called = called.rstrip("/")
    return called.removesuffix(path) if called.endswith(path) else ""


def headers_of(lines: Mapping[str, Sequence[str]] | None) -> Mapping[str, str]:
    """Headers by name in lower case, from ``multiValueHeaders`` of API Gateway's event.

    The event's ``headers`` has only the last line of each name: a second ``If-Match`` would replace the first. Several
    lines of one header are joined to a list (RFC 9110 §5.3).
    """
    by_name: dict[str, list[str]] = {}
    for name, values in (lines or {}).items():
        by_name.setdefault(name.lower(), []).extend(values)
    joined = {name: values[0] if name in _SINGLE else ", ".join(values) for name, values in by_name.items()}
    differing = frozenset(name for name in _SINGLE.keys() & by_name.keys() if len(set(by_name[name])) > 1)
    return _DifferingHeaders(joined, differing) if differing else joined


class _DifferingHeaders(dict[str, str]):
    """Headers among which one with a single value came in several lines that differ: reading it raises its error.

    An intermediary may have used another of the lines.
    """

    def __init__(self, headers: Mapping[str, str], differing: AbstractSet[str]) -> None:
        super().__init__(headers)
        self._differing = differing

    def __getitem__(self, name: str) -> str:
        if name in self._differing:
            raise _SINGLE[name](f"There are several {name.title()} headers, which differ. Send one.")
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def bind_arguments(request: Request, handle: Handle) -> Response:
    """A middleware that binds what the client sent to the arguments of the handler: path ids, query, body.

    It sets ``request.arguments``, and ``request.read_only_fields`` where a change comes with read-only fields.
    """
    route = request.route
    request.check_preconditions()
    if not all(is_id(value) for value in request.ids.values()):
        raise errors.NotFound
    arguments: dict[str, Any] = _of_caller(request, {"user_id"}, request.ids)
    if route.query is not NoQuery:
        arguments["query"] = _query(route.query, request)
    elif request.parameters and not route.public:
        _query(NoQuery, request)
    if route.body is not None:
        arguments["body"] = _body(route.body, request, _json_object(request))
    request.arguments = arguments
    return handle(request)


def _body(declared: type[msgspec.Struct], request: Request, sent: dict[str, Any]) -> msgspec.Struct:
    shape = request.route.description.response
    names = read_only.read_only(declared, shape) if request.method in ("PUT", "PATCH") else frozenset()
    data = {name: value for name, value in sent.items() if name not in names}
    data = _of_caller(request, binding.user_fields(declared), data)
    back = {name: value for name, value in sent.items() if name in names}
    try:
        body = binding.read(declared, data)
    except binding.FieldErrors as found:
        if not back:
            raise errors.Invalid(found.field_errors) from found
        # Which of the others are wrong, too, is known when the resource has been read.
        wrong = {each.pointer for each in found.field_errors}
        try:
            body = binding.read(declared, {name: value for name, value in data.items() if f"/{name}" not in wrong})
        except binding.FieldErrors:
            raise errors.Invalid(found.field_errors) from found
        request.read_only_fields = ReadOnlyFields(
            _of_caller(request, binding.user_fields(shape), back), tuple(found.field_errors)
        )
        return body
    if back:
        request.read_only_fields = ReadOnlyFields(_of_caller(request, binding.user_fields(shape), back))
    return body


def _of_caller(request: Request, names: AbstractSet[str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with the caller's own id where those of these names, which are ids of users, say ``me``."""
    if request.user_id is None:
        return dict(values)
    me = request.caller.user_id
    resolved = dict(values)
    for name in names & values.keys():
        value = values[name]
        if value == "me":
            resolved[name] = me
        elif isinstance(value, list):
            resolved[name] = [me if each == "me" else each for each in value]
    return resolved


def _query(declared: type[msgspec.Struct], request: Request) -> msgspec.Struct:
    """A parameter may be repeated where the schema says list, and nowhere else."""
    given = request.parameters
    single, lists = binding.parameters(declared)
    repeated = [name for name, values in given.items() if name in single and len(values) > 1]
    field_errors = [FieldError(f"/{name}", "repeated", "This parameter may be given once.") for name in repeated]
    data = {name: values if name in lists else values[0] for name, values in given.items() if name not in repeated}
    try:
        read = binding.read(declared, _of_caller(request, binding.user_fields(declared), data), texts=True)
    except binding.FieldErrors as found:
        raise errors.BadQuery([*field_errors, *found.field_errors]) from found
    if field_errors:
        raise errors.BadQuery(field_errors)
    return read


def _json_object(request: Request) -> dict[str, Any]:
    raw = request.raw_body
    if len(raw) > MAX_BODY_BYTES:
        raise errors.BodyTooLarge
    data: Any = {}
    # No body is read as an empty object: where all fields may be left out, so may the body.
    if raw:
        media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
        media_type = media_type.strip()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise errors.UnsupportedMediaType
        if any(_is_other_charset(parameter) for parameter in parameters):
            raise errors.UnsupportedCharset
        try:
            data = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise errors.MalformedJson(_where(error)) from error
    if not isinstance(data, dict):
        raise errors.Invalid([FieldError("", "wrong_type", "The body must be a JSON object.")])
    return data


def _where(error: Exception) -> str | None:
    """What is said of a body that is no JSON, as far as msgspec says where."""
    position = re.search(r"\(byte (\d+)\)", str(error))
    return f"{errors.MalformedJson.detail} It goes wrong at byte {position[1]}, counted from 0." if position else None


def _is_other_charset(parameter: str) -> bool:
    """Of a media type (RFC 9110 §5.6.6): whether it names another charset than UTF-8."""
    name, _, value = parameter.partition("=")
    return name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8")
