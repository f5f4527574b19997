"""A client that keeps a copy, written from the description of ``GET /sync`` alone."""

from typing import Any

from tests.support.client import Person

Json = dict[str, Any]


class Copy:
    """What one person sees, as pages have told of it."""

    def __init__(self, person: Person, limit: int = 100) -> None:
        self.person = person
        self.limit = limit
        self.cursor: str | None = None
        self.rooms: Json = {}
        self.members: Json = {}
        self.tasks: Json = {}
        self.me: Json = {}

    def pull(self) -> list[Json]:
        """All pages until there is no more."""
        pages = []
        while True:
            pages.append(self.next())
            self.apply(pages[-1])
            assert len(pages) < 500
            if not pages[-1]["more"]:
                return pages

    def next(self) -> Json:
        """The next page, which is not applied."""
        params = {"limit": self.limit} if self.cursor is None else {"cursor": self.cursor, "limit": self.limit}
        response = self.person.get("/sync", params=params)
        assert response.status == 200, response
        assert len(response.text) < 4_100_000
        page: Json = response.json()
        return page

    def apply(self, page: Json) -> None:
        if page["reset"]:
            self.rooms, self.members, self.tasks, self.me = {}, {}, {}, {}
        for room_id in [*page["reset_rooms"], *page["gone"]["rooms"]]:
            self.rooms.pop(room_id, None)
            self.members.pop(room_id, None)
            self.tasks = {key: task for key, task in self.tasks.items() if task["room_id"] != room_id}
        for task_id in page["gone"]["tasks"]:
            self.tasks.pop(task_id, None)
        for held, came in ((self.rooms, page["rooms"]), (self.tasks, page["tasks"])):
            for each in came:
                if each["id"] not in held or held[each["id"]]["version"] <= each["version"]:
                    held[each["id"]] = each
        self.members |= page["members"]
        for user in page["users"]:
            self.me = user
        self.cursor = page["cursor"]

    @property
    def content(self) -> Json:
        """In the form of ``held_for``."""
        parts = {"rooms": self.rooms, "members": self.members, "labels": {}, "tasks": self.tasks}
        return {**parts, "users": {self.me["id"]: self.me}}
