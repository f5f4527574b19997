"""Tasks: members and viewers of two rooms who plan, change, assign, move, trash, restore and list them."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.machines.machine import Json, Machine
from tests.machines.tasks_reference import Planned, Room, Tasks
from tests.support import task_lists
from tests.support.client import Person, Response
from tests.support.task_lists import PRIORITIES, STATUSES

PEOPLE = 3
ROOMS = 2
_NOT_KNOWN = ("rank", "created_at", "updated_at", "completed_at", "trashed_at", "trashed_by", "expires_at")
_DEADLINES = ["2027-01-01T00:00:00Z", "2027-01-02", "2027-01-02T00:00:00Z", "2027-01-03T12:00:00Z"]

_places = st.integers(0, PEOPLE - 1)
_actors = st.integers(0, 3 * PEOPLE - 1)
_owners = st.integers(0, ROOMS)
"""A room, or with the last number the person."""
_numbers = st.integers(0, 7)
_matches = st.sampled_from([None, None, 0, 1])
"""How far ``If-Match`` is from the version that is there; None: it is not sent."""
_titles = st.sampled_from(["A", "B"])
_fields = {
    "description": st.sampled_from([None, "Oak"]),
    "status": st.sampled_from(STATUSES),
    "priority": st.sampled_from(PRIORITIES),
    "deadline": st.sampled_from([None, *_DEADLINES]),
}
_assignees = st.sampled_from([None, *range(PEOPLE)])
_several = st.lists(_places, max_size=PEOPLE, unique=True)
_filters: dict[str, st.SearchStrategy[Any]] = {
    "user_id": st.sampled_from([*range(PEOPLE), "none"]),
    "status": st.lists(st.sampled_from(STATUSES), min_size=1, max_size=2, unique=True),
    "priority": st.lists(st.sampled_from(PRIORITIES), min_size=1, max_size=2, unique=True),
    "deadline_from": st.sampled_from(_DEADLINES),
    "deadline_to": st.sampled_from(_DEADLINES),
    "sort": st.sampled_from(["deadline", "-deadline", "priority", "-priority", "-created_at"]),
}


class TasksMachine(Machine):
    """Three people, and two rooms whose admin, a fourth one, lets them in, gives them roles and puts them out."""

    reference: type[Tasks] = Tasks

    def __init__(self) -> None:
        super().__init__()
        self.expected = self.reference()
        self.host = self.product.register("host")
        self.people = [self.product.register() for _ in range(PEOPLE)]
        self.rooms: list[Room] = []
        self.touched = 0

    # ------------------------------------------------------------------------------------------------- steps
    @initialize(roles=st.lists(st.sampled_from(["member", "member", "viewer", None]), min_size=6, max_size=6))
    def begin(self, roles: list[str | None]) -> None:
        for number in range(ROOMS):
            room = Room(self.host.open_room()["id"], {self.host.id: "admin"})
            self.expected.rooms[room.id] = room
            self.rooms.append(room)
            for person, role in zip(self.people, roles[number * PEOPLE :], strict=False):
                if role is not None:
                    self._admit(room, person, role)
            self._plan(self.host, {"title": "A", "room_id": room.id})
        self._plan(self.people[0], {"title": "B"})

    @rule(
        actor=_places,
        owner=_owners,
        fields=st.fixed_dictionaries({"title": _titles}, optional={**_fields, "user_id": _assignees}),
        several=st.none() | _several,
    )
    def create(self, actor: int, owner: int, fields: Json, several: list[int] | None) -> None:
        person = self.people[actor]
        body = self._body(fields if several is None else _without("user_id", fields) | {"assignee_ids": several})
        if owner < ROOMS:
            body["room_id"] = self._room(owner).id
        self._plan(person, body)

    @rule(actor=_actors, number=_numbers)
    def see_one(self, actor: int, number: int) -> None:
        person, task_id = self._actor_and_task(actor, number)
        response = person.get(f"/tasks/{task_id}")
        if self.expect("see", response, 200, lambda: self.expected.see(person.id, task_id)):
            self._shown(response, self.expected.all[task_id].shown)

    @rule(
        actor=_actors,
        number=_numbers,
        fields=st.fixed_dictionaries({}, optional={"title": _titles, **_fields, "user_id": _assignees}),
        match=_matches,
        method=st.sampled_from(["PATCH", "PUT"]),
    )
    def update(self, actor: int, number: int, fields: Json, match: int | None, method: str) -> None:
        person, task_id = self._actor_and_task(actor, number)
        body, if_match = self._body(fields), self._if_match(task_id, match)
        response = person.request(method, f"/tasks/{task_id}", json=body, headers=_header(if_match))
        if self.expect("update", response, 200, lambda: self.expected.update(person.id, task_id, body, if_match)):
            self._shown(response, self.expected.all[task_id].shown)

    @rule(actor=_actors, number=_numbers, assignees=_assignees | _several)
    def assign(self, actor: int, number: int, assignees: int | list[int] | None) -> None:
        name = "assignee_ids" if isinstance(assignees, list) else "user_id"
        self.update(actor, number, {name: assignees}, None, "PATCH")

    @rule(actor=_actors, number=_numbers, match=_matches)
    def delete(self, actor: int, number: int, match: int | None) -> None:
        person, task_id = self._actor_and_task(actor, number)
        if_match = self._if_match(task_id, match)
        response = person.delete(f"/tasks/{task_id}", headers=_header(if_match))
        if self.expect("delete", response, 204, lambda: self.expected.delete(person.id, task_id, if_match)):
            self.see_nothing(person, f"/tasks/{task_id}")
            owner = task_id.partition(".")[0]
            path = "/users/me" if owner == person.id else f"/rooms/{owner}"
            trash = self.see(person, f"{path}/trash", limit=100)["items"]
            assert _without_unknown(trash) == self.expected.trash_of(owner)

    @rule(
        actor=_actors,
        number=_numbers,
        behind=st.none() | _numbers,
        status=st.sampled_from([None, None, *STATUSES]),
        match=_matches,
    )
    def move(self, actor: int, number: int, behind: int | None, status: str | None, match: int | None) -> None:
        """Behind another task, or before all others. Those have the order that they had."""
        person, task_id = self._actor_and_task(actor, number)
        owner, if_match = self.expected.all[task_id].owner, self._if_match(task_id, match)
        near = [each for each, task in self.expected.all.items() if task.owner == owner]
        behind_id = None if behind is None else [*near, *self.expected.all][behind % (len(near) + 1)]
        into = status or self.expected.all[task_id].shown["status"]
        order = self._order_of(owner, into)
        body = {"after": behind_id, **({} if status is None else {"status": status})}
        response = person.post(f"/tasks/{task_id}/move", json=body, headers=_header(if_match))
        others = [each for each in order if each != task_id]
        if behind_id in (None, *others):
            place = 0 if behind_id is None else others.index(behind_id) + 1
            others.insert(place, task_id)
        there = others == order
        if self.expect(
            "move",
            response,
            200,
            lambda: self.expected.move(person.id, task_id, behind_id, status, if_match, there=there),
        ):
            self._shown(response, self.expected.all[task_id].shown)
            assert self._order_of(owner, into) == others

    @rule(actor=_actors, number=_numbers, match=_matches, purged=st.sampled_from([False, False, True]))
    def take_from_trash(self, actor: int, number: int, match: int | None, purged: bool) -> None:
        """What is restored is in its place again, what is purged is nowhere."""
        if not self.expected.trash:
            self.delete(actor, number, None)
        tasks = self.expected.trash or self.expected.all
        person, task_id = self._actor_and_task(actor, number, tasks)
        if_match = self._if_match(task_id, match)
        if purged:
            owner = tasks[task_id].owner
            path = f"/rooms/{owner}" if owner in self.expected.rooms else "/users/me"
            owner = owner if owner in self.expected.rooms else person.id
            response = person.delete(f"{path}/trash/{task_id}", headers=_header(if_match))
            self.expect("purge", response, 204, lambda: self.expected.purge(person.id, owner, task_id, if_match))
            return
        response = person.post(f"/tasks/{task_id}/restore", headers=_header(if_match))
        if self.expect("restore", response, 200, lambda: self.expected.restore(person.id, task_id, if_match)):
            self._shown(response, self.expected.all[task_id].shown)

    @rule(
        actor=_places,
        owner=_owners,
        filters=st.fixed_dictionaries({}, optional=_filters),
        limit=st.sampled_from([1, 2, 50]),
    )
    def list(self, actor: int, owner: int, filters: Json, limit: int) -> None:
        """The room's list, or with the last owner the person's, by what was asked for, page by page."""
        person, parameters = self.people[actor], self._body(filters)
        if owner < ROOMS:
            room = self._room(owner)
            if person.id not in room.members:
                self.see_nothing(person, f"/rooms/{room.id}/tasks")
                return
            path, tasks = f"/rooms/{room.id}/tasks", self.expected.of_room(room.id, parameters.get("user_id"))
        else:
            path, tasks = "/tasks", self.expected.of_person(person.id)
        seen = person.list(path, **parameters, limit=limit)
        assert _without_unknown(seen) == task_lists.selected(tasks, parameters), (path, parameters)
        self.figures["list"] += 1

    @rule(
        which=st.sampled_from(["role", "streams", "role", "role", "person", "room"]),
        number=_places,
        owner=st.integers(0, ROOMS - 1),
        role=st.sampled_from(["member", "viewer", None]),
    )
    def do_something_else(self, which: str, number: int, owner: int, role: str | None) -> None:
        """One rule, so that what is not about tasks takes up a small part of all steps."""
        if which == "role":
            self._change_role(number, owner, role)
        elif which == "streams":
            self.product.deliver()
            self.expected.settle()
            self.figures["streams read"] += 1
        elif which == "person":
            self._delete_person(number)
        elif self.rooms[0].members:
            self._close(self.rooms[0])

    # ------------------------------------------------------------------------------------- what must be seen
    @invariant()
    def everybody_sees_their_tasks_and_no_others(self) -> None:
        for person in self.people:
            seen = self.see(person, "/tasks", limit=100)["items"]
            assert _without_unknown(seen) == self.expected.of_person(person.id)

    @invariant()
    def a_room_shows_its_tasks_to_its_members_only(self) -> None:
        for room in self.rooms[self.touched : self.touched + 1]:
            path = f"/rooms/{room.id}/tasks"
            if room.members:
                seen = self.see(self.host, path, limit=100)["items"]
                assert _without_unknown(seen) == self.expected.of_room(room.id)
                assert all((task["completed_at"] is not None) == (task["status"] == "completed") for task in seen)
            for person in self.people:
                if person.id not in room.members:
                    self.see_nothing(person, path)
                    break

    # --------------------------------------------------------------------------------------------------- help
    def _plan(self, person: Person, body: Json) -> None:
        response = person.post("/tasks", json=body)
        if self.expect("create", response, 201, lambda: self.expected.may_create(person.id, body)):
            self._shown(response, self.expected.create(response.json()["id"], person.id, body))

    def _admit(self, room: Room, person: Person, role: str) -> None:
        response = self.host.post(f"/rooms/{room.id}/users", json={"user_id": person.id, "role": role})
        assert response.status == 201, response
        room.members[person.id] = role
        self.figures["let in"] += 1

    def _change_role(self, member: int, number: int, role: str | None) -> None:
        """Somebody comes, goes, or has another role from now on."""
        person, room = self.people[member], self._room(number)
        if not room.members:
            return
        if person.id not in room.members:
            self._admit(room, person, role or "member")
        elif role is None:
            assert self.host.delete(f"/rooms/{room.id}/users/{person.id}").status == 204
            self.expected.leave(room, person.id)
            self.figures["put out"] += 1
        else:
            changed = self.host.patch(f"/rooms/{room.id}/users/{person.id}", json={"role": role})
            assert changed.status == 200, changed
            room.members[person.id] = role
            self.figures["role changed"] += 1

    def _delete_person(self, number: int) -> None:
        person = self.people[number]
        assert person.delete("/users/me").status == 204
        self.expected.delete_person(person.id)
        self.people[number] = self.product.register()
        self.figures["person deleted"] += 1

    def _close(self, room: Room) -> None:
        assert self.host.delete(f"/rooms/{room.id}").status == 204
        for member in [*room.members]:
            self.expected.leave(room, member)
        self.figures["room closed"] += 1

    def _room(self, number: int) -> Room:
        self.touched = number
        return self.rooms[number]

    def _order_of(self, owner: str, status: str) -> Sequence[str]:
        """The ids in the manual order of a status, as whoever may see them sees it."""
        own = [person for person in self.people if person.id == owner]
        path = "/tasks" if own else f"/rooms/{owner}/tasks"
        seen = self.see(own[0] if own else self.host, path, sort="rank", status=status, limit=100)["items"]
        return [task["id"] for task in seen]

    def _actor_and_task(self, actor: int, number: int, tasks: dict[str, Planned] | None = None) -> tuple[Person, str]:
        """One of the latest tasks, and somebody, mostly one who may see it."""
        if not self.expected.all:
            self._plan(self.people[0], {"title": "A"})
        tasks = tasks or self.expected.all
        task_id = [*tasks][-8:][::-1][number % min(8, len(tasks))]
        owner = tasks[task_id].owner
        room = self.expected.rooms.get(owner)
        if room is None:
            near = [person for person in self.people if person.id == owner]
        else:
            self.touched = self.rooms.index(room)
            near = [person for person in self.people if person.id in room.members]
        return [*near, *near, *self.people][actor % (2 * len(near) + PEOPLE)], task_id

    def _body(self, fields: Json) -> Json:
        """With the ids of people in the place of their numbers."""
        body = dict(fields)
        if isinstance(body.get("user_id"), int):
            body["user_id"] = self.people[body["user_id"]].id
        if "assignee_ids" in body:
            body["assignee_ids"] = [self.people[number].id for number in body["assignee_ids"]]
        return body

    def _if_match(self, task_id: str, distance: int | None) -> int | None:
        task: Planned = {**self.expected.trash, **self.expected.all}[task_id]
        return None if distance is None else task.shown["version"] + distance

    def _shown(self, response: Response, task: Json) -> None:
        assert _without_unknown([response.json()]) == [task], response
        assert response.tagged_version == task["version"]


def _header(if_match: int | None) -> dict[str, str]:
    return {} if if_match is None else {"If-Match": f'"{if_match}"'}


def _without(name: str, fields: Json) -> Json:
    return {each: value for each, value in fields.items() if each != name}


def _without_unknown(tasks: list[Json]) -> list[Json]:
    return [{name: value for name, value in task.items() if name not in _NOT_KNOWN} for task in tasks]
