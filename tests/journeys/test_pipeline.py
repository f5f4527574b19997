"""What a pipeline does, by its own commands, against a local AWS: build, package, change set, deploy, destroy.

The SAM CLI uploads the archives and has CloudFormation make the stack by change set. Two things differ from AWS: the
archives are built for this machine, which runs them, and the template is without what the local AWS has not.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from infrastructure import audit, build
from infrastructure.local.clients import ACCESS_KEY, REGION, SECRET_KEY, local_client
from infrastructure.local.edge import Route
from infrastructure.local.ministack import HOST, Server
from infrastructure.template import REPOSITORY
from tasksync import __version__
from tests.journeys.service import eventually
from tests.journeys.workers import Watch, Worker, failures, titles, working
from tests.support.client import Client

STACK = "tasksync-dev"

NEVER_MADE = {
    "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
    "NobodySignals": {
        "Type": "AWS::CloudFormation::WaitCondition",
        "DependsOn": ["PepperSecret", "UsersTable"],
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "1"},
    },
}

LAYER = "layers/tasksync/tasksync/__init__.py"
RELEASE, NEXT = f'"{__version__}"', '"99.0.0"'
HEALTH = "functions/health/health_api/routes.py"

# The limits are those of an installation, where a person makes 120 changes a minute.
_PAUSE_SECONDS = 0.75


class Account:
    """A local AWS with nothing on it, a copy of the code in which the next version is written, and the commands."""

    def __init__(self, folder: Path) -> None:
        self._sources = folder / "sources"
        for name in ("functions", "layers"):
            shutil.copytree(REPOSITORY / name, self._sources / name, ignore=shutil.ignore_patterns("__pycache__"))
        self._built = folder / "built"
        self._server = Server(0, folder / "aws")
        self._server.start()

    def stop(self) -> None:
        self._server.kill()

    def client(self, service: str) -> Any:
        return local_client(service, self._server.aws_endpoint)

    @property
    def outputs(self) -> dict[str, str]:
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def items(self, table: str) -> list[dict[str, Any]]:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs[table])
        return [item for page in pages for item in page["Items"]]

    def write(self, file: str, old: str, new: str) -> None:
        path = self._sources / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, file
        path.write_text(text.replace(old, new), encoding="utf-8")

    def build(self, more: Mapping[str, Any] = MappingProxyType({})) -> None:
        """``more``: resources beside those of the template."""
        build.build_for_local_aws(self._built, self._sources, more)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE"))} | {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self._server.aws_endpoint,
            "SAM_CLI_TELEMETRY": "0",
        }
        return subprocess.run(  # noqa: S603  # the command under test
            ["make", "--no-print-directory", *arguments],  # noqa: S607  # as a pipeline calls it
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def deploy(self) -> subprocess.CompletedProcess[str]:
        """As the pipelines do, with what was built before."""
        url = f"{self._server.aws_endpoint}/restapis/{{ApiId}}/live/_user_request_"
        return self.make("deploy", "ENV=dev", "BUILT=1", f"BUILT_IN={self._built}", f"URL={url}", "CI=1")

    def open(self) -> str:
        """The address of the API that was deployed."""
        Route.write(self._server.route, self.outputs["ApiId"], "live", {})
        return f"http://{HOST}:{self._server.port}"


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    account = Account(tmp_path)
    yield account
    account.stop()


def fail_at_first(account: Account) -> None:
    """A first deployment that fails, and that leaves no data and no secret, only a stack that has to be deleted."""
    account.build(NEVER_MADE)
    for said in ("The deployment failed.", "The first deployment of tasksync-dev failed"):
        failed = account.deploy()
        assert failed.returncode != 0
        assert said in failed.stderr
        assert "Remove what is left of it with make destroy ENV=…, then deploy again." in failed.stderr
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert account.client("secretsmanager").list_secrets()["SecretList"] == []
    gone = account.make("destroy", "ENV=dev", f"CONFIRM={STACK}")
    assert gone.returncode == 0, gone.stderr
    first, *kept = gone.stdout.splitlines()
    assert first.startswith(f"{STACK} is deleted.")
    assert {line.split()[0] for line in kept} == {"AWS::Lambda::LayerVersion"}


def test_an_environment_is_deployed_updated_and_destroyed(account: Account) -> None:
    fail_at_first(account)
    account.build()
    first = account.deploy()
    assert first.returncode == 0, first.stdout + first.stderr
    assert "Successfully created/updated stack - tasksync-dev" in first.stdout
    url = account.open()
    anonymous = Client.over_http(url)
    ann = anonymous.register("ann")
    room = ann.open_room()
    tables = account.client("dynamodb").list_tables()["TableNames"]
    workers = [Worker(url, seed, _PAUSE_SECONDS) for seed in range(2)]
    watch = Watch(account.client("dynamodb"))

    def version() -> str:
        return str(anonymous.get("/health").json()["version"])

    assert version() == __version__
    with working([*workers, watch]):
        account.write(LAYER, RELEASE, NEXT)
        account.build()
        second = account.deploy()
        assert second.returncode == 0, second.stdout + second.stderr
        assert "Removed of former deployments: 0 versions of functions" in second.stdout
        assert version() == "99.0.0"

        # A version that is deployed and does not serve.
        account.write(LAYER, NEXT, '"99.1.0"')
        account.write(HEALTH, "    answering = ", "    raise RuntimeError\n    answering = ")
        account.build()
        broken = account.deploy()
        assert broken.returncode != 0
        assert "The new version does not serve: GET /health" in broken.stderr
        assert "The version before is back, and serves." in broken.stderr
        assert version() == "99.0.0"

    assert failures(workers, watch) == []
    assert min(worker.requests for worker in workers) > 10
    assert anonymous.register("bob").post("/rooms/join", json={"code": room["code"]}).status == 200
    assert account.client("dynamodb").list_tables()["TableNames"] == tables
    stored = account.items("TasksTableV2")
    assert titles(stored) == {task: title for worker in workers for task, title in worker.titles.items()}
    auditing = account.client("lambda"), account.outputs["AuditorFunction"], {"older_than_seconds": 0}
    assert eventually(lambda: audit.clean(audit.audit(*auditing))), "\n".join(audit.lines(audit.audit(*auditing)))

    anonymous.connection.close()
    refused = account.make("destroy", "ENV=prod", "CONFIRM=tasksync-prod")
    assert refused.returncode != 0
    assert "tasksync-prod is production, and not destroyed by a command" in refused.stderr
    gone = account.make("destroy", "ENV=dev", f"CONFIRM={STACK}")
    assert gone.returncode == 0, gone.stdout + gone.stderr
    names = [each["StackName"] for each in account.client("cloudformation").describe_stacks()["Stacks"]]
    assert STACK not in names
    # Data is kept, and named.
    assert account.client("dynamodb").list_tables()["TableNames"] == tables
    assert all(f"AWS::DynamoDB::Table {table}" in gone.stdout for table in tables)
