"""Reads the state of a CloudFormation stack. ``cloudformation`` is a boto3 client; all raise ClientError."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from infrastructure import template as templates

# Of resources that a stack had once.
_GONE = {"DELETE_COMPLETE", "DELETE_SKIPPED"}


def described(cloudformation: Any, stack: str) -> Any:
    """The stack, as DescribeStacks has it; None if there is none."""
    try:
        return cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise


def parameters(found: Mapping[str, Any]) -> dict[str, str]:
    """Of a stack that was described."""
    return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}


def outputs(found: Mapping[str, Any]) -> dict[str, str]:
    """Of a stack that was described."""
    return {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", [])}


def template(cloudformation: Any, stack: str) -> dict[str, Any]:
    """The template that the stack was deployed from, before its transform."""
    body = cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    return templates.parse(body) if isinstance(body, str) else dict(body)


def resources(cloudformation: Any, stack: str) -> list[Any]:
    """The resources that there are, as ListStackResources has them."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return [
        each
        for page in pages
        for each in page["StackResourceSummaries"]
        if each.get("PhysicalResourceId") and each["ResourceStatus"] not in _GONE
    ]
