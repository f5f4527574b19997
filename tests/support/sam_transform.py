"""What SAM makes of the template: the resources that CloudFormation is given."""

import functools
from collections.abc import Mapping
from typing import Any

import pytest
from samtranslator.translator.transform import transform

from infrastructure import template as templates
from infrastructure.local.clients import REGION


class _NoManagedPolicies:
    """Stands for the list of AWS's own policies, which SAM asks an account for; the template names none."""

    def load(self) -> dict[str, str]:
        return {}


def resources_of(template: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """By logical name. ``values``: those of the template's parameters. ``Fn::If`` stays as it is written."""
    places = {name: f"s3://bucket/{name}" for name in templates.code_folders(template)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        made = transform(templates.with_code_locations(template, places), dict(values), _NoManagedPolicies())
    resources: dict[str, dict[str, Any]] = made["Resources"]
    return resources


@functools.cache
def transformed(**given: str) -> dict[str, dict[str, Any]]:
    """Those of ``template.yaml``, for these parameters."""
    template = templates.load()
    return resources_of(template, templates.parameter_values(template, given))
