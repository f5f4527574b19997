"""Parameters: the page of settings is made from the template, and environments set no other parameters."""

import re
import tomllib
from typing import Any

from infrastructure import settings_page
from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

STACK = Stack()
DECLARED: dict[str, Any] = STACK.template["Parameters"]


def test_the_settings_page_is_generated_from_the_template_and_the_code() -> None:
    assert settings_page.PATH.read_text(encoding="utf-8") == settings_page.page(), "make openapi writes it anew"


def test_the_settings_page_names_each_parameter_and_each_variable_once() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \|", settings_page.page())
    variables = {name for function in STACK.functions for name in STACK.variables(function)}

    assert sorted(rows) == sorted([*DECLARED, *variables])


def test_every_parameter_says_what_it_does() -> None:
    assert [name for name, each in DECLARED.items() if len(each.get("Description", "").split()) < 3] == []


def test_environments_set_existing_parameters_to_allowed_values() -> None:
    settings = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))

    for environment in settings.keys() - {"version", "default"}:
        pairs = settings[environment]["deploy"]["parameters"]["parameter_overrides"].split()
        given = dict(pair.split("=", 1) for pair in pairs)
        assert given["Environment"] == environment
        for name, value in given.items():
            assert value in [str(each) for each in DECLARED[name].get("AllowedValues", [value])]
