"""A room from beginning to end, through the client that openapi-generator makes (python). Run as a program of its own.

Where the description is wrong, the client cannot read a response, or knows no such field, and this ends with an error.
"""

import json
import sys
import uuid
from collections.abc import Callable
from typing import Any

import openapi_client as api

PASSWORD = "violet kettle drum 17"


class Person:
    """Somebody who is signed in."""

    def __init__(self, url: str, tokens: Any) -> None:
        client = api.ApiClient(api.Configuration(host=url, access_token=tokens.access_token))
        self.id: str = tokens.user.id
        self.username: str = tokens.user.username
        self.refresh_token: str = tokens.refresh_token
        self.auth, self.users = api.AuthApi(client), api.UsersApi(client)
        self.rooms, self.tasks, self.overview = api.RoomsApi(client), api.TasksApi(client), api.OverviewApi(client)


def main(url: str) -> None:
    anonymous = api.ApiClient(api.Configuration(host=url))
    auth = api.AuthApi(anonymous)
    assert api.HealthApi(anonymous).get_health().status is api.HealthStatus.OK
    ann, bob = _registered(url, auth), _registered(url, auth)

    room = ann.rooms.create_room(new_room=api.NewRoom(name="Office move"), idempotency_key=str(uuid.uuid4()))
    assert room.role is api.RoomRole.ADMIN
    joined = bob.rooms.join_room(api.Join(code=room.code))
    assert (joined.id, joined.member_count, joined.role) == (room.id, 2, api.RoomRole.MEMBER)
    assert [each.username for each in bob.rooms.list_members(room.id).items] == [ann.username, bob.username]

    task = ann.tasks.create_task(
        api.NewTask(title="Order the desks", room_id=room.id, priority=api.Priority.HIGH, user_id=bob.id)
    )
    tag = f'"{task.version}"'
    change = api.TaskChange(status=api.TaskStatus.COMPLETED)
    changed = bob.tasks.change_task(task.id, if_match=tag, task_change=change)
    assert (changed.version, changed.completed_at is None) == (task.version + 1, False)
    late = _refused(lambda: ann.tasks.change_task(task.id, if_match=tag, task_change=api.TaskChange(title="Late")))
    assert (late["status"], late["code"]) == (412, "version_mismatch")
    cleared = ann.tasks.change_task(task.id, task_change=api.TaskChange(user_id=None))
    assert cleared.user_id is None

    ann.tasks.create_task(api.NewTask(title="Order the chairs", room_id=room.id))
    titles, cursor = [], None
    while True:
        page = ann.tasks.list_tasks_of_room(
            room.id,
            cursor=cursor,
            limit=1,
            status=[api.TaskStatus.PENDING, api.TaskStatus.COMPLETED],
            sort=api.TaskSort.PRIORITY_DESCENDING,
        )
        titles += [each.title for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert titles == ["Order the desks", "Order the chairs"]
    assert [each.id for each in bob.overview.get_overview().rooms] == [room.id]
    unknown = _refused(lambda: ann.tasks.create_task(api.NewTask(title="Desks", user_id="nobody-here")))
    assert [error["pointer"] for error in unknown["errors"]] == ["/user_id"]

    ann.tasks.delete_task(task.id)
    assert _refused(lambda: ann.tasks.get_task(task.id))["code"] == "not_found"
    for person in (bob, ann):
        person.rooms.remove_member(room.id, "me")
    assert ann.rooms.list_rooms().items == []

    renewed = auth.refresh(api.RefreshToken(refresh_token=ann.refresh_token))
    ann = Person(url, renewed)
    assert [each.current for each in ann.auth.list_sessions().items] == [True]
    shown = ann.auth.reauthenticate(api.Reauthentication(password=PASSWORD))
    users = api.UsersApi(api.ApiClient(api.Configuration(host=url, access_token=shown.access_token)))
    assert users.get_user("me").id == ann.id
    users.delete_user("me")
    gone = api.Login(username=ann.username, password=PASSWORD)
    assert _refused(lambda: auth.login(gone))["code"] == "invalid_credentials"


def _registered(url: str, auth: Any) -> Person:
    registration = api.Registration(username=f"somebody {uuid.uuid4().hex[:12]}", password=PASSWORD)
    return Person(url, auth.register(registration))


def _refused(request: Callable[[], object]) -> Any:
    """The problem document of a request that is refused."""
    try:
        request()
    except api.ApiException as error:
        return json.loads(error.body)
    raise AssertionError("this should have been refused")


if __name__ == "__main__":
    main(sys.argv[1])
