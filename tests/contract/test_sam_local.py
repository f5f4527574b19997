"""The template that `sam local` is given is the same API to the SAM CLI as the real one is to AWS."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infrastructure.emulation import derived
from infrastructure.emulation.variables import all_variables
from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

STACK = Stack()
ENDPOINT = "http://host.docker.internal:5000"
PYTHON = REPOSITORY / ".venv-deploy" / "bin" / "python"


@pytest.fixture(scope="module")
def understood(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the SAM CLI understands of the derived template."""
    folder = tmp_path_factory.mktemp("sam")
    template, variables = derived.derive(STACK.template, all_variables(STACK.template, ENDPOINT), "x86_64")
    folders = dict.fromkeys(STACK.functions | STACK.of_type("AWS::Serverless::LayerVersion"), "code")
    (folder / "template.json").write_text(json.dumps(derived.with_folders(template, folders)), encoding="utf-8")
    (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
    asked = subprocess.run(  # noqa: S603  # the file beside this one
        [PYTHON, Path(__file__).with_name("sam_provider.py"), folder / "template.json", folder / "variables.json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


def test_every_route_leads_to_its_function_and_every_private_one_has_the_authorizer(understood: Any) -> None:
    wanted = {
        (event["Method"], event["Path"], function, None if "Auth" in event else "TokenAuthorizer")
        for function in STACK.functions
        for event in STACK.events(function, "Api")
    }

    found = {
        (method, path, function.removesuffix(derived.TWIN), authorizer)
        for method, path, function, authorizer in understood["routes"]
    }

    assert found == wanted


def test_every_function_has_its_variables_and_reaches_only_the_emulated_aws(understood: Any) -> None:
    for function in STACK.functions:
        found = understood["variables"][function]

        assert found.keys() >= STACK.variables(function).keys()
        assert [name for name in STACK.variables(function) if found[name] == "" and name not in _EMPTY] == []
        assert found["AWS_ENDPOINT_URL"] == ENDPOINT


# A parameter that is empty by default.
_EMPTY = {"CORS_ALLOWED_ORIGINS"}


def test_a_duplicate_function_differs_only_in_its_routes(understood: Any) -> None:
    variables = understood["variables"]
    twins = [name for name in variables if name.endswith(derived.TWIN)]

    assert {name.removesuffix(derived.TWIN) for name in twins} == {
        name for name, function in STACK.functions.items() if derived.mixed_paths(function)
    }
    for twin in twins:
        assert variables[twin].keys() == variables[twin.removesuffix(derived.TWIN)].keys()
    assert variables["UsersFunctionPublic"]["USERS_TABLE"] == "UsersTable"


def test_on_private_paths_only_registration_and_preflights_are_public() -> None:
    """A path of which half is public is easily missed."""
    public = {
        (event["Method"].upper(), event["Path"])
        for name, function in STACK.functions.items()
        for event in STACK.events(name, "Api")
        if "Auth" in event and event["Path"] in derived.mixed_paths(function)
    }

    assert {each for each in public if each[0] != "OPTIONS"} == {("POST", "/users")}
