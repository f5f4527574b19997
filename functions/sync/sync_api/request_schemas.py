"""Request schemas."""

from typing import Annotated

import msgspec
from msgspec import Meta

from tasksync.http.schemas.fields import Cursor

LONGEST_CURSOR = 70_000
"""In characters: that of 2,000 rooms, the most that an installation can allow. Of 200, the default: 7,000."""

_Limit = Annotated[
    int,
    Meta(
        ge=1,
        le=200,
        description="The maximum number of changes, or of rooms and tasks: fewer if they exceed 4 MB in total.",
    ),
]


class ChangesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """From where a change log is read."""

    cursor: (
        Annotated[
            Cursor,
            Meta(
                description=(
                    "The `next_cursor` of the last response; without it, the response has the place to start from."
                )
            ),
        ]
        | None
    ) = None
    limit: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="The maximum number of changes: fewer if they exceed 4 MB in total, with what they are about.",
        ),
    ] = 50


class SyncQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the client has."""

    cursor: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=8_000,
                description=(
                    "The `cursor` of the last page; without it, the first page. That of 200 rooms has 7 KB. Send "
                    "longer ones by POST: API Gateway takes 10 KB of headers, with the path."
                ),
            ),
        ]
        | None
    ) = None
    limit: _Limit = 100


class SyncBody(msgspec.Struct, frozen=True, kw_only=True):
    """What the client has. Both fields may be left out."""

    cursor: Annotated[
        Annotated[str, Meta(min_length=1, max_length=LONGEST_CURSOR)] | None,
        Meta(description="The `cursor` of the last page; null or absent: the first page."),
    ] = None
    limit: _Limit = 100
