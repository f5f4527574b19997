"""Response schemas."""

from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync.http.schemas.responses import (
    ExportedActivity,
    ExportedRoom,
    FormerRoom,
    Session,
    Task,
    User,
)


class Export(TypedDict):
    """What is held about somebody, or a part of it: the lists go on, one behind the other, from answer to answer."""

    user: Annotated[User, Meta(description="The profile.")]
    sessions: Annotated[list[Session], Meta(description="All that are still stored, those that are over, too.")]
    rooms: Annotated[list[ExportedRoom], Meta(description="Those one is in.")]
    former_rooms: Annotated[list[FormerRoom], Meta(description="Those one left or was removed from.")]
    tasks: Annotated[
        list[Task],
        Meta(
            description=(
                "Personal ones and, in the rooms one is in, those assigned to oneself, then those that one created for "
                "others or for nobody. Each is in it once, unless it changes hands meanwhile."
            )
        ),
    ]
    activity: Annotated[
        list[ExportedActivity],
        Meta(
            description=(
                "What one did, in rooms one is in and in those one has left, oldest first: entries of their audit "
                "trails, for as long as those are kept. Codes of rooms are left out."
            )
        ),
    ]
    next_cursor: Annotated[
        str | None,
        Meta(description="For `cursor` of the next request where one answer cannot hold all.", examples=[None]),
    ]
