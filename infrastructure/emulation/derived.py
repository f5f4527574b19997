"""Derives a template for `sam local` from ``template.yaml``: the same functions and routes, in the form of SAM CLI."""

import copy
from collections.abc import Mapping
from typing import Any

from infrastructure import template as templates

WRAPPED = "WRAPPED_HANDLER"
"""The environment variable that tells ``local_authorizer`` which handler it stands before."""

TWIN = "Public"
"""What the name of a function ends with that has another function's public routes."""


def derive(
    template: Mapping[str, Any], variables: Mapping[str, Mapping[str, str]], machine: str
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """The derived template, and the content of the file for ``--env-vars``.

    ``variables``: those of each function with their values. SAM CLI passes on only what the template declares, so each
    function declares all of its own. ``machine``: ``arm64`` or ``x86_64``, as this one, to which nothing is emulated.
    """
    derived = copy.deepcopy(dict(template))
    derived["Parameters"]["Architecture"] |= {"Default": machine, "AllowedValues": [machine]}
    given = {name: dict(values) for name, values in variables.items()}
    resources = derived["Resources"]
    for name in _make_authorizers_known(resources):
        wrapped = resources[name]["Properties"]
        given[name][WRAPPED] = wrapped["Handler"]
        wrapped["Handler"] = "local_authorizer.handler"
    for name in list(given):
        twin = _public_twin(resources[name])
        if twin is not None:
            resources[f"{name}{TWIN}"] = twin
            given[f"{name}{TWIN}"] = given[name]
    for name, values in given.items():
        resources[name]["Properties"]["Environment"] = {"Variables": dict.fromkeys(values, "")}
    return derived, given


def authorizers(template: Mapping[str, Any]) -> list[str]:
    """Names of the functions that decide for an API who is let in."""
    return [
        each["FunctionArn"]["Ref"].removesuffix(".Alias")
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Api"
        for each in resource["Properties"]["Auth"]["Authorizers"].values()
    ]


def _make_authorizers_known(resources: dict[str, Any]) -> list[str]:
    """SAM CLI takes an authorizer's function by its ARN alone; one by its alias it skips, and all routes are open."""
    found = authorizers({"Resources": resources})
    for resource in resources.values():
        if resource["Type"] == "AWS::Serverless::Api":
            for each in resource["Properties"]["Auth"]["Authorizers"].values():
                name = each["FunctionArn"]["Ref"].removesuffix(".Alias")
                each["FunctionArn"] = {"Fn::GetAtt": [name, "Arn"]}
    return found


def _public_twin(function: dict[str, Any]) -> dict[str, Any] | None:
    """The function once more with those public routes whose path also has others, which it then has no more.

    SAM CLI takes all methods of one path that lead to one function for one route, with the authorizer of one of them.
    """
    events = function["Properties"].get("Events", {})
    mixed = mixed_paths(function["Properties"])
    moved = {name: event for name, event in events.items() if _path(event) in mixed and _is_public(event)}
    if not moved:
        return None
    twin = copy.deepcopy(function)
    twin["Properties"]["Events"] = moved
    function["Properties"]["Events"] = {name: event for name, event in events.items() if name not in moved}
    return twin


def mixed_paths(properties: Mapping[str, Any]) -> set[str]:
    """Paths of a function of which some methods are public and others are not."""
    routes = [event for event in properties.get("Events", {}).values() if event["Type"] == "Api"]
    public = {_path(event) for event in routes if _is_public(event)}
    return {path for path in public if any(_path(event) == path and not _is_public(event) for event in routes)}


def _path(event: Mapping[str, Any]) -> str:
    return str(event["Properties"].get("Path", ""))


def _is_public(event: Mapping[str, Any]) -> bool:
    return bool(event["Properties"].get("Auth", {}).get("Authorizer") == "NONE")


def with_folders(template: Mapping[str, Any], folders: Mapping[str, str]) -> dict[str, Any]:
    """The derived template with the folder of each function's and layer's code; a twin has its function's."""
    twins = {name: folders[name.removesuffix(TWIN)] for name in templates.code_folders(template) if name not in folders}
    return templates.with_code_locations(template, {**folders, **twins})
