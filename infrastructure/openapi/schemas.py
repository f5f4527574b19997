"""JSON Schemas (2020-12) of what comes in and goes out, from the types that the functions declare."""

import inspect
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from infrastructure.openapi.enums import enum_schema, enums_in
from tasksync.http.schemas import read_only
from tasksync.http.schemas.binding import Checked
from tasksync.http.schemas.responses import Listing, Problem

Json = dict[str, Any]

_TEMPLATE = "#/components/schemas/{name}"


class Schemas:
    """The named schemas of a document, and how each type refers to its own."""

    def __init__(
        self, incoming: Iterable[type[msgspec.Struct]], queries: Iterable[type[msgspec.Struct]], outgoing: Iterable[Any]
    ) -> None:
        bodies = list(dict.fromkeys(incoming))
        outgoing = list(outgoing)
        alternatives = list(_alternatives(outgoing))
        kinds = [kind for each in alternatives for kind in each["one_of"]]
        types = list(dict.fromkeys([*bodies, *outgoing, *kinds, Problem]))
        enums = dict.fromkeys(enums_in([*types, *queries]))
        references, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
        self._references = dict(zip(types, references, strict=True))
        self.components: Json = {
            **{_name(name): _portable(schema) for name, schema in components.items()},
            **{kind.__name__: enum_schema(kind) for kind in enums},
        }
        for each in alternatives:
            self.components |= each["schemas"]
        for body in bodies:
            schema = self.components[body.__name__]
            # An unknown field is refused.
            schema["additionalProperties"] = False
            if issubclass(body, Checked):
                schema.update(body.FURTHER_SCHEMA)

    def let_through(self, body: type[msgspec.Struct], response: Any) -> None:
        """Describe the fields of a resource that a change of it may send back as they are."""
        shown = self.components[response.__name__]["properties"]
        described = self.components[body.__name__]["properties"]
        for name in sorted(read_only.read_only(body, response)):
            ignored = {"description": "Accepted and ignored.", "readOnly": True}
            described[name] = ignored if read_only.is_ignored(name) else {**shown[name], "readOnly": True}

    def of(self, kind: Any) -> Any:
        """The schema of a type that goes in or out."""
        return _portable(self._references[kind])


def _alternatives(outgoing: Iterable[Any]) -> Iterator[Json]:
    """What ``one_of`` says anywhere in these types."""
    for kind in outgoing:
        todo = list(get_type_hints(kind, include_extras=True).values()) if is_typeddict(kind) else []
        while todo:
            part = todo.pop()
            todo += get_args(part)
            if isinstance(part, msgspec.Meta) and part.extra and "one_of" in part.extra:
                yield part.extra


def parameter_schema(annotation: Any) -> Json:
    """The schema of one parameter. A parameter is absent, and never null."""
    [schema], _ = msgspec.json.schema_components([annotation], ref_template=_TEMPLATE)
    portable: Json = _portable(schema)
    if "anyOf" in portable:
        alternatives = [each for each in portable.pop("anyOf") if each != {"type": "null"}]
        return {**(alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}), **portable}
    if isinstance(portable.get("type"), list):
        [portable["type"]] = [each for each in portable["type"] if each != "null"]
    return portable


def item_of(response: Any) -> Any:
    """The type of a list's items; None for what is no list."""
    return get_args(response)[0] if get_origin(response) is Listing else None


def _name(name: str) -> str:
    """msgspec calls Listing[Task] ``Listing_Task_``."""
    return f"{name.removeprefix('Listing_').removesuffix('_')}List" if name.startswith("Listing_") else name


def _portable(schema: Any) -> Any:
    """The schema in the words that all readers know: patterns without Python's own anchors, no titles of classes."""
    if isinstance(schema, list):
        return [_portable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    node = {key: _portable(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    if isinstance(node.get("description"), str):
        # A docstring: up to Python 3.12 with its indentation.
        node["description"] = inspect.cleandoc(node["description"])
    if isinstance(node.get("pattern"), str):
        node["pattern"] = node["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    if isinstance(node.get("$ref"), str):
        path, _, name = node["$ref"].rpartition("/")
        node["$ref"] = f"{path}/{_name(name)}"
        node.pop("type", None)  # ``one_of`` stands at what msgspec takes for an object
    if "anyOf" in node:
        # A type of several formats (``fields.Deadline``): what msgspec says of it does not hold for all of them.
        node = _nullable({key: value for key, value in node.items() if key not in ("type", "format")})
    return node


def _nullable(schema: Json) -> Json:
    """``anyOf`` a type and null as one schema with both types; absent, and not null, is what is left out."""
    if schema.get("default", ...) is None:
        del schema["default"]
    alternatives = [each for each in schema["anyOf"] if each != {"type": "null"}]
    if len(alternatives) == 1 and "anyOf" in alternatives[0]:
        return {**alternatives[0], **schema, "anyOf": [*alternatives[0]["anyOf"], {"type": "null"}]}
    if len(alternatives) != 1 or "type" not in alternatives[0]:
        return schema
    del schema["anyOf"]
    return {**alternatives[0], **schema, "type": [alternatives[0]["type"], "null"]}
