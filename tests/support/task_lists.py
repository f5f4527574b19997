"""200 tasks in 20 rooms, and what every list of them must hold: the filters and orders of the API in plain Python."""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.client import Client, Person

TASKS = 200
ROOMS = 20
SEED = 20270101

STATUSES = ["pending", "in progress", "completed"]
PRIORITIES = ["low", "medium", "high"]
FIRST_DEADLINE = datetime(2027, 1, 1, tzinfo=UTC)

Json = dict[str, Any]


@dataclass(frozen=True)
class Crowd:
    """Ann, who sees all rooms, and Bob, who is in some; all tasks, as they were answered when they were planned."""

    ann: Person
    bob: Person
    rooms: list[str]
    tasks: list[Json]

    @property
    def busy_room(self) -> str:
        """The room with the most tasks."""
        return self.rooms[0]


def plan_tasks(anonymous: Client) -> Crowd:
    """Some 40 tasks in one room, some personal ones, and the rest across the other rooms, in no order."""
    chance = random.Random(SEED)
    ann, bob = anonymous.register("ann"), anonymous.register("bob")
    rooms = [ann.open_room(name=f"Room {number}")["id"] for number in range(ROOMS)]
    bobs_rooms = rooms[::2]
    for room in bobs_rooms:
        assert ann.post(f"/rooms/{room}/users", json={"user_id": bob.id}).status == 201
    tasks = []
    for number in range(TASKS):
        room = chance.choice([rooms[0]] * 6 + rooms + [None])
        people = [ann.id] if room is None else [ann.id, None, *([bob.id] * 2 if room in bobs_rooms else [])]
        tasks.append(
            ann.plan(
                title=f"Task {number}",
                room_id=room,
                user_id=chance.choice(people),
                status=chance.choice(STATUSES),
                priority=chance.choice(PRIORITIES),
                deadline=random_deadline(chance),
            )
        )
    return Crowd(ann, bob, rooms, tasks)


def random_deadline(chance: random.Random) -> str | None:
    """None, or one of few days, so that some are the same: a date, or a time written with any offset."""
    if chance.random() < 0.25:
        return None
    if chance.random() < 0.25:
        return (FIRST_DEADLINE + timedelta(days=chance.randrange(12))).date().isoformat()
    deadline = FIRST_DEADLINE + timedelta(days=chance.randrange(12), milliseconds=chance.choice([0, 0, 0, 1, 500]))
    offset = timedelta(hours=chance.choice([-11, -3, 0, 0, 2, 14]))
    return (deadline + offset).replace(tzinfo=None).isoformat() + f"{offset.total_seconds() / 3600:+03.0f}:00"


def in_python(crowd: Crowd, person: Person, parameters: Mapping[str, Any], room: str | None = None) -> list[Json]:
    """What the API says of a list with these parameters (of ``room``, where the path names one), in plain Python."""
    room = parameters.get("room_id", room)
    there = [task for task in crowd.tasks if (task["room_id"] == room if room else task["user_id"] == person.id)]
    return selected(there, parameters)


def selected(tasks: list[Json], parameters: Mapping[str, Any]) -> list[Json]:
    """Of tasks in the order they were planned in, those that these parameters ask for, in the order they ask for."""
    found = [
        task
        for task in tasks
        if ("user_id" not in parameters or parameters["user_id"] in (task["assignee_ids"] or ["none"]))
        and task["status"] in parameters.get("status", STATUSES)
        and task["priority"] in parameters.get("priority", PRIORITIES)
        and is_due(task, parameters.get("deadline_from"), parameters.get("deadline_to"))
    ]
    range_of_deadlines = "deadline_from" in parameters or "deadline_to" in parameters
    sort = parameters.get("sort", "deadline" if range_of_deadlines else "created_at")
    backwards = sort.startswith("-")
    match sort.removeprefix("-"):
        case "priority":
            if range_of_deadlines:
                found.sort(key=lambda task: moment(task["deadline"]))
            found.sort(key=lambda task: PRIORITIES.index(task["priority"]))
        case "deadline":
            without = [task for task in found if task["deadline"] is None]
            found = sorted((task for task in found if task["deadline"]), key=lambda task: moment(task["deadline"]))
            return found[::-1] + without[::-1] if backwards else found + without
    return found[::-1] if backwards else found


def is_due(task: Json, start: str | None, end: str | None) -> bool:
    if start is None and end is None:
        return True
    if task["deadline"] is None:
        return False
    deadline = moment(task["deadline"])
    return (start is None or deadline >= moment(start, "begins")) and (end is None or deadline <= moment(end))


def moment(text: str, day: str = "ends") -> tuple[datetime, int]:
    """When it is. A date ends after every time of its day, and before the next day; or it begins (``day``)."""
    if "T" in text:
        return datetime.fromisoformat(text), 0
    begins = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return (begins + timedelta(days=1), -1) if day == "ends" else (begins, 0)


def values(crowd: Crowd, name: str) -> list[Any]:
    """What each parameter is tried with."""
    choices: dict[str, list[Any]] = {
        "status": [["pending"], ["in progress", "completed"]],
        "priority": [["high"], ["medium", "low"]],
        "user_id": [crowd.ann.id, crowd.bob.id],
        "room_id": [crowd.busy_room, crowd.rooms[2]],
        "deadline_from": ["2027-01-05T00:00:00Z", "2027-01-08T01:00:00.001+01:00", "2027-01-06"],
        "deadline_to": ["2027-01-07T00:00:00.5Z", "2027-01-02T22:00:00-02:00", "2027-01-06"],
        "sort": ["created_at", "-created_at", "deadline", "-deadline", "priority", "-priority"],
    }
    return choices[name]


FILTERS = ["status", "priority", "user_id", "deadline_from", "deadline_to", "sort"]
ALONE_AND_IN_PAIRS = [*itertools.combinations(FILTERS, 1), *itertools.combinations(FILTERS, 2)]


def cases(crowd: Crowd, names: tuple[str, ...]) -> Iterator[Json]:
    """Each value of each parameter with each of the other; one value alone with the six orders."""
    choices = [values(crowd, name)[: 1 if "sort" in names and name != "sort" else None] for name in names]
    for chosen in itertools.product(*choices):
        yield dict(zip(names, chosen, strict=True))


def listed(person: Person, path: str, parameters: Json, limit: int) -> list[Json]:
    """The list page by page, each page but the last full, and none empty unless it is the only one."""
    pages = []
    asked = {**parameters, "limit": limit}
    while True:
        response = person.get(path, params=asked)
        assert response.status == 200, response
        pages.append(response.json()["items"])
        if response.json()["next_cursor"] is None:
            break
        asked["cursor"] = response.json()["next_cursor"]
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1] or len(pages) == 1
    return [task for page in pages for task in page]


def titles(tasks: list[Json]) -> list[str]:
    """Short enough for a failed comparison to be read."""
    return [task["title"] for task in tasks]
