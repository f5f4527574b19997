"""Parameters: the handbook's table of them is that of the template, and environments give no other."""

import re
import tomllib
from typing import Any

from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

STACK = Stack()
DECLARED: dict[str, Any] = STACK.template["Parameters"]


def _row(name: str, declared: Any) -> str:
    default = declared["Default"]
    allowed = ", ".join(str(value) for value in declared.get("AllowedValues", []))
    if not allowed and "MinValue" in declared:
        allowed = f"{declared['MinValue']} to {declared['MaxValue']}" if "MaxValue" in declared else "1 or more"
    shown = f"`{default}`" if default != "" else ""
    return f"| `{name}` | {shown} | {allowed} | {declared.get('Description', '')} |"


def test_the_parameter_table_is_that_of_the_template() -> None:
    document = (REPOSITORY / "docs" / "guides" / "deploy.md").read_text(encoding="utf-8")
    rows = [line for line in document.splitlines() if re.match(r"\| `[A-Z]\w+` \|", line)]

    assert rows == [_row(name, declared) for name, declared in DECLARED.items()]


def test_environments_set_existing_parameters_to_allowed_values() -> None:
    settings = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))

    for environment in settings.keys() - {"version", "default"}:
        pairs = settings[environment]["deploy"]["parameters"]["parameter_overrides"].split()
        given = dict(pair.split("=", 1) for pair in pairs)
        assert given["Environment"] == environment
        for name, value in given.items():
            assert value in [str(each) for each in DECLARED[name].get("AllowedValues", [value])]
