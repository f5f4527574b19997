"""Limits that hold however many ask at the same moment, over real connections."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from infrastructure import template as template_file
from infrastructure import throttles
from tests.journeys.service import PARAMETERS, Service, at_once
from tests.support import builders
from tests.support.client import Client, Person, Response
from tests.support.problems import problem


def all_at_once(service: Service, number: int, call: Callable[[Client, int], Response]) -> list[Response]:
    """The responses to so many calls, each on a connection of its own."""
    with ExitStack() as connections:
        clients = [Client.over_http(service.addresses.api_url, seconds=120) for _ in range(number)]
        for client in clients:
            connections.callback(client.connection.close)
        return at_once([partial(call, client, each) for each, client in enumerate(clients)])


@contextmanager
def quota(service: Service, function: str, name: str, number: int) -> Iterator[None]:
    """For the block, lowers one limit of one function."""
    before = service.variables(function)["RATE_LIMITS"]
    with service.configured(function, RATE_LIMITS=re.sub(rf"\b{name}=\d+", f"{name}={number}", before)):
        yield


@contextmanager
def throttled(service: Service, route: str, rate: float, burst: int) -> Iterator[None]:
    """For the block, the gateway lets through so many requests a second of one route, such as ``POST /auth/login``."""
    gateway = service.addresses.client("apigateway")
    stage = {"restApiId": service.addresses.outputs["ApiId"], "stageName": "live"}
    before = throttles.of_stage(gateway.get_stage(**stage))[route]
    method, _, path = route.partition(" ")

    def throttle(rate: float, burst: int) -> None:
        setting = f"/{path.replace('/', '~1')}/{method}/throttling"
        fields = {"rateLimit": rate, "burstLimit": burst}.items()
        patches = [{"op": "replace", "path": f"{setting}/{name}", "value": str(value)} for name, value in fields]
        gateway.update_stage(**stage, patchOperations=patches)

    throttle(rate, burst)
    try:
        yield
    finally:
        throttle(before.rate, before.burst)


def guess_code(client: Client, _number: int = 0) -> Response:
    return client.post("/rooms/join", json={"code": "AAAAAAAAA"})


def with_time_left(service: Service, seconds: int) -> Person:
    """Somebody who has joined once, unsuccessfully, and whose minute ends no sooner than in so many seconds."""
    while True:
        person = service.register("ann")
        told = re.search(r'"join";r=\d+;t=(\d+)', guess_code(person).headers["RateLimit"])
        assert told is not None
        if int(told[1]) >= seconds:
            return person


def test_of_fifty_concurrent_guesses_ten_are_checked(service: Service) -> None:
    ann = service.register("ann")

    def guess(client: Client, number: int) -> Response:
        body = {"username": ann.username, "password": "not the password"}
        return client.post("/auth/login", json=body, headers={"X-Forwarded-For": f"198.51.100.{number}"})

    responses = all_at_once(service, 50, guess)

    assert Counter(response.status for response in responses) == {401: 10, 429: 40}
    refused = [response for response in responses if response.status == 429]
    assert all(problem(response, 429, "rate_limited") for response in refused)
    assert all(0 < int(response.headers["Retry-After"]) <= 60 for response in refused)
    right = {"username": ann.username, "password": ann.password}
    problem(service.anonymous.post("/auth/login", json=right), 429, "rate_limited")


def test_concurrent_joins_cannot_exceed_the_limit(service: Service) -> None:
    with quota(service, "RoomsFunction", "join", 12):
        ann = with_time_left(service, 30)

        def guess(client: Client, _number: int) -> Response:
            client.access_token = ann.access_token
            return guess_code(client)

        responses = all_at_once(service, 30, guess)

    assert Counter(response.status for response in responses) == {404: 11, 429: 19}


def test_the_remaining_quota_is_reported_over_http(service: Service) -> None:
    ann = service.register("ann")

    responses = [ann.get("/rooms"), ann.post("/tasks", json=builders.task())]

    assert [response.headers["RateLimit-Policy"] for response in responses] == [
        '"read";q=60000;w=60',
        '"write";q=12000;w=60',
    ]
    assert [response.headers["RateLimit"].partition(";t=")[0] for response in responses] == [
        '"read";r=59999',
        '"write";r=11999',
    ]


def test_the_gateway_stage_has_the_throttles_of_the_template(service: Service) -> None:
    gateway, api_id = service.addresses.client("apigateway"), service.addresses.outputs["ApiId"]
    template = template_file.load()
    given = template_file.local_values(template) | PARAMETERS
    values = template_file.parameter_values(template, given)

    [stage] = gateway.get_stages(restApiId=api_id)["item"]

    assert stage["stageName"] == "live"
    assert throttles.of_stage(stage) == throttles.wanted(template["Resources"]["Api"]["Properties"], values)


def test_a_throttle_of_a_nested_path_stops_a_flood_before_any_function(service: Service) -> None:
    with throttled(service, "POST /auth/login", rate=0.001, burst=3):
        responses = [service.anonymous.post("/auth/login", json={}) for _ in range(6)]

    assert Counter(response.status for response in responses) == {422: 3, 429: 3}
    assert all(problem(response, 429, "rate_limited") for response in responses if response.status == 429)
