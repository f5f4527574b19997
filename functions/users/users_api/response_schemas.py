"""Response schemas."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.http.schemas.responses import (
    ExportedActivity,
    ExportedRoom,
    FormerRoom,
    Session,
    Task,
    TrashedTask,
    User,
)


class Export(TypedDict):
    """The stored data of the caller, or a part of it: the lists continue, one after the other, in the next
    responses."""

    user: Annotated[User, Meta(description="The profile.")]
    sessions: Annotated[list[Session], Meta(description="All stored sessions, including those that have ended.")]
    rooms: Annotated[list[ExportedRoom], Meta(description="The rooms of which the user is a member.")]
    former_rooms: Annotated[list[FormerRoom], Meta(description="The rooms that the user left or was removed from.")]
    tasks: Annotated[
        list[Task],
        Meta(
            description=(
                "Personal tasks and, in the user's rooms, tasks assigned to them, then tasks that "
                "they created for others or for nobody. Each task appears once, unless its assignee "
                "changes meanwhile."
            )
        ),
    ]
    trash: Annotated[list[TrashedTask], Meta(description="The user's deleted personal tasks, until they expire.")]
    activity: Annotated[
        list[ExportedActivity],
        Meta(
            description=(
                "The changes of the user's profile and personal tasks, newest first; then the changes that "
                "the user made elsewhere, in rooms of which they are or were a member, oldest first: "
                "entries of the change logs that have not expired. Codes of rooms and other people's "
                "profiles are left out."
            )
        ),
    ]
    next_cursor: Annotated[
        str | None,
        Meta(
            description="The `cursor` of the next request if one response cannot hold all data; null otherwise.",
            examples=[None],
        ),
    ]
