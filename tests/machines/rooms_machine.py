"""Rooms: people who open, join, leave and close them, change who may do what, and set up webhooks."""

import uuid
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.machines.machine import Json, Machine
from tests.machines.rooms_reference import Room, Rooms
from tests.support.client import Person, Response

PEOPLE = 4

_places = st.integers(0, PEOPLE - 1)
_actors = st.integers(0, 2 * PEOPLE - 1)
_rooms = st.integers(0, 6)
_roles = st.sampled_from(["admin", "member", "viewer"])
_join_roles = st.sampled_from(["member", "member", "viewer", None])
_keyed = st.booleans()
_matches = st.sampled_from([None, None, 0, 1])
"""How far ``If-Match`` is from the version that is there; None: it is not sent."""


class RoomsMachine(Machine):
    """Four people, and rooms of at most three. In play are the living rooms, and the dead one opened last."""

    reference: type[Rooms] = Rooms
    most_members = PEOPLE - 1

    def __init__(self) -> None:
        super().__init__()
        self.expected = self.reference(self.most_members)
        self.people = [self._newcomer() for _ in range(PEOPLE)]
        self.gone: list[str] = []
        self.touched: Room | None = None
        self.kept: tuple[Person, Json, Response] | None = None
        """The last request with a key that was carried out, and its response."""

    # ------------------------------------------------------------------------------------------------- steps
    @initialize(others=st.integers(0, 2), role=_roles)
    def begin(self, others: int, role: str) -> None:
        """With a room, and up to two others in it."""
        self.open(0, None, "A", "member", keyed=False)
        for other in range(1, others + 1):
            self.add(0, 0, other, role, deleted=False, keyed=False)

    @rule(
        actor=_places,
        code=st.sampled_from([None, None, "TEAM01", "team01", "TEAM02"]),
        name=st.sampled_from([None, "A", "B"]),
        join_role=_join_roles,
        keyed=_keyed,
    )
    def open(self, actor: int, code: str | None, name: str | None, join_role: str | None, keyed: bool) -> None:
        person = self.people[actor]
        body = {"code": code, "name": name, "join_role": join_role}
        response = self._write(person, "POST", "/rooms", body, keyed)
        if self.expect("open", response, 201, lambda: self.expected.may_open(code and code.upper())):
            body = response.json()
            assert code is None or body["code"] == code.upper(), response
            self.touched = self.expected.open(body["id"], body["code"], name, join_role, person.id)
            self._shown(response, self.touched, person)

    @rule(actor=_actors, number=_rooms, former=st.booleans(), keyed=_keyed)
    def join(self, actor: int, number: int, former: bool, keyed: bool) -> None:
        person, room = self._actor_and_room(actor, number)
        code = room.former_codes[-1] if former and room.former_codes else room.code
        response = self._write(person, "POST", "/rooms/join", {"code": code}, keyed)
        if self.expect("join", response, 200, lambda: self.expected.join(person.id, code)):
            entered = self.expected.with_code(code)
            assert entered is not None
            self._shown(response, entered, person)

    @rule(actor=_actors, number=_rooms, newcomer=_places, role=_roles, deleted=st.booleans(), keyed=_keyed)
    def add(self, actor: int, number: int, newcomer: int, role: str, deleted: bool, keyed: bool) -> None:
        person, room = self._actor_and_room(actor, number)
        added = self.gone[-1] if deleted and self.gone else self.people[newcomer].id
        body = {"user_id": added, "role": role}
        response = self._write(person, "POST", f"/rooms/{room.id}/users", body, keyed)
        self.expect("add", response, 201, lambda: self.expected.add(person.id, room, added, role))

    @rule(actor=_actors, number=_rooms, keyed=_keyed)
    def leave(self, actor: int, number: int, keyed: bool) -> None:
        person, room = self._actor_and_room(actor, number)
        self._remove("leave", person, room, person.id, keyed)

    @rule(actor=_actors, number=_rooms, other=_places, keyed=_keyed)
    def remove(self, actor: int, number: int, other: int, keyed: bool) -> None:
        person, room = self._actor_and_room(actor, number)
        self._remove("remove", person, room, self.people[other].id, keyed)

    @rule(actor=_actors, number=_rooms, other=_places, role=_roles, keyed=_keyed)
    def set_role(self, actor: int, number: int, other: int, role: str, keyed: bool) -> None:
        person, room = self._actor_and_room(actor, number)
        of = self.people[other].id
        response = self._write(person, "PATCH", f"/rooms/{room.id}/users/{of}", {"role": role}, keyed)
        if self.expect("change role", response, 200, lambda: self.expected.set_role(person.id, room, of, role)):
            assert response.json()["role"] == role

    @rule(
        actor=_actors,
        number=_rooms,
        name=st.sampled_from([None, "A", "B"]),
        join_role=_join_roles,
        match=_matches,
        keyed=_keyed,
    )
    def change(
        self, actor: int, number: int, name: str | None, join_role: str | None, match: int | None, keyed: bool
    ) -> None:
        person, room = self._actor_and_room(actor, number)
        if_match = self._if_match(room, match)
        body = {"name": name, "join_role": join_role}
        response = self._write(person, "PATCH", f"/rooms/{room.id}", body, keyed, if_match)
        if self.expect(
            "change", response, 200, lambda: self.expected.change(person.id, room, name, join_role, if_match)
        ):
            self._shown(response, room, person)

    @rule(actor=_actors, number=_rooms, match=_matches, keyed=_keyed)
    def change_code(self, actor: int, number: int, match: int | None, keyed: bool) -> None:
        person, room = self._actor_and_room(actor, number)
        if_match = self._if_match(room, match)
        response = self._write(person, "POST", f"/rooms/{room.id}/code", None, keyed, if_match)
        if self.expect("new code", response, 200, lambda: self.expected.may_change_code(person.id, room, if_match)):
            assert response.json()["code"] != room.code
            self.expected.change_code(room, response.json()["code"])
            self._shown(response, room, person)

    @rule(actor=_actors, number=_rooms, match=_matches, keyed=_keyed)
    def close(self, actor: int, number: int, match: int | None, keyed: bool) -> None:
        person, room = self._actor_and_room(actor, number)
        if_match = self._if_match(room, match)
        response = self._write(person, "DELETE", f"/rooms/{room.id}", None, keyed, if_match)
        self.expect("close", response, 204, lambda: self.expected.close(person.id, room, if_match))

    @rule(
        actor=_actors,
        number=_rooms,
        action=st.sampled_from(["set up", "change", "delete"]),
        chosen=st.integers(0, 3),
        url=st.sampled_from(["https://hooks.example.org/a", "https://hooks.example.org/b"]),
        events=st.sampled_from([None, ["task.created"]]),
        keyed=_keyed,
    )
    def administer_webhooks(
        self, actor: int, number: int, action: str, chosen: int, url: str, events: list[str] | None, keyed: bool
    ) -> None:
        """``chosen``: which webhook; one of them is none. Where there is none, mostly one is set up."""
        person, room = self._actor_and_room(actor, number)
        path, body = f"/rooms/{room.id}/webhooks", {"url": url, "events": events}
        if action == "set up" or (chosen and not room.webhooks):
            response = self._write(person, "POST", path, body, keyed)
            if self.expect("set up webhook", response, 201, lambda: self.expected.may_set_up_webhook(person.id, room)):
                room.webhooks[response.json()["id"]] = (url, events)
            return
        known = [*room.webhooks, f"wh_{'0' * 26}"]
        webhook = known[chosen % len(known)]
        if action == "change":
            response = self._write(person, "PATCH", f"{path}/{webhook}", body, keyed)
            if self.expect(
                "change webhook",
                response,
                200,
                lambda: self.expected.change_webhook(person.id, room, webhook, url, events),
            ):
                assert (response.json()["url"], response.json()["events"]) == (url, events)
        else:
            response = self._write(person, "DELETE", f"{path}/{webhook}", None, keyed)
            self.expect("delete webhook", response, 204, lambda: self.expected.delete_webhook(person.id, room, webhook))

    @rule(
        which=st.sampled_from(["streams", "people", "deletion", "added by"]),
        actor=_places,
        added_by=st.sampled_from(["anyone", "shared", "nobody"]),
    )
    def do_something_else(self, which: str, actor: int, added_by: str) -> None:
        """One rule, so that none of these takes up a third of all steps."""
        if which == "streams":
            self._read_streams()
        elif which == "people":
            self._see_people(actor)
        elif which == "deletion":
            self._delete_person(actor)
        else:
            self._say_who_may_add(actor, added_by)

    @precondition(lambda self: self.kept is not None)
    @rule(same=st.booleans())
    def repeat(self, same: bool) -> None:
        """The last keyed request again, or another one under its key."""
        assert self.kept is not None
        person, request, first = self.kept
        if person not in self.people:
            return
        response = person.request(**request if same else {**request, "method": "POST", "path": "/rooms", "json": {}})
        if same or (request["path"], request.get("json")) == ("/rooms", {}):
            assert (response.status, _body(response)) == (first.status, self._as_seen_now(person, first))
            assert "Idempotency-Replayed" in response.headers
            self.figures["answered again"] += 1
        else:
            assert (response.status, response.json()["code"]) == (422, "idempotency_key_reused"), response
            self.figures["key of another request"] += 1

    # ------------------------------------------------------------------------------------- what must be seen
    @invariant()
    def everybody_sees_their_rooms_and_no_others(self) -> None:
        for person in self.people:
            seen = self.see(person, "/rooms")["items"]
            assert [_without_unknown(room) for room in seen] == [
                _as_listed(room, person.id) for room in self.expected.of(person.id)
            ]

    @invariant()
    def a_room_is_seen_by_its_members_only(self) -> None:
        room = self.touched
        if room is None:
            return
        for person in self.people:
            if person.id not in room.members:
                self.see_nothing(person, f"/rooms/{room.id}")
                break
        inside = [person for person in self.people if person.id in room.members]
        if inside:
            seen = self.see(inside[-1], f"/rooms/{room.id}/users")["items"]
            names = {person.id: person.username for person in self.people}
            expected = [(member, names[member], role) for member, role in room.members.items()]
            assert [(each["user_id"], each["username"], each["role"]) for each in seen] == expected

    @invariant()
    def an_admin_sees_the_webhooks_of_a_room(self) -> None:
        room = self.touched
        if room is not None and room.webhooks and room.members:
            admin = next(person for person in self.people if person.id in room.admins)
            seen = self.see(admin, f"/rooms/{room.id}/webhooks")["items"]
            assert {each["id"]: (each["url"], each["events"]) for each in seen} == room.webhooks

    # --------------------------------------------------------------------------------------------------- help
    def _read_streams(self) -> None:
        self.product.deliver()
        self.figures["streams read"] += 1

    def _see_people(self, actor: int) -> None:
        person = self.people[actor]
        seen = {each["id"] for each in self.see(person, "/users")["items"]}
        assert seen == {person.id} | {member for room in self.expected.of(person.id) for member in room.members}

    def _say_who_may_add(self, actor: int, added_by: str) -> None:
        person = self.people[actor]
        response = person.patch("/users/me", json={"added_by": added_by})
        assert (response.status, response.json()["added_by"]) == (200, added_by), response
        self.expected.added_by[person.id] = added_by
        self.figures["say who may add"] += 1

    def _delete_person(self, actor: int) -> None:
        person = self.people[actor]
        response = person.delete("/users/me")
        self.expect("delete user", response, 204, lambda: self.expected.delete_person(person.id))
        assert person.get("/rooms").status == 401
        self.gone.append(person.id)
        self.people[actor] = self._newcomer()

    def _newcomer(self) -> Person:
        person = self.product.register()
        self.expected.everybody.add(person.id)
        return person

    def _actor_and_room(self, actor: int, number: int) -> tuple[Person, Room]:
        """A room, mostly one alive, and somebody, mostly one of its members."""
        alive = [room for room in self.expected.all if room.members]
        rooms = [*alive, *alive, *[room for room in self.expected.all if not room.members][-1:]]
        self.touched = room = rooms[number % len(rooms)]
        inside = [person for person in self.people if person.id in room.members]
        return [*inside, *inside, *self.people][actor % (2 * len(inside) + PEOPLE)], room

    def _if_match(self, room: Room, distance: int | None) -> int | None:
        return None if distance is None else room.version + distance

    def _remove(self, action: str, person: Person, room: Room, member: str, keyed: bool) -> None:
        response = self._write(person, "DELETE", f"/rooms/{room.id}/users/{member}", None, keyed)
        self.expect(action, response, 204, lambda: self.expected.remove(person.id, room, member))

    def _write(
        self, person: Person, method: str, path: str, body: Json | None, keyed: bool, if_match: int | None = None
    ) -> Response:
        headers = {"Idempotency-Key": uuid.uuid4().hex} if keyed else {}
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        request: Json = {"method": method, "path": path, "headers": headers}
        if body is not None:
            request["json"] = body
        response = person.request(**request)
        if keyed and response.status < 300:
            self.kept = person, request, response
        return response

    def _as_seen_now(self, person: Person, first: Response) -> Any:
        """A first response, without the code of a room whose code its person may not see any more."""
        body = _body(first)
        if not isinstance(body, dict) or "code" not in body:
            return body
        room = next(room for room in self.expected.all if room.id == body["id"])
        return body if room.members.get(person.id) in ("admin", "member") else {**body, "code": None}

    def _shown(self, response: Response, room: Room, person: Person) -> None:
        body = _without_unknown(response.json())
        assert body == {**_as_listed(room, person.id), "user_ids": list(room.members)}, response
        assert response.tagged_version == room.version


def _body(response: Response) -> Any:
    return response.json() if response.text else None


def _as_listed(room: Room, person: str) -> Json:
    return {
        "id": room.id,
        "code": None if room.members[person] == "viewer" else room.code,
        "join_role": room.join_role,
        "name": room.name,
        "member_count": len(room.members),
        "role": room.members[person],
        "created_by": room.created_by,
        "version": room.version,
    }


def _without_unknown(room: Json) -> dict[str, Any]:
    return {name: value for name, value in room.items() if name not in ("created_at", "updated_at", "tasks")}
