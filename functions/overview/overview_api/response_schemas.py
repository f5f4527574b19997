"""Response schemas."""

from typing import Annotated, NotRequired, TypedDict

from msgspec import Meta

from tasksync.http.schemas.responses import RoomId, RoomSummary, TaskInList, VisibleUser


class Overview(TypedDict):
    """The caller's rooms, the people in them and the caller's open tasks: at most 100 of each, and 4 MB in total."""

    users: Annotated[list[VisibleUser], Meta(description="The caller first, then the people in the rooms.")]
    rooms: Annotated[list[RoomSummary], Meta(description="The caller's rooms, oldest first.")]
    tasks: Annotated[
        list[TaskInList], Meta(description="Tasks that are assigned to the caller and not completed, newest first.")
    ]
    truncated: Annotated[bool, Meta(description="Whether the lists may be incomplete.", examples=[False])]


class ResolvedKeys(TypedDict):
    """The resources of the requested keys, by key."""

    users: Annotated[dict[str, VisibleUser], Meta(description="By id, the users.")]
    rooms: Annotated[dict[str, RoomSummary], Meta(description="By id, the rooms.")]
    tasks: Annotated[dict[str, TaskInList], Meta(description="By id, the tasks.")]
    codes: Annotated[dict[str, RoomId], Meta(description="By room code, the id of its room.")]
    missing: Annotated[
        list[str], Meta(description="Keys of resources that do not exist, or that the caller may not see.")
    ]
    left_out: NotRequired[
        Annotated[
            list[str],
            Meta(description="Keys that did not fit into this response (4 MB), if any: request them again."),
        ]
    ]
