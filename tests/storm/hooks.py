"""Webhooks of a room that is busy while a storm blows: each entry of its log arrives, or stands in the ledger."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from standardwebhooks import Webhook

from tests.functions.webhooks.receivers import Receiver
from tests.support.client import Person

Json = dict[str, Any]


class Hooks:
    """One ordered webhook and one that is not. Only the functions that send to them are killed now and then."""

    def __init__(self, person: Person, room: Json, head: Callable[[str], int]) -> None:
        """``head``: reads the number of the last entry of a log."""
        self._person = person
        self._room = room
        self._head = head
        self._listening = ExitStack()
        self._receivers = [self._listening.enter_context(Receiver().listening()) for _ in range(2)]
        self._hooks = [self._make(each, ordered=number == 0) for number, each in enumerate(self._receivers)]
        self._since = head(room["id"])

    def _make(self, receiver: Receiver, *, ordered: bool) -> Json:
        body = {"url": receiver.url, "ordered": ordered}
        response = self._person.post(f"/rooms/{self._room['id']}/webhooks", json=body)
        assert response.status == 201, response
        made: Json = response.json()
        return made

    def arrived(self) -> int:
        return sum(len(each.requests) for each in self._receivers)

    def lacking(self) -> list[str]:
        """What has neither arrived nor failed."""
        return [
            f"{hook['id']}: entry {seq}"
            for hook, receiver in zip(self._hooks, self._receivers, strict=True)
            for seq in sorted(self._owed() - {seq for seq, _ in _seen(hook, receiver)} - self._failed(hook))
        ]

    def faults(self) -> Iterator[str]:
        """What was sent otherwise than it should: other ids for one event, events that overtook others."""
        for hook, receiver in zip(self._hooks, self._receivers, strict=True):
            seen = list(_seen(hook, receiver))
            for seq in {seq for seq, _ in seen}:
                if len({message_id for other, message_id in seen if other == seq}) > 1:
                    yield f"{hook['id']}: entry {seq} has several ids"
            first = list(dict.fromkeys(seq for seq, _ in seen))
            if hook["ordered"] and (first != sorted(first) or receiver.most_in_flight > 1):
                yield f"{hook['id']}: {first}, {receiver.most_in_flight} in flight"

    def close(self) -> None:
        self._listening.close()

    def _owed(self) -> set[int]:
        return {*range(self._since + 1, self._head(self._room["id"]) + 1)}

    def _failed(self, hook: Json) -> set[int]:
        path = f"/rooms/{self._room['id']}/webhooks/{hook['id']}/deliveries"
        return {each["seq"] for each in self._person.list(path, status="failed")}


def _seen(hook: Json, receiver: Receiver) -> Iterator[tuple[int, str]]:
    """Entries and message ids of what arrived. Raises an error for a signature that is not good."""
    for request in list(receiver.requests):
        payload = Webhook(hook["secret"]).verify(request.body, request.headers)
        yield payload["data"]["seq"], request.headers["webhook-id"]
