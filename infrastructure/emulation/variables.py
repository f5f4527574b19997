"""The environment variables of functions at an endpoint that `make seed` has filled."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from infrastructure import template as templates
from infrastructure.local.clients import ACCESS_KEY, REGION, SECRET_KEY
from infrastructure.references import References


def all_variables(
    template: Mapping[str, Any], endpoint: str, parameters: Mapping[str, str] = MappingProxyType({})
) -> dict[str, dict[str, str]]:
    """Those of each function by its name: the template's with their values, and those by which it reaches AWS.

    ``endpoint``: of AWS, as the functions reach it. ``parameters``: of the template, where they differ from the values
    for a local stack.
    """
    given = templates.local_values(template) | dict(parameters)
    references = References(template, templates.parameter_values(template, given))
    return {
        name: references.variables(name) | of_aws(endpoint)
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def of_aws(endpoint: str) -> dict[str, str]:
    """The variables by which boto3 finds this AWS, and no other."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
