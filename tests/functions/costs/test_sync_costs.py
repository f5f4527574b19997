"""What pages of ``/sync`` ask of DynamoDB for somebody in 100 rooms, against the table of docs/performance.md."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from infrastructure.template import REPOSITORY
from tests.functions.sync.copies import Copy
from tests.support.product import Product
from tests.support.request_costs import measured_costs

PAGE = REPOSITORY / "docs" / "performance.md"


def test_pages_for_somebody_in_100_rooms_cost_what_the_page_states(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    product.aws.deploy(LogLevel="INFO")
    ann = product.register("ann")
    rooms = [ann.open_room()["id"] for _ in range(100)]
    product.deliver()
    copy = Copy(ann, limit=200)
    copy.pull()
    changes: dict[str, Callable[[], Any]] = {
        "nothing": lambda: None,
        "50 tasks of one room": lambda: [ann.plan(room_id=rooms[0]) for _ in range(50)],
        "50 tasks of 50 rooms": lambda: [ann.plan(room_id=room_id) for room_id in rooms[:50]],
        "50 rooms": lambda: [ann.patch(f"/rooms/{room_id}", json={"name": "New"}) for room_id in rooms[:50]],
    }
    measured = []

    for what, change in changes.items():
        change()
        product.deliver()
        capsys.readouterr()
        with measured_costs(product.aws) as costs:
            page = copy.next()
        copy.apply(page)
        [line] = [each for each in map(json.loads, capsys.readouterr().out.splitlines()) if each["event"] == "request"]
        calls = (line[name] - costs.leases for name in ("round_trips_in_sequence", "round_trips"))
        measured.append((what, *map(str, (*calls, costs.items, f"{costs.units:g}"))))
        assert not page["more"]
        assert len(page["tasks"]) == (50 if "tasks" in what else 0)

    text = PAGE.read_text(encoding="utf-8").partition("### Pages of a copy")[2].partition("\n##")[0]
    written = [tuple(row.split(" | ")) for row in re.findall(r"^\| (\w.*) \|$", text, re.MULTILINE)][1:]
    assert written == measured, "\n".join("| " + " | ".join(row) + " |" for row in measured)
    assert [int(row[1]) <= most for row, most in zip(measured, (1, 3, 3, 3), strict=True)] == [True] * 4
