"""What a change of a task costs in units of writing, against the table of docs/performance.md."""

import re
from collections.abc import Callable

from infrastructure.template import REPOSITORY
from tests.support.client import Response
from tests.support.product import Product
from tests.support.request_costs import measured_costs

PAGE = REPOSITORY / "docs" / "performance.md"


def test_each_task_change_costs_what_the_page_states(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = ann.open_room()
    bob.join(room)
    fields = {"room_id": room["id"], "user_id": ann.id, "deadline": "2027-01-31T12:00:00Z"}
    first, second, third, fourth = (ann.plan(**fields)["id"] for _ in range(4))
    path = f"/tasks/{first}"
    ann.delete(f"/tasks/{fourth}")
    pair = {**fields, "assignee_ids": [ann.id, bob.id]}
    changes: dict[str, Callable[[], Response]] = {
        "create": lambda: ann.post("/tasks", json={"title": "A", **fields}),
        "create for two people": lambda: ann.post("/tasks", json={"title": "A", **pair}),
        "change the title": lambda: ann.patch(path, json={"title": "B"}),
        "change the status": lambda: ann.patch(path, json={"status": "in progress"}),
        "complete": lambda: ann.patch(path, json={"status": "completed"}),
        "change the deadline": lambda: ann.patch(path, json={"deadline": "2027-02-28T12:00:00Z"}),
        "move within a status": lambda: ann.post(f"/tasks/{second}/move", json={"after": third}),
        "delete (to the trash)": lambda: ann.delete(path),
        "restore": lambda: ann.post(f"{path}/restore"),
        "delete from the trash": lambda: ann.delete(f"/rooms/{room['id']}/trash/{fourth}"),
    }
    measured = {}

    for name, change in changes.items():
        with measured_costs(product.aws) as costs:
            response = change()
        assert response.status < 300, response
        measured[name] = (costs.write_units["TasksTableV2"], costs.write_units.total())

    text = PAGE.read_text(encoding="utf-8").partition("### What the indexes cost")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \|[^|]*?(\d+) \| (\d+) \| (\d*) ?\|$", text, re.MULTILINE)
    assert {name: (int(of_tasks), int(of_all)) for name, of_tasks, of_all, _ in rows} == measured
    assert all(int(of_all) <= int(most) for _, _, of_all, most in rows if most)
