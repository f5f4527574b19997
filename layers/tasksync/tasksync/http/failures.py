"""The response to what a request raises: a problem document, and where it is a failure of ours, a log line."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tasksync.domain.rate_limits import POLICIES
from tasksync.http import problems
from tasksync.http.request import Request
from tasksync.http.responses import PROBLEM, Response, etag
from tasksync.http.route import SAFE
from tasksync.http.security_log import note_refusal
from tasksync.model import errors
from tasksync.observability.logs import log
from tasksync.runtime import unit_of_work

# Said instead of what ``OutcomeUnknown`` says where there was a key, and where none is taken.
_SAME_KEY = (
    "A part of the service did not respond. The request may have been carried out: send it again with the same "
    "Idempotency-Key, and it is carried out once."
)
_LOOK_FIRST = (
    "A part of the service did not respond. The request may have been carried out: see whether it was before you send "
    "it again."
)

_EXTRA_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}

# What is more than these allow are guesses of passwords and codes, or accounts in bulk.
_GUESSING_POLICIES = {policy.name for policy in POLICIES if policy.exact}


def response_to(error: Exception, request: Request, *, takes_keys: bool) -> Response:
    """The problem document. ``takes_keys``: whether routes with an access token take an idempotency key."""
    match error:
        case errors.RateLimited():
            request.limit_statuses = [error.limit_status]
            if error.limit_status.policy in _GUESSING_POLICIES:
                user_id = unit_of_work.current.get().actor_id
                note_refusal(request, "rate_limited", user_id, policy=error.limit_status.policy)
            return _problem(error, request.id)
        case errors.PreconditionFailed():
            return _problem(request.explained(error), request.id)
        case errors.TaskSyncError():
            response = _problem(_reported(error, request, takes_keys=takes_keys), request.id)
            if response.status >= 500:
                _log_failure(request, error)
            return response
    # A defect is logged with its details, and the response has none.
    _log_failure(request, error)
    return _internal_problem(request.id)


def _reported(error: errors.TaskSyncError, request: Request, *, takes_keys: bool) -> errors.TaskSyncError:
    """The error as the client gets it: whether the request may have been carried out, and what to do then.

    A dependency that failed after the first write leaves something that was carried out.
    """
    known = not isinstance(error, errors.OutcomeUnknown) and unit_of_work.current.get().usage.writes == 0
    if known or not isinstance(error, errors.DependencyFailed | errors.WriteConflict):
        return error
    by_itself = errors.BadIdempotencyKey in request.route.description.raises
    with_token = takes_keys and request.user_id is not None
    if request.method in SAFE or not (by_itself or with_token):
        return errors.OutcomeUnknown(_LOOK_FIRST)
    return errors.OutcomeUnknown(_SAME_KEY if "idempotency-key" in request.headers else None)


def _problem(error: errors.TaskSyncError, request_id: str) -> Response:
    """The response to a request that failed with ``error``."""
    kind = problems.problem_type(type(error))
    further: dict[str, Any] = {}
    headers: dict[str, str] = {}
    detail = error.detail
    field_errors = getattr(error, "field_errors", ())
    if field_errors:
        listed = field_errors[: errors.MAX_FIELD_ERRORS]
        further["errors"] = [{"pointer": each.pointer, "code": each.code, "detail": each.detail} for each in listed]
        if len(field_errors) > len(listed):
            detail = f"{detail} The first {len(listed)} are listed."
    match error:
        case errors.ReauthenticationRequired():
            # In the body too: API Gateway renames the header.
            further["max_age"] = error.max_age_seconds
            headers = _challenge(error.max_age_seconds)
        case errors.RoleTooLow():
            further["role"] = error.role
            if error.required is not None:
                further["required_role"] = error.required
        case errors.PreconditionFailed() if error.version is not None:
            headers = {"ETag": etag(error.version)}
        case errors.RateLimited():
            headers = {"Retry-After": str(error.limit_status.seconds)}
    response = _document(kind, detail, request_id, further)
    return replace(response, headers={**response.headers, **headers})


def _challenge(max_age_seconds: int) -> dict[str, str]:
    """The header of a step-up challenge (RFC 9470 §3)."""
    error = 'error="insufficient_user_authentication", error_description="A recent sign-in is required"'
    return {"WWW-Authenticate": f'Bearer {error}, max_age="{max_age_seconds}"'}


def _internal_problem(request_id: str) -> Response:
    """The response to a request that failed because of a defect. It shows no details."""
    return _document(problems.PROBLEM_TYPES[errors.Defect], errors.Defect.detail, request_id, {})


def _document(kind: problems.ProblemType, detail: str, request_id: str, further: Mapping[str, object]) -> Response:
    body = {
        "type": "about:blank",
        "title": problems.TITLES[kind.status],
        "status": kind.status,
        "code": kind.code,
        "detail": detail,
        "request_id": request_id,
        **further,
    }
    return Response(kind.status, body, {"Content-Type": PROBLEM, **_EXTRA_HEADERS.get(kind.status, {})})


def _log_failure(request: Request, error: Exception) -> None:
    cause = error.__cause__ or error
    log(
        "ERROR",
        "request failed",
        request_id=request.id,
        error=type(error).__name__,
        cause=type(cause).__name__,
        trace=_trace(cause),
    )


def _trace(error: BaseException) -> list[str]:
    """Where it happened, without messages: those may quote what the client sent."""
    trace = []
    step = error.__traceback__
    while step is not None:
        trace.append(f"{step.tb_frame.f_code.co_filename}:{step.tb_lineno}")
        step = step.tb_next
    return trace
