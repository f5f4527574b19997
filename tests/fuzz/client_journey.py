"""A room from beginning to end, through a client that a generator made of the description. Run as a program of its own.

Where the description is wrong, the client cannot read a response, or knows no such field, and this ends with an error.
"""

import sys
import uuid
from typing import Any

from task_sync_client import AuthenticatedClient, Client
from task_sync_client.api.auth import list_sessions, login, logout, refresh, register
from task_sync_client.api.health import get_health
from task_sync_client.api.overview import get_overview
from task_sync_client.api.rooms import create_room, get_room, join_room, list_members, list_rooms, remove_member
from task_sync_client.api.tasks import change_task, create_task, delete_task, get_task, list_tasks_of_room
from task_sync_client.api.users import get_user
from task_sync_client.models import (
    HealthStatus,
    Join,
    Login,
    NewRoom,
    NewTask,
    Priority,
    Problem,
    RefreshToken,
    Registration,
    TaskChange,
    TaskStatus,
)

PASSWORD = "violet kettle drum 17"


def main(url: str) -> None:
    anonymous = Client(base_url=url)
    assert get_health.sync(client=anonymous).status == HealthStatus.OK
    ann, ann_tokens = _registered(url, anonymous)
    bob, bob_tokens = _registered(url, anonymous)

    room = create_room.sync(client=ann, body=NewRoom(name="Office move"), idempotency_key=str(uuid.uuid4()))
    joined = join_room.sync(client=bob, body=Join(code=room.code))
    assert joined.id == room.id
    assert joined.member_count == 2
    assert [member.username for member in list_members.sync(room.id, client=bob).items] == [
        ann_tokens.user.username,
        bob_tokens.user.username,
    ]

    body = NewTask(title="Order the desks", room_id=room.id, priority=Priority.HIGH, user_id=bob_tokens.user.id)
    task = create_task.sync(client=ann, body=body)
    changed = change_task.sync(
        task.id, client=bob, body=TaskChange(status=TaskStatus.COMPLETED), if_match=f'"{task.version}"'
    )
    assert (changed.version, changed.completed_at is None) == (task.version + 1, False)
    late = change_task.sync(task.id, client=ann, body=TaskChange(title="Late"), if_match=f'"{task.version}"')
    assert isinstance(late, Problem)
    assert late.code == "version_mismatch"
    assert [each.id for each in list_tasks_of_room.sync(room.id, client=ann, limit=1).items] == [task.id]
    assert [each.id for each in get_overview.sync(client=bob).rooms] == [room.id]

    wrong = create_task.sync(client=ann, body=NewTask(title=""))
    assert isinstance(wrong, Problem)
    assert [fault.pointer for fault in wrong.errors] == ["/title"]

    delete_task.sync_detailed(task.id, client=ann)
    assert get_task.sync_detailed(task.id, client=ann).status_code == 404
    for member, tokens in ((bob, bob_tokens), (ann, ann_tokens)):
        assert remove_member.sync_detailed(room.id, tokens.user.id, client=member).status_code == 204
    assert get_room.sync(room.id, client=ann).code == "not_found"
    assert list_rooms.sync(client=ann).items == []

    renewed = refresh.sync(client=anonymous, body=RefreshToken(refresh_token=ann_tokens.refresh_token))
    again = login.sync(client=anonymous, body=Login(username=ann_tokens.user.username, password=PASSWORD))
    ann = AuthenticatedClient(base_url=url, token=again.access_token)
    assert get_user.sync("me", client=ann).id == ann_tokens.user.id
    assert len(list_sessions.sync(client=ann).items) == 2
    logout.sync_detailed(client=anonymous, body=RefreshToken(refresh_token=renewed.refresh_token))
    assert len(list_sessions.sync(client=ann).items) == 1


def _registered(url: str, anonymous: Client) -> tuple[AuthenticatedClient, Any]:
    body = Registration(username=f"somebody {uuid.uuid4().hex[:12]}", password=PASSWORD)
    tokens = register.sync(client=anonymous, body=body)
    return AuthenticatedClient(base_url=url, token=tokens.access_token), tokens


if __name__ == "__main__":
    main(sys.argv[1])
