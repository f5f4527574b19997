"""Items of rooms and tasks, decoded as versions for the audit trail: from a stream record or from a scan."""

from tasksync.dynamodb.core.mapper import Raw, text_of
from tasksync.dynamodb.migrations.old_items import in_new_form
from tasksync.dynamodb.rooms.mapper import ROOM
from tasksync.dynamodb.tasks.mapper import audited
from tasksync.model import change_context, times
from tasksync.model.activity import Version


def version_of(image: Raw) -> Version:
    """``image``: a room's own item or a task, also as the version before stored tasks."""
    if "task_id" in image:
        image = in_new_form(image)
    task = "owner_id" in image
    context, digest = text_of(image, "stamp"), text_of(image, "description_digest")
    return Version(
        room_id=image["owner_id" if task else "room_id"]["S"],
        task_id=text_of(image, "item") if task else None,
        number=int(image["version"]["N"]),
        at=times.parse(image["updated_at"]["S"]),
        fields=audited(image) if task else ROOM.audited(image),
        context=None if context is None else change_context.read(context),
        digests={} if digest is None else {"description": digest},
        trashed="trashed_at" in image,
        rank=text_of(image, "rank"),
        dead=not task and int(image["member_count"]["N"]) == 0,
    )


def is_copy(image: Raw) -> bool:
    """Whether this is a task as a migration has copied it, unchanged since."""
    return "copied" in image
