"""The upgrade that copies the tasks to their new table, ``TasksTableV2``. `make deploy` and `make run` do it.

The new version is deployed with its routes of tasks closed: they answer 503, and write nothing. So what is confirmed is
all in the old table by then, and stays as it is while it is copied, compared, and, after that, served. Everything else
is served all the time; who leaves a room or is deleted meanwhile gets no task back, as a copy is written only if its
room or person is there.

A request that began in the version before may run on for the seconds that its function has, and the copy begins after
that. The second pass finds what may have been written since.

Closed is what a stack is that does not say otherwise, so a plain `sam deploy` of this version serves no task from a
table without tasks; `make deploy` then goes on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from infrastructure import migrate
from infrastructure.migrate import MigrationFailed

PARAMETER = "TasksOpen"
CLOSED = {PARAMETER: "false"}
OPEN = {PARAMETER: "true"}

_COPYING = ["0006-tasks-copied", "0007-copies-compared", "0008-copies-of-deleted-tasks", "0009-assignments"]
_COMPARING = _COPYING[1:3]
_CHECKING = _COPYING[1:]


def is_due(template: Mapping[str, Any], parameters: Mapping[str, str]) -> bool:
    """Whether a stack that was deployed from this has tasks to copy, or was left in the middle of copying them."""
    resources = template["Resources"]
    return ("TasksTable" in resources and "TasksTableV2" not in resources) or is_begun(parameters)


def is_begun(parameters: Mapping[str, str]) -> bool:
    return parameters.get(PARAMETER) == CLOSED[PARAMETER]


def copy(functions: Any, function: str, *, begun: bool, progress: Callable[[str], None]) -> None:
    """Copy all tasks and compare them. Raises MigrationFailed: then the new table must not be served.

    ``functions``: a boto3 client of Lambda. ``begun``: continues copying, if an earlier call began it. Compared is all
    of it in any case: what an earlier call compared may have been another table.
    """
    event = {"items_per_second": migrate.ITEMS_PER_SECOND, "again": _CHECKING if begun else _COPYING}
    report: migrate.Report = {"migrations": []}
    for report in migrate.until_done(functions, function, event):
        for line in migrate.lines(report):
            progress(line)
    left = sum(each["left"] for each in report["migrations"] if each["id"] in _COMPARING)
    if left:
        raise MigrationFailed(
            f"{left} tasks could not be copied. In the version before, `make audit` names those whose content is wrong."
        )
