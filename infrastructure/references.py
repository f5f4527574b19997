"""Resolves the references in ``template.yaml`` where no CloudFormation does.

Only what our template uses is understood; anything else is refused, so that nothing ever runs on a guess.
"""

import re
from collections.abc import Mapping
from typing import Any

from infrastructure.local.clients import REGION
from infrastructure.template import decided

ACCOUNT = "123456789012"
"""moto's account."""

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "tasksync",
    "AWS::URLSuffix": "amazonaws.com",
}


class References:
    """Values of references: tables, secrets and queues are called by their names in the template.

    ``parameters``: the value of each parameter. ``arns``: what only making a resource reveals. That is the ARN of a
    secret by its name, which its ``Id`` gives then (its name otherwise), and of a stream (``RoomsTable.StreamArn``).
    Both may change later.
    """

    def __init__(
        self, template: Mapping[str, Any], parameters: Mapping[str, str], arns: Mapping[str, str] | None = None
    ) -> None:
        self._template = template
        self._parameters = parameters
        self._arns = {} if arns is None else arns

    def variables(self, function: str) -> dict[str, str]:
        """The environment variables of a function, with their values."""
        declared = declared_variables(self._template, function)
        return {name: str(self.resolve(value)) for name, value in declared.items()}

    def resolve(self, value: Any) -> Any:
        """``value`` with its references replaced by what they refer to. Raises ValueError for an unknown one."""
        if isinstance(value, list):
            return [self.resolve(each) for each in value]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": str(name), **rest} if not rest:
                return self._reference(name)
            case {"Fn::GetAtt": [str(name), str(attribute)], **rest} if not rest:
                return self._attribute(name, attribute)
            case {"Fn::Sub": str(text), **rest} if not rest:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._substitute(found[1]), text)
            case {"Fn::If": list(), **rest} if not rest:
                return self.resolve(decided(self._template, self._parameters, value))
        if any(key.startswith("Fn::") for key in value):
            raise ValueError(f"the template uses {value}, which is not understood")
        return {key: self.resolve(each) for key, each in value.items()}

    def _substitute(self, name: str) -> str:
        resource, dot, attribute = name.partition(".")
        return str(self._attribute(resource, attribute) if dot else self._reference(name))

    def _reference(self, name: str) -> Any:
        if name in _PSEUDO_PARAMETERS:
            return _PSEUDO_PARAMETERS[name]
        return self._parameters.get(name, name)

    def _attribute(self, name: str, attribute: str) -> str:
        match self._template["Resources"][name]["Type"], attribute:
            case "AWS::DynamoDB::Table", "Arn":
                return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"
            case "AWS::DynamoDB::Table", "StreamArn":
                return self._arns[f"{name}.StreamArn"]
            case "AWS::SQS::Queue", "Arn":
                return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
            case "AWS::SecretsManager::Secret", "Id":
                return self._arns.get(name, name)
            case "AWS::Serverless::Function", "Arn":
                return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        raise ValueError(f"the template uses {name}.{attribute}, which is not understood")


def declared_variables(template: Mapping[str, Any], function: str) -> dict[str, Any]:
    """The environment variables of a function, as written in the template: those of all functions and its own."""
    common = template["Globals"]["Function"].get("Environment", {}).get("Variables", {})
    own = template["Resources"][function]["Properties"].get("Environment", {}).get("Variables", {})
    return {**common, **own}
