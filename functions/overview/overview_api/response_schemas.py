"""Response schemas."""

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from tasksync.http.schemas.responses import RoomId, RoomSummary, TaskInList, VisibleUser


class Overview(TypedDict):
    """What one caller has before them: at most 100 of each, and 4 MB of all."""

    users: Annotated[list[VisibleUser], Meta(description="The caller first, then the people in the rooms.")]
    rooms: Annotated[list[RoomSummary], Meta(description="The caller's, oldest first.")]
    tasks: Annotated[list[TaskInList], Meta(description="Assigned to the caller and not completed, newest first.")]
    truncated: Annotated[bool, Meta(description="Whether there may be more of anything.", examples=[False])]


class ResolvedKeys(TypedDict):
    """What stands behind the keys asked for, by key."""

    users: Annotated[dict[str, VisibleUser], Meta(description="By id, the users.")]
    rooms: Annotated[dict[str, RoomSummary], Meta(description="By id, the rooms.")]
    tasks: Annotated[dict[str, TaskInList], Meta(description="By id, the tasks.")]
    codes: Annotated[dict[str, RoomId], Meta(description="By room code, the room it opens.")]
    missing: Annotated[list[str], Meta(description="The keys of what there is not, or not for the caller to see.")]
    left_out: NotRequired[
        Annotated[
            list[str],
            Meta(description="The keys of what one answer (4 MB) cannot hold, where there are any: to be asked again."),
        ]
    ]
