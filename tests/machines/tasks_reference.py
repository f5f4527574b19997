"""What the API says of tasks, in plain Python: who sees them, who may write them, and what is left of them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from tests.machines.reference import NOT_FOUND, ROLE_TOO_LOW, VERSION_MISMATCH, Refused

Json = dict[str, Any]

_NOT_A_MEMBER = Refused(422, "assignee_not_member")
_NOT_IN_COLUMN = Refused(422, "validation_failed")


@dataclass
class Room:
    """``members``: ids with roles. One without members is dead. ``left``: how often somebody has left it."""

    id: str
    members: dict[str, str] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


@dataclass
class Planned:
    """A task as the API shows it, without times of its own making; ``owner``: the room or person it belongs to.

    ``joins``: by assignee, how often they had left the room when they were assigned.
    """

    owner: str
    shown: Json
    joins: dict[str, int] = field(default_factory=dict)


class Tasks:
    """All tasks. Methods raise ``Refused``, or do what they say."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.all: dict[str, Planned] = {}
        """By id, in the order in which they were planned."""
        self.trash: dict[str, Planned] = {}
        """By id, the latest last."""

    # ----------------------------------------------------------------------------------------------- what is there
    def of_room(self, room_id: str, assignee: str | None = None) -> list[Json]:
        """``assignee``: without what they have by an earlier membership; ``none``: what is assigned to nobody."""
        tasks = [task for task in self.all.values() if task.owner == room_id]
        if assignee == "none":
            return [task.shown for task in tasks if not task.joins]
        return [task.shown for task in tasks if assignee is None or self._is_assigned(task, assignee)]

    def of_person(self, person: str) -> list[Json]:
        """Personal ones, and those assigned to them in rooms they are in now."""
        return [task.shown for task in self.all.values() if self._is_assigned(task, person)]

    # ------------------------------------------------------------------------------------------------ what is done
    def may_create(self, actor: str, fields: Json) -> None:
        owner = fields.get("room_id") or actor
        self._require_writer(owner, actor)
        named = _named(fields)
        self._require_assignees(owner, actor, [actor] if named is None else named)

    def create(self, task_id: str, actor: str, fields: Json) -> Json:
        shown = {
            "id": task_id,
            "room_id": None,
            **_assigned([actor]),
            "description": None,
            "status": "pending",
            "priority": "medium",
            "deadline": None,
            "created_by": actor,
            "updated_by": actor,
            **fields,
            "version": 1,
        }
        named = _named(fields)
        shown |= {} if named is None else _assigned(named)
        owner = fields.get("room_id") or actor
        joins = {person: self._left(owner, person) for person in shown["assignee_ids"]}
        self.all[task_id] = Planned(owner, shown, joins)
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
        named, before = _named(fields), task.shown
        after = {**before, **fields, **({} if named is None else _assigned(named))}
        if is_viewer and {**after, "status": before["status"]} != before:
            raise ROLE_TOO_LOW
        joins = task.joins
        if named is not None and not is_viewer:
            self._require_assignees(task.owner, actor, named, joins)
            here = {each: self._left(task.owner, each) for each in named if self._role(task.owner, each) is not None}
            joins = {each: {**joins, **here}[each] for each in named if each in {**joins, **here}}
        if after != before or joins != task.joins:
            task.shown = {**after, "updated_by": actor, "version": before["version"] + 1}
            task.joins = joins

    def move(
        self, actor: str, task_id: str, behind: str | None, status: str | None, if_match: int | None, *, there: bool
    ) -> None:
        """``there``: the task is in this place already."""
        task = self._writable(actor, task_id, if_match)
        other = None if behind is None else self.all.get(behind)
        status = status or task.shown["status"]
        if behind is not None and (
            other is None or other is task or other.owner != task.owner or other.shown["status"] != status
        ):
            raise _NOT_IN_COLUMN
        if not there:
            task.shown |= {"status": status, "updated_by": actor, "version": task.shown["version"] + 1}

    def delete(self, actor: str, task_id: str, if_match: int | None) -> None:
        """It is in the trash then, as it was."""
        task = self._writable(actor, task_id, if_match)
        task.shown |= {"updated_by": actor, "version": task.shown["version"] + 1}
        self.trash[task_id] = self.all.pop(task_id)

    def restore(self, actor: str, task_id: str, if_match: int | None) -> None:
        """Where it was. Whoever has left the room since is not assigned any more."""
        task = self._trashed(actor, task_id, if_match)
        task.joins = {person: left for person, left in task.joins.items() if self._is_assigned(task, person)}
        task.shown |= {**_assigned([*task.joins]), "updated_by": actor, "version": task.shown["version"] + 1}
        self.all[task_id] = self.trash.pop(task_id)
        self.all = {each: self.all[each] for each in sorted(self.all, key=lambda each: each.partition(".")[2])}

    def purge(self, actor: str, owner: str, task_id: str, if_match: int | None) -> None:
        if owner != task_id.partition(".")[0]:
            raise NOT_FOUND
        self._trashed(actor, task_id, if_match)
        del self.trash[task_id]

    def trash_of(self, owner: str) -> list[Json]:
        """The latest first."""
        return [task.shown for task in self.trash.values() if task.owner == owner][::-1]

    def _trashed(self, actor: str, task_id: str, if_match: int | None) -> Planned:
        task = self.trash.get(task_id)
        if task is None or self._role(task.owner, actor) is None:
            raise NOT_FOUND
        self._require_writer(task.owner, actor)
        self._require_version(task, if_match)
        return task

    def delete_person(self, person: str) -> None:
        """Their own tasks go; those assigned to them stay, assigned to nobody."""
        self._forget(person)
        for task in self.all.values():
            self._unassign(task, [each for each in task.joins if each == person])
        for room in self.rooms.values():
            self.leave(room, person)

    def leave(self, room: Room, person: str) -> None:
        """With the last member go the tasks."""
        if room.members.pop(person, None):
            room.left[person] = room.left.get(person, 0) + 1
            if not room.members:
                self._forget(room.id)

    def _forget(self, owner: str) -> None:
        self.all = {task_id: task for task_id, task in self.all.items() if task.owner != owner}
        self.trash = {task_id: task for task_id, task in self.trash.items() if task.owner != owner}

    def settle(self) -> None:
        """The streams have been read: whoever left a room has none of its tasks any more."""
        for task in self.all.values():
            self._unassign(task, [person for person in task.joins if not self._is_assigned(task, person)])

    # ------------------------------------------------------------------------------------------------------- rules
    def _role(self, owner: str, person: str) -> str | None:
        """What somebody is to a room or person that tasks belong to."""
        room = self.rooms.get(owner)
        if room is None:
            return "admin" if owner == person else None
        return room.members.get(person)

    def _left(self, owner: str, person: str) -> int:
        room = self.rooms.get(owner)
        return 0 if room is None else room.left.get(person, 0)

    def _is_assigned(self, task: Planned, person: str) -> bool:
        """Whether somebody has the task, by the membership that they have now."""
        return self._role(task.owner, person) is not None and task.joins.get(person) == self._left(task.owner, person)

    def _unassign(self, task: Planned, people: list[str]) -> None:
        for person in people:
            del task.joins[person]
            task.shown = {**task.shown, **_assigned([*task.joins]), "version": task.shown["version"] + 1}

    def _require_writer(self, owner: str, actor: str) -> None:
        role = self._role(owner, actor)
        if role is None:
            raise NOT_FOUND
        if role == "viewer":
            raise ROLE_TOO_LOW

    def _require_assignees(self, owner: str, actor: str, people: list[str], before: Collection[str] = ()) -> None:
        """Of a personal task the person, of a room's members; ``before``: those who are assigned already may stay."""
        if owner == actor:
            if people != [actor]:
                raise _NOT_A_MEMBER
        elif any(person not in before and self._role(owner, person) is None for person in people):
            raise _NOT_A_MEMBER

    def _writable(self, actor: str, task_id: str, if_match: int | None) -> Planned:
        task = self.see(actor, task_id)
        self._require_writer(task.owner, actor)
        self._require_version(task, if_match)
        return task

    def _require_version(self, task: Planned, if_match: int | None) -> None:
        if if_match not in (None, task.shown["version"]):
            raise VERSION_MISMATCH


def _named(fields: Json) -> list[str] | None:
    """Those to whom a request assigns a task; None: it does not say."""
    if "assignee_ids" in fields:
        return list(dict.fromkeys(fields["assignee_ids"]))
    if "user_id" in fields:
        return [] if fields["user_id"] is None else [fields["user_id"]]
    return None


def _assigned(people: list[str]) -> Json:
    return {"assignee_ids": people, "user_id": people[0] if people else None}
