"""Clients that keep a copy. They apply pages with the code of docs/guides/sync.md, and with nothing else."""

import copy as copies
from typing import Any

from tests.support.client import Person, Response
from tests.support.copies import GUIDE, whole

Json = dict[str, Any]


class Follower:
    """A client of one person with a copy of everything that the person sees."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.copy: Json = GUIDE["empty"]()
        self._stored = copies.deepcopy(self.copy)
        self.complete = False
        """Whether the last page said that there is no more."""

    def ask(self, limit: int, *, post: bool) -> Response:
        """A response, which is not applied yet. ``post``: the cursor is in a body, not in the address."""
        sent: Json = {"limit": limit}
        if self.copy["cursor"] is not None:
            sent["cursor"] = self.copy["cursor"]
        return self.person.post("/sync", json=sent) if post else self.person.get("/sync", params=sent)

    def apply(self, page: Json) -> None:
        GUIDE["apply"](self.copy, self.seen(page))
        self.complete = not page["more"]

    def seen(self, page: Json) -> Json:
        """The page as this client reads it."""
        return copies.deepcopy(page)

    def learn(self, task: Json) -> None:
        """Show what the own person has changed at once, as the guide has it: only in rooms that the copy has."""
        known = self.copy["tasks"].get(task["id"])
        has_room = task["room_id"] is None or task["room_id"] in self.copy["rooms"]
        if has_room and (known is None or known["version"] <= task["version"]):
            self.copy["tasks"][task["id"]] = task

    def store(self) -> None:
        self._stored = copies.deepcopy(self.copy)

    def go_back(self) -> None:
        """The client begins again with the copy and the cursor that it stored some time ago."""
        self.copy = copies.deepcopy(self._stored)
        self.complete = False


class RoomFollower:
    """A client that follows one room by its changes, and keeps the tasks."""

    def __init__(self, person: Person, room_id: str) -> None:
        self.person = person
        self.room_id = room_id
        self.tasks: dict[str, Json] = {}
        self.cursor: str | None = None
        self._last: int | None = None

    def ask(self, limit: int) -> Response:
        cursor = {} if self.cursor is None else {"cursor": self.cursor}
        return self.person.get(f"/rooms/{self.room_id}/changes", params={"limit": min(limit, 100), **cursor})

    def begin(self, response: Response) -> None:
        """As the guide has it: first the cursor, then what is there."""
        assert response.status == 200, response
        page = response.json()
        assert page["changes"] == [], page
        self.cursor, self._last = page["next_cursor"], page["head"]
        listed = self.person.list(f"/rooms/{self.room_id}/tasks", limit=100)
        self.tasks = {each["id"]: whole(self.person, each) for each in listed}

    def apply(self, page: Json) -> None:
        """Raises if a number is missing, or a thing is older than its entry."""
        assert self._last is not None
        numbers = [each["seq"] for each in page["changes"]]
        assert numbers == [*range(self._last + 1, self._last + 1 + len(numbers))], (self._last, numbers)
        self._last = numbers[-1] if numbers else self._last
        assert page["more"] == (self._last < page["head"]), page
        current = {(each["type"], each["id"]): each for each in page["current"]}
        gone = {(each["type"], each["id"]) for each in page["gone"]}
        assert not current.keys() & gone
        for change in page["changes"]:
            thing = current.get((change["type"], change["id"]))
            if thing is not None and change["version"] is not None and "version" in thing:
                assert thing["version"] >= change["version"], (change, thing)
        for each in page["current"]:
            known = self.tasks.get(each["id"])
            if each["type"] == "task" and (known is None or known["version"] <= each["version"]):
                self.tasks[each["id"]] = {name: value for name, value in each.items() if name != "type"}
        for each in page["gone"]:
            self.tasks.pop(each["id"], None)
        self.cursor = page["next_cursor"]


class WithoutResetRooms(Follower):
    """Rooms that come whole are put over what is there."""

    def seen(self, page: Json) -> Json:
        return super().seen(page) | {"reset_rooms": []}


class WithoutReset(Follower):
    """A copy that begins anew is put over what is there."""

    def seen(self, page: Json) -> Json:
        return super().seen(page) | {"reset": False}


class WithoutGoneRooms(Follower):
    def seen(self, page: Json) -> Json:
        return super().seen(page) | {"gone": {**page["gone"], "rooms": []}}


class WithoutGoneTasks(Follower):
    def seen(self, page: Json) -> Json:
        return super().seen(page) | {"gone": {**page["gone"], "tasks": []}}


class WithoutCounts(Follower):
    """What comes with the version that is there is left out."""

    def seen(self, page: Json) -> Json:
        return super().seen(page) | {"rooms": [each for each in page["rooms"] if not self._is_known(each)]}

    def _is_known(self, room: Json) -> bool:
        known = self.copy["rooms"].get(room["id"])
        return known is not None and bool(known["version"] == room["version"])


class WithFirstMembers(Follower):
    """Lists of members that are there stay as they are."""

    def seen(self, page: Json) -> Json:
        new = {room_id: each for room_id, each in page["members"].items() if room_id not in self.copy["members"]}
        return super().seen(page) | {"members": new}


class WithOlderVersions(Follower):
    """Tasks that come are put over what is there: a page may be older than what the person has changed meanwhile."""

    def apply(self, page: Json) -> None:
        for each in page["tasks"]:
            self.copy["tasks"].pop(each["id"], None)
        super().apply(page)
