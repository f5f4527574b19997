"""All checks of a deployed stack."""

from collections.abc import Collection
from typing import Any

from infrastructure import stacks
from infrastructure import template as templates
from infrastructure.smoke import gateway, live, resources
from infrastructure.smoke.findings import Check, Finding, carry_out
from infrastructure.smoke.journey import Unhealthy, check


def look(name: str, url: str, client: Any, only: Collection[str] = ()) -> list[Finding]:
    """The checks of a stack; all unless ``only`` names some.

    ``url``: where its API answers. Raises BotoCoreError and ClientError.
    """
    cloudformation = client("cloudformation")
    found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    template = stacks.template(cloudformation, name)
    values = templates.parameter_values(template, stacks.parameters(found))
    stack = resources.Deployed(template, values, stacks.resources(cloudformation, name), client)
    origins = [each.strip() for each in stack.parameters["CorsAllowedOrigins"].split(",") if each.strip()]
    checks: dict[str, Check] = {
        "serves": lambda: _serves(url),
        **gateway.checks(url, origins),
        **live.checks(url),
        **resources.checks(stack, stacks.outputs(found)["ApiId"], url),
    }
    return carry_out({name: check for name, check in checks.items() if not only or name in only})


def _serves(url: str) -> list[str]:
    try:
        check(url)
    except Unhealthy as reason:
        return [str(reason)]
    return []
