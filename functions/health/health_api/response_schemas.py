"""Response schemas."""

from enum import StrEnum
from typing import Annotated, TypedDict

from msgspec import Meta

from tasksync import __version__


class HealthStatus(StrEnum):
    """Whether something answers."""

    OK = "ok"
    """It answers."""
    FAILED = "failed"
    """It does not answer."""


class Health(TypedDict):
    """How the service is."""

    status: Annotated[HealthStatus, Meta(description="`ok` where everything answers.")]
    checks: Annotated[
        dict[str, HealthStatus],
        Meta(description="By table or secret, whether it answers.", examples=[{"tasks": "ok"}]),
    ]
    version: Annotated[str, Meta(description="The release of TaskSync that answers.", examples=[__version__])]
