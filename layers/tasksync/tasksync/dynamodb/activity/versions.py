"""Items of rooms and tasks, decoded as versions for the audit trail: from a stream record or from a scan."""

from collections.abc import Mapping
from typing import Any

from tasksync.dynamodb.rooms import join_roles
from tasksync.model import change_context
from tasksync.model.activity import Version
from tasksync.runtime import clock

Image = Mapping[str, Mapping[str, Any]]
"""An item as DynamoDB spells it."""

_OF_ROOM = {"name": "name", "code": "code"}
_OF_TASK = {
    "title": "title",
    "description": "description",
    "status": "status",
    "priority": "priority",
    "assignee_id": "user_id",
    "deadline": "deadline",
}
"""By attribute: the name that the API has for it."""


def version_of(image: Image) -> Version:
    """``image``: a room's own item or a task."""
    task = "task_id" in image
    stamp = _text(image, "stamp")
    return Version(
        room_id=image["owner_id" if task else "room_id"]["S"],
        task_id=_text(image, "task_id"),
        number=int(image["version"]["N"]),
        at=clock.parse(image["updated_at"]["S"]),
        fields=_fields_of_task(image) if task else _fields_of_room(image),
        context=None if stamp is None else change_context.read(stamp),
        dead=not task and int(image["member_count"]["N"]) == 0,
    )


def _fields_of_room(image: Image) -> dict[str, str]:
    found = _fields(image, _OF_ROOM)
    join_role = join_roles.read(_text(image, "join_role"))
    return found if join_role is None else {**found, "join_role": join_role.value}


def _fields_of_task(image: Image) -> dict[str, str]:
    found = _fields(image, _OF_TASK)
    if "deadline" in found:
        found["deadline"] = clock.rfc3339(clock.parse(found["deadline"]))
    return found


def _fields(image: Image, names: Mapping[str, str]) -> dict[str, str]:
    return {shown: text for name, shown in names.items() if (text := _text(image, name)) is not None}


def _text(image: Image, name: str) -> str | None:
    value: str | None = image.get(name, {}).get("S")
    return value
