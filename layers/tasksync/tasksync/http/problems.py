"""Errors as problem documents (RFC 9457). The one place where errors get a status and a code."""

from collections.abc import Mapping
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
    errors.InvalidRecoveryToken: (401, "invalid_recovery_token"),
    errors.ReauthenticationRequired: (401, "reauthentication_required"),
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
    errors.AddingRefused: (409, "adding_refused"),
    errors.LastAdmin: (409, "last_admin"),
    errors.RefreshInProgress: (409, "refresh_in_progress"),
    errors.AlreadyDone: (409, "request_in_progress"),
    errors.PreconditionFailed: (412, "version_mismatch"),
    errors.BodyTooLarge: (413, "body_too_large"),
    errors.UnsupportedMediaType: (415, "not_json"),
    errors.UnsupportedCharset: (415, "not_utf8"),
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
    further: dict[str, object] = {}
    faults = getattr(error, "faults", None)
    detail = error.detail
    if faults is not None:
        listed = faults[: errors.MOST_FAULTS]
        further["errors"] = [{"pointer": f.pointer, "code": f.code, "detail": f.detail} for f in listed]
        if len(faults) > len(listed):
            detail = f"{detail} The first {len(listed)} are listed."
    if isinstance(error, errors.ReauthenticationRequired):
        # In the body, too: API Gateway hands the header on under another name.
        further["max_age"] = error.max_age_seconds
    response = _document(status, code, detail, request_id, further)
    if isinstance(error, errors.RateLimited):
        return replace(response, headers={**response.headers, "Retry-After": str(error.standing.seconds)})
    if isinstance(error, errors.ReauthenticationRequired):
        return replace(response, headers={**response.headers, **_challenge(error.max_age_seconds)})
    return response


def _challenge(max_age_seconds: int) -> dict[str, str]:
    """RFC 9470 §3."""
    error = 'error="insufficient_user_authentication", error_description="A recent sign-in is required"'
    return {"WWW-Authenticate": f'Bearer {error}, max_age="{max_age_seconds}"'}


def internal_problem(request_id: str) -> Response:
    """The answer to a request that met a defect of ours. It tells nothing of what went wrong."""
    return _document(500, "internal_error", errors.Defect.detail, request_id, {})


def _document(status: int, code: str, detail: str, request_id: str, further: Mapping[str, object]) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request_id,
        **further,
    }
    return Response(status, body, {"Content-Type": PROBLEM, **_EXTRA_HEADERS.get(status, {})})
