"""Completes change logs where records of a stream were lost, and nothing has changed since.

What was not changed for 25 hours has no record on its way any more: streams keep records for 24 hours. An entry that
says so takes the place of what was lost. Started again, the migrations heal what was lost since.
"""

from collections.abc import Callable

from tasksync.dynamodb.activity.versions import version_of
from tasksync.dynamodb.migrations.scanning import Raw
from tasksync.model import times
from tasksync.model.activity import Version
from tasksync.model.change_log import NO_RECORD_COMES_AFTER
from tasksync.model.errors import WriteConflict

Complete = Callable[[Version], bool]
"""Appends to the log of a room or task what is missing up to this version; whether anything was."""


def complete_log_of(item: Raw, complete: Complete) -> bool:
    """Whether anything was missing. Raises ``WriteConflict`` if the item cannot be read."""
    try:
        version = version_of(item)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise WriteConflict from error
    return version.at <= times.now() - NO_RECORD_COMES_AFTER and complete(version)
