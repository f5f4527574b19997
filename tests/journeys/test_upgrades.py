"""From a version to the next and back, and away, while people work."""

import random
import shutil
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from infrastructure import audit, release, smoke
from infrastructure.local.stack import Addresses, LocalStack
from infrastructure.template import REPOSITORY
from tests.journeys.service import PARAMETERS, eventually
from tests.support.client import Answer, Client, Person

Json = dict[str, Any]

CLIENTS = 3

LAYER = "layers/tasksync/tasksync/__init__.py"
HEALTH = "functions/health/health_api/routes.py"


class Worker:
    """Somebody who plans tasks, changes and reads them until told to stop, and remembers what was acknowledged."""

    def __init__(self, url: str, seed: int) -> None:
        self._person: Person = Client.over_http(url).register(f"worker-{seed}")
        self._room = self._person.open_room()
        self._dice = random.Random(seed)
        self.titles: dict[str, str] = {}
        self.failures: list[str] = []
        self.requests = 0

    def run(self, over: threading.Event) -> None:
        while not over.is_set():
            title = uuid.uuid4().hex
            if not self.titles or self._dice.random() < 0.4:
                answer = self._ask("POST", "/tasks", 201, json={"title": title, "room_id": self._room["id"]})
            else:
                path = f"/tasks/{self._dice.choice([*self.titles])}"
                self._ask("GET", path, 200)
                answer = self._ask("PATCH", path, 200, json={"title": title})
            if answer is not None:
                self.titles[answer.json()["id"]] = title
        self._person.connection.close()

    def _ask(self, method: str, path: str, expected: int, **options: Any) -> Answer | None:
        self.requests += 1
        try:
            answer = self._person.request(method, path, **options)
        except httpx.TransportError as error:
            self.failures.append(f"{method} {path}: {error!r}")
            return None
        if answer.status != expected:
            self.failures.append(f"{method} {path}: {answer}")
            return None
        return answer


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
    workers, over = [Worker(project.addresses.api_url, seed) for seed in range(CLIENTS)], threading.Event()

    def version() -> str:
        return str(anonymous.get("/health").json()["version"])

    def room_is_full() -> bool:
        return anonymous.register().post("/rooms/join", json={"code": room["code"]}).status == 409

    with ThreadPoolExecutor(CLIENTS) as threads:
        working: list[Future[None]] = [threads.submit(worker.run, over) for worker in workers]
        try:
            assert not room_is_full()
            # Another layer, which all functions have, and another parameter.
            project.write(LAYER, '"0.1.0"', '"0.2.0"')
            project.release(MaxRoomMembers="2")
            assert (version(), room_is_full()) == ("0.2.0", True)

            # A version that is deployed and does not serve.
            project.write(LAYER, '"0.2.0"', '"0.3.0"')
            project.write(HEALTH, "    answering = ", "    raise RuntimeError\n    answering = ")
            with pytest.raises(release.RolledBack, match="GET /health"):
                project.release(MaxRoomMembers="90")
            assert (version(), room_is_full()) == ("0.2.0", True)
        finally:
            over.set()
        for each in working:
            each.result()

    assert [failure for worker in workers for failure in worker.failures] == []
    assert min(worker.requests for worker in workers) > 10
    assert ann.get(f"/rooms/{room['id']}").json()["code"] == room["code"]
    assert dynamodb.list_tables()["TableNames"] == tables
    stored = {item["task_id"]["S"]: item["title"]["S"] for item in project.items("TasksTable")}
    assert stored == {task: title for worker in workers for task, title in worker.titles.items()}
    assert eventually(lambda: audit.clean(project.audit())), "\n".join(audit.lines(project.audit()))

    project.addresses.client("cloudformation").delete_stack(StackName="tasksync")
    assert eventually(lambda: project.stack.version() is None)
    assert dynamodb.list_tables()["TableNames"] == tables
    assert len(project.items("TasksTable")) == len(stored)
