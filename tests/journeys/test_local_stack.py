"""The local stack itself: started, stopped, killed and deployed again, with a function small enough to be quick."""

import http.client
import json
import os
import re
import resource
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import processes
from infrastructure.local.addresses import Addresses, running_addresses
from infrastructure.local.errors import DeploymentFailed, LocalStackError
from infrastructure.local.stack import LocalStack
from tests.journeys.service import eventually

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  DeletionProtection: {Type: String}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: live
      GatewayResponses:
        DEFAULT_5XX:
          StatusCode: 503
          ResponseTemplates: {application/json: '{"request_id": "$context.requestId"}'}
  HealthFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: health/
      Handler: handler.handler
      Environment: {Variables: {NOTES_TABLE: !Ref Notes}}
      Events:
        Health: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /health, Method: GET}}
  Notes:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
Outputs:
  ApiId: {Value: !Ref Api}
  Notes: {Value: !Ref Notes}
"""

HANDLER = """
import json

def handler(event, context):
    if event["queryStringParameters"]:
        raise SystemError("a secret")
    body = {"answer": "first", "caller": event["requestContext"]["identity"]["sourceIp"]}
    return {"statusCode": 200, "body": json.dumps(body)}
"""

# Copies the ids of new notes into another table, once there is an item there that says that it may.
COPIES = """
  Copies:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  CopyFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: health/
      Handler: handler.copy
      Environment: {Variables: {COPIES_TABLE: !Ref Copies}}
      Policies: [{Statement: [{Effect: Allow, Action: "dynamodb:*", Resource: "*"}]}]
      Events:
        Notes: {Type: DynamoDB, Properties: {Stream: !GetAtt Notes.StreamArn, StartingPosition: TRIM_HORIZON}}
Outputs:
  Copies: {Value: !Ref Copies}
"""

COPY = """
import os
from botocore.session import Session

def copy(event, context):
    table, dynamodb = os.environ["COPIES_TABLE"], Session().create_client("dynamodb")
    if "Item" not in dynamodb.get_item(TableName=table, Key={"id": {"S": "open"}}):
        raise RuntimeError("not yet")
    for record in event["Records"]:
        dynamodb.put_item(TableName=table, Item=record["dynamodb"]["Keys"])
"""


class Project:
    """A folder with a template and a function, and local stacks of it that share their data."""

    def __init__(self, folder: Path) -> None:
        self.template = folder / "template.yaml"
        self.data = folder / "data"
        self._handler = folder / "health" / "handler.py"
        self._handler.parent.mkdir()
        self.write(TEMPLATE, HANDLER)
        self.started: list[LocalStack] = []

    def write(self, template: str, handler: str) -> None:
        self.template.write_text(textwrap.dedent(template))
        self._handler.write_text(textwrap.dedent(handler))

    def stack(self) -> LocalStack:
        stack = LocalStack(0, self.data, template=self.template)
        self.started.append(stack)
        return stack


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    for stack in made.started:
        stack.kill()


def get(addresses: Addresses, path: str, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(addresses.api_url.removeprefix("http://"), timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def note(addresses: Addresses, identifier: str, table: str = "Notes", **attributes: Any) -> None:
    item = {"id": {"S": identifier}, **attributes}
    addresses.client("dynamodb").put_item(TableName=addresses.outputs[table], Item=item)


def notes(addresses: Addresses, table: str = "Notes") -> set[str]:
    items = addresses.client("dynamodb").scan(TableName=addresses.outputs[table])["Items"]
    return {item["id"]["S"] for item in items}


def saved(project: Project) -> dict[str, bytes]:
    """The files that the data is in."""
    return {path.name: path.read_bytes() for path in (project.data / "state").glob("*.sqlite")}


def interrupt_at(word: str) -> Callable[[str], None]:
    """Ctrl-C as soon as a line of the progress begins so."""

    def progress(line: str) -> None:
        if line.startswith(word):
            raise KeyboardInterrupt

    return progress


def test_the_api_is_served_without_a_stage_like_behind_the_gateway(project: Project) -> None:
    with project.stack() as addresses:
        responses = {
            "health": get(addresses, "/health", **{"X-Forwarded-For": "9.9.9.9"}),
            "elsewhere": get(addresses, "/_ministack/health"),
            "crash": get(addresses, "/health?crash=1"),
        }

    assert responses["health"] == (200, {"answer": "first", "caller": "127.0.0.1"})
    assert responses["elsewhere"][0] == 403
    assert responses["crash"][0] == 503
    assert list(responses["crash"][1]) == ["request_id"]


def test_data_survives_a_clean_stop_and_changed_code_is_served_after_the_next_start(project: Project) -> None:
    with project.stack() as addresses:
        note(addresses, "kept")
    project.write(TEMPLATE, HANDLER.replace("first", "second"))

    with project.stack() as addresses:
        assert notes(addresses) == {"kept"}
        assert get(addresses, "/health")[1]["answer"] == "second"


def test_a_new_route_is_served_after_the_next_start(project: Project) -> None:
    with project.stack() as addresses:
        assert get(addresses, "/more")[0] == 403
    more = "More: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /more, Method: GET}}"
    project.write(TEMPLATE.replace("Events:\n", f"Events:\n        {more}\n"), HANDLER)

    with project.stack() as addresses:
        assert get(addresses, "/more")[0] == 200


def test_a_failed_deployment_leaves_the_data_and_no_process(project: Project) -> None:
    with project.stack() as addresses:
        note(addresses, "kept")
    index = "{IndexName: i, KeySchema: [{AttributeName: nowhere, KeyType: HASH}], Projection: {ProjectionType: ALL}}"
    indexes = f"GlobalSecondaryIndexes: [{index}]"
    project.write(TEMPLATE.replace("BillingMode:", f"{indexes}\n      BillingMode:"), HANDLER)
    broken = project.stack()

    with pytest.raises(DeploymentFailed, match=r"Notes \(AWS::DynamoDB::Table\)"):
        broken.start()

    assert not broken.alive()
    project.write(TEMPLATE, HANDLER)
    with project.stack() as addresses:
        assert notes(addresses) == {"kept"}


def test_a_failed_update_leaves_the_previous_version_running(project: Project) -> None:
    stack = project.stack()
    addresses = stack.start()
    note(addresses, "kept")
    index = "{IndexName: i, KeySchema: [{AttributeName: nowhere, KeyType: HASH}], Projection: {ProjectionType: ALL}}"
    indexes = f"GlobalSecondaryIndexes: [{index}]"
    project.write(
        TEMPLATE.replace("BillingMode:", f"{indexes}\n      BillingMode:"), HANDLER.replace("first", "second")
    )

    with pytest.raises(DeploymentFailed, match=r"Notes \(AWS::DynamoDB::Table\)"):
        stack.deploy()

    stacks = addresses.client("cloudformation").describe_stacks(StackName="tasksync")["Stacks"]
    assert [each["StackStatus"] for each in stacks] == ["UPDATE_ROLLBACK_COMPLETE"]
    assert get(addresses, "/health")[1]["answer"] == "first"
    assert notes(addresses) == {"kept"}


def test_a_killed_stack_restarts_with_data_acknowledged_two_seconds_before(project: Project) -> None:
    killed = project.stack()
    addresses = killed.start()
    note(addresses, "kept")
    addresses.client("sqs").create_queue(QueueName="also-kept")
    time.sleep(2)

    killed.kill()

    assert not killed.alive()
    with project.stack() as addresses:
        assert notes(addresses) == {"kept"}
        assert addresses.client("sqs").list_queues(QueueNamePrefix="also-kept")["QueueUrls"]


def test_stream_records_pending_at_a_kill_are_processed_after_the_start(project: Project) -> None:
    streamed = TEMPLATE.replace("BillingMode:", "StreamSpecification: {StreamViewType: KEYS_ONLY}\n      BillingMode:")
    project.write(streamed.replace("Outputs:\n", COPIES.lstrip("\n")), HANDLER + COPY)
    killed = project.stack()
    addresses = killed.start()
    for number in range(3):
        note(addresses, f"note{number}")
    time.sleep(2)
    killed.kill()

    with project.stack() as addresses:
        note(addresses, "open", "Copies")

        assert eventually(lambda: notes(addresses, "Copies") == {"open", "note0", "note1", "note2"})


def test_an_interrupted_start_leaves_the_data_unchanged(project: Project) -> None:
    with project.stack() as addresses:
        note(addresses, "kept")
    before = saved(project)

    with pytest.raises(KeyboardInterrupt):
        LocalStack(0, project.data, template=project.template, progress=interrupt_at("Waiting")).start()

    assert saved(project) == before


def test_damaged_data_is_replaced_by_its_copy_and_reported(project: Project) -> None:
    with project.stack() as addresses:
        note(addresses, "kept")
    file = project.data / "state" / "state.sqlite"
    file.write_bytes(file.read_bytes()[:-5000])
    said: list[str] = []

    with LocalStack(0, project.data, template=project.template, progress=said.append) as addresses:
        assert notes(addresses) == {"kept"}

    assert [line for line in said if "damaged" in line] == [line for line in said if line.startswith(f"{file} is ")]


def test_a_full_disk_is_reported_and_loses_no_earlier_data(project: Project) -> None:
    stack = project.stack()
    addresses = stack.start()
    note(addresses, "kept")
    time.sleep(2)
    # Other tests' stacks may run, too.
    own = ("infrastructure.local.server", str(project.data / "state"))
    [server] = [pid for pid in processes.family(os.getpid()) if processes.running(pid, *own)]
    size = (project.data / "state" / "state.sqlite").stat().st_size
    resource.prlimit(server, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    note(addresses, "unsaved", text={"S": "x" * 100_000})

    said: list[str] = []

    def reported() -> bool:
        said.extend(stack.reports())
        return bool(said)

    assert eventually(reported)
    assert re.fullmatch(
        r"What changes since [0-9:]+ is not saved \(.*disk.*\); this is tried again and again\.", said[0]
    )
    with pytest.raises(LocalStackError, match=r"^What has changed since [0-9:]+ was not saved \(.*disk.*\)"):
        stack.stop()
    with project.stack() as addresses:
        assert notes(addresses) == {"kept"}


def test_a_running_stack_is_found_and_a_second_on_its_data_is_refused(project: Project) -> None:
    with project.stack() as addresses:
        assert running_addresses(project.data) == addresses
        with pytest.raises(LocalStackError, match="Another local stack is running"):
            project.stack().start()

    with pytest.raises(LocalStackError, match="No local stack is running"):
        running_addresses(project.data)
