"""The security log: one log line for each sign-in, failure, revocation, change or deletion.

These lines have ``"event": "security"``; ``kind`` says what happened (``docs/security.md`` lists the kinds). Each names
the affected user (``user_id``), the signed-in user who did it (``actor_id``; null: nobody) and the session in which or
to which it happened (``session_id``). The activity function logs changes of roles in rooms. Lines about a webhook name
it, its room and the host that it sends to.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tasksync.http import problems
from tasksync.http.request import Request
from tasksync.model.errors import EmailTaken, ReauthenticationRequired, RoleTooLow, UsernameTaken
from tasksync.observability.logs import log


def note(
    request: Request, kind: str, user_id: str, session_id: str | None = None, **fields: str | list[str] | None
) -> None:
    """Log an event of this user. On a route without a token, the user is the actor too.

    ``session_id``: None for the caller's session.
    """
    _write("INFO", request, kind, user_id, _caller(request, "user_id") or user_id, session_id, fields)


def note_refusal(
    request: Request,
    kind: str,
    user_id: str | None = None,
    session_id: str | None = None,
    **fields: str | None,
) -> None:
    """Log a refused operation."""
    _write("WARNING", request, kind, user_id, _caller(request, "user_id"), session_id, fields)


@contextmanager
def noting_refusals(request: Request, kind: str, user_id: str | None = None, **fields: str | None) -> Iterator[None]:
    """Log refusals in this block, with the problem's code as ``reason``.

    ``NotFound`` is not logged: the id in the path may be any text.
    """
    try:
        yield
    except (RoleTooLow, ReauthenticationRequired, UsernameTaken, EmailTaken) as error:
        note_refusal(request, kind, user_id, reason=problems.problem_type(type(error)).code, **fields)
        raise


def _write(
    level: str,
    request: Request,
    kind: str,
    user_id: str | None,
    actor_id: str | None,
    session_id: str | None,
    fields: Mapping[str, str | list[str] | None],
) -> None:
    log(
        level,
        "security",
        kind=kind,
        request_id=request.id,
        user_id=user_id,
        actor_id=actor_id,
        session_id=session_id or _caller(request, "session_id"),
        ip=request.ip,
        **fields,
    )


def _caller(request: Request, name: str) -> str | None:
    """A field of the signed-in user, on a route with a token."""
    found: str | None = (request.context.get("authorizer") or {}).get(name)
    return found
