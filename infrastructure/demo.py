"""`make demo`: fills the running local stack with a team, its rooms and its tasks, over the API alone."""

import http.client
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infrastructure.local.errors import LocalStackError
from infrastructure.local.stack import running_addresses

PASSWORD = "paper lantern orchard 42"  # noqa: S105  # of people who do not exist

TEAM = ("maya.okafor", "jonas.lind", "priya.raman", "tom.becker")

# For each room: its members, the first of whom opens it, with their roles.
ROOMS: dict[str, dict[str, str]] = {
    "Website relaunch": {
        "maya.okafor": "admin",
        "jonas.lind": "member",
        "priya.raman": "member",
        "tom.becker": "viewer",
    },
    "Office move": {"tom.becker": "admin", "maya.okafor": "admin", "jonas.lind": "member"},
    "Hiring: backend engineer": {"priya.raman": "admin", "maya.okafor": "member"},
}

# Room (None: a personal task of whom it is assigned to), assignee, title, status, priority, days until the deadline.
TASKS: tuple[tuple[str | None, str, str, str, str, int | None], ...] = (
    ("Website relaunch", "jonas.lind", "Move the blog posts to the new templates", "in progress", "medium", 6),
    ("Website relaunch", "jonas.lind", "Redirect the old product pages", "pending", "high", 9),
    ("Website relaunch", "priya.raman", "Measure page load on a slow phone", "completed", "medium", -2),
    ("Website relaunch", "priya.raman", "Replace the contact form", "in progress", "high", 3),
    ("Website relaunch", "maya.okafor", "Agree on the launch date with sales", "pending", "high", 2),
    ("Website relaunch", "maya.okafor", "Write the announcement", "pending", "low", 12),
    ("Office move", "tom.becker", "Sign the lease", "completed", "high", -14),
    ("Office move", "tom.becker", "Order desks for the second floor", "in progress", "medium", 5),
    ("Office move", "jonas.lind", "Move the network rack", "pending", "high", 20),
    ("Office move", "maya.okafor", "Tell customers and suppliers the new address", "pending", "medium", 25),
    ("Hiring: backend engineer", "priya.raman", "Review the take-home exercise", "in progress", "high", 1),
    ("Hiring: backend engineer", "maya.okafor", "Book rooms for the interviews", "pending", "low", 4),
    (None, "maya.okafor", "Renew my passport", "pending", "medium", 60),
    (None, "jonas.lind", "Read the book on distributed systems", "in progress", "low", None),
)


class Refused(Exception):
    """The API answered something else than it should."""

    def __init__(self, request: str, status: int, problem: Any) -> None:
        super().__init__(f"{request} answered {status}: {problem}")
        self.code = problem.get("code") if isinstance(problem, dict) else None


class Api:
    """The API at an address. Each call answers the resource, or raises Refused."""

    def __init__(self, url: str) -> None:
        self._host = url.removeprefix("http://")

    def post(self, path: str, body: Mapping[str, Any], token: str | None = None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        connection = http.client.HTTPConnection(self._host, timeout=60)
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            content = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 400:
            raise Refused(f"POST {path}", response.status, content)
        return content


def fill(api: Api, now: datetime) -> None:
    """Raises Refused with the code ``username_taken`` if the team is there already."""
    people = {}
    for name in TEAM:
        people[name] = api.post("/auth/register", {"username": name, "password": PASSWORD})
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
    for room_name, assignee, title, status, priority, days in TASKS:
        task = {"title": title, "status": status, "priority": priority, "room_id": rooms[room_name]}
        if days is not None:
            task["deadline"] = (now + timedelta(days=days)).strftime("%Y-%m-%dT17:00:00Z")
        api.post("/tasks", task | {"user_id": ids[assignee]}, tokens[assignee])


def main() -> int:
    try:
        url = running_addresses().api_url
    except LocalStackError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        fill(Api(url), datetime.now(UTC))
        print(f"Made {len(TEAM)} people, {len(ROOMS)} rooms and {len(TASKS)} tasks.")
    except Refused as error:
        if error.code != "username_taken":
            print(error, file=sys.stderr)
            return 1
        print("The demo team is there already.")
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Sign in as any of {', '.join(TEAM)} with the password: {PASSWORD}\n")
    print(f"    curl {url}/auth/login -H 'Content-Type: application/json' \\")
    print(f"""        -d '{{"username": "{TEAM[0]}", "password": "{PASSWORD}"}}'""")
    return 0


if __name__ == "__main__":
    sys.exit(main())
