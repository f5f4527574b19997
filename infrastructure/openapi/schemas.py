"""JSON Schemas (2020-12) of what comes in and goes out, from the types that the functions declare."""

import copy
from collections.abc import Iterable
from typing import Any, get_args, get_origin

import msgspec

from tasksync.http import merging
from tasksync.http.answers import Listing, Problem
from tasksync.http.schema import Checked

Json = dict[str, Any]

_TEMPLATE = "#/components/schemas/{name}"


class Schemas:
    """The named schemas of a document, and how each type refers to its own."""

    def __init__(self, incoming: Iterable[type[msgspec.Struct]], outgoing: Iterable[Any]) -> None:
        bodies = list(dict.fromkeys(incoming))
        types = list(dict.fromkeys([*bodies, *outgoing, Problem]))
        references, components = msgspec.json.schema_components(types, ref_template=_TEMPLATE)
        self._references = dict(zip(types, references, strict=True))
        self.components: Json = {_name(name): _portable(schema) for name, schema in components.items()}
        for body in bodies:
            schema = self.components[body.__name__]
            # An unknown field is refused.
            schema["additionalProperties"] = False
            if issubclass(body, Checked):
                schema.update(body.FURTHER_SCHEMA)

    def let_through(self, body: type[msgspec.Struct], answer: Any) -> None:
        """Describe the fields of a resource that a change of it may send back as they are."""
        shown = self.components[answer.__name__]["properties"]
        described = self.components[body.__name__]["properties"]
        for name in sorted(merging.read_only(body, answer)):
            ignored = {"description": "Let through, whatever it says.", "readOnly": True}
            described[name] = ignored if merging.is_ignored(name) else {**shown[name], "readOnly": True}

    def of(self, kind: Any) -> Any:
        """The schema of a type that goes in or out."""
        return _portable(self._references[kind])


def parameter_schema(annotation: Any) -> Json:
    """The schema of one parameter. A parameter is absent, and never null."""
    schema: Json = _portable(msgspec.json.schema(annotation))
    definitions = schema.pop("$defs", {})
    if "anyOf" in schema:
        [schema] = [each for each in schema["anyOf"] if each != {"type": "null"}]
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "$ref" in schema.get("items", {}):
        schema["items"] = definitions[schema["items"]["$ref"].rpartition("/")[2]]
    for each in (schema, schema.get("items", {})):
        each.pop("title", None)
    return schema


def item_of(answer: Any) -> Any:
    """The type of a list's items; None for what is no list."""
    return get_args(answer)[0] if get_origin(answer) is Listing else None


def _name(name: str) -> str:
    """msgspec calls Listing[Task] ``Listing_Task_``."""
    return f"{name.removeprefix('Listing_').removesuffix('_')}List" if name.startswith("Listing_") else name


def _portable(schema: Any) -> Any:
    """The schema in the words that all readers know: patterns without Python's own anchors, no titles of classes."""
    schema = copy.deepcopy(schema)
    _walk(schema)
    return schema


def _walk(node: Any) -> None:
    if isinstance(node, list):
        for each in node:
            _walk(each)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("pattern"), str):
        node["pattern"] = node["pattern"].replace(r"\A", "^").replace(r"\Z", "$")
    if isinstance(node.get("title"), str):
        del node["title"]
    if isinstance(node.get("enum"), list):
        node.setdefault("type", "string")
    if isinstance(node.get("$ref"), str):
        path, _, name = node["$ref"].rpartition("/")
        node["$ref"] = f"{path}/{_name(name)}"
    for value in node.values():
        _walk(value)
