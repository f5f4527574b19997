"""Binds what the client sent to the arguments of the handler: path ids, query, body."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from tasksync.http.request import Handle, Request
from tasksync.http.responses import Response
from tasksync.http.schemas import binding, read_only
from tasksync.http.schemas.fields import NoQuery
from tasksync.http.schemas.read_only import ReadOnlyFields
from tasksync.model import errors
from tasksync.model.errors import FieldError
from tasksync.model.ids import is_id

MAX_BODY_BYTES = 160 * 1024


def bind_arguments(request: Request, handle: Handle) -> Response:
    """Sets ``request.arguments``, and ``request.read_only_fields`` where a change comes with read-only fields."""
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
    if not request.context.get("authorizer"):
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
