"""What a change of a task costs at the tasks table, against the table of docs/performance.md."""

import re
from collections.abc import Callable

from infrastructure.template import REPOSITORY
from tests.support.product import Product
from tests.support.request_costs import measured_costs

PAGE = REPOSITORY / "docs" / "performance.md"


def test_each_task_change_costs_what_the_page_states(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    fields = {"room_id": room["id"], "user_id": ann.id, "deadline": "2027-01-31T12:00:00Z"}
    path = f"/tasks/{ann.plan(**fields)['id']}"
    changes: dict[str, Callable[[], object]] = {
        "create": lambda: ann.plan(**fields),
        "change the title": lambda: ann.patch(path, json={"title": "B"}),
        "change the status": lambda: ann.patch(path, json={"status": "completed"}),
        "change the deadline": lambda: ann.patch(path, json={"deadline": "2027-02-28T12:00:00Z"}),
        "delete": lambda: ann.delete(path),
        "restore": lambda: ann.post(f"{path}/restore"),
        "delete again": lambda: ann.delete(path),
        "delete from the trash": lambda: ann.delete(f"/rooms/{room['id']}/trash/{path.removeprefix('/tasks/')}"),
    }
    measured = {}

    for name, change in changes.items():
        with measured_costs(product.aws) as costs:
            change()
        measured[name] = costs.write_units["TasksTableV2"]

    assert measured.pop("delete again") == measured["delete"] == measured.pop("restore")
    measured["delete (to the trash), restore"] = measured.pop("delete")
    text = PAGE.read_text(encoding="utf-8").partition("### What the indexes cost")[2].partition("\n## ")[0]
    assert {
        name: int(units) for name, units in re.findall(r"^\| ([^|]+) \|[^|]*?(\d+) \|", text, re.MULTILINE)
    } == measured
