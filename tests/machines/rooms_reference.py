"""What the API says of rooms, in plain Python: who is in them, who may do what, which code opens which, and which
webhooks they have.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.machines.reference import NOT_FOUND, ROLE_TOO_LOW, VERSION_MISMATCH, Refused

MOST_WEBHOOKS = 10


@dataclass
class Room:
    """``members``: ids with roles, in the order they joined. A room without members is dead."""

    id: str
    code: str
    name: str | None
    created_by: str
    members: dict[str, str] = field(default_factory=dict)
    version: int = 1
    former_codes: list[str] = field(default_factory=list)
    join_role: str | None = "member"
    left_as: dict[str, str] = field(default_factory=dict)
    """By person: the role in which they left, or that they were removed."""
    webhooks: dict[str, tuple[str, list[str] | None]] = field(default_factory=dict)
    """Ids with URLs and events, oldest first."""

    @property
    def admins(self) -> list[str]:
        return [person for person, role in self.members.items() if role == "admin"]


class Rooms:
    """All rooms. Methods raise ``Refused``, or do what they say."""

    def __init__(self, most_members: int) -> None:
        self.most_members = most_members
        self.everybody: set[str] = set()
        self.added_by: dict[str, str] = {}
        """Who may add somebody; anyone, where it is not said."""
        self.all: list[Room] = []
        self._given_up: set[str] = set()

    # ----------------------------------------------------------------------------------------------- what is there
    def of(self, person: str) -> Iterator[Room]:
        """Oldest first."""
        return (room for room in self.all if person in room.members)

    def with_code(self, code: str) -> Room | None:
        return next((room for room in self.all if room.members and room.code == code), None)

    # ------------------------------------------------------------------------------------------------ what is done
    def may_open(self, code: str | None) -> None:
        if code is not None and (self.with_code(code) or code in self._given_up):
            raise Refused(409, "code_taken")

    def open(self, room_id: str, code: str, name: str | None, join_role: str | None, person: str) -> Room:
        room = Room(room_id, code, name, person, {person: "admin"}, join_role=join_role)
        self.all.append(room)
        return room

    def join(self, person: str, code: str) -> Room:
        room = self.with_code(code)
        if room is None:
            raise Refused(404, "unknown_code")
        left_as = room.left_as.get(person)
        if person not in room.members and (room.join_role is None or left_as == "removed"):
            raise Refused(404, "unknown_code")
        self._may_enter(room, person)
        self._enter(room, person, "viewer" if "viewer" in (room.join_role, left_as) else "member")
        return room

    def add(self, actor: str, room: Room, person: str, role: str) -> None:
        self._as_admin(actor, room)
        if person not in self.everybody:
            raise Refused(422, "unknown_user")
        self._may_enter(room, person)
        added_by = self.added_by.get(person, "anyone")
        if added_by == "nobody" or (added_by == "shared" and not self._share_a_room(actor, person)):
            raise Refused(409, "adding_refused")
        self._enter(room, person, role)
        room.left_as.pop(person, None)

    def remove(self, actor: str, room: Room, person: str) -> None:
        if person == actor:
            self._as_member(actor, room)
        else:
            self._as_admin(actor, room)
        if person not in room.members:
            raise NOT_FOUND
        if self.is_last_admin(room, person) and len(room.members) > 1:
            raise Refused(409, "last_admin")
        room.left_as[person] = room.members[person] if person == actor else "removed"
        self._leave(room, person)

    def set_role(self, actor: str, room: Room, person: str, role: str) -> None:
        self._as_admin(actor, room)
        if person not in room.members:
            raise NOT_FOUND
        if room.members[person] == role:
            return
        if self.is_last_admin(room, person):
            raise Refused(409, "last_admin")
        room.members[person] = role
        room.version += 1

    def change(self, actor: str, room: Room, name: str | None, join_role: str | None, if_match: int | None) -> None:
        self._as_admin(actor, room, if_match)
        if (name, join_role) != (room.name, room.join_role):
            room.name, room.join_role = name, join_role
            room.version += 1

    def may_change_code(self, actor: str, room: Room, if_match: int | None) -> None:
        self._as_admin(actor, room, if_match)

    def change_code(self, room: Room, code: str) -> None:
        room.former_codes.append(room.code)
        self._given_up.add(room.code)
        room.code = code
        room.version += 1

    def close(self, actor: str, room: Room, if_match: int | None) -> None:
        self._as_admin(actor, room, if_match)
        room.members.clear()
        self._given_up.add(room.code)

    def may_set_up_webhook(self, actor: str, room: Room) -> None:
        self._as_admin(actor, room)
        if len(room.webhooks) >= MOST_WEBHOOKS:
            raise Refused(409, "too_many_webhooks")

    def change_webhook(self, actor: str, room: Room, webhook: str, url: str, events: list[str] | None) -> None:
        self._as_admin_of_webhook(actor, room, webhook)
        room.webhooks[webhook] = (url, events)

    def delete_webhook(self, actor: str, room: Room, webhook: str) -> None:
        self._as_admin_of_webhook(actor, room, webhook)
        del room.webhooks[webhook]

    def delete_person(self, person: str) -> None:
        """Out of every room. Where nobody else administers one: who joined first does now, members before viewers."""
        for room in self.of(person):
            others = [each for each in room.members if each != person]
            if self.is_last_admin(room, person) and others:
                room.members[min(others, key=lambda each: room.members[each] == "viewer")] = "admin"
            self._leave(room, person)
        self.everybody.remove(person)

    # ------------------------------------------------------------------------------------------------------- rules
    def is_last_admin(self, room: Room, person: str) -> bool:
        return room.admins == [person]

    def _as_member(self, actor: str, room: Room) -> None:
        if actor not in room.members:
            raise NOT_FOUND

    def _as_admin(self, actor: str, room: Room, if_match: int | None = None) -> None:
        self._as_member(actor, room)
        if room.members[actor] != "admin":
            raise ROLE_TOO_LOW
        if if_match not in (None, room.version):
            raise VERSION_MISMATCH

    def _as_admin_of_webhook(self, actor: str, room: Room, webhook: str) -> None:
        self._as_admin(actor, room)
        if webhook not in room.webhooks:
            raise NOT_FOUND

    def _share_a_room(self, one: str, other: str) -> bool:
        return any(other in room.members for room in self.of(one))

    def _may_enter(self, room: Room, person: str) -> None:
        if person in room.members:
            raise Refused(409, "already_member")
        if len(room.members) >= self.most_members:
            raise Refused(409, "room_full")

    def _enter(self, room: Room, person: str, role: str) -> None:
        room.members[person] = role
        room.version += 1

    def _leave(self, room: Room, person: str) -> None:
        del room.members[person]
        room.version += 1
        if not room.members:
            self._given_up.add(room.code)
