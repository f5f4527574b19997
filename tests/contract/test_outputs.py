"""Outputs: what commands call is the version that is released, not the code that was uploaded last."""

import json

from infrastructure import template as templates
from tests.support.stack import Stack

FUNCTIONS = Stack().functions


def test_an_output_of_a_function_is_its_alias() -> None:
    named = {
        name: output["Value"]["Ref"]
        for name, output in templates.load()["Outputs"].items()
        if "Function" in json.dumps(output["Value"]) and output["Value"]["Ref"].partition(".")[0] in FUNCTIONS
    }

    assert {"AuditorFunction", "SweeperFunction", "MigrationsFunction"} <= named.keys()
    assert named == {name: f"{name}.Alias" for name in named}
