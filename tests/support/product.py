"""The whole product in process: gateway, functions, tables and streams of one fresh account."""

from typing import Any

import httpx

from infrastructure import reset_password
from tests.support.aws import LOCK, Aws
from tests.support.client import Client, Person
from tests.support.gateway import Gateway
from tests.support.live import LiveGateway, Socket
from tests.support.streams import Delivery, Streams


class Product:
    """What a test of behaviour needs: people who use the API, and the moment when streams are read."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.gateway = Gateway(aws)
        self.live = LiveGateway(aws)
        self._streams = Streams(aws)
        self.anonymous = self.at("https://api.example.org")

    def at(self, url: str) -> Client:
        """A client without a token that knows the API by another address."""
        return Client(httpx.Client(base_url=url, transport=self.gateway, trust_env=False))

    def register(self, name: str = "person", **fields: Any) -> Person:
        """Somebody new, signed in."""
        return self.anonymous.register(name, **fields)

    def recovery_token(self, username: str) -> str:
        """For somebody who has forgotten the password, as `make reset-password` issues it."""
        with LOCK:
            return reset_password.issue(self.aws.dynamodb, "UsersTable", username)[1]

    def connect(self, person: Client) -> Socket:
        """A WebSocket for live updates, opened with a new ticket."""
        response = person.post("/live/tickets")
        assert response.status == 201, response
        return self.live.open(response.json()["url"])

    def deliver(self, seconds: float = 60.0, to: str | None = None) -> list[Delivery]:
        """Let the functions behind the streams work until nothing is left, each told that it has ``seconds``.

        ``to``: let only this one work.
        """
        return self._streams.deliver(seconds, to)

    def deliver_some(self, place: int, records: int, again: int) -> list[Delivery]:
        """Let one of the functions behind the streams handle one batch: see ``Streams.deliver_some``."""
        return self._streams.deliver_some(place, records, again)

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, by its name in the template: to see that what must be gone is gone."""
        return self.aws.items(table)
