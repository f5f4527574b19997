"""Response schemas."""

from enum import StrEnum
from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync import __version__


class HealthStatus(StrEnum):
    """Whether a dependency responds."""

    OK = "ok"
    """It responds."""
    FAILED = "failed"
    """It does not respond."""


class Health(TypedDict):
    """The state of the service."""

    status: Annotated[HealthStatus, Meta(description="`ok` if everything responds.")]
    checks: Annotated[
        dict[str, HealthStatus],
        Meta(description="By table or secret, whether it responds.", examples=[{"tasks": "ok"}]),
    ]
    version: Annotated[str, Meta(description="The release of TaskSync.", examples=[__version__])]
