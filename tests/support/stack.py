"""What CloudFormation would make of ``template.yaml``: names, environment variables, permissions.

Only what our template uses is understood; anything else is refused, so that a test never runs on a guess.
"""

import functools
from collections.abc import Mapping
from typing import Any

from infrastructure import template as template_file
from infrastructure.references import References, declared_variables

# Slow on purpose in production (and by the template never as quick), or in the way of a test that wants to see the
# authorizer at every request.
TEST_PARAMETERS = {"BcryptCost": "4", "AuthorizerCacheSeconds": "0", "LogLevel": "ERROR", "ConcurrentReads": "1"}


@functools.cache
def _template() -> dict[str, Any]:
    return template_file.load()


class Stack:
    """The template with values for its parameters, and with the names and ARNs of what it describes.

    Tables and secrets are called by their names in the template. ``arns`` holds ARNs that only making a resource tells:
    those of secrets by name, which their ``Id`` gives then, and those of streams (``RoomsRepository.StreamArn``).
    """

    def __init__(self, parameters: Mapping[str, str] = TEST_PARAMETERS) -> None:
        self.template = _template()
        given = template_file.local_values(self.template) | dict(parameters)
        self.parameters = template_file.parameter_values(self.template, given)
        self.resources: dict[str, dict[str, Any]] = self.template["Resources"]
        self.arns: dict[str, str] = {}
        self._references = References(self.template, self.parameters, self.arns)

    def decided(self, part: Any) -> Any:
        """A part of the template in which each ``Fn::If`` is decided."""
        return template_file.decided(self.template, self.parameters, part)

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of one type, by logical name."""
        return {name: each["Properties"] for name, each in self.resources.items() if each["Type"] == kind}

    @functools.cached_property
    def functions(self) -> dict[str, dict[str, Any]]:
        return self.of_type("AWS::Serverless::Function")

    def layers(self, function: str) -> list[str]:
        """Logical names of the function's layers. SAM puts those of ``Globals`` before the function's own."""
        common = self.template["Globals"]["Function"].get("Layers", [])
        return [layer["Ref"] for layer in [*common, *self.functions[function].get("Layers", [])]]

    def variables(self, function: str) -> dict[str, Any]:
        """The environment variables of a function, as written in the template."""
        return declared_variables(self.template, function)

    def environment(self, function: str) -> dict[str, str]:
        """The environment variables of a function, with their values."""
        return self._references.variables(function)

    def all_variables(self) -> dict[str, str]:
        """The environment variables of all functions together."""
        return {name: value for function in self.functions for name, value in self.environment(function).items()}

    def statements(self, function: str) -> list[dict[str, Any]]:
        """The permissions of a function: IAM statements, with ``Action`` and ``Resource`` as lists of texts."""
        return [
            {
                **statement,
                "Action": _listed(statement["Action"]),
                "Resource": [self.resolve(resource) for resource in _listed(statement["Resource"])],
            }
            for policy in self.functions[function].get("Policies", [])
            for statement in policy["Statement"]
        ]

    def events(self, function: str, kind: str) -> list[dict[str, Any]]:
        """The properties of a function's events of one type: ``Api`` or ``DynamoDB``."""
        events = self.functions[function].get("Events", {}).values()
        return [event["Properties"] for event in events if event["Type"] == kind]

    def resolve(self, value: Any) -> Any:
        """``value`` with its references replaced by what they refer to."""
        return self._references.resolve(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
