"""`make openapi`: writes ``docs/reference/settings.md``, the page of all settings, from the template and the code."""

import ast
import functools
import re
from collections.abc import Iterator
from typing import Any

from infrastructure import template as template_file
from infrastructure.references import declared_variables
from infrastructure.template import REPOSITORY
from tasksync.domain.rate_limits import POLICIES
from tasksync.runtime import settings

PATH = REPOSITORY / "docs" / "reference" / "settings.md"

_INTRODUCTION = """\
# Settings

For operators who deploy TaskSync, and for engineers who look for what a variable does. `make openapi` writes this page
from `template.yaml` and `runtime/settings.py`; a contract test holds it equal to both.

Every setting is a parameter of the template. Set the parameters of an environment in `samconfig.toml`
([deploy.md](../guides/deploy.md#environments)), and those of the local stack on the command line:
`make run PARAMETERS="AccessTokenSeconds=60 WritesPerUser=5"`. The local stack multiplies the defaults of
all throttles, and of the quotas of addresses and users, by 100: there, all clients have one address.

## Template parameters

An empty default means that the feature is off. *Used by* names functions by their folder, and other resources by their
name in the template.

| parameter | default | unit | values | what it does | used by |
|---|---|---|---|---|---|
"""

_VARIABLES = """
## Environment variables of the functions

The template gives each function the variables that its code reads, and no others. Only `runtime/settings.py` reads the
environment. *All* means every function.

| variable | property of `Settings` | value | read by |
|---|---|---|---|
"""

_RESERVED = {"AWS::StackName": "the name of the stack"}
_UNITS = {
    "Seconds": "s",
    "Days": "days",
    "Memory": "MB",
    "Length": "characters",
    "PerSecond": "requests / s",
    "Burst": "requests",
    "PerAddress": "requests / 5 min",
    "GatewayCache": "GB",
    "Reads": "reads",
    "Members": "users",
    "RoomsPerUser": "rooms",
    "Cost": "2ⁿ rounds",
}
_WINDOWS = {60: "min", 900: "15 min", 3600: "h"}


def page() -> str:
    """The text of the page."""
    template = template_file.load()
    parameters = "\n".join(_parameter(template, name) for name in template["Parameters"])
    variables = "\n".join(_variables(template))
    return f"{_INTRODUCTION}{parameters}\n{_VARIABLES}{variables}\n"


def _parameter(template: dict[str, Any], name: str) -> str:
    declared = template["Parameters"][name]
    default = f"`{declared['Default']}`" if declared["Default"] != "" else ""
    cells = [f"`{name}`", default, _unit(template, name), _values(declared), declared["Description"]]
    return f"| {' | '.join(cells)} | {', '.join(_users(template, name))} |"


def _values(declared: dict[str, Any]) -> str:
    if "AllowedValues" in declared:
        return ", ".join(str(value) for value in declared["AllowedValues"])
    if "MaxValue" in declared:
        return f"{declared['MinValue']} to {declared['MaxValue']}"
    return f"{declared['MinValue']} or more" if "MinValue" in declared else ""


def _unit(template: dict[str, Any], name: str) -> str:
    """Quotas of rate limits count requests in the window of their policy; of others, the name ends with the unit."""
    quotas = _quotas(template)
    if name in quotas:
        [seconds] = {policy.seconds for policy in POLICIES if policy.name == quotas[name]}
        return f"requests / {_WINDOWS[seconds]}"
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")


def _quotas(template: dict[str, Any]) -> dict[str, str]:
    """The policy of each parameter that is the quota of a rate limit."""
    texts = [
        value["Fn::Sub"]
        for function in _functions(template)
        for variable, value in declared_variables(template, function).items()
        if variable == "RATE_LIMITS"
    ]
    return {parameter: policy for text in texts for policy, parameter in re.findall(r"([a-z-]+)=\$\{(\w+)\}", text)}


def _users(template: dict[str, Any], parameter: str) -> list[str]:
    """Functions by folder, then other resources; many of one type are named by it, and ``Globals`` is all functions."""
    if parameter in _references(template, template["Globals"]["Function"]):
        return ["all functions"]
    users = [
        name for name, resource in template["Resources"].items() if parameter in set(_references(template, resource))
    ]
    functions = sorted(_folder(name) for name in users if name in _functions(template))
    others: dict[str, list[str]] = {}
    for name in users:
        if name not in _functions(template):
            others.setdefault(template["Resources"][name]["Type"].rpartition("::")[2], []).append(f"`{name}`")
    named = [", ".join(names) if len(names) < 4 else f"each {kind}" for kind, names in others.items()]
    return [*functions, *named]


def _references(template: dict[str, Any], part: Any) -> Iterator[str]:
    """Names of parameters and resources that a part of the template uses, by its conditions too."""
    match part:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::Sub": text}:
            yield from re.findall(r"\$\{(\w+)\}", text if isinstance(text, str) else text[0])
        case {"Fn::If": [condition, *values]}:
            yield from _references(template, [template["Conditions"][condition], *values])
        case dict():
            for name, value in part.items():
                conditional = name == "Condition" and isinstance(value, str)
                yield from _references(template, template["Conditions"][value] if conditional else value)
        case list():
            for value in part:
                yield from _references(template, value)


def _variables(template: dict[str, Any]) -> Iterator[str]:
    properties = {variable: name for name, variable in variables_of_properties().items()}
    readers: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for function in _functions(template):
        for variable, value in declared_variables(template, function).items():
            readers.setdefault(variable, []).append(_folder(function))
            values[variable] = value
    for variable, names in readers.items():
        everybody = len(names) == len(_functions(template))
        read_by = "all" if everybody else ", ".join(sorted(names))
        yield f"| `{variable}` | `{properties[variable]}` | {_value(values[variable])} | {read_by} |"


def _value(value: Any) -> str:
    match value:
        case {"Ref": str(name)}:
            return _RESERVED.get(name, f"`{name}`")
        case {"Fn::GetAtt": [name, _]}:
            return f"the ARN of `{name}`"
        case {"Fn::Sub": str(text)}:
            return f"`{' '.join(text.split())}`"
    return f"`{value}`"


@functools.cache
def variables_of_properties() -> dict[str, str]:
    """The variable that each property of ``Settings`` reads."""
    tree = ast.parse((REPOSITORY / "layers/tasksync" / f"{settings.__name__.replace('.', '/')}.py").read_text("utf-8"))
    return {
        method.name: node.slice.value
        for method in ast.walk(tree)
        if isinstance(method, ast.FunctionDef)
        for node in ast.walk(method)
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }


def _functions(template: dict[str, Any]) -> list[str]:
    return [name for name, each in template["Resources"].items() if each["Type"] == "AWS::Serverless::Function"]


def _folder(function: str) -> str:
    """RoomCleanupFunction → room_cleanup, as its folder is called."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", function.removesuffix("Function")).lower()


def main() -> None:
    PATH.write_text(page(), encoding="utf-8")
    print(f"Wrote {PATH.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
