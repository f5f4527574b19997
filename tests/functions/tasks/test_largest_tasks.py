"""Tasks as large as they can be: their costs and responses, against the tables of docs/performance.md."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from infrastructure.template import REPOSITORY
from tasksync.dynamodb.tasks.items import task_key
from tasksync.dynamodb.tasks.mapper import TASK, with_description
from tasksync.model import times
from tasksync.model.entities import Assignment, Task
from tasksync.model.times import new_task_id
from tests.support.aws import LOCK
from tests.support.client import Response
from tests.support.product import Product
from tests.support.random_tasks import stored_items
from tests.support.request_costs import measured_costs
from tests.support.stored_tasks import TABLE
from tests.support.tasks_table import TasksTable

PAGE = REPOSITORY / "docs" / "performance.md"

# No character takes more bytes: in UTF-8, or in JSON within JSON, as Lambda passes it on.
LONGEST, OTHER = "\N{GRINNING FACE}" * 10_000, "\N{WINKING FACE}" * 10_000
TITLE = LONGEST[:255]
TASKS = 100


def test_the_largest_task_costs_what_the_page_states(product: Product) -> None:
    ann, *others = (product.register("person") for _ in range(21))
    room = ann.open_room()
    for person in others:
        person.join(room)
    first, second = ([person.id for person in part] for part in (others[:10], others[10:]))
    fields = {"title": TITLE, "description": LONGEST, "room_id": room["id"], "deadline": "2027-01-31T12:00:00.123Z"}
    own = f"/tasks/{ann.plan(**fields)['id']}"
    shared = f"/tasks/{ann.plan(**fields, assignee_ids=first)['id']}"
    everything = {"assignee_ids": second, "description": OTHER, "status": "completed"}
    requests: dict[str, Callable[[], Response]] = {
        "create": lambda: ann.post("/tasks", json=fields),
        "create for ten people": lambda: ann.post("/tasks", json={**fields, "assignee_ids": first}, headers=_key("a")),
        "get": lambda: ann.get(own),
        "change the title": lambda: ann.patch(own, json={"title": OTHER[:255]}),
        "change the status": lambda: ann.patch(own, json={"status": "in progress"}),
        "complete": lambda: ann.patch(own, json={"status": "completed"}),
        "change the description": lambda: ann.patch(own, json={"description": OTHER}),
        "complete, describe anew and assign to ten others": lambda: ann.patch(
            shared, json=everything, headers=_key("b")
        ),
        "delete (to the trash)": lambda: ann.delete(own),
        "restore": lambda: ann.post(f"{own}/restore"),
    }
    measured = {}

    for name, request in requests.items():
        with measured_costs(product.aws) as costs:
            response = request()
        assert response.status < 300, response
        size = len(response.text.encode())
        measured[name] = (f"{costs.units:g}", str(costs.write_units.total()), str(costs.writes), f"{size:,}")

    assert _rows("| request | units of reading | units of writing | items written |") == measured
    # DynamoDB accepts 100 items in a transaction.
    assert max(int(items) for _, _, items, _ in measured.values()) < 100


def test_responses_of_the_largest_tasks_are_as_long_as_the_page_states(product: Product) -> None:
    ann = product.register("ann")
    room_id = ann.open_room()["id"]
    room = f"/rooms/{room_id}"
    planned = ann.plan(room_id=room_id, title=TITLE, description=LONGEST, deadline="2027-01-31T12:00:00.123Z")
    task = _for_ten(_stored(product, planned["id"]))
    tasks = [*_copies(task), *_copies(replace(task, trashed_at=times.now(), trashed_by=ann.id))]
    properties = product.aws.stack.of_type("AWS::DynamoDB::Table")[TABLE]
    table = TasksTable(properties, stored_items(tasks), product.aws.dynamodb)
    ids = [task.id for task in tasks[:TASKS]]
    requests: dict[str, Callable[[], Response]] = {
        "list of a room": lambda: ann.get(f"{room}/tasks?limit=100"),
        "by deadline": lambda: ann.get(f"{room}/tasks?limit=100&sort=deadline"),
        "by priority": lambda: ann.get(f"{room}/tasks?limit=100&sort=priority"),
        "in the manual order": lambda: ann.get(f"{room}/tasks?limit=100&sort=rank"),
        "of one person": lambda: ann.get(f"{room}/tasks?limit=100&user_id=me"),
        "`GET /tasks`": lambda: ann.get("/tasks?limit=100"),
        "trash": lambda: ann.get(f"{room}/trash?limit=100"),
        "overview": lambda: ann.get("/", headers={"Cache-Control": "no-cache"}),
        "resolved keys": lambda: ann.post("/keys/resolve", json={"tasks": ids}),
        "export": lambda: ann.get("/users/me/export"),
    }
    measured = {}

    with LOCK, table.in_place():
        for name, request in requests.items():
            table.measured()
            response = request()
            assert response.status == 200, response
            page = response.json()
            returned = len(page["items" if "items" in page else "tasks"])
            measured[name] = (str(returned), f"{table.measured().units:g}", f"{len(response.text.encode()):,}")

    assert _rows("| response | tasks | units of reading | bytes |") == measured


def _key(name: str) -> dict[str, str]:
    return {"Idempotency-Key": name}


def _stored(product: Product, task_id: str) -> Task:
    with LOCK:
        raw: Any = product.aws.dynamodb.get_item(TableName=TABLE, Key=dict(task_key(task_id)))["Item"]
    return with_description(TASK.read(raw), LONGEST)


def _for_ten(task: Task) -> Task:
    others = (Assignment(f"usr_{number:032x}", f"{number:012x}") for number in range(9))
    return replace(task, assignees=(*task.assignees, *others))


def _copies(task: Task) -> Iterator[Task]:
    for _ in range(TASKS):
        yield replace(task, id=new_task_id(task.owner_id, times.now()))


def _rows(heading: str) -> dict[str, tuple[str, ...]]:
    """The table of the page that begins with this line: by the first cell the others."""
    table = PAGE.read_text(encoding="utf-8").partition(heading)[2].partition("\n\n")[0]
    rows = [re.split(r" \| ", row) for row in re.findall(r"^\| ([^-].*) \|$", table, re.MULTILINE)]
    return {name: tuple(cells) for name, *cells in rows}
