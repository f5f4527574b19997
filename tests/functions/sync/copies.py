"""A client that keeps a copy. It applies pages with the code of docs/guides/sync.md."""

from typing import Any

from tests.support.client import Person
from tests.support.copies import GUIDE, PARTS

Json = dict[str, Any]


class Copy:
    """A copy of everything that one person sees."""

    def __init__(self, person: Person, limit: int = 100) -> None:
        self.person = person
        self.limit = limit
        self.held: Json = GUIDE["empty"]()

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
        GUIDE["apply"](self.held, page)

    @property
    def cursor(self) -> str | None:
        cursor: str | None = self.held["cursor"]
        return cursor

    @cursor.setter
    def cursor(self, cursor: str | None) -> None:
        self.held["cursor"] = cursor

    @property
    def rooms(self) -> Json:
        rooms: Json = self.held["rooms"]
        return rooms

    @property
    def tasks(self) -> Json:
        tasks: Json = self.held["tasks"]
        return tasks

    @property
    def content(self) -> Json:
        """In the form of ``held_for``."""
        return {part: self.held[part] for part in PARTS}
