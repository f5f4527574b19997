"""The moto server of `make moto`: seeded from the template, with functions beside it, and safe to use from threads."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from infrastructure import package
from infrastructure.emulation import moto_server, pump, seed
from infrastructure.emulation.variables import all_variables
from infrastructure.local.clients import local_client
from infrastructure.local.errors import PortTaken
from infrastructure.local.stack import KEPT_ARCHIVES
from infrastructure.template import REPOSITORY
from tests.journeys.service import PARAMETERS, at_once, eventually
from tests.support.aws import Aws
from tests.support.client import Client
from tests.support.gateway import Gateway
from tests.support.lambda_runtime import BuiltFunction
from tests.support.short_journey import short_journey
from tests.support.stack import Stack

STACK = Stack({})


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server.serving(moto_server.HOST, 0) as found:
        yield found


class Functions:
    """Each function of the template from its archives, under awslambdaric; also Lambda's API as the pump uses it."""

    def __init__(self, endpoint: str, folder: Path, running: ExitStack) -> None:
        self._archives = package.build(STACK.template, REPOSITORY, KEPT_ARCHIVES)
        self._variables = all_variables(STACK.template, endpoint, {**PARAMETERS, "LogLevel": "ERROR"})
        self._folder = folder
        self._running = running
        self._started: dict[str, BuiltFunction] = {}
        self._starting = threading.Lock()

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803  # as boto3 names them
        outcome = self.function(FunctionName).invoke(json.loads(Payload))
        said = {"Payload": io.BytesIO(json.dumps(outcome.error or outcome.response).encode())}
        return said | ({"FunctionError": "Unhandled"} if outcome.error else {})

    def function(self, name: str) -> BuiltFunction:
        with self._starting:
            if name not in self._started:
                parts = [self._archives[each] for each in (name, *STACK.layers(name))]
                handler = STACK.functions[name]["Handler"]
                built = BuiltFunction(handler, parts, self._variables[name], self._folder / name)
                self._started[name] = self._running.enter_context(built)
            return self._started[name]


class GatewayBefore(Gateway):
    """The gateway in process, before functions that are not."""

    def __init__(self, functions: Functions) -> None:
        super().__init__(cast(Aws, SimpleNamespace(stack=STACK)))
        self._functions = functions

    def _invoke(self, function: str, event: dict[str, Any]) -> Any:
        outcome = self._functions.function(function).invoke(event)
        if outcome.error is not None:
            raise RuntimeError(outcome.error["errorMessage"])
        return outcome.response


def test_the_seeded_server_serves_a_journey(endpoint: str, tmp_path: Path) -> None:
    dynamodb = local_client("dynamodb", endpoint)
    with ExitStack() as running:
        functions = Functions(endpoint, tmp_path, running)
        streams = local_client("dynamodbstreams", endpoint)
        shards = [pump.Shard(each, dynamodb, streams, functions) for each in pump.mappings(STACK.template)]
        connection = running.enter_context(httpx.Client(base_url="http://emulated", transport=GatewayBefore(functions)))

        def soon(holds: Callable[[], object]) -> bool:
            def pumped() -> object:
                for shard in shards:
                    shard.advance()
                return holds()

            return eventually(pumped)

        short_journey(Client(connection), dynamodb, soon)


def test_seeding_again_changes_nothing(endpoint: str) -> None:
    secrets = local_client("secretsmanager", endpoint)
    before = secrets.get_secret_value(SecretId="PepperSecret")["SecretString"]

    created = seed.seed(STACK.template, endpoint)

    assert created == []
    assert secrets.get_secret_value(SecretId="PepperSecret")["SecretString"] == before
    tables = local_client("dynamodb", endpoint).list_tables()["TableNames"]
    assert set(tables) == set(STACK.of_type("AWS::DynamoDB::Table"))


def test_no_write_is_lost_beside_refused_transactions(endpoint: str) -> None:
    dynamodb = local_client("dynamodb", endpoint)
    key, absent = {"user_id": {"S": "counted"}}, {"user_id": {"S": "-"}}
    one = {"ExpressionAttributeValues": {":one": {"N": "1"}}}
    refused = dynamodb.exceptions.TransactionCanceledException

    def add() -> int:
        for _ in range(60):
            dynamodb.update_item(TableName="UsersTable", Key=key, UpdateExpression="ADD n :one", **one)
        return 60

    def be_refused() -> int:
        check = {"TableName": "UsersTable", "Key": absent, "ConditionExpression": "attribute_exists(user_id)"}
        put = {"TableName": "UsersTable", "Item": {"user_id": {"S": "other"}}}
        for _ in range(60):
            with pytest.raises(refused):
                dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"ConditionCheck": check}])
        return 0

    acknowledged = sum(at_once([add, be_refused, add, be_refused]))

    assert int(dynamodb.get_item(TableName="UsersTable", Key=key)["Item"]["n"]["N"]) == acknowledged == 120


def test_a_port_in_use_is_reported_in_one_sentence(endpoint: str) -> None:
    port = int(endpoint.rpartition(":")[2])

    with pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1 is in use"), moto_server.serving("127.0.0.1", port):
        pass


def test_the_page_shows_how_to_call_a_function_in_a_debugger(tmp_path: Path) -> None:
    """As docs/guides/run-locally.md has it: the event and the module there, beside a running `make moto`."""
    page = (REPOSITORY / "docs" / "guides" / "run-locally.md").read_text(encoding="utf-8")
    [launch] = re.findall(r"```json launch\n(.*?)```", page, re.DOTALL)
    [event] = re.findall(r"```json event\n(.*?)```", page, re.DOTALL)
    configuration = json.loads(launch)
    (tmp_path / "event.json").write_text(event, encoding="utf-8")
    with socket.socket() as free:
        free.bind((moto_server.HOST, 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(  # noqa: S603  # the command under test
        [sys.executable, "-m", "infrastructure.emulation.moto_server", "--port", str(port), "--variables", tmp_path],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        while "answers at" not in server.stdout.readline():
            assert server.poll() is None
        function = configuration["args"][0]
        while not (tmp_path / f"{function}.env").exists():
            time.sleep(0.05)
        called = subprocess.run(  # noqa: S603  # the command under test
            [sys.executable, "-m", configuration["module"], function, tmp_path / "event.json", "--variables", tmp_path],
            cwd=REPOSITORY,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=30)
    assert called.returncode == 0, called.stderr
    *_, response = called.stdout.partition("\n{")
    assert json.loads("{" + response)["statusCode"] == 200, called.stdout
    assert server.returncode == 0, output
