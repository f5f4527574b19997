"""The front of the local API, with an application in the place of ministack that shows what it was handed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from infrastructure.local import edge
from infrastructure.local.edge import Edge, Message, Receive, Route, Scope, Send
from infrastructure.local.gateway import GatewayResponse

API_PORT = 8000
AWS_PORT = 8001
PREFIX = "/restapis/api1/live/_user_request_"
UNAVAILABLE = GatewayResponse(503, {"gatewayresponse.header.Retry-After": "'1'"}, '{"id": "$context.requestId"}')


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers 200 and what arrived."""
    body = (await receive())["body"]
    headers = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    seen = {
        "path": scope["path"],
        "query": scope["query_string"].decode(),
        "headers": headers,
        "size": len(body),
    }
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(seen).encode()})


@pytest.fixture
def route(tmp_path: Path) -> Route:
    file = tmp_path / "route.json"
    Route.write(file, "api1", "live", {"DEFAULT_5XX": UNAVAILABLE})
    return Route(file)


def scope(
    path: str = "/rooms", *, port: int = API_PORT, query: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Scope:
    """One request, as the server hands it over."""
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": list(headers),
        "server": ("127.0.0.1", port),
        "client": ("127.0.0.1", 50000),
    }


def ask(
    front: Edge,
    path: str = "/rooms",
    *,
    port: int = API_PORT,
    query: bytes = b"",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    body: bytes = b"",
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body of the response to one request."""
    half = len(body) // 2
    arriving: list[Message] = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return arriving.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(front(scope(path, port=port, query=query, headers=headers), receive, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, json.loads(sent[1]["body"] or "null")


def test_any_path_reaches_the_deployed_stage_including_paths_of_ministack(route: Route) -> None:
    for path in ("/health", "/_ministack/reset", "/"):
        _, _, seen = ask(Edge(mirror, API_PORT, route), path)

        assert seen["path"] == PREFIX + path


def test_the_aws_port_serves_only_ministack(route: Route) -> None:
    _, _, seen = ask(Edge(mirror, API_PORT, route), "/_ministack/health", port=AWS_PORT)

    assert seen["path"] == "/_ministack/health"


def test_the_callers_address_is_that_of_the_connection(route: Route) -> None:
    _, _, seen = ask(Edge(mirror, API_PORT, route), headers=((b"x-forwarded-for", b"9.9.9.9"), (b"accept", b"*/*")))

    assert seen["headers"] == [["accept", "*/*"], ["x-forwarded-for", "127.0.0.1"]]


def test_an_aws_signature_is_a_bad_token(route: Route) -> None:
    signature = b"AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/s3/aws4_request"

    _, _, seen = ask(
        Edge(mirror, API_PORT, route),
        headers=((b"authorization", signature),),
        query=b"a=1&X-Amz-Credential=123456789012",
    )

    assert seen["headers"][0] == ["authorization", "AWS4-HMAC-SHA256"]
    assert seen["query"] == "a=1&X-Amz-Credential=-123456789012"


def test_a_bearer_token_is_passed_unchanged(route: Route) -> None:
    _, _, seen = ask(Edge(mirror, API_PORT, route), headers=((b"authorization", b"Bearer abc"),))

    assert seen["headers"][0] == ["authorization", "Bearer abc"]


def test_a_line_break_in_the_path_stays_encoded(route: Route) -> None:
    _, _, seen = ask(Edge(mirror, API_PORT, route), "/users/a\r\nb")

    assert seen["path"] == PREFIX + "/users/a%0D%0Ab"


def test_the_largest_body_passes_and_one_more_byte_is_refused(route: Route) -> None:
    front = Edge(mirror, API_PORT, route)

    _, _, seen = ask(front, body=b"x" * edge.MAX_BODY_BYTES)
    status, _, _ = ask(front, body=b"x" * (edge.MAX_BODY_BYTES + 1))

    assert seen["size"] == edge.MAX_BODY_BYTES
    assert status == 413


def test_headers_above_the_limit_are_refused_and_the_connection_is_closed(route: Route) -> None:
    front, name = Edge(mirror, API_PORT, route), b"x-long"
    largest = edge.MAX_HEADER_BYTES - len(name)

    assert ask(front, headers=((name, b"a" * largest),))[0] == 200
    status, headers, body = ask(front, headers=((name, b"a" * (largest + 1)),))

    assert (status, headers["connection"], body) == (431, "close", None)


def test_an_unknown_route_has_the_response_of_the_template(tmp_path: Path) -> None:
    file = tmp_path / "route.json"
    front = Edge(mirror, API_PORT, Route(file))

    assert front.unknown_route()[0] == 404
    Route.write(file, "api1", "live", {"DEFAULT_4XX": GatewayResponse(410, {}, "gone")})

    assert front.unknown_route() == (410, {"Content-Type": "application/json"}, b"gone")


def test_before_a_deployment_the_service_is_unavailable(tmp_path: Path) -> None:
    status, _, _ = ask(Edge(mirror, API_PORT, Route(tmp_path / "absent.json")))

    assert status == 503


def test_a_later_deployment_is_found_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "route.json"
    Route.write(file, "api1", "live", {})
    front = Edge(mirror, API_PORT, Route(file))
    ask(front)

    Route.write(file, "api2", "live", {})
    _, _, seen = ask(front)

    assert seen["path"] == "/restapis/api2/live/_user_request_/rooms"


def test_requests_above_the_concurrency_limit_wait(route: Route) -> None:
    running, most = 0, 0

    async def busy(_scope: Scope, _receive: Receive, send: Send) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    front = Edge(busy, API_PORT, route)
    answered: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answered.append(message)

    async def all_at_once() -> None:
        await asyncio.gather(*(front(scope(), receive, send) for _ in range(3 * edge.MAX_CONCURRENT_REQUESTS)))

    asyncio.run(all_at_once())

    assert most == edge.MAX_CONCURRENT_REQUESTS
    assert len(answered) == 2 * 3 * edge.MAX_CONCURRENT_REQUESTS


def responding(status: int, body: bytes) -> edge.Application:
    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    return application


def test_the_error_text_of_a_crashed_function_is_hidden(route: Route) -> None:
    died = responding(502, b'{"message": "Task timed out after 20.00 seconds"}')

    status, headers, body = ask(Edge(died, API_PORT, route))

    assert (status, headers["retry-after"], list(body)) == (503, "1", ["id"])


def test_a_function_response_passes_with_any_status(route: Route) -> None:
    refused = responding(502, b'{"type": "about:blank", "message": "no"}')

    status, _, body = ask(Edge(refused, API_PORT, route))

    assert (status, body["message"]) == (502, "no")


@pytest.mark.parametrize(("character", "passes"), [("a", True), ('"', False)])
def test_a_response_over_the_lambda_limit_is_a_502(route: Route, character: str, passes: bool) -> None:
    # In the response of a function, whose body is a text within JSON, a quotation mark of the body is four characters.
    body = json.dumps({"message": "", "title": character * 1_600_000}).encode()

    status, headers, answered = ask(Edge(responding(200, body), API_PORT, route))

    if passes:
        assert (status, len(answered["title"])) == (200, 1_600_000)
    else:
        assert (status, headers["retry-after"], list(answered)) == (503, "1", ["id"])
