"""What the API says of tasks, in plain Python: who sees them, who may write them, and what is left of them."""

from dataclasses import dataclass, field
from typing import Any

from tests.machines.reference import NOT_FOUND, ROLE_TOO_LOW, VERSION_MISMATCH, Refused

Json = dict[str, Any]

_NOT_A_MEMBER = Refused(422, "assignee_not_member")


@dataclass
class Room:
    """``members``: ids with roles. One without members is dead. ``left``: how often somebody has left it."""

    id: str
    members: dict[str, str] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


@dataclass
class Planned:
    """A task as the API shows it, without times of its own making; ``owner``: the room or person it belongs to.

    ``join``: how often the assignee had left the room when they were assigned.
    """

    owner: str
    shown: Json
    join: int = 0


class Tasks:
    """All tasks. Methods raise ``Refused``, or do what they say."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.all: dict[str, Planned] = {}
        """By id, in the order in which they were planned."""

    # ----------------------------------------------------------------------------------------------- what is there
    def of_room(self, room_id: str, assignee: str | None = None) -> list[Json]:
        """``assignee``: without what they have by an earlier membership."""
        tasks = [task for task in self.all.values() if task.owner == room_id]
        return [task.shown for task in tasks if assignee is None or self._is_assigned(task, assignee)]

    def of_person(self, person: str) -> list[Json]:
        """Personal ones, and those assigned to them in rooms they are in now."""
        return [task.shown for task in self.all.values() if self._is_assigned(task, person)]

    # ------------------------------------------------------------------------------------------------ what is done
    def may_create(self, actor: str, fields: Json) -> None:
        owner = fields.get("room_id") or actor
        self._require_writer(owner, actor)
        self._require_assignee(owner, actor, fields.get("user_id", actor))

    def create(self, task_id: str, actor: str, fields: Json) -> Json:
        shown = {
            "id": task_id,
            "room_id": None,
            "user_id": actor,
            "description": None,
            "status": "pending",
            "priority": "medium",
            "deadline": None,
            "created_by": actor,
            "updated_by": actor,
            **fields,
            "version": 1,
        }
        owner = fields.get("room_id") or actor
        self.all[task_id] = Planned(owner, shown, self._left(owner, shown["user_id"]))
        return shown

    def see(self, actor: str, task_id: str) -> Planned:
        task = self.all.get(task_id)
        if task is None or self._role(task.owner, actor) is None:
            raise NOT_FOUND
        return task

    def update(self, actor: str, task_id: str, fields: Json, if_match: int | None) -> None:
        task = self.see(actor, task_id)
        is_viewer = self._role(task.owner, actor) == "viewer"
        if is_viewer and not self._is_assigned(task, actor):
            raise ROLE_TOO_LOW
        self._require_version(task, if_match)
        before, after, join = task.shown, {**task.shown, **fields}, task.join
        if is_viewer and {**after, "status": before["status"]} != before:
            raise ROLE_TOO_LOW
        assignee = after["user_id"]
        if assignee != before["user_id"]:
            self._require_assignee(task.owner, actor, assignee)
        if fields.get("user_id") is not None and not is_viewer and self._role(task.owner, assignee) is not None:
            join = self._left(task.owner, assignee)
        if after != before or join != task.join:
            task.shown = {**after, "updated_by": actor, "version": before["version"] + 1}
            task.join = join

    def delete(self, actor: str, task_id: str, if_match: int | None) -> None:
        self._writable(actor, task_id, if_match)
        del self.all[task_id]

    def delete_person(self, person: str) -> None:
        """Their own tasks go; those assigned to them stay, assigned to nobody."""
        self.all = {task_id: task for task_id, task in self.all.items() if task.owner != person}
        for task in self.all.values():
            if task.shown["user_id"] == person:
                self._unassign(task)
        for room in self.rooms.values():
            self.leave(room, person)

    def leave(self, room: Room, person: str) -> None:
        """With the last member go the tasks."""
        if room.members.pop(person, None):
            room.left[person] = room.left.get(person, 0) + 1
            if not room.members:
                self.all = {task_id: task for task_id, task in self.all.items() if task.owner != room.id}

    def settle(self) -> None:
        """The streams have been read: whoever left a room has none of its tasks any more."""
        for task in self.all.values():
            person = task.shown["user_id"]
            if person is not None and not self._is_assigned(task, person):
                self._unassign(task)

    # ------------------------------------------------------------------------------------------------------- rules
    def _role(self, owner: str, person: str) -> str | None:
        """What somebody is to a room or person that tasks belong to."""
        room = self.rooms.get(owner)
        if room is None:
            return "admin" if owner == person else None
        return room.members.get(person)

    def _left(self, owner: str, person: str | None) -> int:
        room = self.rooms.get(owner)
        return 0 if room is None or person is None else room.left.get(person, 0)

    def _is_assigned(self, task: Planned, person: str) -> bool:
        """Whether somebody has the task, by the membership that they have now."""
        member = task.shown["user_id"] == person and self._role(task.owner, person) is not None
        return member and task.join == self._left(task.owner, person)

    def _unassign(self, task: Planned) -> None:
        task.shown = {**task.shown, "user_id": None, "version": task.shown["version"] + 1}

    def _require_writer(self, owner: str, actor: str) -> None:
        role = self._role(owner, actor)
        if role is None:
            raise NOT_FOUND
        if role == "viewer":
            raise ROLE_TOO_LOW

    def _require_assignee(self, owner: str, actor: str, assignee: str | None) -> None:
        """Of a personal task the person, of a room's a member or nobody."""
        if owner == actor:
            if assignee != actor:
                raise _NOT_A_MEMBER
        elif assignee is not None and self._role(owner, assignee) is None:
            raise _NOT_A_MEMBER

    def _writable(self, actor: str, task_id: str, if_match: int | None) -> Planned:
        task = self.see(actor, task_id)
        self._require_writer(task.owner, actor)
        self._require_version(task, if_match)
        return task

    def _require_version(self, task: Planned, if_match: int | None) -> None:
        if if_match not in (None, task.shown["version"]):
            raise VERSION_MISMATCH
