"""What the API says of rooms, in plain Python: who is in them, who may do what, and which code opens which."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.machines.reference import NOT_FOUND, ROLE_TOO_LOW, VERSION_MISMATCH, Refused


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
        self._uncleaned: set[str] = set()

    # ----------------------------------------------------------------------------------------------- what is there
    def of(self, person: str) -> Iterator[Room]:
        """Oldest first."""
        return (room for room in self.all if person in room.members)

    def with_code(self, code: str) -> Room | None:
        return next((room for room in self.all if room.members and room.code == code), None)

    # ------------------------------------------------------------------------------------------------ what is done
    def may_open(self, code: str | None) -> None:
        if code is not None and (self.with_code(code) or code in self._uncleaned):
            raise Refused(409, "code_taken")

    def open(self, room_id: str, code: str, name: str | None, person: str) -> Room:
        room = Room(room_id, code, name, person, {person: "admin"})
        self.all.append(room)
        return room

    def join(self, person: str, code: str) -> Room:
        room = self.with_code(code)
        if room is None:
            raise Refused(404, "unknown_code")
        self._may_enter(room, person)
        self._enter(room, person, "member")
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

    def remove(self, actor: str, room: Room, person: str) -> None:
        if person == actor:
            self._as_member(actor, room)
        else:
            self._as_admin(actor, room)
        if person not in room.members:
            raise NOT_FOUND
        if self.is_last_admin(room, person) and len(room.members) > 1:
            raise Refused(409, "last_admin")
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

    def rename(self, actor: str, room: Room, name: str | None, if_match: int | None) -> None:
        self._as_admin(actor, room, if_match)
        if name != room.name:
            room.name = name
            room.version += 1

    def may_change_code(self, actor: str, room: Room, if_match: int | None) -> None:
        self._as_admin(actor, room, if_match)

    def change_code(self, room: Room, code: str) -> None:
        room.former_codes.append(room.code)
        room.code = code
        room.version += 1

    def close(self, actor: str, room: Room, if_match: int | None) -> None:
        self._as_admin(actor, room, if_match)
        room.members.clear()
        self._uncleaned.add(room.code)

    def delete_person(self, person: str) -> None:
        """Out of every room. Where nobody else administers one: who joined first does now, members before viewers."""
        for room in self.of(person):
            others = [each for each in room.members if each != person]
            if self.is_last_admin(room, person) and others:
                room.members[min(others, key=lambda each: room.members[each] == "viewer")] = "admin"
            self._leave(room, person)
        self.everybody.remove(person)

    def clean_up(self) -> None:
        """The streams have been read: codes of dead rooms can be had again."""
        self._uncleaned.clear()

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
            self._uncleaned.add(room.code)
