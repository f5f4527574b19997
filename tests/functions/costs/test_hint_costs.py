"""What live updates take of what AWS has a price for, against the table of docs/performance.md."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from bench.price import of_live_updates
from infrastructure.template import REPOSITORY
from tests.support.live import Socket
from tests.support.product import Product
from tests.support.request_costs import measured_costs

PAGE = REPOSITORY / "docs" / "performance.md"

_MEMBERS, _SOCKETS = 10, 3
# As bench/mix.py: what Lambda writes for each call, and what CloudWatch adds to each line.
_OF_PLATFORM, _OF_LINE = 600, 26

Row = tuple[str, ...]


def test_hints_cost_what_the_page_states(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    product.aws.deploy(LogLevel="INFO")
    people = [product.register("person") for _ in range(_MEMBERS)]
    room = people[0].open_room()
    for person in people[1:]:
        person.join(room)
    product.deliver()
    sockets: list[Socket] = []

    def change(number: int) -> None:
        """So many changes, as far as the log."""
        for _ in range(number):
            people[0].plan(room_id=room["id"])
        product.deliver(to="ActivityFunction")

    def leave() -> None:
        sockets[0].close()
        product.deliver()

    def row(what: str, act: Callable[[], Any], calls: int) -> Row:
        """``calls``: of functions."""
        capsys.readouterr()
        before = sum(len(socket.messages) for socket in sockets)
        with measured_costs(product.aws) as costs:
            act()
        messages = sum(len(socket.messages) for socket in sockets) - before
        lines = capsys.readouterr().out.splitlines()
        logged = sum(len(line) + _OF_LINE for line in lines) + calls * _OF_PLATFORM
        usd = 1e6 * of_live_updates(calls, costs.units, costs.write_units.total(), messages, logged)
        return what, f"{costs.units:g}", str(costs.write_units.total()), str(messages), str(logged), f"{usd:.2f}"

    change(1)
    measured = [row("a change, nobody connected", lambda: product.deliver(to="LiveFunction"), 1)]
    ticket = people[0].post("/live/tickets").json()["url"]
    measured.append(row("opening a WebSocket", lambda: sockets.append(product.live.open(ticket)), 2))
    sockets += [product.connect(person) for person in people[1:_SOCKETS]]
    product.deliver()
    for number, what in ((1, "a change"), (10, "10 changes in one batch")):
        change(number)
        measured.append(row(f"{what}, 3 WebSockets open", lambda: product.deliver(to="LiveFunction"), 1))
    measured.append(row("a WebSocket that its client closes", leave, 2))

    text = PAGE.read_text(encoding="utf-8").partition("### What a hint costs")[2].partition("\n##")[0]
    written = [tuple(each.split(" | ")) for each in re.findall(r"^\| (\w.*) \|$", text, re.MULTILINE)][1:]
    rows = "\n".join("| " + " | ".join(each) + " |" for each in measured)
    assert [each[:4] for each in written] == [each[:4] for each in measured], rows
    for column in (4, 5):
        shown = [float(each[column]) for each in written]
        assert shown == pytest.approx([float(each[column]) for each in measured], rel=0.05), rows
