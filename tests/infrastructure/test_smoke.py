"""What the check after a deployment takes for healthy, with a small server in place of the API."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from infrastructure.smoke.journey import Client, Unhealthy

Given = tuple[int, dict[str, str], bytes]

AGAIN: Given = (503, {"Retry-After": "0"}, b'{"code": "dependency_failed"}')
CREATED: Given = (201, {}, b'{"id": "room_1"}')


class Api(HTTPServer):
    """Gives these responses, one after the other. ``keys``: of the requests that it has got."""

    def __init__(self, *responses: Given) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.responses = list(responses)
        self.keys: list[str | None] = []


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        self.server.keys.append(self.headers["Idempotency-Key"])
        status, headers, body = self.server.responses.pop(0)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has above
        pass


@contextmanager
def responding(*responses: Given) -> Iterator[tuple[Api, Client]]:
    with Api(*responses) as api:
        thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield api, Client(f"http://127.0.0.1:{api.server_port}")
        finally:
            api.shutdown()
            thread.join()


def test_a_retryable_response_is_retried_with_its_key_and_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with responding(AGAIN, CREATED) as (api, client):
        assert client.ask("POST", "/rooms", 201, {}) == {"id": "room_1"}

    assert len(api.keys) == 2
    assert api.keys[0] == api.keys[1] is not None
    assert capsys.readouterr().err == 'POST /rooms: 503 {"code": "dependency_failed"}; it is sent again\n'


@pytest.mark.parametrize(
    ("responses", "sent"),
    [
        ([AGAIN, AGAIN], 2),
        ([(503, {}, b"{}")], 1),
        ([(500, {"Retry-After": "0"}, b"{}")], 1),
        ([(429, {"Retry-After": "0"}, b"{}")], 1),
    ],
    ids=["503 twice", "503 that says nothing of trying again", "500", "429"],
)
def test_any_other_response_is_a_failed_check(responses: list[Given], sent: int) -> None:
    with responding(*responses) as (api, client), pytest.raises(Unhealthy, match=f"POST /rooms: {responses[-1][0]}"):
        client.ask("POST", "/rooms", 201, {})

    assert len(api.keys) == sent
