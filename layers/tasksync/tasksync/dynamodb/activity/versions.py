"""Items of rooms, tasks and users, decoded as versions for the change log: from a stream record or from a scan."""

from tasksync.dynamodb.core.mapper import Raw, text_of
from tasksync.dynamodb.migrations.old_items import in_new_form
from tasksync.dynamodb.rooms.mapper import ROOM
from tasksync.dynamodb.tasks.mapper import audited
from tasksync.dynamodb.users.mapper import USER
from tasksync.model import change_context, times
from tasksync.model.activity import Version
from tasksync.model.change_log import Counted, counted_as
from tasksync.model.entities import ActivityResource, TaskStatus, UserStatus


def version_of(image: Raw) -> Version:
    """``image``: a room's own item, a user, or a task, also as the version before stored tasks. Raises ``KeyError``,
    ``TypeError`` or ``ValueError`` if it cannot be read."""
    if image.keys().isdisjoint(("owner_id", "room_id")):
        return _user_version(image)
    if "task_id" in image:
        image = in_new_form(image)
    task = "owner_id" in image
    owner_id = image["owner_id" if task else "room_id"]["S"]
    context, digest = text_of(image, "stamp"), text_of(image, "description_digest")
    trashed = "trashed_at" in image
    ranked_at = text_of(image, "ranked_at")
    return Version(
        owner_id=owner_id,
        thing_id=image["item"]["S"] if task else owner_id,
        resource=ActivityResource.TASK if task else ActivityResource.ROOM,
        revision=revision_of(image),
        number=int(image["version"]["N"]),
        at=max(times.parse(at) for at in (image["updated_at"]["S"], ranked_at) if at is not None),
        fields=audited(image) if task else ROOM.audited(image),
        context=None if context is None else change_context.read(context),
        digests={} if digest is None else {"description": digest},
        trashed=trashed,
        rank=text_of(image, "rank"),
        dead=not task and int(image["member_count"]["N"]) == 0,
        counted=counted_as(TaskStatus(image["status"]["S"])) if task and not trashed else Counted.NEITHER,
        member_ids=frozenset(image.get("member_ids", {}).get("SS", ())),
    )


def _user_version(image: Raw) -> Version:
    context, user_id = text_of(image, "stamp"), image["user_id"]["S"]
    deleting = UserStatus(image["status"]["S"]) is UserStatus.DELETING
    return Version(
        owner_id=user_id,
        thing_id=user_id,
        resource=ActivityResource.USER,
        revision=revision_of(image),
        number=int(image["version"]["N"]),
        at=times.parse(image["updated_at"]["S"]),
        fields={} if deleting else USER.audited(image),
        context=None if context is None else change_context.read(context),
        digests={"password": image["password_hash"]["S"]},
        dead=deleting,
    )


def revision_of(image: Raw) -> int:
    """What logs count. An item without a revision has a version, which each write that is logged raises."""
    return int(image["revision" if "revision" in image else "version"]["N"])


def is_copy(image: Raw) -> bool:
    """Whether this is a task as a migration has copied it, unchanged since."""
    return "copied" in image
