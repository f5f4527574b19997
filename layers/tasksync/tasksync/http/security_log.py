"""The security log: who signed in, who failed to, what was revoked, changed or deleted. One line of the function's log
each; ``docs/security.md`` lists the kinds.

Told apart from other lines by ``"event": "security"``; ``kind`` says what happened. Each names whom it is about
(``user_id``), who did it (``actor_id``; null: nobody who is known to be signed in) and the session that it was done in
or to (``session_id``). Changes of roles in rooms are lines of the activity function.
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
    """Something that was done to, or by, this user. By themselves, on a route without a token.

    ``session_id``: None where it is the caller's.
    """
    _write("INFO", request, kind, user_id, _caller(request, "user_id") or user_id, session_id, fields)


def note_refusal(
    request: Request,
    kind: str,
    user_id: str | None = None,
    session_id: str | None = None,
    **fields: str | None,
) -> None:
    """Something that was not done."""
    _write("WARNING", request, kind, user_id, _caller(request, "user_id"), session_id, fields)


@contextmanager
def noting_refusals(request: Request, kind: str, user_id: str | None = None) -> Iterator[None]:
    """Note what is refused in this block because somebody may not do it, with the problem's code as ``reason``.

    A user who does not exist, or is not the caller's to see, is not named: that text may be anything.
    """
    try:
        yield
    except (RoleTooLow, ReauthenticationRequired, UsernameTaken, EmailTaken) as error:
        note_refusal(request, kind, user_id, reason=problems.problem_type(type(error)).code)
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
    """Of whoever is signed in, on a route with a token."""
    found: str | None = (request.context.get("authorizer") or {}).get(name)
    return found
