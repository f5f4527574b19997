"""`make smoke`: the check after a deployment, on a stack on AWS or on the running local one. Prints a line a check."""

import sys
from collections.abc import Collection
from typing import Any

from infrastructure import deployed
from infrastructure import template as templates
from infrastructure.local.deploy import STACK
from infrastructure.smoke import gateway, resources
from infrastructure.smoke.findings import Check, Finding, carry_out
from infrastructure.smoke.journey import Unhealthy, check


def look(name: str, url: str, client: Any, only: Collection[str] = ()) -> list[Finding]:
    """The checks of a stack; all unless ``only`` names some.

    ``url``: where its API answers. Raises BotoCoreError and ClientError.
    """
    cloudformation = client("cloudformation")
    described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    body = cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    template = templates.parse(body) if isinstance(body, str) else body
    defaults = {key: str(each["Default"]) for key, each in template["Parameters"].items() if "Default" in each}
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
    stack = resources.Deployed(name, template, {**defaults, **parameters}, client)
    origins = [each.strip() for each in stack.parameters["CorsAllowedOrigins"].split(",") if each.strip()]
    checks: dict[str, Check] = {
        "serves": lambda: _serves(url),
        **gateway.checks(url, origins),
        **resources.checks(stack, outputs["ApiId"], url),
    }
    return carry_out({name: check for name, check in checks.items() if not only or name in only})


def _serves(url: str) -> list[str]:
    try:
        check(url)
    except Unhealthy as reason:
        return [str(reason)]
    return []


def main() -> int:
    parser = deployed.arguments(__doc__)
    parser.add_argument("--url", default="", help="where the API answers, if not at the stack's ApiUrl")
    arguments = parser.parse_args()
    try:
        stack = deployed.find(arguments.stack)
        url = arguments.url or stack.url
        found = look(arguments.stack or STACK, url, stack.client)
    except deployed.Failure as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(map(str, found)))
    return 1 if any(each.faults for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
