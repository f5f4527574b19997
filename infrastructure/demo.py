"""`make demo`: fills the running local stack with a team, its rooms and its tasks, over the API alone.

Run again, it finds the team there, leaves it as it is, and says again how to sign in.
"""

import http.client
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infrastructure.local.addresses import running_addresses
from infrastructure.local.errors import LocalStackError

PASSWORD = "paper lantern orchard 42"  # noqa: S105  # of people who do not exist

TEAM = ("maya.okafor", "jonas.lind", "priya.raman", "tom.becker", "lena.moreau")

WEBSITE = "Website relaunch"
OFFICE = "Office move"
HIRING = "Hiring: backend engineer"

# For each room: its members, the first of whom opens it, with their roles.
ROOMS: dict[str, dict[str, str]] = {
    WEBSITE: {
        "maya.okafor": "admin",
        "jonas.lind": "member",
        "priya.raman": "member",
        "lena.moreau": "member",
        "tom.becker": "viewer",
    },
    OFFICE: {"tom.becker": "admin", "maya.okafor": "admin", "jonas.lind": "member", "lena.moreau": "member"},
    HIRING: {"priya.raman": "admin", "maya.okafor": "member", "tom.becker": "viewer"},
}

# Room (None: a personal task of whom it is assigned to), assignees, title, status, priority, days until the deadline.
TASKS: tuple[tuple[str | None, tuple[str, ...], str, str, str, int | None], ...] = (
    (WEBSITE, ("maya.okafor", "tom.becker"), "Agree on the launch date with sales", "pending", "high", 2),
    (WEBSITE, ("maya.okafor",), "Write the announcement", "pending", "low", 12),
    (WEBSITE, ("jonas.lind",), "Move the blog posts to the new templates", "in progress", "medium", 6),
    (WEBSITE, ("jonas.lind",), "Redirect the old product pages", "pending", "high", 9),
    (WEBSITE, ("jonas.lind",), "Set up the staging site", "completed", "high", -20),
    (WEBSITE, ("priya.raman",), "Measure page load on a slow phone", "completed", "medium", -2),
    (WEBSITE, ("priya.raman", "jonas.lind"), "Replace the contact form", "in progress", "high", 3),
    (WEBSITE, ("lena.moreau",), "Draw icons for the navigation", "in progress", "low", 4),
    (WEBSITE, ("lena.moreau",), "Check colours for contrast", "pending", "medium", 7),
    (WEBSITE, ("lena.moreau",), "Photograph the team", "pending", "low", None),
    (OFFICE, ("tom.becker",), "Sign the lease", "completed", "high", -14),
    (
        OFFICE,
        ("tom.becker", "lena.moreau", "jonas.lind"),
        "Order desks for the second floor",
        "in progress",
        "medium",
        5,
    ),
    (OFFICE, ("tom.becker",), "Cancel the old cleaning contract", "pending", "high", -1),
    (OFFICE, ("jonas.lind",), "Move the network rack", "pending", "high", 20),
    (OFFICE, ("jonas.lind",), "Label every cable", "pending", "low", 19),
    (OFFICE, ("maya.okafor",), "Tell customers and suppliers the new address", "pending", "medium", 25),
    (OFFICE, ("lena.moreau",), "Plan who sits where", "in progress", "medium", 8),
    (HIRING, ("priya.raman",), "Publish the job advertisement", "completed", "high", -30),
    (HIRING, ("priya.raman", "maya.okafor"), "Review the take-home exercise", "in progress", "high", 1),
    (HIRING, ("priya.raman",), "Answer everybody who applied", "pending", "medium", 3),
    (HIRING, ("maya.okafor",), "Book rooms for the interviews", "pending", "low", 4),
    (HIRING, ("maya.okafor",), "Decide on the salary range", "completed", "medium", -21),
    (None, ("maya.okafor",), "Renew my passport", "pending", "medium", 60),
    (None, ("jonas.lind",), "Read the book on distributed systems", "in progress", "low", None),
    (None, ("lena.moreau",), "Prepare the talk for the meetup", "pending", "high", 10),
)


# Moved in the manual order of their status: the second behind the first (None: before all others).
MOVES: tuple[tuple[str, str | None], ...] = (
    ("Redirect the old product pages", None),
    ("Check colours for contrast", "Redirect the old product pages"),
)

# Deleted, and one of them by mistake.
DELETED = ("Cancel the old cleaning contract", "Photograph the team")
RESTORED = "Photograph the team"


class Refused(Exception):
    """The API answered something else than it should."""

    def __init__(self, request: str, status: int, problem: Any) -> None:
        super().__init__(f"{request} answered {status}: {problem}")
        self.code = problem.get("code") if isinstance(problem, dict) else None


class Api:
    """The API at an address. Each call answers what the API did, or raises Refused."""

    def __init__(self, url: str) -> None:
        self._host = url.removeprefix("http://")

    def get(self, path: str, token: str) -> Any:
        return self._call("GET", path, None, token)

    def post(self, path: str, body: Mapping[str, Any], token: str | None = None) -> Any:
        return self._call("POST", path, json.dumps(body), token)

    def delete(self, path: str, token: str) -> Any:
        return self._call("DELETE", path, None, token)

    def _call(self, method: str, path: str, content: str | None, token: str | None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection = http.client.HTTPConnection(self._host, timeout=60)
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            content = json.loads(response.read() or b"null")
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(f"{method} {path}", response.status, content)
        return content


def fill(api: Api, now: datetime) -> None:
    """Raises Refused with the code ``username_taken`` if the team is there already."""
    people = {}
    for name in TEAM:
        body = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        people[name] = api.post("/auth/register", body)
    tokens = {name: person["access_token"] for name, person in people.items()}
    ids = {name: person["user"]["id"] for name, person in people.items()}
    rooms: dict[str | None, str | None] = {None: None}
    for name, members in ROOMS.items():
        founder, *others = members
        room = api.post("/rooms", {"name": name}, tokens[founder])
        rooms[name] = room["id"]
        for member in others:
            path = f"/rooms/{room['id']}/users"
            api.post(path, {"user_id": ids[member], "role": members[member]}, tokens[founder])
    tasks = {}
    for room_name, assignees, title, status, priority, days in TASKS:
        task = {"title": title, "status": status, "priority": priority, "room_id": rooms[room_name]}
        if days is not None:
            # What is more than a week away is due on a day, not at an hour.
            form = "%Y-%m-%d" if days > 7 else "%Y-%m-%dT17:00:00Z"
            task["deadline"] = (now + timedelta(days=days)).strftime(form)
        first = tokens[assignees[0]]
        made = api.post("/tasks", task | {"assignee_ids": [ids[name] for name in assignees]}, first)
        tasks[title] = (f"/tasks/{made['id']}", made["id"], first)
    for title, behind in MOVES:
        path, _, token = tasks[title]
        api.post(f"{path}/move", {"after": tasks[behind][1] if behind else None}, token)
    for title in DELETED:
        path, _, token = tasks[title]
        api.delete(path, token)
    path, _, token = tasks[RESTORED]
    api.post(f"{path}/restore", {}, token)


def instructions(api: Api, url: str) -> str:
    """How to sign in, list the tasks of a room and get a copy, as commands for a shell. Raises Refused."""
    credentials = {"username": TEAM[0], "password": PASSWORD}
    token = api.post("/auth/login", credentials)["access_token"]
    rooms = api.get("/rooms?limit=100", token)["items"]
    # The room may be renamed or gone: the team is as free as any other.
    room = next((room for room in rooms if room["name"] == WEBSITE), next(iter(rooms), None))
    path = f"/rooms/{room['id']}/tasks" if room else "/tasks"
    of_what = f"the tasks of “{room['name']}”" if room else f"the tasks of {TEAM[0]}"
    return (
        f"Sign in as any of {', '.join(TEAM)} with the password: {PASSWORD}\n"
        "\n"
        f"    curl -s {url}/auth/login -H 'Content-Type: application/json' \\\n"
        f"        -d '{json.dumps(credentials)}'\n"
        "\n"
        f"With the access_token of that response in TOKEN, {of_what} that are not done, the most urgent first:\n"
        "\n"
        f"    curl -s '{url}{path}?status=pending&status=in+progress&sort=deadline' \\\n"
        '        -H "Authorization: Bearer $TOKEN"\n'
        "\n"
        f"Everything that {TEAM[0]} sees, and the cursor for what changes afterwards (docs/guides/sync.md):\n"
        "\n"
        f"    curl -s '{url}/sync?limit=200' -H \"Authorization: Bearer $TOKEN\""
    )


def main() -> int:
    try:
        url = running_addresses().api_url
        api = Api(url)
        try:
            fill(api, datetime.now(UTC))
            print(f"Made {len(TEAM)} people, {len(ROOMS)} rooms and {len(TASKS)} tasks.")
        except Refused as error:
            if error.code != "username_taken":
                raise
            print("The demo team is there already.")
        print(instructions(api, url))
    except (LocalStackError, Refused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
