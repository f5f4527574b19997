"""What clients do: a seeded mix of everything the API offers, on few rooms, so that they get in each other's way."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from tests.simulation.faults import Faults
from tests.simulation.functions import Call, Response
from tests.simulation.history import History, Operation
from tests.simulation.task_items import RESPREAD_SECONDS, TRASH_SECONDS


class World(Protocol):
    """What clients need of the simulation."""

    faults: Faults
    history: History
    known: "Known"

    def act(self, name: str, body: Callable[[], None], delay: float = 0.0) -> None: ...
    def call(self, operation: Operation) -> Response | None: ...
    def client_done(self) -> None: ...
    def sleep(self, seconds: float) -> None: ...
    def sleep_until(self, seconds: float) -> None: ...


class Known:
    """What people have told each other: rooms with their codes, heard of last at the end; tasks with their versions."""

    def __init__(self, user_ids: list[str]) -> None:
        self.user_ids = user_ids
        self.codes: dict[str, str] = {}
        self.tasks: dict[str, int] = {}
        self.trash: dict[str, int] = {}
        self.numbers = itertools.count(1)

    def learn(self, body: Any) -> None:
        if not isinstance(body, dict):
            return
        if body.get("code") and "member_count" in body:
            self.codes.pop(body["id"], None)
            self.codes[body["id"]] = body["code"]
        if "title" in body and "version" in body:
            known, other = (self.trash, self.tasks) if "trashed_at" in body else (self.tasks, self.trash)
            other.pop(body["id"], None)
            known[body["id"]] = body["version"]
        for item in body.get("items", []):
            self.learn(item)

    def forget(self, task_id: str) -> None:
        """It was moved to the trash, or deleted from there."""
        if task_id in self.tasks:
            self.trash[task_id] = self.tasks.pop(task_id) + 1
        else:
            self.trash.pop(task_id, None)


_OPERATIONS = {
    "open_room": 2,
    "join": 18,
    "leave": 14,
    "kick": 5,
    "add": 6,
    "change_role": 13,
    "rename": 2,
    "change_join_role": 2,
    "change_code": 4,
    "close": 3,
    "create_task": 16,
    "update_task": 16,
    "move_task": 10,
    "trash_task": 10,
    "restore_task": 8,
    "purge_task": 3,
    "get_room": 2,
    "get_task": 2,
    "list_tasks": 3,
    "list_trash": 2,
    "change_name": 3,
    "delete_self": 2,
}

# Of seeds in which the time of what is in the trash ends.
_OVER_NIGHT = {
    "join": 4,
    "leave": 4,
    "close": 1,
    "create_task": 8,
    "update_task": 4,
    "trash_task": 24,
    "restore_task": 16,
    "purge_task": 6,
    "get_task": 2,
    "list_trash": 4,
    "delete_self": 2,
}

# Of seeds in which ranks are long, and become short.
_CROWDED = {
    "join": 2,
    "leave": 1,
    "create_task": 4,
    "update_task": 4,
    "move_task": 40,
    "trash_task": 5,
    "restore_task": 5,
    "list_tasks": 6,
    "close": 1,
}


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What clients do in a seed, how often each. With a ``pause``, half of it so many seconds after the beginning."""

    operations: Mapping[str, int]
    pause: float | None = None


USUAL, OVER_NIGHT = Course(_OPERATIONS), Course(_OVER_NIGHT, TRASH_SECONDS)
CROWDED = Course(_CROWDED, RESPREAD_SECONDS + 6)
_MORNING_SECONDS = 5

_NAMES = ("ann", "bob", "cleo", "dora")


class Client:
    """One person with one device."""

    def __init__(
        self, world: World, name: str, user_id: str, choices: Random, most: int, course: Course = USUAL
    ) -> None:
        self._world = world
        self._course = course
        self._known = world.known
        self._name = name
        self._me = user_id
        self._choices = choices
        self._most = most

    def run(self) -> None:
        count = self._choices.randint(2, self._most)
        for number in range(count):
            if self._course.pause is not None and number == (count + 1) // 2:
                self._world.sleep_until(self._course.pause + _MORNING_SECONDS * self._choices.random())
            call = self._next()
            if call is not None:
                self._carry_out(call)
            self._world.sleep(self._choices.random() ** 3)
        self._world.client_done()

    def _carry_out(self, call: Call) -> None:
        """Send the request, and again if it is not known what came of it."""
        operation = Operation(call)
        self._world.history.operations.append(operation)
        while True:
            response = self._send(operation)
            if response is not None:
                self._known.learn(response.body)
                if response.status == 204 and "task_id" in call.ids:
                    self._known.forget(call.ids["task_id"])
            if response is not None and response.status < 500:
                return
            if len(operation.attempts) >= 4 or self._choices.random() < 0.25:
                return
            self._world.sleep(2 * self._choices.random() ** 3)

    def _send(self, operation: Operation) -> Response | None:
        if not self._world.faults.happens("lost_responses"):
            return self._world.call(operation)
        self._world.faults.counts["answer lost"] += 1
        if self._choices.random() < 0.5:
            self._world.call(operation)
            return None
        # The client does not wait: its retry runs beside the first request.
        name = f"{self._name}'s lost #{next(self._known.numbers)}"
        self._world.act(name, lambda: self._forget(operation))
        return None

    def _forget(self, operation: Operation) -> None:
        self._world.call(operation)

    def _next(self) -> Call | None:
        if not self._known.codes:
            return self._open_room()
        operations = self._course.operations
        kind = self._choices.choices(list(operations), list(operations.values()))[0]
        made: Call | None = getattr(self, f"_{kind}")()
        return made

    def _call(
        self, method: str, resource: str, body: dict[str, Any] | None = None, if_match: int | None = None, **ids: str
    ) -> Call:
        headers = {}
        if method != "GET" and self._choices.random() < 0.7:
            headers["Idempotency-Key"] = f"{self._name}-{next(self._known.numbers)}"
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        return Call(self._me, method, resource, ids, body, headers)

    def _room(self) -> str:
        return self._choices.choice(list(self._known.codes)[-2:])

    def _task(self, known: dict[str, int], others: dict[str, int]) -> tuple[str, int] | None:
        """One of these tasks with its version, at times of those: somebody else has done it already."""
        among = list((others if self._choices.random() < 0.1 else known).items())
        return self._choices.choice(among[-3:]) if among else None

    def _somebody(self) -> str:
        return self._choices.choice(self._known.user_ids)

    def _open_room(self) -> Call:
        body = {"name": f"room {next(self._known.numbers)}"}
        if self._known.codes and self._choices.random() < 0.5:
            body["code"] = self._choices.choice(list(self._known.codes.values()))
        return self._call("POST", "/rooms", body)

    def _join(self) -> Call:
        return self._call("POST", "/rooms/join", {"code": self._known.codes[self._room()]})

    def _leave(self) -> Call:
        return self._call("DELETE", "/rooms/{room_id}/users/{user_id}", room_id=self._room(), user_id=self._me)

    def _kick(self) -> Call:
        return self._call("DELETE", "/rooms/{room_id}/users/{user_id}", room_id=self._room(), user_id=self._somebody())

    def _add(self) -> Call:
        role = self._choices.choice(["admin", "member", "viewer"])
        body = {"user_id": self._somebody(), "role": role}
        return self._call("POST", "/rooms/{room_id}/users", body, room_id=self._room())

    def _change_role(self) -> Call:
        role = self._choices.choice(["admin", "admin", "member", "viewer"])
        return self._call(
            "PATCH",
            "/rooms/{room_id}/users/{user_id}",
            {"role": role},
            room_id=self._room(),
            user_id=self._somebody(),
        )

    def _rename(self) -> Call:
        return self._call(
            "PATCH", "/rooms/{room_id}", {"name": f"name {next(self._known.numbers)}"}, room_id=self._room()
        )

    def _change_join_role(self) -> Call:
        role = self._choices.choice(["member", "viewer", None])
        return self._call("PATCH", "/rooms/{room_id}", {"join_role": role}, room_id=self._room())

    def _change_code(self) -> Call:
        return self._call("POST", "/rooms/{room_id}/code", {}, room_id=self._room())

    def _close(self) -> Call:
        return self._call("DELETE", "/rooms/{room_id}", room_id=self._room())

    def _create_task(self) -> Call:
        body: dict[str, Any] = {"title": f"task {next(self._known.numbers)}"}
        if self._choices.random() < 0.9:
            body["room_id"] = self._room()
            if self._choices.random() < 0.5:
                body |= self._assigned()
        return self._call("POST", "/tasks", body)

    def _assigned(self) -> dict[str, Any]:
        """To one, several or nobody."""
        if self._choices.random() < 0.5:
            return {"user_id": self._choices.choice([*self._known.user_ids, None])}
        count = self._choices.randint(0, len(self._known.user_ids))
        return {"assignee_ids": self._choices.sample(self._known.user_ids, count)}

    def _update_task(self) -> Call | None:
        task = self._live_task()
        if task is None:
            return self._create_task()
        body: dict[str, Any] = {"title": f"title {next(self._known.numbers)}"}
        if self._choices.random() < 0.3:
            body |= self._assigned()
        if self._choices.random() < 0.3:
            body |= self._choices.choice(
                [{"status": "completed"}, {"priority": "high"}, {"description": "long " * 101}]
            )
        return self._of_task("PATCH", "/tasks/{task_id}", task, 0.5, body)

    def _move_task(self) -> Call | None:
        task = self._live_task()
        if task is None:
            return self._create_task()
        others = [each for each in list(self._known.tasks)[-5:] if _owner(each) == _owner(task[0]) and each != task[0]]
        body: dict[str, Any] = {"after": self._choices.choice([None, *others, *others])}
        if self._choices.random() < 0.2:
            body["status"] = self._choices.choice(["pending", "completed"])
        return self._of_task("POST", "/tasks/{task_id}/move", task, 0.2, body)

    def _trash_task(self) -> Call | None:
        task = self._live_task()
        return self._of_task("DELETE", "/tasks/{task_id}", task, 0.6) if task else self._create_task()

    def _restore_task(self) -> Call | None:
        task = self._trashed_task()
        return self._of_task("POST", "/tasks/{task_id}/restore", task, 0.4) if task else self._list_trash()

    def _purge_task(self) -> Call | None:
        task = self._trashed_task()
        if task is None:
            return self._list_trash()
        owner = _owner(task[0])
        resource, name = ("/users/{user_id}", "user_id") if owner == self._me else ("/rooms/{room_id}", "room_id")
        return self._of_task("DELETE", f"{resource}/trash/{{task_id}}", task, 0.4, None, **{name: owner})

    def _live_task(self) -> tuple[str, int] | None:
        return self._task(self._known.tasks, self._known.trash)

    def _trashed_task(self) -> tuple[str, int] | None:
        return self._task(self._known.trash, self._known.tasks)

    def _of_task(
        self,
        method: str,
        resource: str,
        task: tuple[str, int],
        matching: float,
        body: dict[str, Any] | None = None,
        **ids: str,
    ) -> Call:
        """``matching``: how often it names the version that is known."""
        task_id, version = task
        if_match = version if self._choices.random() < matching else None
        return self._call(method, resource, body, if_match, task_id=task_id, **ids)

    def _get_room(self) -> Call:
        return self._call("GET", "/rooms/{room_id}", room_id=self._room())

    def _get_task(self) -> Call | None:
        task = self._live_task()
        return self._call("GET", "/tasks/{task_id}", task_id=task[0]) if task else self._create_task()

    def _list_tasks(self) -> Call:
        query = self._choices.choice([{}, {"sort": "rank"}])
        return Call(self._me, "GET", "/rooms/{room_id}/tasks", {"room_id": self._room()}, query=query)

    def _list_trash(self) -> Call:
        if self._choices.random() < 0.2:
            return self._call("GET", "/users/{user_id}/trash", user_id=self._me)
        return self._call("GET", "/rooms/{room_id}/trash", room_id=self._room())

    def _change_name(self) -> Call:
        name = self._choices.choice(_NAMES)
        body = {"username": name, "email": f"{name}@example.org"}
        return self._call("PATCH", "/users/{user_id}", body, user_id=self._me)

    def _delete_self(self) -> Call:
        return self._call("DELETE", "/users/{user_id}", user_id=self._me)


def _owner(task_id: str) -> str:
    return task_id.partition(".")[0]
