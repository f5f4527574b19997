"""What is read at the same time is what is read one after the other: the same responses, with threads and without."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from tests.journeys.service import Service, at_once, eventually
from tests.support.client import Person, Response

AFRESH = {"Cache-Control": "no-cache"}
FUNCTIONS = ("TasksFunction", "RoomsFunction", "UsersFunction", "OverviewFunction", "AuthFunction")


def requests(ann: Person, bob: Person, rooms: list[Any], tasks: list[Any]) -> list[Callable[[], Response]]:
    """One for each route that reads several things at the same time."""
    room = f"/rooms/{rooms[0]['id']}"
    keys = {
        "users": [ann.id, bob.id],
        "rooms": [each["id"] for each in rooms],
        "tasks": [each["id"] for each in tasks],
        "codes": [each["code"] for each in rooms],
    }
    paths = [
        "/tasks?status=pending",
        f"{room}/tasks",
        f"{room}/tasks?sort=priority&limit=3",
        f"{room}/tasks?status=pending&status=completed",
        f"{room}/tasks?user_id={bob.id}",
        f"{room}/activity",
        "/rooms",
        "/users",
        f"/users/{ann.id}",
        "/users/me/export",
        "/auth/sessions",
        "/.well-known/jwks.json",
    ]
    return [
        *(lambda path=path: bob.get(path) for path in paths),
        lambda: bob.get("/", headers=AFRESH),
        lambda: bob.post("/keys/resolve", json=keys),
        # What nobody may see is refused as well.
        lambda: bob.get("/users/usr_00000000000000000000000000000000"),
        lambda: bob.get("/rooms/room_00000000000000000000000000000000/tasks?status=pending"),
        lambda: bob.post("/rooms/join", json={"code": rooms[0]["code"]}),
        lambda: ann.post(f"{room}/users", json={"user_id": "usr_00000000000000000000000000000000"}),
    ]


def test_responses_are_the_same_with_and_without_threads(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    rooms = [ann.open_room() for _ in range(4)]
    for room in rooms:
        bob.join(room)
    states = ("pending", "in progress", "completed")
    tasks = [
        ann.plan(room_id=rooms[0]["id"], user_id=(ann, bob)[number % 2].id, status=states[number % 3])
        for number in range(12)
    ]
    asked = requests(ann, bob, rooms, tasks)
    trail = f"/rooms/{rooms[0]['id']}/activity"
    assert eventually(lambda: len(ann.list(trail)) == 2 + len(tasks))

    def responses() -> list[Any]:
        return [_told(request()) for request in asked]

    with_threads = responses()
    with ExitStack() as configured:
        for function in FUNCTIONS:
            assert int(service.variables(function)["CONCURRENT_READS"]) > 1
            configured.enter_context(service.configured(function, CONCURRENT_READS="1"))
        without = responses()

    assert with_threads == without
    assert {status for status, _ in without} == {200, 404, 409, 422}
    # Several requests at the same moment, each of which reads several things at the same moment.
    assert [_told(response) for response in at_once([*asked, *asked])] == [*without, *without]


def _told(response: Response) -> tuple[int, Any]:
    body = response.json()
    body.pop("request_id", None)
    for name in ("next_cursor", "instance"):
        body.pop(name, None)
    return response.status, body
