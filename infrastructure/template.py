"""Reads ``template.yaml``, the one description of routes, functions, tables and permissions.

CloudFormation's short forms (``!Ref Name``) become their long ones (``{"Ref": "Name"}``), which mean the same and can
be written as JSON.
"""

import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
PATH = REPOSITORY / "template.yaml"

# The property of each kind of resource that holds the folder of its code, as `aws cloudformation package` knows them.
CODE_PROPERTIES = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}


class _Loader(yaml.CSafeLoader):
    """Plain YAML, with CloudFormation's tags; dates stay text, as CloudFormation takes them.

    In C: it takes a sixth of the time, which every command and test spends.
    """


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _intrinsic_function(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    else:
        raise yaml.constructor.ConstructorError(problem=f"!{name} is of no known kind", problem_mark=node.start_mark)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _intrinsic_function)


def load(path: Path = PATH) -> dict[str, Any]:
    """The template as plain data; in place of each ``AWS::Include``, what the file that it names has.

    What YAML anchors repeat is there once for each place, so a change in one place is none in another.
    """
    template: dict[str, Any] = _with_includes(parse(path.read_text(encoding="utf-8")), path.parent)
    return template


def _with_includes(part: Any, folder: Path) -> Any:
    match part:
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": str(file)}}, **rest} if not rest:
            return load(folder / file)
        case dict():
            return {name: _with_includes(each, folder) for name, each in part.items()}
        case list():
            return [_with_includes(each, folder) for each in part]
    return part


def parse(text: str) -> dict[str, Any]:
    """A template, in YAML or in JSON, as plain data."""
    template: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506  # a safe loader
    return template


def code_folders(template: Mapping[str, Any]) -> dict[str, str]:
    """The folder, relative to the template, of each function and layer, by its name in the template."""
    return {
        name: resource["Properties"][CODE_PROPERTIES[resource["Type"]]]
        for name, resource in template["Resources"].items()
        if resource["Type"] in CODE_PROPERTIES
    }


def with_code_locations(template: Mapping[str, Any], locations: Mapping[str, str]) -> dict[str, Any]:
    """A copy in which the code of each function and layer is at its location (``s3://bucket/key``).

    Nothing else differs from the template, as after `aws cloudformation package`.
    """
    packaged = copy.deepcopy(dict(template))
    for name in code_folders(template):
        resource = packaged["Resources"][name]
        resource["Properties"][CODE_PROPERTIES[resource["Type"]]] = locations[name]
    return packaged


def without_gradual_rollout(template: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which CloudFormation itself moves the aliases, all requests at once, without CodeDeploy and alarms."""
    changed = copy.deepcopy(dict(template))
    changed.get("Globals", {}).get("Function", {}).pop("DeploymentPreference", None)
    for resource in changed["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource.get("Properties", {}).pop("DeploymentPreference", None)
    return changed


def with_versions(template: Mapping[str, Any], digests: Mapping[str, str], configuration: str = "") -> dict[str, Any]:
    """A copy in which every function says which version of it this is: ``AutoPublishCodeSha256``.

    SAM publishes a version when that changes, and the alias that callers use moves to it. By itself SAM would look at
    the function's own code alone, and leave callers with the layers, variables and parameters of the version before.
    ``digests``: those of the archives by name. ``configuration``: whatever else decides how functions run.
    """
    versioned = copy.deepcopy(dict(template))
    common = [template.get("Parameters"), template.get("Conditions"), template.get("Globals"), configuration]
    for name, resource in versioned["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            layers = [layer["Ref"] for layer in resource["Properties"].get("Layers", [])]
            own = {key: value for key, value in resource["Properties"].items() if key != "CodeUri"}
            content = [common, own, digests[name], *(digests[layer] for layer in layers)]
            version = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
            resource["Properties"]["AutoPublishCodeSha256"] = version.hexdigest()
    return versioned


def parameter_values(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The value of each parameter: the one given, else its default."""
    return {
        name: str(given.get(name, declaration.get("Default", "")))
        for name, declaration in template.get("Parameters", {}).items()
    }


def decided(template: Mapping[str, Any], values: Mapping[str, str], part: Any) -> Any:
    """A part of the template in which each ``Fn::If`` is decided for these parameters, and what is none is left out."""
    if isinstance(part, list):
        return [each for each in (decided(template, values, each) for each in part) if each != _NOTHING]
    if not isinstance(part, Mapping):
        return part
    if part.keys() == {"Fn::If"}:
        condition, then, otherwise = part["Fn::If"]
        return decided(template, values, then if _holds(template["Conditions"][condition], values) else otherwise)
    found = {name: decided(template, values, each) for name, each in part.items()}
    return {name: each for name, each in found.items() if each != _NOTHING}


_NOTHING = {"Ref": "AWS::NoValue"}


def _holds(condition: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    match condition:
        case {"Fn::Not": [inner]}:
            return not _holds(inner, values)
        case {"Fn::Equals": [{"Ref": str(name)}, value]}:
            return values[name] == str(value)
    raise ValueError(f"the template has the condition {condition}, which is not understood")


def local_values(template: Mapping[str, Any]) -> dict[str, str]:
    """The parameters that differ from their defaults on one machine, where everybody has one address.

    Rate limits are a hundredfold for each address and each user, but not for each account: how often a password may be
    guessed is the same everywhere. And tasks are open, and webhooks may be sent to the machine itself.
    """
    parameters = template.get("Parameters", {})
    limits = {
        name: str(100 * int(declaration["Default"]))
        for name, declaration in parameters.items()
        if name.endswith(("PerIp", "PerUser", "PerSecond", "Burst")) and not name.startswith("Max")
    }
    switched = {name: "true" for name in ("TasksOpen", "WebhooksToLoopback") if name in parameters}
    return limits | switched
