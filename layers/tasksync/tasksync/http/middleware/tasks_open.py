"""Refuses requests for tasks while an upgrade copies the tasks to their new table.

No function reads the old table any more, and the new one is not complete. What is refused here was not written to
either, so that the copy is of everything that was ever confirmed.
"""

from tasksync.http.request import Handle, Request
from tasksync.http.responses import Response
from tasksync.model.errors import TasksClosed
from tasksync.runtime.settings import settings


def require_open_tasks(request: Request, handle: Handle) -> Response:
    """A middleware. Raises ``TasksClosed``."""
    check_open_tasks()
    return handle(request)


def check_open_tasks() -> None:
    """For a handler whose function has other routes, too. Raises ``TasksClosed``."""
    if not settings.tasks_open:
        raise TasksClosed
