"""One request to each function, of the kind that it is there for: what a cold start answers."""

from dataclasses import replace
from typing import Any

import boto3
from botocore.config import Config

from bench.exchanges import Exchange, Json
from bench.recorder import Recorder
from tests.support import function_calls
from tests.support.client import Person
from tests.support.product import Product

# What the last of these asks a function is its first request.
_ASKED = ("/users/me", "/health", "/", "/openapi.json", "/.well-known/jwks.json")

# Called by a schedule or by hand, with an event that says nothing.
_CALLED = ("SweeperFunction", "AuditorFunction", "MigrationsFunction")


def of_streams_and_schedules(product: Product, recorder: Recorder) -> dict[str, Exchange]:
    """Of functions that no request reaches. Where little is stored: the auditor and the migrations read all of it."""
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    product.deliver()
    found = {name: _called(product, recorder, name) for name in _CALLED}
    ann.plan(room_id=room["id"])
    found["ActivityFunction"] = _delivered(product, recorder, "ActivityFunction")
    ann.post(f"/rooms/{room['id']}/users", json={"user_id": bob.id})
    ann.plan(room_id=room["id"], user_id=bob.id)
    bob.delete(f"/rooms/{room['id']}/users/{bob.id}")
    product.deliver(to="ActivityFunction")
    found["DispatchFunction"] = _delivered(product, recorder, "DispatchFunction")
    ann.delete(f"/rooms/{room['id']}/users/{ann.id}")
    found["RoomCleanupFunction"] = _delivered(product, recorder, "RoomCleanupFunction")
    bob.delete("/users/me")
    found["UserRemovalFunction"] = _delivered(product, recorder, "UserRemovalFunction")
    product.deliver()
    return found


def of_api(product: Product, recorder: Recorder, person: Person) -> dict[str, Exchange]:
    """Of the functions behind the gateway, and of its authorizer: the last that each was asked."""
    for path in _ASKED:
        person.get(path)
    _scrape(product)
    product.anonymous.connection.options("/tasks", headers={"Origin": "https://app.example.org"})
    return {name: _asked(product, recorder, name, event) for name, event in dict(recorder.invocations).items()}


def _scrape(product: Product) -> None:
    """Where every route has been answered once, so that there are numbers of all of them."""
    product.aws.make_queues()
    dimensions = [
        [{"Name": "method", "Value": route.method}, {"Name": "route", "Value": route.path}]
        for route in product.gateway.routes
    ]
    requests = [
        {"MetricName": "requests", "Value": 1.0, "Dimensions": [*each, {"Name": "status", "Value": "200"}]}
        for each in dimensions
    ]
    times = [{"MetricName": "milliseconds", "Value": 5.0, "Dimensions": each} for each in dimensions]
    # What is recorded is text.
    plain = Config(disable_request_compression=True)
    boto3.client("cloudwatch", config=plain).put_metric_data(Namespace="tasksync", MetricData=[*requests, *times])
    token = product.aws.secrets.get_secret_value(SecretId="MetricsSecret")["SecretString"]
    product.anonymous.get("/metrics", headers={"Authorization": f"Bearer {token}"})


def _asked(product: Product, recorder: Recorder, function: str, event: Json) -> Exchange:
    """Once more; and what only the first request asks for: a key, a secret, how the tables are."""
    exchange = recorder.exchange(_handler(product, function), function, event)
    return replace(exchange, calls=[*exchange.calls, *recorder.first[function]])


def _called(product: Product, recorder: Recorder, function: str) -> Exchange:
    with recorder.running() as calls:
        response = function_calls.call(product.aws, function, {})
    return Exchange(_handler(product, function), function, {}, response, calls)


def _delivered(product: Product, recorder: Recorder, function: str) -> Exchange:
    with recorder.running() as calls:
        deliveries = product.deliver(to=function)
    event: dict[str, Any] = {"Records": deliveries[0].records}
    if len(deliveries) != 1 or deliveries[0].failed:
        raise RuntimeError(f"{function} was handed {deliveries}")
    reading = "DynamoDBStreams"
    own = [call for call in calls if not call.target.startswith(reading)]
    return Exchange(_handler(product, function), function, event, {"batchItemFailures": []}, own)


def _handler(product: Product, function: str) -> str:
    handler: str = product.aws.stack.functions[function]["Handler"]
    return handler
