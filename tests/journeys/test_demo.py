"""`make demo`: a team to look at, over the API alone."""

import json
import shlex
from datetime import UTC, datetime

import pytest

from infrastructure import demo
from tests.journeys.service import Service


def test_the_demo_creates_a_team_once_and_prints_how_to_look_at_it(service: Service) -> None:
    url = service.addresses.api_url
    api = demo.Api(url)

    demo.fill(api, datetime.now(UTC))
    with pytest.raises(demo.Refused, match="username_taken"):
        demo.fill(api, datetime.now(UTC))
    said = demo.instructions(api, url)

    # The commands do what they say they do.
    log_in, list_tasks, copy = (shlex.split(f"curl {each}") for each in said.replace("\\\n", "").split("curl ")[1:])
    credentials = json.loads(log_in[log_in.index("-d") + 1].strip())
    maya = service.anonymous.sign_in(credentials["username"], credentials["password"])
    response = maya.get(list_tasks[2].removeprefix(url))
    assert response.status == 200, response
    deadlines = [task["deadline"] for task in response.json()["items"] if task["deadline"]]
    assert len(deadlines) >= 5
    assert deadlines == sorted(deadlines)
    page = maya.get(copy[2].removeprefix(url)).json()
    assert page["reset"]
    assert {user["username"] for user in page["users"]} == {"maya.okafor"}
    by_name = {room["name"]: room["id"] for room in maya.list("/rooms")}
    board = maya.list(f"/rooms/{by_name[demo.WEBSITE]}/tasks", sort="rank", status="pending")
    assert [task["title"] for task in board][:2] == [title for title, _ in demo.MOVES]
    assert demo.RESTORED in [task["title"] for task in board]
    assert max(len(task["assignee_ids"]) for task in board) == 2
    [deleted] = maya.list(f"/rooms/{by_name[demo.OFFICE]}/trash")
    assert deleted["title"] in demo.DELETED
    assert {room["name"] for room in maya.list("/rooms")} == set(demo.ROOMS)
    assert {person["username"] for person in maya.list("/users")} == set(demo.TEAM)
