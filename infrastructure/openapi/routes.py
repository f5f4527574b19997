"""The routes that the functions declare, and whether the template requires a token for them."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from infrastructure import template as template_file
from tasksync.http.app import Api
from tasksync.http.route import SAFE, Route
from tasksync.model.errors import BadIdempotencyKey


@dataclass(frozen=True, slots=True)
class Declared:
    """A route, with what is known of it from outside its function."""

    route: Route
    tag: str
    tag_description: str
    public: bool
    takes_keys: bool
    """Whether an idempotency key is looked at."""
    limited: bool
    """Whether it is counted, and answers what is left."""


def declared_routes() -> list[Declared]:
    """All routes of the API, in the order of the template's functions and of the functions' routes."""
    template = template_file.load()
    found: list[Declared] = []
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        events = [each["Properties"] for each in resource["Properties"].get("Events", {}).values() if _is_route(each)]
        if events:
            found += _of_function(template, name, events)
    return found


def _is_route(event: dict[str, Any]) -> bool:
    """What browsers ask before a request is no route of the API's own."""
    return bool(event["Type"] == "Api" and event["Properties"]["Method"] != "OPTIONS")


def _of_function(template: dict[str, Any], name: str, events: list[dict[str, Any]]) -> Iterator[Declared]:
    module_name = template["Resources"][name]["Properties"]["Handler"].rpartition(".")[0]
    with _variables(template, name):
        api: Api = importlib.import_module(module_name).api
    package = importlib.import_module(module_name.partition(".")[0])
    public = {(event["Method"], event["Path"]): "Auth" in event for event in events}
    for route in api.routes:
        if (route.method, route.path) in public:
            is_public = public[route.method, route.path]
            by_itself = BadIdempotencyKey in route.description.raises
            takes_keys = by_itself or (api.keys is not None and route.method not in SAFE and not is_public)
            yield Declared(route, api.name, package.__doc__ or "", is_public, takes_keys, api.limits is not None)


@contextmanager
def _variables(template: dict[str, Any], name: str) -> Iterator[None]:
    """A function reads its variables when it is imported. What the values are makes no difference to its routes."""
    variables = template["Resources"][name]["Properties"].get("Environment", {}).get("Variables", {})
    parameters = template_file.parameter_values(template, {})
    before = dict(os.environ)
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    for variable, value in variables.items():
        reference = value.get("Ref", "") if isinstance(value, dict) else str(value)
        os.environ.setdefault(variable, parameters.get(reference) or reference or variable)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
