"""Items of rooms and tasks, decoded as versions for the audit trail: from a stream record or from a scan."""

from tasksync.dynamodb.core.mapper import Raw, text_of
from tasksync.dynamodb.rooms.mapper import ROOM
from tasksync.dynamodb.tasks.mapper import TASK
from tasksync.model import change_context
from tasksync.model.activity import Version
from tasksync.runtime import clock


def version_of(image: Raw) -> Version:
    """``image``: a room's own item or a task."""
    task = "task_id" in image
    context = text_of(image, "stamp")
    return Version(
        room_id=image["owner_id" if task else "room_id"]["S"],
        task_id=text_of(image, "task_id"),
        number=int(image["version"]["N"]),
        at=clock.parse(image["updated_at"]["S"]),
        fields=(TASK if task else ROOM).audited(image),
        context=None if context is None else change_context.read(context),
        dead=not task and int(image["member_count"]["N"]) == 0,
    )
