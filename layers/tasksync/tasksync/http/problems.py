"""Errors as problem documents (RFC 9457). The one place where errors get a status and a code."""

from dataclasses import replace
from http import HTTPStatus

from tasksync import errors
from tasksync.http.responses import PROBLEM, Response

# Looked up along the class's bases, so a subclass without a line of its own is answered as its base is.
_ANSWERS: dict[type[errors.TaskSyncError], tuple[int, str]] = {
    errors.MalformedRequest: (400, "bad_request"),
    errors.MalformedJson: (400, "malformed_json"),
    errors.BadIdempotencyKey: (400, "invalid_idempotency_key"),
    errors.BadQuery: (400, "invalid_query"),
    errors.BadCursor: (400, "invalid_cursor"),
    errors.NotSignedIn: (401, "invalid_token"),
    errors.InvalidCredentials: (401, "invalid_credentials"),
    errors.RoleTooLow: (403, "role_too_low"),
    errors.NotFound: (404, "not_found"),
    errors.UnknownCode: (404, "unknown_code"),
    errors.Conflict: (409, "conflict"),
    errors.UsernameTaken: (409, "username_taken"),
    errors.EmailTaken: (409, "email_taken"),
    errors.CodeTaken: (409, "code_taken"),
    errors.AlreadyMember: (409, "already_member"),
    errors.RoomFull: (409, "room_full"),
    errors.TooManyRooms: (409, "too_many_rooms"),
    errors.LastAdmin: (409, "last_admin"),
    errors.AlreadyDone: (409, "request_in_progress"),
    errors.PreconditionFailed: (412, "version_mismatch"),
    errors.BodyTooLarge: (413, "body_too_large"),
    errors.UnsupportedMediaType: (415, "not_json"),
    errors.Invalid: (422, "validation_failed"),
    errors.AssigneeNotMember: (422, "assignee_not_member"),
    errors.UnknownUser: (422, "unknown_user"),
    errors.IdempotencyKeyReused: (422, "idempotency_key_reused"),
    errors.RateLimited: (429, "rate_limited"),
    errors.Stale: (503, "busy"),
    errors.Defect: (500, "internal_error"),
    errors.DependencyFailed: (503, "dependency_failed"),
    errors.OutcomeUnknown: (503, "outcome_unknown"),
}

_EXTRA_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}


def status_and_code(kind: type[errors.TaskSyncError]) -> tuple[int, str]:
    """What an error of this class is answered with."""
    return next(_ANSWERS[base] for base in kind.__mro__ if base in _ANSWERS)


def problem(error: errors.TaskSyncError, request_id: str) -> Response:
    """The answer to a request that failed with ``error``."""
    status, code = status_and_code(type(error))
    faults = getattr(error, "faults", None)
    response = _document(status, code, error.detail, request_id, faults)
    if isinstance(error, errors.RateLimited):
        return replace(response, headers={**response.headers, "Retry-After": str(error.standing.seconds)})
    return response


def internal_problem(request_id: str) -> Response:
    """The answer to a request that met a defect of ours. It tells nothing of what went wrong."""
    return _document(500, "internal_error", errors.Defect.detail, request_id, None)


def _document(
    status: int, code: str, detail: str, request_id: str, faults: tuple[errors.Fault, ...] | None
) -> Response:
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id,
    }
    if faults is not None:
        body["errors"] = [{"pointer": f.pointer, "code": f.code, "detail": f.detail} for f in faults]
    return Response(status, body, {"Content-Type": PROBLEM, **_EXTRA_HEADERS.get(status, {})})
