"""Records what is measured: the events of requests, and what DynamoDB answers to them.

``python -m bench.recording FILE`` is a process of its own: it runs the product on moto, and what is measured is not.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from bench import sample_requests
from bench.exchanges import Exchange, Json, Recording
from bench.recorder import RecordedGateway, Recorder
from tests.support import aws as aws_in_process
from tests.support.aws import Aws
from tests.support.client import Person
from tests.support.product import Product
from tests.support.stack import TEST_PARAMETERS, Stack

_NOW_AND_THEN = ("UpdateItem", "GetSecretValue")

PLAIN = "bench.rivals.plain.app"

# As in the template, where the tests' are a hundredfold: how often a share is taken is part of the cost.
_LIMITS = {"ReadsPerUser": "600", "WritesPerUser": "120"}

# moto answers one call at a time; what is measured asks as the template says.
_AT_ONCE = "CONCURRENT_READS"

# A container that has just started has no response that it kept.
_NOTHING_KEPT = {"OverviewCacheSeconds": "0", "MetricsCacheSeconds": "0"}


def record() -> Recording:
    """Set a stage with one room of 20 people and 51 tasks, and ask each question once of each who answers it."""
    recorder = Recorder()
    with aws_in_process.mocked():
        aws = Aws(Stack({**TEST_PARAMETERS, **_LIMITS, **_NOTHING_KEPT}))
        variables = {**aws.stack.all_variables(), "LOG_LEVEL": "INFO"}
        with aws_in_process.environment(variables):
            product = Product(aws)
            product.gateway = RecordedGateway(aws, recorder)
            product.anonymous = product.at("https://api.example.org")
            first = sample_requests.of_streams_and_schedules(product, recorder)
            ann = product.register("ann")
            exchanges = _exchanges(product, recorder, ann)
            first |= sample_requests.of_api(product, recorder, ann)
            once = {
                (operation, call.request if operation == "GetSecretValue" else ""): call
                for call in reversed(recorder.calls)
                if (operation := call.target.rpartition(".")[2]) in _NOW_AND_THEN
            }
            variables[_AT_ONCE] = Stack({}).all_variables()[_AT_ONCE]
            return Recording(variables, exchanges, first, list(once.values()))


def _exchanges(product: Product, recorder: Recorder, ann: Person) -> dict[str, dict[str, Exchange]]:
    # First: what each function was asked last is its first request, too.
    copies = _of_copies(product, recorder)
    room = ann.open_room(name="Move to the new office")
    for _ in range(19):
        product.register().join(room)
    tasks = [ann.plan(**task_fields(number, room["id"])) for number in range(51)]
    questions: dict[str, Callable[[], Any]] = {
        "get a task": lambda: ann.get(f"/tasks/{tasks[0]['id']}"),
        "list 50 tasks": lambda: ann.get(f"/rooms/{room['id']}/tasks", params={"limit": 50}),
        "create a task": lambda: ann.post("/tasks", json=task_fields(51, room["id"])),
        "open a room of 20": lambda: ann.get(f"/rooms/{room['id']}"),
    }
    found = {}
    for name, question in questions.items():
        question()
        function, event = recorder.invocations[-1]
        handler = product.aws.stack.functions[function]["Handler"]
        found[name] = {
            "ours": recorder.exchange(handler, function, event),
            "plain": recorder.exchange(PLAIN, "", event),
        }
    return found | copies


def _of_copies(product: Product, recorder: Recorder) -> dict[str, dict[str, Exchange]]:
    """Somebody in 100 rooms who keeps a copy. There is no plain way to do that."""
    # Two people open the rooms, as there is a limit of writes.
    ann, bob = product.register(), product.register()
    rooms = [ann.open_room()["id"] for _ in range(60)]
    for _ in range(40):
        bob.post(f"/rooms/{bob.open_room()['id']}/users", json={"user_id": ann.id})
    product.deliver()
    cursor, more = None, True
    while more:
        page = ann.post("/sync", json={"cursor": cursor, "limit": 200}).json()
        cursor, more = page["cursor"], page["more"]
    found = {}
    for name, changes in (("sync, nothing new", 0), ("sync, 50 changes", 50)):
        for number in range(changes):
            ann.plan(**task_fields(number, rooms[number]))
        product.deliver()
        ann.post("/sync", json={"cursor": cursor, "limit": 200})
        function, event = recorder.invocations[-1]
        handler = product.aws.stack.functions[function]["Handler"]
        found[name] = {"ours": recorder.exchange(handler, function, event)}
    return found


def task_fields(number: int, room_id: str) -> Json:
    return {
        "title": f"Order the desks for room {number}",
        "description": "Twelve, adjustable in height, with a cable tray each; the supplier is told by Friday.",
        "priority": ("low", "medium", "high")[number % 3],
        "deadline": f"2027-01-{number % 28 + 1:02}T12:00:00Z",
        "room_id": room_id,
    }


if __name__ == "__main__":
    aws_in_process.prepare_environment()
    Path(sys.argv[1]).write_bytes(msgspec.json.encode(record()))
