"""From a version to the next and back, and away, while people work."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure import audit, release, smoke
from infrastructure import template as templates
from infrastructure.local.addresses import Addresses
from infrastructure.local.clients import local_client
from infrastructure.local.errors import DeploymentFailed
from infrastructure.local.stack import LocalStack
from infrastructure.template import REPOSITORY
from tasksync import __version__
from tests.journeys.service import PARAMETERS, eventually
from tests.journeys.workers import Watch, Worker, failures, titles, working
from tests.storm.workers import workers as workers_of
from tests.support.client import Client, Person
from tests.support.old_tasks import old_item

Json = dict[str, Any]

CLIENTS = 3
# So many that copying them has a middle to be killed in.
TASKS = 150

LAYER = "layers/tasksync/tasksync/__init__.py"
RELEASE, NEXT = f'"{__version__}"', '"99.0.0"'
HEALTH = "functions/health/health_api/routes.py"


class Project:
    """A copy of the template and the code, in which the next version is written; deployed to a stack of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "project"
        self.data = folder / "data"
        self._folder.mkdir()
        for name in ("functions", "layers", "infrastructure/cloudwatch"):
            shutil.copytree(REPOSITORY / name, self._folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        self._template = self._folder / templates.PATH.name
        shutil.copyfile(templates.PATH, self._template)
        self.local = LocalStack(0, self.data, PARAMETERS, self._template, keep_archives=True)
        self.addresses: Addresses = self.local.start()
        client = self.addresses.client
        self.anonymous = Client.over_http(self.addresses.api_url)
        self.stack = release.Stack("tasksync", client, seconds=120, pause=0.1)

    def stop(self) -> None:
        self.anonymous.connection.close()
        self.local.stop()

    def write(self, file: str, old: str, new: str) -> None:
        path = self._folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, file
        path.write_text(text.replace(old, new), encoding="utf-8")

    def deploy(self, template: Json) -> None:
        """Deploy once what this template says, in place of the project's."""
        written = self._template.read_text(encoding="utf-8")
        self._template.write_text(json.dumps(template), encoding="utf-8")
        self.addresses = self.local.deploy()
        self._template.write_text(written, encoding="utf-8")

    def release(self, **parameters: str) -> None:
        """As `make deploy` does."""

        def deploy(_: Mapping[str, str]) -> None:
            self.addresses = self.local.deploy(parameters)

        release.release(self.stack, deploy, lambda **how: smoke.check(self.addresses.api_url, **how))

    def release_in_part(self, **parameters: str) -> None:
        """As `make deploy` does where CloudFormation gives up in the middle of a canary."""

        def deploy(_: Mapping[str, str]) -> None:
            before = self.stack.version()
            assert before is not None
            self.addresses = self.local.deploy(parameters)
            for alias, version in before.aliases.items():
                functions, name = self.addresses.client("lambda"), alias.split(":")[6]
                weights = {"AdditionalVersionWeights": {version: 0.1}}
                functions.update_alias(FunctionName=name, Name="live", RoutingConfig=weights)
            assert len(self.routed()) == len(before.aliases)
            raise DeploymentFailed("an alias could not be put back")

        release.release(self.stack, deploy, lambda **how: smoke.check(self.addresses.api_url, **how))

    def routed(self) -> list[str]:
        """The functions of whose requests a part goes elsewhere."""
        functions = self.addresses.client("lambda")
        names = [each["FunctionName"] for each in functions.list_functions()["Functions"]]
        aliases = {name: functions.get_alias(FunctionName=name, Name="live") for name in names}
        return [name for name, alias in aliases.items() if "RoutingConfig" in alias]

    def raise_alarm(self, name: str) -> str:
        """The alarm's whole name."""
        cloudwatch = self.addresses.client("cloudwatch")
        names = [each["AlarmName"] for each in cloudwatch.describe_alarms()["MetricAlarms"]]
        [alarm] = [each for each in names if name in each]
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a bad version")
        return str(alarm)

    def state_of(self, alarm: str) -> str:
        [found] = self.addresses.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return str(found["StateValue"])

    def audit(self) -> Any:
        """The audit's report, of what was just changed, too."""
        functions, auditor = self.addresses.client("lambda"), self.addresses.outputs["AuditorFunction"]
        return audit.audit(functions, auditor, {"older_than_seconds": 0})

    def items(self, table: str) -> list[Json]:
        pages = (
            self.addresses.client("dynamodb").get_paginator("scan").paginate(TableName=self.addresses.outputs[table])
        )
        return [item for page in pages for item in page["Items"]]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.stop()


def test_versions_are_upgraded_and_rolled_back_under_load(project: Project) -> None:
    anonymous = project.anonymous
    ann = anonymous.register("ann")
    room = ann.open_room()
    dynamodb = project.addresses.client("dynamodb")
    tables = dynamodb.list_tables()["TableNames"]
    workers = [Worker(project.addresses.api_url, seed) for seed in range(CLIENTS)]
    watch = Watch(dynamodb)

    def version() -> str:
        return str(anonymous.get("/health").json()["version"])

    def room_is_full() -> bool:
        return anonymous.register().post("/rooms/join", json={"code": room["code"]}).status == 409

    with working([*workers, watch]):
        assert not room_is_full()
        # Another layer, which all functions have, and another parameter.
        project.write(LAYER, RELEASE, NEXT)
        project.release(MaxRoomMembers="2")
        assert (version(), room_is_full()) == ("99.0.0", True)

        # A version that is deployed and does not serve, and has raised the alarm that stops rollouts.
        project.write(LAYER, NEXT, '"99.1.0"')
        project.write(HEALTH, "    answering = ", "    raise RuntimeError\n    answering = ")
        alarm = project.raise_alarm("RolloutAlarm")
        with pytest.raises(release.RolledBack, match="GET /health"):
            project.release(MaxRoomMembers="90")
        assert (version(), room_is_full()) == ("99.0.0", True)

    assert failures(workers, watch) == []
    assert min(worker.requests for worker in workers) > 10
    assert ann.get(f"/rooms/{room['id']}").json()["code"] == room["code"]
    assert dynamodb.list_tables()["TableNames"] == tables
    stored = titles(project.items("TasksTableV2"))
    assert stored == {task: title for worker in workers for task, title in worker.titles.items()}
    assert eventually(lambda: audit.clean(project.audit())), "\n".join(audit.lines(project.audit()))

    # The same, and CloudFormation could not put it back: a part of the requests still goes to the version before.
    with pytest.raises(DeploymentFailed, match="an alias could not be put back"):
        project.release_in_part(MaxRoomMembers="91")
    assert (version(), room_is_full()) == ("99.0.0", True)
    assert project.routed() == []
    assert project.state_of(alarm) == "ALARM"

    project.addresses.client("cloudformation").delete_stack(StackName="tasksync")
    assert eventually(lambda: project.stack.version() is None)
    assert dynamodb.list_tables()["TableNames"] == tables
    assert titles(project.items("TasksTableV2")) == stored


def without_the_new_table(project: Project) -> None:
    """Let the stack and its tasks be as the version before left them. Nobody uses the functions meanwhile."""
    read, write = TypeDeserializer().deserialize, TypeSerializer().serialize
    items = [{name: read(value) for name, value in item.items()} for item in project.items("TasksTableV2")]
    texts = {item["item"]: item["text"] for item in items if "text" in item}
    template = templates.load()
    del template["Resources"]["TasksTableV2"]
    del template["Resources"]["ActivityFunction"]["Properties"]["Events"]["TaskItemChanged"]
    project.deploy(json.loads(json.dumps(template).replace("TasksTableV2", "TasksTable")))
    for item in items:
        if "title" in item:
            old = old_item(item, texts.get(f"D#{item['item']}"))
            project.addresses.client("dynamodb").put_item(
                TableName=project.addresses.outputs["TasksTable"],
                Item={name: write(value) for name, value in old.items()},
            )


def copies(project: Project, table: str) -> int:
    """How many items the new table has; none as long as nothing answers."""
    dynamodb = local_client("dynamodb", f"http://127.0.0.1:{project.local.aws_port}")
    try:
        return int(dynamodb.scan(TableName=table, Select="COUNT")["Count"])
    except (BotoCoreError, ClientError):
        return 0


def seen(people: list[Person], room: Json, tasks: list[Json]) -> list[Any]:
    """What people see of tasks, with entity tags."""
    lists = [each.list(path) for each in people for path in ("/tasks", f"/rooms/{room['id']}/tasks")]
    responses = [each.get(f"/tasks/{task['id']}") for each in people for task in tasks[:42]]
    return [
        *lists,
        *((each.status, each.headers.get("ETag"), each.status == 200 and each.json()) for each in responses),
    ]


def test_the_next_start_copies_the_tasks_of_the_version_before_although_it_is_killed(project: Project) -> None:
    ann, bob = project.anonymous.register("ann"), project.anonymous.register("bob")
    room = ann.open_room()
    bob.join(room)
    tasks = [
        ann.plan(deadline="2026-12-24", status="completed"),
        bob.plan(room_id=room["id"], user_id=None, description="\U0001f600" * 10_000),
        *(ann.plan(room_id=room["id"], user_id=bob.id, description="ü" * (490 + each)) for each in range(TASKS)),
    ]
    before = seen([ann, bob], room, tasks)
    table = project.addresses.outputs["TasksTableV2"]
    without_the_new_table(project)
    project.local.stop()

    with ThreadPoolExecutor() as threads:
        start: Future[Addresses] = threads.submit(project.local.start)

        def is_killed_while_it_copies() -> bool:
            if not copies(project, table):
                return False
            killed = [each.kill() for each in workers_of(project.data) if each.function == "MigrationsFunction"]
            return any(killed)

        # Looked at often: copying is over within a second or two.
        while not is_killed_while_it_copies() and not start.done():
            time.sleep(0.02)
        with pytest.raises(DeploymentFailed, match="interrupted"):
            start.result()

    project.addresses = project.local.start()

    assert seen([ann, bob], room, tasks) == before
    assert audit.clean(project.audit()), "\n".join(audit.lines(project.audit()))
