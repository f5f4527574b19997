"""Rollouts: what stops one, and that nothing of it is in the way of putting the version before back."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infrastructure import build
from infrastructure import template as templates
from tests.support.metric_math import evaluate, raised
from tests.support.sam_transform import resources_of
from tests.support.stack import Stack

STACK = Stack()
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
STOPPING = [each["Ref"] for each in STACK.template["Globals"]["Function"]["DeploymentPreference"]["Alarms"]]

# Whoever is the only one there asks this often in a minute, or one of these is asked for by a probe.
QUIET = (1, 2, 10, 19, 60, 150)


def minute(requests: int, failures: int) -> dict[str, dict[str, float]]:
    """What API Gateway and the log filters have measured in a minute; each failure is counted wherever it may be."""
    counted = {"SampleCount": float(requests), "Sum": float(failures)}
    return {
        "5XXError": counted,
        "Count": {"SampleCount": float(requests), "Sum": float(requests)},
        "UndecidedAccess": counted,
    }


def transformed(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources that SAM makes of a template with the default parameters of production."""
    return resources_of(template, {"Rollout": "Canary10Percent5Minutes"})


@pytest.mark.parametrize("alarm", STOPPING)
@pytest.mark.parametrize("requests", QUIET)
def test_one_failure_on_a_quiet_stage_stops_no_rollout(alarm: str, requests: int) -> None:
    quiet = minute(requests, 0)

    assert not raised(ALARMS[alarm], [quiet, minute(requests, 1)])
    assert not raised(ALARMS[alarm], [minute(requests, 1), quiet])


@pytest.mark.parametrize(
    ("requests", "failures"), [(20, 3), (100, 10), (10_000, 60)], ids=["few", "a tenth", "just above"]
)
def test_a_failing_version_stops_its_rollout(requests: int, failures: int) -> None:
    assert any(raised(ALARMS[alarm], [minute(requests, 0), minute(requests, failures)]) for alarm in STOPPING)


def test_failures_of_a_healthy_version_stop_no_rollout() -> None:
    assert not any(raised(ALARMS[alarm], [minute(10_000, 49), {}]) for alarm in STOPPING)


def test_the_alarm_is_raised_within_the_five_minute_canary() -> None:
    for alarm in STOPPING:
        [period] = {each["MetricStat"]["Period"] for each in ALARMS[alarm]["Metrics"] if "MetricStat" in each}
        assert period * ALARMS[alarm]["EvaluationPeriods"] <= 300


def test_an_expression_is_evaluated_as_cloudwatch_does() -> None:
    assert evaluate("IF(a >= 20 AND b >= 3, b / a, 0)", {"a": 20, "b": 3}) == 0.15
    assert evaluate("IF(a >= 20 AND b >= 3, b / a, 0)", {"a": 19, "b": 19}) == 0
    assert evaluate("a / b", {"a": 1, "b": 0}) is None
    with pytest.raises(ValueError, match="not understood"):
        evaluate("ANOMALY_DETECTION_BAND(a)", {"a": 1})


def test_a_rollout_shifts_every_alias_by_codedeploy_and_a_rollback_shifts_none() -> None:
    """With CodeDeploy goes the canary's pace, and the alarms, which stop a deployment as long as they are raised."""
    rolled_out, put_back = (
        transformed(templates.load()),
        transformed(templates.without_gradual_rollout(templates.load())),
    )
    aliases = {name for name, each in rolled_out.items() if each["Type"] == "AWS::Lambda::Alias"}

    assert len(aliases) == len(STACK.functions)
    assert all("CodeDeployLambdaAliasUpdate" in rolled_out[name]["UpdatePolicy"] for name in aliases)
    assert {name for name, each in put_back.items() if each["Type"] == "AWS::Lambda::Alias"} == aliases
    assert all("UpdatePolicy" not in put_back[name] for name in aliases)
    assert not [name for name, each in put_back.items() if each["Type"].startswith("AWS::CodeDeploy::")]


@pytest.mark.parametrize(("argument", "by_codedeploy"), [("AT_ONCE=", True), ("AT_ONCE=1", False)])
def test_an_operator_can_roll_back_a_version(tmp_path: Path, argument: str, by_codedeploy: bool) -> None:
    template = templates.load()
    (tmp_path / "archive.zip").touch()
    archives = dict.fromkeys(templates.code_folders(template), tmp_path / "archive.zip")
    build.write(tmp_path / "built", template, archives, configuration="")

    command = ["make", "--dry-run", "deploy", "ENV=dev", "BUILT=1", f"BUILT_IN={tmp_path}/built", argument]
    said = subprocess.run(  # noqa: S603  # the command under test
        command, cwd=templates.REPOSITORY, capture_output=True, text=True, check=True
    ).stdout

    # tests/infrastructure/test_release.py: which of the templates in the folder is deployed with and without --at-once.
    [built] = re.findall(r"--built '([^']+)'", said)
    name = build.AT_ONCE if "--at-once" in said else build.TEMPLATE
    deployed = json.loads((Path(built) / name).read_text(encoding="utf-8"))["Globals"]["Function"]
    assert ("DeploymentPreference" in deployed) == by_codedeploy


def test_a_rollback_only_changes_how_aliases_move() -> None:
    # The name of the gateway's deployment depends on the time (AlwaysDeploy), and the stage has that name.
    renamed = {"AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage"}
    rolled_out, put_back = (
        {name: each for name, each in transformed(template).items() if each["Type"] not in renamed}
        for template in (templates.load(), templates.without_gradual_rollout(templates.load()))
    )

    codedeploy = {rolled_out[name]["Type"] for name in rolled_out.keys() - put_back.keys()}
    assert codedeploy == {"AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup"}
    for name, resource in put_back.items():
        assert {**rolled_out[name], "UpdatePolicy": None} == {**resource, "UpdatePolicy": None}, name
