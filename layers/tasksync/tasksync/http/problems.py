"""Problem types (RFC 9457): the table of all errors with their status, code and remedy.

``docs/reference/errors.md`` is generated from it (``make openapi``). A test compares it with the gateway's own
responses.
"""

from dataclasses import dataclass

from tasksync.model import errors

# RFC 9110 §15.5 and §15.6, RFC 6585 §4. Python's own list changes with its version.
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class ProblemType:
    """The response to errors of one class. ``remedy``: what the client should do."""

    status: int
    code: str
    remedy: str


_AS_FIELDS_SAY = "Correct what `errors` names, each by its `pointer`."
_LOOK = "See whether it was carried out before you send it again; with an `Idempotency-Key`, send it again unchanged."
_WAIT = "Wait for as many seconds as `Retry-After` says, and send it again."
_SIGN_IN = "Sign in again: `POST /auth/login`."

# A class without an entry has the entry of its nearest base class.
PROBLEM_TYPES: dict[type[errors.TaskSyncError], ProblemType] = {
    errors.MalformedRequest: ProblemType(400, "bad_request", "Correct the request line or the headers."),
    errors.MalformedJson: ProblemType(400, "malformed_json", "Send a body that a JSON parser reads (RFC 8259)."),
    errors.BadIdempotencyKey: ProblemType(400, "invalid_idempotency_key", "Send another key; a UUID is a good one."),
    errors.BadPrecondition: ProblemType(
        400, "invalid_precondition", "Send the `ETag` of a response unchanged, quotation marks included."
    ),
    errors.BadQuery: ProblemType(400, "invalid_query", _AS_FIELDS_SAY),
    errors.BadCursor: ProblemType(
        400,
        "invalid_cursor",
        "Start the list again without `cursor`, with the same filters and order on each page.",
    ),
    errors.InvalidToken: ProblemType(401, "invalid_token", _SIGN_IN),
    errors.TokenMissing: ProblemType(
        401, "token_missing", "Send `Authorization: Bearer`, a space, and the access token."
    ),
    errors.TokenMalformed: ProblemType(
        401, "token_malformed", "Send the `access_token` unchanged: `Authorization: Bearer`, a space, the token."
    ),
    errors.TokenExpired: ProblemType(
        401, "token_expired", "Get a new pair: `POST /auth/refresh` with the refresh token."
    ),
    errors.TokenRevoked: ProblemType(401, "token_revoked", _SIGN_IN),
    errors.InvalidCredentials: ProblemType(
        401, "invalid_credentials", "Ask for the name and the password again; after many failures, wait."
    ),
    errors.InvalidRecoveryToken: ProblemType(
        401, "invalid_recovery_token", "Ask an operator of the installation for a new one (`make reset-password`)."
    ),
    errors.ReauthenticationRequired: ProblemType(
        401,
        "reauthentication_required",
        "`POST /auth/reauthenticate` with the password, then the same request with the new access token. `max_age` "
        "says how old the sign-in may be, in seconds.",
    ),
    errors.RoleTooLow: ProblemType(
        403, "role_too_low", "Ask somebody who has `required_role` to do it, or to give it to you; `role` is yours."
    ),
    errors.NotFound: ProblemType(
        404, "not_found", "Check the id: the response is the same for hidden resources as for those that do not exist."
    ),
    errors.UnknownCode: ProblemType(
        404, "unknown_code", "Ask a member of the room for its current code, or to add you."
    ),
    errors.UsernameTaken: ProblemType(409, "username_taken", "Choose another username."),
    errors.EmailTaken: ProblemType(409, "email_taken", "Sign in with this address, or choose another one."),
    errors.CodeTaken: ProblemType(409, "code_taken", "Choose another code, or leave it out to get a generated one."),
    errors.AlreadyMember: ProblemType(409, "already_member", "Nothing: the user is in the room."),
    errors.RoomFull: ProblemType(409, "room_full", "Somebody must leave first, or the people use a second room."),
    errors.TooManyRooms: ProblemType(409, "too_many_rooms", "Leave a room first."),
    errors.TooManyWebhooks: ProblemType(409, "too_many_webhooks", "Delete a webhook of the room first."),
    errors.RoomStorageFull: ProblemType(
        409,
        "room_storage_full",
        "Delete tasks that are not needed, then delete them from the trash, where they still take space. Then send it "
        "again, with the same `Idempotency-Key` if it had one; or plan in another room.",
    ),
    errors.AddingRefused: ProblemType(
        409, "adding_refused", "Send the user the code of the room: they can join by it."
    ),
    errors.RankTooLong: ProblemType(
        409, "rank_too_long", "Send the request again after ten minutes, or move the task to another place."
    ),
    errors.LastAdmin: ProblemType(409, "last_admin", "Make somebody else admin first, or delete the room."),
    errors.RefreshInProgress: ProblemType(
        409, "refresh_in_progress", "Continue with the tokens of the other response."
    ),
    errors.AlreadyDone: ProblemType(409, "request_in_progress", "Send the same request with the same key again."),
    errors.CursorExpired: ProblemType(
        410,
        "cursor_expired",
        "Get everything again, then the changes since: without `cursor`, the response is the place to start from.",
    ),
    errors.PreconditionFailed: ProblemType(
        412,
        "version_mismatch",
        "`ETag` of this response is the current version. GET the resource, apply the change to the "
        "current content, and send its `ETag` in `If-Match`.",
    ),
    errors.BodyTooLarge: ProblemType(413, "body_too_large", "Send less at once."),
    errors.UnsupportedMediaType: ProblemType(415, "not_json", "Send JSON with `Content-Type: application/json`."),
    errors.UnsupportedCharset: ProblemType(415, "not_utf8", "Send the body in UTF-8."),
    errors.UnknownEncoding: ProblemType(
        415, "unknown_encoding", "Send the body as it is, or compressed with gzip or deflate."
    ),
    errors.Invalid: ProblemType(422, "validation_failed", _AS_FIELDS_SAY),
    errors.AssigneeNotMember: ProblemType(
        422, "assignee_not_member", "Name a member of the task's room, `me`, or null; a personal task has its owner."
    ),
    errors.UnknownUser: ProblemType(422, "unknown_user", "Check the id of the user."),
    errors.IdempotencyKeyReused: ProblemType(422, "idempotency_key_reused", "Send each new request with a new key."),
    errors.RateLimited: ProblemType(429, "rate_limited", _WAIT),
    errors.Defect: ProblemType(500, "internal_error", "Report it with its `request_id`."),
    errors.WriteConflict: ProblemType(503, "busy", f"Nothing was written. {_WAIT}"),
    errors.DependencyFailed: ProblemType(503, "dependency_failed", f"Nothing was written. {_WAIT}"),
    errors.OutcomeUnknown: ProblemType(503, "outcome_unknown", _LOOK),
}

FIELD_CODES: dict[str, tuple[str, str]] = {
    "missing": ("A field that is required is absent, or null.", "Send it."),
    "unknown_field": ("The body has an unknown field, or a field that cannot be set.", "Leave it out."),
    "unknown_parameter": ("The query has an unknown parameter.", "Leave it out."),
    "repeated": ("A parameter that takes one value is repeated.", "Send it once."),
    "wrong_type": ("The value is of another JSON type.", "Send the type that `detail` names."),
    "not_allowed": ("The value is not one of the allowed ones.", "Send one that `detail` names."),
    "bad_format": ("The text does not have the required format.", "Use the format that `detail` names."),
    "too_short": ("The text has too few characters (code points in NFC).", "Send at least as many as `detail` says."),
    "too_long": ("The text has too many characters (code points in NFC).", "Send at most as many as `detail` says."),
    "too_many": ("The list has too many entries.", "Send at most as many as `detail` says."),
    "out_of_range": ("The number or the time is too small or too large.", "Send one within what `detail` names."),
    "invalid_characters": (
        "The text has invalid characters, or its bytes were not UTF-8.",
        "Leave them out; send UTF-8.",
    ),
    "read_only": (
        "The field cannot be changed, and has another value.",
        "Leave it out, or send the value of the GET response.",
    ),
    "not_both": ("Only one of two fields is allowed.", "Leave one of them out."),
    "password_too_common": ("The password is easy to guess.", "Choose a longer or less usual one."),
    "password_contains_name": (
        "Without the name, the address and the name of the product, the password is too short.",
        "Choose one that has nothing to do with them.",
    ),
    "password_unchanged": ("The new password is the current one.", "Choose another one."),
    "invalid_cursor": (
        "The cursor does not belong to this list, these filters or this caller.",
        "Start again without it.",
    ),
    "url_not_allowed": (
        "Webhooks are not sent to this URL.",
        "Use https to a host that everybody on the Internet can reach, as `detail` says.",
    ),
    "not_found": ("There is nothing with this id that you may see.", "Check the id."),
    "unknown_code": ("No room has this code, or it lets nobody join by it.", "Ask for the current code."),
    "assignee_not_member": ("The assignee is not a member of the task's room.", "Name a member, `me`, or null."),
    "not_in_column": (
        "`after` is no task of this room or person that has the status among whose tasks the task is moved.",
        "Get the list with `sort=rank` and this `status` again.",
    ),
    "assignees_differ": (
        "`user_id` and `assignee_ids` are both changed, and `user_id` is not the first of them.",
        "Send one of the two.",
    ),
    "unknown_user": ("There is no user with this id.", "Check the id."),
    "username_taken": ("Somebody else has this username.", "Choose another username."),
    "email_taken": (
        "Somebody has registered with this e-mail address.",
        "Sign in with this address, or choose another one.",
    ),
    "code_taken": ("A room has this code, or had it in the last 90 days.", "Choose another code, or leave it out."),
}
"""The codes of single fields and parameters in ``errors``: the meaning of each, and the remedy."""


def problem_type(error: type[errors.TaskSyncError]) -> ProblemType:
    """The problem type of an error class."""
    return next(PROBLEM_TYPES[base] for base in error.__mro__ if base in PROBLEM_TYPES)
