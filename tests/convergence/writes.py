"""What people do to rooms, tasks and themselves, while others keep copies of it.

Each write may be refused: what it led to is compared with the routes, not with an expectation.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.support import tables
from tests.support.client import Person, Response
from tests.support.function_calls import call
from tests.support.product import Product

Json = dict[str, Any]

PEOPLE = 3
_STATUSES = ["pending", "in progress", "completed"]
_ROLES = ["admin", "member", "viewer"]
# A text of more than 500 characters is shown whole by one route alone.
_TEXTS = [None, "Oak", "Oak " * 150]


class Write(NamedTuple):
    """Numbers stand for what there is by then: people, rooms, tasks, values."""

    kind: str
    actor: int
    room: int
    task: int
    value: int


KINDS = (
    ["create"] * 5
    + ["update"] * 5
    + ["assign"] * 3
    + ["move"] * 3
    + ["trash"] * 3
    + ["restore"] * 2
    + ["purge"]
    + ["respread"]
    + ["open room"]
    + ["join"] * 3
    + ["add"] * 2
    + ["leave"] * 3
    + ["remove"] * 2
    + ["leave and join again"] * 2
    + ["change role"] * 2
    + ["change room"] * 2
    + ["change code"]
    + ["close room"]
    + ["rename"] * 2
    + ["delete account"]
)
WRITES = st.builds(
    Write,
    st.sampled_from(KINDS),
    st.integers(0, 2 * PEOPLE - 1),
    st.integers(0, 3),
    st.integers(0, 7),
    st.integers(0, 8),
)

Learn = Callable[[Person, Json], None]
"""Told of a task that a person has written."""


class Writers:
    """People with rooms and tasks, as far as the responses say."""

    def __init__(self, product: Product, learn: Learn) -> None:
        self.product = product
        self.people = [product.register() for _ in range(PEOPLE)]
        self.members: dict[str, dict[str, str]] = {}
        """By room that is not deleted: the roles of its members."""
        self.gone: list[Person] = []
        self._codes: dict[str, str] = {}
        self._tasks: dict[str, str] = {}
        """By task: the room or person that it belongs to."""
        self._trash: dict[str, str] = {}
        self._learn = learn
        self._names = 0

    def carry_out(self, write: Write) -> bool:
        """Whether it did something."""
        response = _ACTIONS[write.kind](self, write)
        assert response is None or response.status < 500, response
        return response is not None and response.status < 300

    # ------------------------------------------------------------------------------------------------ tasks
    def create(self, write: Write) -> Response:
        """A personal one, or in a room."""
        room_id = self._room(write)
        person = self._one_of(room_id, write.actor)
        body: Json = {"title": f"T{write.task}", "description": _TEXTS[write.value % 3]}
        if room_id is not None and write.room > 0:
            body |= {"room_id": room_id, "assignee_ids": self._assignees(room_id, write.value)}
        response = person.post("/tasks", json=body)
        if response.status == 201:
            task = response.json()
            self._tasks[task["id"]] = task["room_id"] or person.id
            self._learn(person, task)
        return response

    def update(self, write: Write) -> Response | None:
        bodies: list[Json] = [
            {"title": f"T{write.value}"},
            {"status": _STATUSES[write.value % 3]},
            {"description": _TEXTS[write.value % 3]},
        ]
        return self._change(write, bodies[write.value // 3])

    def assign(self, write: Write) -> Response | None:
        owner = self._tasks.get(self._task(write) or "")
        return self._change(write, {"assignee_ids": self._assignees(owner, write.value)})

    def move(self, write: Write) -> Response | None:
        task_id = self._task(write)
        if task_id is None:
            return None
        near = [each for each, owner in self._tasks.items() if owner == self._tasks[task_id] and each != task_id]
        person = self._one_of(self._tasks[task_id], write.actor)
        body: Json = {"after": [None, *near][write.value % (len(near) + 1)]}
        if body["after"] is None or write.value > 4:
            body["status"] = _STATUSES[write.value % 3]
        response = person.post(f"/tasks/{task_id}/move", json=body)
        if response.status == 200:
            self._learn(person, response.json())
        return response

    def trash(self, write: Write) -> Response | None:
        task_id = self._task(write)
        if task_id is None:
            return None
        response = self._one_of(self._tasks[task_id], write.actor).delete(f"/tasks/{task_id}")
        if response.status == 204:
            self._trash[task_id] = self._tasks.pop(task_id)
        return response

    def restore(self, write: Write) -> Response | None:
        task_id = _chosen([*self._trash], write.task)
        if task_id is None:
            return self.trash(write)
        person = self._one_of(self._trash[task_id], write.actor)
        response = person.post(f"/tasks/{task_id}/restore", json={})
        if response.status == 200:
            self._tasks[task_id] = self._trash.pop(task_id)
            self._learn(person, response.json())
        return response

    def purge(self, write: Write) -> Response | None:
        task_id = _chosen([*self._trash], write.task)
        if task_id is None:
            return self.trash(write)
        owner = self._trash[task_id]
        path = f"/rooms/{owner}" if owner in self.members else "/users/me"
        response = self._one_of(owner, write.actor).delete(f"{path}/trash/{task_id}")
        if response.status == 204:
            del self._trash[task_id]
        return response

    def respread(self, write: Write) -> Response | None:
        """Ranks become long, as many moves to one place would make them, and short again."""
        room_id = self._room(write)
        person = self._writer(room_id)
        if room_id is None or person is None:
            return None
        column = person.list(f"/rooms/{room_id}/tasks", sort="rank", status="pending", limit=100)
        if len(column) < 3:
            return None
        for number, task in enumerate(column[1:]):
            owner_id, _, created = task["id"].rpartition(".")
            rank = f"h0Qabcdef{'0' * 200}{number:02}V"
            key = {"owner_id": owner_id, "item": task["id"]}
            tables.change(self.product.aws, "TasksTableV2", key, rank=rank, by_rank=f"T#1#{rank}#{created}")
        response = person.post(f"/tasks/{column[0]['id']}/move", json={"after": column[1]["id"]})
        assert response.status == 200, response
        # The sweeper leaves it alone for half a minute.
        tables.change(self.product.aws, "TasksTableV2", {"owner_id": room_id, "item": "J#ranks"}, by_created="J#2026")
        swept = call(self.product.aws, "SweeperFunction", {})["ranks"]
        assert swept["finished"] == 1, swept
        return response

    # ------------------------------------------------------------------------------------- rooms and people
    def open_room(self, write: Write) -> Response:
        person = self.people[write.actor % PEOPLE]
        response = person.post("/rooms", json={"name": f"R{write.value}"})
        if response.status == 201:
            room = response.json()
            self.members[room["id"]] = {person.id: "admin"}
            self._codes[room["id"]] = room["code"]
        return response

    def join(self, write: Write) -> Response | None:
        room_id = self._room(write)
        return None if room_id is None else self._join(room_id, self._stranger(room_id, write.actor))

    def add(self, write: Write) -> Response | None:
        room_id = self._room(write)
        if room_id is None:
            return None
        added, role = self._stranger(room_id, write.value), _ROLES[write.value % 3]
        admin = self._one_of(room_id, write.actor, role="admin")
        response = admin.post(f"/rooms/{room_id}/users", json={"user_id": added.id, "role": role})
        if response.status == 201:
            self.members[room_id][added.id] = role
        return response

    def leave(self, write: Write) -> Response | None:
        room_id = self._room(write)
        if room_id is None:
            return None
        person = self._one_of(room_id, write.actor)
        return self._remove(room_id, person, person)

    def remove(self, write: Write) -> Response | None:
        room_id = self._room(write)
        if room_id is None:
            return None
        return self._remove(
            room_id, self._one_of(room_id, write.actor, role="admin"), self._one_of(room_id, write.value)
        )

    def leave_and_join_again(self, write: Write) -> Response | None:
        """With somebody who stays there, so that the room does."""
        room_id = self._room(write)
        if room_id is None:
            return None
        person = self._one_of(room_id, write.actor)
        if len(self.members[room_id]) < 2 or self._remove(room_id, person, person).status != 204:
            return None
        # What happens while nobody tells them.
        self._change(write, {"title": f"A{write.value}"}) if write.value % 2 else self.trash(write)
        return self._join(room_id, person)

    def change_role(self, write: Write) -> Response | None:
        room_id = self._room(write)
        if room_id is None:
            return None
        other, role = self._one_of(room_id, write.value), _ROLES[write.task % 3]
        admin = self._one_of(room_id, write.actor, role="admin")
        response = admin.patch(f"/rooms/{room_id}/users/{other.id}", json={"role": role})
        if response.status == 200:
            self.members[room_id][other.id] = role
        return response

    def change_room(self, write: Write) -> Response | None:
        room_id = self._room(write)
        if room_id is None:
            return None
        body = {"name": f"R{write.value}", "join_role": ["member", "viewer", None][write.task % 3]}
        return self._one_of(room_id, write.actor, role="admin").patch(f"/rooms/{room_id}", json=body)

    def change_code(self, write: Write) -> Response | None:
        room_id = self._room(write)
        if room_id is None:
            return None
        response = self._one_of(room_id, write.actor, role="admin").post(f"/rooms/{room_id}/code", json={})
        if response.status == 200:
            self._codes[room_id] = response.json()["code"]
        return response

    def close_room(self, write: Write) -> Response | None:
        room_id = self._room(write)
        if room_id is None:
            return None
        response = self._one_of(room_id, write.actor, role="admin").delete(f"/rooms/{room_id}")
        if response.status == 204:
            self._ended(room_id)
        return response

    def rename(self, write: Write) -> Response:
        person = self.people[write.actor % PEOPLE]
        self._names += 1
        return person.patch("/users/me", json={"username": f"name-{self._names}-{person.id[-12:]}"})

    def delete_account(self, write: Write) -> Response:
        place = write.actor % PEOPLE
        person = self.people[place]
        response = person.delete("/users/me")
        assert response.status == 204, response
        for room_id, members in [*self.members.items()]:
            members.pop(person.id, None)
            if not members:
                self._ended(room_id)
        self._ended(person.id)
        self.gone.append(person)
        self.people[place] = self.product.register()
        return response

    # ------------------------------------------------------------------------------------------------- help
    def rooms_of(self, person: Person) -> set[str]:
        return {room_id for room_id, members in self.members.items() if person.id in members}

    def _change(self, write: Write, body: Json) -> Response | None:
        task_id = self._task(write)
        if task_id is None:
            return None
        person = self._one_of(self._tasks[task_id], write.actor)
        response = person.patch(f"/tasks/{task_id}", json=body)
        if response.status == 200:
            self._learn(person, response.json())
        return response

    def _join(self, room_id: str, person: Person) -> Response:
        response = person.post("/rooms/join", json={"code": self._codes[room_id]})
        if response.status == 200:
            self.members[room_id][person.id] = response.json()["role"]
        return response

    def _remove(self, room_id: str, actor: Person, other: Person) -> Response:
        response = actor.delete(f"/rooms/{room_id}/users/{other.id}")
        if response.status == 204:
            self.members[room_id].pop(other.id)
            if not self.members[room_id]:
                self._ended(room_id)
        return response

    def _ended(self, owner: str) -> None:
        self.members.pop(owner, None)
        for tasks in (self._tasks, self._trash):
            for task_id in [task_id for task_id, its_owner in tasks.items() if its_owner == owner]:
                del tasks[task_id]

    def _room(self, write: Write) -> str | None:
        return _chosen([*self.members], write.room)

    def _task(self, write: Write) -> str | None:
        return _chosen([*self._tasks], write.task)

    def _one_of(self, owner: str | None, number: int, role: str | None = None) -> Person:
        """Somebody in a room (with a role, if somebody has it), or the person; without them, anybody."""
        members = self.members.get(owner or "", {})
        near = [each for each in self.people if each.id in members or each.id == owner]
        fitting = [each for each in near if role in (None, members.get(each.id))]
        chosen = fitting or near or self.people
        return chosen[number % len(chosen)]

    def _writer(self, room_id: str | None) -> Person | None:
        members = self.members.get(room_id or "", {})
        return next((each for each in self.people if members.get(each.id) in ("admin", "member")), None)

    def _stranger(self, room_id: str, number: int) -> Person:
        outside = [each for each in self.people if each.id not in self.members[room_id]] or self.people
        return outside[number % len(outside)]

    def _assignees(self, owner: str | None, number: int) -> list[str]:
        near = [each.id for each in self.people if each.id in self.members.get(owner or "", {}) or each.id == owner]
        return [person for place, person in enumerate(near) if number >> place & 1]


def _chosen(known: list[str], number: int) -> str | None:
    """One of the latest, if there is any."""
    latest = known[-4:][::-1]
    return latest[number % len(latest)] if latest else None


def _actions() -> Iterator[tuple[str, Callable[[Writers, Write], Response | None]]]:
    for kind in dict.fromkeys(KINDS):
        yield kind, getattr(Writers, kind.replace(" ", "_"))


_ACTIONS = dict(_actions())
