"""Pipelines: they say when and with which rights; what is done is in the Makefile."""

import json
import os
import re
import string
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from infrastructure import template as templates
from infrastructure.template import REPOSITORY

TARGETS = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SAMCONFIG = tomllib.loads((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
ENVIRONMENTS = [name for name in SAMCONFIG if name not in ("version", "default")]

WORKFLOW_FILES = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
JOBS: dict[str, Any] = {
    name: job
    for file in WORKFLOW_FILES
    for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].items()
}
STEPS = [step for job in JOBS.values() for step in job["steps"]]

NIGHTLY = {"make test-nightly"}

PIPELINE = templates.load(REPOSITORY / "infrastructure" / "pipelines" / "pipeline.yaml")["Resources"]
ACTIONS = [action for stage in PIPELINE["Pipeline"]["Properties"]["Stages"] for action in stage["Actions"]]


def _stack(environment: str) -> str:
    return str(SAMCONFIG[environment]["deploy"]["parameters"]["stack_name"])


def _variables(action: Any) -> dict[str, str]:
    given = action["Configuration"].get("EnvironmentVariables", "[]")
    # With what environment.yaml exports; what that is does not matter here.
    given = json.loads(given["Fn::Sub"][0] if isinstance(given, dict) else given)
    return {each["name"]: each["value"] for each in given}


def _commands() -> list[str]:
    """What the pipelines run, with the variables that CodePipeline gives."""
    commands = [step["run"] for step in STEPS if "run" in step]
    for action in ACTIONS:
        project = action["Configuration"].get("ProjectName")
        if project:
            specification = yaml.safe_load(PIPELINE[project["Ref"]]["Properties"]["Source"]["BuildSpec"])
            lines = specification["phases"]["build"]["commands"]
            commands += [string.Template(line).substitute(_variables(action)) for line in lines]
    return commands


@pytest.mark.parametrize("command", sorted(set(_commands())))
def test_every_command_is_a_target_of_the_makefile(command: str) -> None:
    make, target, *rest = command.split()

    assert make == "make"
    assert target in TARGETS
    assert all("=" in word for word in rest)


def _variables_of_jobs() -> dict[str, str]:
    """What the pipelines put into the environment of the commands."""
    variables = {name: str(value) for step in STEPS for name, value in step.get("env", {}).items()}
    for action in ACTIONS:
        variables |= _variables(action)
    for resource in PIPELINE.values():
        if resource["Type"] == "AWS::CodeBuild::Project":
            given = resource["Properties"]["Environment"].get("EnvironmentVariables", [])
            variables |= {each["Name"]: str(each["Value"]) for each in given}
    return variables


def _run_make(*arguments: str, **variables: str) -> str:
    """What make prints in an environment of these variables and the PATH alone."""
    return subprocess.run(  # noqa: S603  # our own Makefile
        ["make", *arguments],  # noqa: S607  # from the PATH
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


def test_pipeline_variables_do_not_collide_with_make_variables() -> None:
    database = _run_make("--print-data-base", "--no-builtin-rules", "--file=/dev/null")
    known = set(re.findall(r"^([A-Z_]+) :?=", database, re.MULTILINE)) | {"MAKE"}
    assert {"MAKEFLAGS", "SHELL", "CURDIR"} <= known

    assert known & _variables_of_jobs().keys() == set()


@pytest.mark.parametrize("target", ["check", "test", "build"])
def test_make_behaves_the_same_in_a_pipelines_environment(target: str) -> None:
    here = _run_make("--dry-run", "--always-make", target)

    assert len(here.splitlines()) > 3
    assert _run_make("--dry-run", "--always-make", target, **_variables_of_jobs()) == here


def test_a_run_waiting_for_approval_blocks_no_other() -> None:
    for file in WORKFLOW_FILES:
        assert "concurrency" not in yaml.safe_load(file.read_text(encoding="utf-8")), file.name
    for name in ENVIRONMENTS:
        assert JOBS[name]["concurrency"] == {"group": f"deploy-{name}", "cancel-in-progress": False}


def test_there_are_no_symbolic_links_in_the_sources() -> None:
    """CodePipeline's archives and GitHub's have them as files of text."""
    listed = subprocess.run(
        ["git", "ls-files", "--stage"],  # noqa: S607  # from the PATH
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert [line for line in listed.splitlines() if line.startswith("120000")] == []


def test_both_pipelines_do_the_same() -> None:
    delivery = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "delivery.yml").read_text(encoding="utf-8"))
    github = {step["run"] for job in delivery["jobs"].values() for step in job["steps"] if "run" in step}

    assert github == set(_commands()) - NIGHTLY
    assert github == {"make check", "make test", "make build"} | {
        command
        for environment in ENVIRONMENTS
        for command in (f"make deploy ENV={environment} BUILT=1", f"make smoke STACK={_stack(environment)}")
    }


@pytest.mark.parametrize("used", sorted({step["uses"] for step in STEPS if "uses" in step}))
def test_actions_are_pinned_to_a_reviewed_commit(used: str) -> None:
    assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used)


def test_both_pipelines_deploy_with_the_role_and_the_boundary_of_the_environment() -> None:
    given = {"CLOUDFORMATION_ROLE", "PERMISSIONS_BOUNDARY"}
    for environment in ENVIRONMENTS:
        [step] = [each for each in JOBS[environment]["steps"] if f"ENV={environment}" in each.get("run", "")]
        [action] = [each for each in ACTIONS if _variables(each).get("ENVIRONMENT") == environment]

        assert {name: step["env"][name] for name in given} == {name: f"${{{{ vars.{name} }}}}" for name in given}
        assert action["Configuration"]["EnvironmentVariables"]["Fn::Sub"][1] == {
            "Builder": {"Fn::ImportValue": f"tasksync-{environment}-builder"},
            "Boundary": {"Fn::ImportValue": f"tasksync-{environment}-boundary"},
        }
        assert _variables(action).keys() >= given


def test_only_environment_jobs_may_assume_a_role_and_no_job_has_a_key() -> None:
    for file in WORKFLOW_FILES:
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["permissions"] == {"contents": "read"}
        assert "secrets." not in file.read_text(encoding="utf-8")
    asking = {name for name, job in JOBS.items() if "id-token" in job.get("permissions", {})}

    assert asking == {name for name, job in JOBS.items() if "environment" in job} == set(ENVIRONMENTS)


def test_environments_are_deployed_in_order_and_production_after_approval() -> None:
    order = ["build", *ENVIRONMENTS]
    assert [JOBS[name]["needs"] for name in ENVIRONMENTS] == [[before] for before in order[:-1]]

    kinds = [(action["ActionTypeId"]["Category"], _variables(action).get("ENVIRONMENT")) for action in ACTIONS]
    assert kinds[-4:] == [("Build", "dev"), ("Build", "staging"), ("Approval", None), ("Build", "prod")]


def _actions(statements: list[Any]) -> set[str]:
    listed = [each["Action"] if isinstance(each["Action"], list) else [each["Action"]] for each in statements]
    return {action for actions in listed for action in actions}


@pytest.mark.parametrize("file", ["github-oidc.yaml", "pipeline.yaml"])
def test_the_deploying_role_may_only_hand_over_to_cloudformation(file: str) -> None:
    resources = templates.load(REPOSITORY / "infrastructure" / "pipelines" / file)["Resources"]
    deployer = resources.get("Deployer") or resources["DeployRole"]
    statements = deployer["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    services = {action.split(":")[0] for action in _actions(statements) - {"iam:PassRole"}}
    [old_versions] = [each["Resource"] for each in statements if each["Action"] == "lambda:DeleteFunction"]

    assert services <= {"cloudformation", "s3", "logs", "lambda", "apigateway", "cloudwatch", "dynamodb"}
    assert {action for action in _actions(statements) if action.startswith("lambda:")} == {
        # To copy tasks to their new table in an upgrade.
        "lambda:InvokeFunction",
        # To put a version back at once, and to remove old ones.
        *("lambda:GetAlias", "lambda:ListAliases", "lambda:ListVersionsByFunction", "lambda:UpdateAlias"),
        *("lambda:DeleteFunction", "lambda:DeleteLayerVersion", "lambda:ListLayerVersions"),
        # To check them.
        "lambda:ListEventSourceMappings",
    }
    assert [each["Resource"] for each in statements if each["Action"] == "iam:PassRole"] == [
        {"Fn::ImportValue": {"Fn::Sub": "tasksync-${Environment}-builder"}}
        if file == "github-oidc.yaml"
        else [{"Fn::ImportValue": f"tasksync-{environment}-builder"} for environment in ENVIRONMENTS]
    ]
    # A version, never a function.
    assert old_versions["Fn::Sub"].endswith("-*:*")
    assert "ManagedPolicyArns" not in deployer["Properties"]
