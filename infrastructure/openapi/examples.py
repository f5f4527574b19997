"""Examples of a first session: Ann registers, opens a room, adds Bob, plans a task; in the end she deletes her account.

Ids, codes and tokens are those that the examples of the responses have. A running product makes others: its users, and
the test that sends every example, put those of the responses they got in their place.
"""

from typing import Any

ANN = "usr_01a1fc4c9424765b9f141f9b2997a1bb"
BOB = "usr_01a1fc4ca2c57d0e8b3f6a1d4c7e9f20"
ROOM = "room_01a1fc4cb1f0777a8d1a5f0e2b6c9d3e"
CODE = "K7QX2MZ9A"
TASK = f"{ROOM}.01a1fc4cc02b7d5c9e3f1a2b4c5d6e7f"
REFRESH_TOKEN = "ses_01a1fc4c951c7ae3…"  # noqa: S105  # cut short, and nobody's
RECOVERY_TOKEN = f"{BOB}.Zk1vJ0wq3hJt5y8nD2xRrBfPz6cLmQeT4uSaXgVoHiE"
PASSWORD = "violet kettle drum 17"  # noqa: S105  # nobody's

_ROLE = {"role": "viewer"}
_TASK_CHANGE = {"status": "in progress"}
_ROOM_CHANGE = {"name": "Office move, second floor"}
_EMAIL = {"email": "ann@example.org"}

REQUESTS: dict[str, dict[str, Any]] = {
    "register": {"Somebody new": {"username": "ann", "password": PASSWORD}},
    "create_user": {"Somebody new": {"username": "bob", "password": "amber saddle river 58"}},
    "login": {"By username": {"username": "ann", "password": PASSWORD}},
    "refresh": {"The newest refresh token": {"refresh_token": REFRESH_TOKEN}},
    "logout": {"The newest refresh token": {"refresh_token": REFRESH_TOKEN}},
    "reauthenticate": {"The password": {"password": PASSWORD}},
    "change_password": {"Another password": {"current_password": PASSWORD, "new_password": "copper lantern field 42"}},
    "complete_recovery": {"A new password": {"token": RECOVERY_TOKEN, "new_password": "silver harbour notes 63"}},
    "change_user": {"An e-mail address": _EMAIL},
    "change_user_with_put": {"An e-mail address": _EMAIL},
    "create_room": {"A room with a name": {"name": "Office move"}},
    "change_room": {"Another name": _ROOM_CHANGE},
    "change_room_with_put": {"Another name": _ROOM_CHANGE},
    "change_code": {"Nothing to say": {}},
    "join_room": {"By the code": {"code": CODE}},
    "add_member": {"A member": {"user_id": BOB, "role": "member"}},
    "change_role": {"From member to viewer": _ROLE},
    "create_task": {
        "A task for oneself": {
            "title": "Order the desks",
            "description": "Twelve, adjustable in height.",
            "priority": "high",
            "deadline": "2027-01-31T12:00:00+01:00",
        },
        "A task in a room": {"title": "Order the desks", "room_id": ROOM, "priority": "high"},
        "A task for two people": {"title": "Carry the desks", "room_id": ROOM, "assignee_ids": [ANN, BOB]},
        "A task for a day": {"title": "Order the desks", "deadline": "2027-01-31"},
    },
    "change_task": {"Begin it": _TASK_CHANGE},
    "change_task_with_put": {"Begin it": _TASK_CHANGE},
    "move_task": {
        "To the top": {"after": None},
        "To the top of what is done": {"after": None, "status": "completed"},
    },
    "restore_task": {"Nothing to say": {}},
    "create_ticket": {"Nothing to say": {}},
    "sync_with_body": {"The first page": {"limit": 200}},
    "create_webhook": {
        "All events": {"url": "https://hooks.example.org/tasksync"},
        "Changes of tasks, in order": {
            "url": "https://hooks.example.org/tasks",
            "events": ["task.created", "task.updated"],
            "ordered": True,
        },
    },
    "change_webhook": {"Other events": {"events": ["task.created", "task.trashed"]}},
    "renew_secret": {"Nothing to say": {}},
    "resume_webhook": {"Nothing to say": {}},
    "send_test": {"Nothing to say": {}},
    "replay": {"Four entries": {"from": 1, "to": 4}},
    "resolve_keys": {"One of each": {"users": [ANN], "rooms": [ROOM], "tasks": [TASK], "codes": [CODE]}},
}
"""By operation and name, bodies of requests. The first is the one to begin with."""

_BOB = {"user_id": BOB, "username": "bob", "joined_at": "2026-11-21T04:12:05.310Z"}

_CREATED, _COMPLETED = "2026-11-21T04:11:02.443Z", "2026-11-21T04:12:40.087Z"
_TASK = {
    "id": TASK,
    "room_id": ROOM,
    "user_id": ANN,
    "assignee_ids": [ANN],
    "title": "Order the desks",
    "description": "Twelve, adjustable in height.",
    "status": "completed",
    "priority": "medium",
    "deadline": None,
    "created_by": ANN,
    "created_at": _CREATED,
    "updated_by": ANN,
    "updated_at": _COMPLETED,
    "completed_at": _COMPLETED,
    "rank": "h0V5kQ2xC",
    "version": 2,
}
_ROOM = {
    "id": ROOM,
    "name": "Office move",
    "code": CODE,
    "join_role": "member",
    "member_count": 2,
    "tasks": {"open": 0, "completed": 1},
    "role": "admin",
    "created_by": ANN,
    "created_at": "2026-11-21T04:10:39.524Z",
    "updated_at": "2026-11-21T04:12:05.310Z",
    "version": 2,
    "user_ids": [ANN, BOB],
}
_ENTRY = {
    "seq": 812,
    "type": "task",
    "id": TASK,
    "version": 2,
    "op": "updated",
    "fields": ["status"],
    "actor_id": ANN,
    "request_id": "1699949d-2e5e-4180-b16b-88be7d4f67c2",
    "at": _COMPLETED,
}
_CHANGES = {
    "changes": [_ENTRY],
    "current": [{"type": "task", **_TASK}],
    "gone": [],
    "next_cursor": "_vtHcCcTNPqvgQ3eYpXrczAgMw",
    "head": 812,
    "more": False,
}
_OWN_TASK = {
    **_TASK,
    "id": f"{ANN}.01a1fc4cd13c7b8f9a2d4e6f80917263",
    "room_id": None,
    "title": "Renew my passport",
    "description": None,
}
_OWN_CHANGE = {**_ENTRY, "seq": 31, "id": _OWN_TASK["id"]}
_OWN_CHANGES = {**_CHANGES, "changes": [_OWN_CHANGE], "current": [{"type": "task", **_OWN_TASK}], "head": 31}
_SYNC_PAGE = {
    "reset": False,
    "reset_rooms": [],
    "rooms": [_ROOM],
    "members": {ROOM: [{**_BOB, "user_id": ANN, "username": "ann", "role": "admin"}, {**_BOB, "role": "member"}]},
    "labels": {},
    "tasks": [_TASK],
    "users": [],
    "gone": {"rooms": [], "tasks": [f"{ROOM}.01a1fc4cc1a87e3d8b5f2c4d6e8f9012"]},
    "cursor": "AemLkz2chqh4M4u2ek4mtAEAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ",
    "more": False,
}

RESPONSES: dict[str, Any] = {
    "list_room_changes": _CHANGES,
    "list_user_changes": _OWN_CHANGES,
    "sync": _SYNC_PAGE,
    "sync_with_body": _SYNC_PAGE,
    "create_user": {
        "id": BOB,
        "username": "bob",
        "email": None,
        "role": "user",
        "created_at": "2026-11-21T04:11:17.902Z",
        "updated_at": "2026-11-21T04:11:17.902Z",
        "version": 1,
        "added_by": "anyone",
    },
    "add_member": {**_BOB, "role": "member"},
    "change_role": {**_BOB, "role": "viewer"},
}
"""By operation, the body of a success whose parts belong together, or are about Bob: the examples of the schemas are
about Ann."""


def media_examples(operation_id: str) -> dict[str, Any]:
    """``examples`` of a request's media type; empty for an operation without a body."""
    return {name: {"summary": name, "value": value} for name, value in REQUESTS.get(operation_id, {}).items()}
