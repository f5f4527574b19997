"""From a version to the next and back, and away, while people work."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infrastructure import audit, release, smoke
from infrastructure.local.stack import Addresses, LocalStack
from infrastructure.template import REPOSITORY
from tasksync import __version__
from tests.journeys.service import PARAMETERS, eventually
from tests.journeys.workers import Worker, titles, working
from tests.support.client import Client

Json = dict[str, Any]

CLIENTS = 3

LAYER = "layers/tasksync/tasksync/__init__.py"
RELEASE, NEXT = f'"{__version__}"', '"99.0.0"'
HEALTH = "functions/health/health_api/routes.py"


class Project:
    """A copy of the template and the code, in which the next version is written; deployed to a stack of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "project"
        self._folder.mkdir()
        for name in ("functions", "layers"):
            shutil.copytree(REPOSITORY / name, self._folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        template = self._folder / "template.yaml"
        shutil.copyfile(REPOSITORY / template.name, template)
        self.local = LocalStack(0, folder / "data", PARAMETERS, template, keep_archives=True)
        self.addresses: Addresses = self.local.start()
        client = self.addresses.client
        self.anonymous = Client.over_http(self.addresses.api_url)
        self.stack = release.Stack("tasksync", client("cloudformation"), client("s3"), seconds=120, pause=0.1)

    def stop(self) -> None:
        self.anonymous.connection.close()
        self.local.stop()

    def write(self, file: str, old: str, new: str) -> None:
        path = self._folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, file
        path.write_text(text.replace(old, new), encoding="utf-8")

    def release(self, **parameters: str) -> None:
        """As `make deploy` does."""

        def deploy() -> None:
            self.addresses = self.local.deploy(parameters)

        release.release(self.stack, deploy, lambda: smoke.check(self.addresses.api_url))

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


def test_versions_come_and_go_while_people_work(project: Project) -> None:
    anonymous = project.anonymous
    ann = anonymous.register("ann")
    room = ann.open_room()
    dynamodb = project.addresses.client("dynamodb")
    tables = dynamodb.list_tables()["TableNames"]
    workers = [Worker(project.addresses.api_url, seed) for seed in range(CLIENTS)]

    def version() -> str:
        return str(anonymous.get("/health").json()["version"])

    def room_is_full() -> bool:
        return anonymous.register().post("/rooms/join", json={"code": room["code"]}).status == 409

    with working(workers):
        assert not room_is_full()
        # Another layer, which all functions have, and another parameter.
        project.write(LAYER, RELEASE, NEXT)
        project.release(MaxRoomMembers="2")
        assert (version(), room_is_full()) == ("99.0.0", True)

        # A version that is deployed and does not serve.
        project.write(LAYER, NEXT, '"99.1.0"')
        project.write(HEALTH, "    answering = ", "    raise RuntimeError\n    answering = ")
        with pytest.raises(release.RolledBack, match="GET /health"):
            project.release(MaxRoomMembers="90")
        assert (version(), room_is_full()) == ("99.0.0", True)

    assert [failure for worker in workers for failure in worker.failures] == []
    assert min(worker.requests for worker in workers) > 10
    assert ann.get(f"/rooms/{room['id']}").json()["code"] == room["code"]
    assert dynamodb.list_tables()["TableNames"] == tables
    stored = titles(project.items("TasksTable"))
    assert stored == {task: title for worker in workers for task, title in worker.titles.items()}
    assert eventually(lambda: audit.clean(project.audit())), "\n".join(audit.lines(project.audit()))

    project.addresses.client("cloudformation").delete_stack(StackName="tasksync")
    assert eventually(lambda: project.stack.version() is None)
    assert dynamodb.list_tables()["TableNames"] == tables
    assert len(project.items("TasksTable")) == len(stored)
