"""Functions from their archives alone, under the program that Lambda starts them with.

The events are those by which the SAM CLI stands for API Gateway and DynamoDB streams (`sam local generate-event`).
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from infrastructure import package
from infrastructure.build import unpacked
from infrastructure.local.clients import ACCESS_KEY, REGION, SECRET_KEY
from infrastructure.local.stack import KEPT_ARCHIVES
from infrastructure.template import REPOSITORY
from tests.journeys.service import Service
from tests.support.lambda_runtime import BuiltFunction
from tests.support.stack import Stack

EVENTS = Path(__file__).with_name("events")
STACK = Stack()

# Unpacked, without the AWS SDK, which the runtime has. OpenSSL is the half of what signs or verifies tokens.
MOST_BYTES = 15 * 1024 * 1024
MOST_BYTES_WITH_SIGNATURES = 32 * 1024 * 1024

Start = Callable[..., BuiltFunction]


@pytest.fixture(scope="module")
def archives() -> dict[str, Path]:
    """Built for this machine, by the same recipes as for Lambda."""
    return package.build(STACK.template, REPOSITORY, KEPT_ARCHIVES)


@pytest.fixture
def start(service: Service, archives: dict[str, Path], tmp_path: Path) -> Iterator[Start]:
    """Starts a function, by its name in the template, with the variables that it has in the running stack."""
    resources = service.addresses.client("cloudformation").describe_stack_resources(StackName="tasksync")
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources["StackResources"]}

    with ExitStack() as running:

        def begin(function: str, *, without: str = "") -> BuiltFunction:
            configuration = service.addresses.client("lambda").get_function_configuration(FunctionName=names[function])
            variables = configuration["Environment"]["Variables"] | {
                "AWS_ACCESS_KEY_ID": ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_ENDPOINT_URL": service.addresses.aws_endpoint,
            }
            parts = [archives[name] for name in (function, *STACK.layers(function)) if name != without]
            handler = STACK.functions[function]["Handler"]
            return running.enter_context(BuiltFunction(handler, parts, variables, tmp_path / function))

        yield begin


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def request(method: str, path: str, body: Any = None, **authorizer: str) -> Any:
    """An event of API Gateway; with ``authorizer``, of somebody who is signed in."""
    proxy = event("rest_proxy")
    proxy |= {"httpMethod": method, "resource": path, "path": path}
    proxy["pathParameters"] = dict.fromkeys(re.findall(r"\{(\w+)\}", path), "nothing-here") or None
    proxy["requestContext"] |= {"httpMethod": method, "resourcePath": path, "path": f"/live{path}"}
    proxy["headers"]["Content-Type"] = "application/json"
    proxy["multiValueHeaders"]["Content-Type"] = ["application/json"]
    if body is not None:
        proxy["body"] = json.dumps(body)
    if authorizer:
        proxy["requestContext"]["authorizer"] = authorizer
    return proxy


def question(token: str) -> Any:
    """An event of API Gateway to an authorizer of type REQUEST."""
    asked = event("request_authorizer")
    asked["headers"]["Authorization"] = f"Bearer {token}"
    asked["multiValueHeaders"] = {name: [value] for name, value in asked["headers"].items()}
    return asked


def handshake() -> Any:
    """An event of a WebSocket API to its authorizer, without a ticket."""
    asked = event("request_authorizer")
    asked["requestContext"] |= {"eventType": "CONNECT", "routeKey": "$connect", "connectionId": "Y29ubmVjdGlvbg=="}
    return asked


def unchanged_connections(user_id: str) -> Any:
    """A batch of the live table's stream, after which nothing is to be closed."""
    image = {"live_id": {"S": user_id}, "version": {"N": "1"}}
    batch = records(event("dynamodb_stream")["Records"][1], {"live_id": {"S": user_id}})
    batch["Records"][0]["dynamodb"] |= {"OldImage": image, "NewImage": image}
    return batch


def records(template: Any, *keys: dict[str, Any]) -> Any:
    """A batch of a stream, each record like the one given, of other keys."""
    batch = []
    for number, own in enumerate(keys):
        record = json.loads(json.dumps(template))
        record["dynamodb"] |= {"Keys": own, "SequenceNumber": f"44215845000000000174504390{number:02}"}
        batch.append(record)
    return {"Records": batch}


def test_a_new_user_registers_is_authorized_and_opens_a_room(start: Start) -> None:
    credentials = {"username": "built", "password": "violet kettle drum 17"}

    registered = start("AuthFunction").invoke(request("POST", "/auth/register", credentials)).response
    token = json.loads(registered["body"])["access_token"]
    let_in = start("AuthorizerFunction").invoke(question(token)).response
    opened = start("RoomsFunction").invoke(request("POST", "/rooms", {"name": "Built"}, **let_in["context"])).response

    assert registered["statusCode"] == 201
    assert [statement["Effect"] for statement in let_in["policyDocument"]["Statement"]] == ["Allow"]
    assert opened["statusCode"] == 201
    assert json.loads(opened["body"])["name"] == "Built"


def test_the_authorizer_denies_with_a_code_and_raises_unauthorized_without_a_token(start: Start) -> None:
    authorizer = start("AuthorizerFunction")

    denied = authorizer.invoke(question("no.good.token")).response
    without = question("none")
    del without["multiValueHeaders"]["Authorization"]
    nobody = authorizer.invoke(without)

    assert [statement["Effect"] for statement in denied["policyDocument"]["Statement"]] == ["Deny"]
    assert denied["context"]["code"] == "token_malformed"
    assert nobody.response is None
    assert nobody.error["errorMessage"] == "Unauthorized"


def test_a_batch_is_processed_up_to_the_record_that_had_no_time(service: Service, start: Start) -> None:
    ann = service.register()
    room, table = ann.open_room(), service.addresses.outputs["RoomsTable"]
    dynamodb = service.addresses.client("dynamodb")
    item = dynamodb.get_item(TableName=table, Key=_key(room["id"]))["Item"]
    # Put, not changed: nothing but this test cleans it up.
    dead = {"room_id": {"S": "room_0123456789abcdefghjkmnpqrs"}, "member_count": {"N": "0"}, "admin_count": {"N": "0"}}
    dynamodb.put_item(TableName=table, Item={**item, **dead})
    task = dynamodb.query(
        TableName=service.addresses.outputs["TasksTableV2"],
        KeyConditionExpression="owner_id = :room",
        ExpressionAttributeValues={":room": {"S": ann.plan(room_id=room["id"])["room_id"]}},
    )["Items"][-1]
    dynamodb.put_item(TableName=service.addresses.outputs["TasksTableV2"], Item={**task, "owner_id": dead["room_id"]})
    batch = records(
        event("dynamodb_stream")["Records"][1], _key("room_gone"), _key(dead["room_id"]["S"]), _key("room_gone_too")
    )
    function = start("RoomCleanupFunction")

    hurried, unhurried = function.invoke(batch, seconds=4), function.invoke(batch, seconds=60)

    second = batch["Records"][1]["dynamodb"]["SequenceNumber"]
    assert hurried.response == {"batchItemFailures": [{"itemIdentifier": second}]}
    assert unhurried.response == {"batchItemFailures": []}
    assert dead["room_id"]["S"] not in {task["owner_id"] for task in service.items("TasksTableV2")}


def test_a_function_without_a_layer_does_not_start(start: Start) -> None:
    function = start("RoomsFunction", without="DependenciesLayer")

    assert "Unable to import module 'rooms_api.routes': No module named" in function.failure_to_start()["errorMessage"]


@pytest.mark.parametrize("function", STACK.functions)
def test_every_function_starts_and_serves_its_purpose(function: str, service: Service, start: Start) -> None:
    routes = STACK.events(function, "Api")
    ann = service.register()
    caller = {"user_id": ann.id, "session_id": "ses_0123456789abcdefghjkmnpqrs", "role": "user"}

    if routes:
        outcome = start(function).invoke(request(routes[0]["Method"], routes[0]["Path"], **caller))
        assert outcome.response["statusCode"] < 500
    elif function == "LiveFunction":
        assert start(function).invoke(unchanged_connections(ann.id)).response == {"batchItemFailures": []}
    elif STACK.events(function, "DynamoDB") or STACK.events(function, "SQS"):
        assert start(function).invoke({"Records": []}).response == {"batchItemFailures": []}
    elif function == "ConnectionsFunction":
        assert start(function).invoke(handshake()).response["principalId"] == "nobody"
    elif function == "AuthorizerFunction":
        assert start(function).invoke(question(str(ann.access_token))).response["principalId"] == ann.id
    else:
        assert start(function).invoke({}).error is None


def _key(room_id: str) -> dict[str, Any]:
    return {"room_id": {"S": room_id}, "item": {"S": "ROOM"}}


@pytest.mark.parametrize("function", STACK.functions)
def test_a_function_with_its_layers_is_small(archives: dict[str, Path], function: str) -> None:
    layers = STACK.layers(function)

    size = sum(unpacked(archives[name]) for name in (function, *layers))

    assert size <= (MOST_BYTES_WITH_SIGNATURES if "SigningLayer" in layers else MOST_BYTES)
