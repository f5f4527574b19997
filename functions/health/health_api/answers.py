"""Shapes of what goes out."""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta

from tasksync import __version__


class Health(TypedDict):
    """How the service is."""

    status: Literal["ok", "failed"]
    checks: Annotated[
        dict[str, Literal["ok", "failed"]], Meta(description="By what was asked.", examples=[{"tasks": "ok"}])
    ]
    version: Annotated[str, Meta(description="The release of TaskSync that answers.", examples=[__version__])]
