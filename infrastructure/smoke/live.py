"""Whether live updates work: tickets, WebSockets, hints."""

import time

from infrastructure.smoke.findings import Check
from infrastructure.smoke.journey import Client
from infrastructure.smoke.websocket import HandshakeRefused, WebSocket

_HINT_WITHIN_SECONDS = 60
_REFUSALS = {401, 403}


def checks(url: str) -> dict[str, Check]:
    """``url``: where the API answers."""
    return {"live updates": lambda: _live_updates(url)}


def _live_updates(url: str) -> list[str]:
    person = Client(url)
    person.sign_up()
    try:
        address = person.ask("POST", "/live/tickets", 201)["url"]
        with WebSocket(address, _HINT_WITHIN_SECONDS) as socket:
            return [*_refusal(address), *_ping(socket), *_hint(person, socket)]
    except HandshakeRefused as refused:
        return [f"a good ticket was refused with HTTP {refused.status}"]
    finally:
        person.ask("DELETE", "/users/me", 204)


def _refusal(address: str) -> list[str]:
    """Of a ticket that is used, and of none."""
    faults = []
    for what, url in (("a used ticket", address), ("no ticket", address.partition("?")[0])):
        try:
            with WebSocket(url, _HINT_WITHIN_SECONDS):
                faults.append(f"{what} opened a WebSocket")
        except HandshakeRefused as refused:
            if refused.status not in _REFUSALS:
                faults.append(f"{what} was refused with HTTP {refused.status}")
    return faults


def _ping(socket: WebSocket) -> list[str]:
    socket.ask({"type": "ping"})
    message = socket.message()
    return [] if message == {"type": "pong"} else [f"the response to a ping was {message}"]


def _hint(person: Client, socket: WebSocket) -> list[str]:
    person.ask("POST", "/rooms", 201, {"name": "Do hints come?"})
    ends = time.monotonic() + _HINT_WITHIN_SECONDS
    while time.monotonic() < ends:
        try:
            message = socket.message(_HINT_WITHIN_SECONDS)
        except TimeoutError:
            break
        if message is None:
            return ["the WebSocket was closed"]
        if message == {"type": "rooms"}:
            return []
    return [f"no hint of a new room within {_HINT_WITHIN_SECONDS} s"]
