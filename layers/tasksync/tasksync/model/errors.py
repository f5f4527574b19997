"""The errors of the domain. ``http/problems.py`` maps each to a status, a code and a remedy.

TaskSyncError
├── MalformedRequest          cannot be understood at all
│   ├── MalformedJson
│   ├── UnsupportedMediaType
│   │   ├── UnsupportedCharset
│   │   └── UnknownEncoding   compressed in a way that the gateway does not undo
│   ├── BodyTooLarge
│   ├── BadIdempotencyKey
│   ├── BadPrecondition       If-Match or If-None-Match is no list of entity tags
│   └── BadQuery              a query parameter is unknown or wrong; names each
│       └── BadCursor
├── NotSignedIn
│   ├── InvalidCredentials
│   ├── InvalidToken
│   │   ├── TokenMissing
│   │   ├── TokenMalformed    not sent as a bearer token, or a text that is no access token
│   │   ├── TokenExpired
│   │   ├── TokenRevoked      of a session that has ended
│   │   └── RefreshTokenReused  ends the session; names user and session for the log
│   ├── InvalidRecoveryToken  wrong, used, expired, or issued before the user changed
│   └── ReauthenticationRequired  the sign-in is too long ago; names the maximum age
├── NotFound                  unknown or not visible to the caller: the response is the same
│   ├── RoomNotFound, TaskNotFound, UserNotFound, MemberNotFound, SessionNotFound, WebhookNotFound
│   ├── CallerGone            the caller was deleted a moment ago
│   └── UnknownCode
├── RoleTooLow                names the required role and the caller's role
├── Conflict
│   ├── UsernameTaken
│   ├── EmailTaken
│   ├── CodeTaken
│   ├── AlreadyMember
│   ├── RoomFull
│   ├── TooManyRooms
│   ├── TooManyWebhooks
│   ├── RoomStorageFull       a room, or a person's own tasks, is at DynamoDB's limit
│   ├── AddingRefused
│   ├── LastAdmin
│   └── RefreshInProgress     the second one of two concurrent refreshes
├── PreconditionFailed        the client wants to change another version; names the current one
├── Invalid                   fields are wrong, missing or unknown; lists each
│   ├── AssigneeNotMember
│   │   └── AssigneeNotOwner  of a personal task
│   └── UnknownUser
├── IdempotencyKeyReused      the same key for another request
├── AlreadyDone               the key's request has been carried out meanwhile: its stored response is sent
├── RateLimited               too many requests of this kind; knows when the next one is allowed
├── WriteConflict             an item has changed since it was read: read and decide again
├── Defect                    DynamoDB refuses a request of our own code: a bug, and a retry does not help
└── DependencyFailed          a table or secret did not respond, and nothing was written
    ├── OutcomeUnknown        the same, but the write may have happened, or a part of it
    ├── NotCounted            the rate limits table responded with an error
    └── TasksClosed           an upgrade copies the tasks to their new table
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LimitStatus:
    """The state of a rate limit: ``remaining`` of ``quota`` requests for the next ``seconds``."""

    policy: str
    quota: int
    window_seconds: int
    remaining: int
    seconds: int


@dataclass(frozen=True, slots=True)
class FieldError:
    """An error of one field of a request.

    ``pointer`` is a JSON pointer (RFC 6901) into the body, or into the object of the query parameters.
    """

    pointer: str
    code: str
    detail: str


class TaskSyncError(Exception):
    """Base of all errors that the API reports. ``detail`` is a sentence for the user."""

    detail = "Something went wrong."

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or type(self).detail
        super().__init__(self.detail)


class MalformedRequest(TaskSyncError):
    detail = "The request could not be understood."


class MalformedJson(MalformedRequest):
    detail = "The body is not valid JSON."


class UnsupportedMediaType(MalformedRequest):
    detail = "The body must be JSON: send Content-Type: application/json."


class UnsupportedCharset(UnsupportedMediaType):
    detail = "The body must be in UTF-8, as JSON is (RFC 8259 §8.1)."


class UnknownEncoding(UnsupportedMediaType):
    """Never raised by a function: the gateway decodes known encodings, and refuses others."""

    detail = "A body may be compressed with gzip or deflate, as Content-Encoding says."


class BodyTooLarge(MalformedRequest):
    detail = "A request body may have at most 160 KiB."


class BadIdempotencyKey(MalformedRequest):
    detail = "An idempotency key has 1 to 255 printable ASCII characters."


class BadPrecondition(MalformedRequest):
    detail = "If-Match and If-None-Match take entity tags in quotation marks, as an ETag has them, or * alone."

    def __init__(self, header: str) -> None:
        super().__init__(
            f'{header} must be * alone, or entity tags separated by commas, each in quotation marks, such as "2": send '
            "the ETag of the last response unchanged."
        )


MAX_FIELD_ERRORS = 50
"""The maximum number of field errors in one response."""


class _WithFieldErrors(TaskSyncError):
    """Base of errors that list field errors."""

    def __init__(self, field_errors: Sequence[FieldError]) -> None:
        self.field_errors = tuple(field_errors)
        super().__init__()


class BadQuery(_WithFieldErrors, MalformedRequest):
    detail = "Query parameters are unknown or wrong."


class BadCursor(BadQuery):
    detail = "The cursor does not belong to this list, these filters or this caller. Start again without a cursor."

    def __init__(self) -> None:
        super().__init__([FieldError("/cursor", "invalid_cursor", self.detail)])


class CursorExpired(TaskSyncError):
    detail = "Changes since this cursor are not in the log any more. Start again without a cursor."


class NotSignedIn(TaskSyncError):
    pass


class InvalidCredentials(NotSignedIn):
    detail = "Name and password do not match."


# The gateway inserts details about access tokens into JSON unescaped: no quotation mark, no backslash.
class InvalidToken(NotSignedIn):
    detail = "This token was not issued by this service, or is no longer valid. Sign in again."


class TokenMissing(InvalidToken):
    detail = "A token is needed. Send the header Authorization: Bearer, a space, and the token."


class TokenMalformed(InvalidToken):
    detail = "The Authorization header must be the word Bearer, a space, and one token."


class TokenExpired(InvalidToken):
    detail = "The access token has expired. Get a new one: POST /auth/refresh."


class TokenRevoked(InvalidToken):
    detail = (
        "The session of this access token has ended: it was signed out, the password was changed, a refresh token was "
        "used twice, it was idle for too long, or the user was deleted. Sign in again."
    )


class InvalidRecoveryToken(NotSignedIn):
    detail = "The recovery token is wrong, used or expired, or the profile has changed since. Ask for a new one."


class RefreshTokenReused(InvalidToken):
    """The session has been revoked."""

    detail = (
        "This refresh token was exchanged before. Whoever sends one twice may have stolen it, so the session has "
        "ended. Sign in again."
    )

    def __init__(self, user_id: str, session_id: str) -> None:
        self.user_id = user_id
        self.session_id = session_id
        super().__init__()


class ReauthenticationRequired(NotSignedIn):
    detail = "This needs a recent sign-in: POST /auth/reauthenticate, then the same request with the new access token."

    def __init__(self, max_age_seconds: int) -> None:
        self.max_age_seconds = max_age_seconds
        super().__init__()


class NotFound(TaskSyncError):
    detail = "There is nothing here that you may see."

    def __init__(self, pointer: str | None = None) -> None:
        """``pointer``: the field or parameter with the id; None if the id is in the path."""
        super().__init__()
        self.field_errors = () if pointer is None else (FieldError(pointer, "not_found", self.detail),)


class RoomNotFound(NotFound):
    detail = "There is no room with this id, or you are not one of its members."


class TaskNotFound(NotFound):
    detail = (
        "There is no task with this id here, or it is in no room that you are in. A deleted task is in the trash "
        "alone, until it expires."
    )


class UserNotFound(NotFound):
    detail = "There is no user with this id, or you share no room with them."


class MemberNotFound(NotFound):
    detail = "Nobody with this id is a member of the room."


class SessionNotFound(NotFound):
    detail = "You have no session with this id. GET /auth/sessions lists yours."


class WebhookNotFound(NotFound):
    detail = "The room has no webhook with this id. GET /rooms/{room_id}/webhooks lists those it has."


class CallerGone(NotFound):
    detail = "Your account has been deleted."


class UnknownCode(NotFound):
    detail = "No room has this code, or it lets nobody join by it."

    def __init__(self) -> None:
        super().__init__()
        self.field_errors = (FieldError("/code", "unknown_code", self.detail),)


class RoleTooLow(TaskSyncError):
    detail = "Your role does not allow this."

    def __init__(self, detail: str, role: str, required: str | None) -> None:
        """``role``: the caller's role. ``required``: the lowest sufficient role; None if no role is sufficient."""
        self.role = role
        self.required = required
        super().__init__(detail)


class Conflict(TaskSyncError):
    pass


class _Taken(Conflict):
    """A value that must be unique is in use. ``field``: which field of the body has it."""

    field: str

    def __init__(self) -> None:
        super().__init__()
        self.field_errors = (FieldError(f"/{self.field}", f"{self.field}_taken", self.detail),)


class UsernameTaken(_Taken):
    field = "username"
    detail = "Somebody else has this username. Choose another one."


class EmailTaken(_Taken):
    field = "email"
    detail = "Somebody has registered with this e-mail address. Sign in with it, or choose another one."


class CodeTaken(_Taken):
    field = "code"
    detail = (
        "A room has this code, or had it in the last 90 days. Choose another one, or leave it out to get a generated "
        "code."
    )


class AlreadyMember(Conflict):
    detail = "This user is already a member of the room."


class RoomFull(Conflict):
    detail = "The room has as many members as it may have. Somebody must leave first."


class TooManyRooms(Conflict):
    detail = "You are in as many rooms as you may open or join. Leave one of them first."


class TooManyWebhooks(Conflict):
    detail = "The room has 10 webhooks, and may have no more. Delete one of them first."


class RoomStorageFull(Conflict):
    detail = (
        "The tasks of this room, or your personal tasks, have reached the limit of 10 GB. Nothing was written. Delete "
        "tasks from the trash, or plan in another room."
    )


class AddingRefused(Conflict):
    detail = "This user does not allow others to add them to rooms. Send them the code of the room instead."


class LastAdmin(Conflict):
    detail = "You are the room's last admin. Make somebody else admin first, or delete the room."


class RefreshInProgress(Conflict):
    detail = "Another request has just exchanged this refresh token. Continue with the tokens of its response."

    def __init__(self, user_id: str, session_id: str) -> None:
        self.user_id = user_id
        self.session_id = session_id
        super().__init__()


class RankTooLong(Conflict):
    detail = (
        "So many tasks were moved to this place in the last minutes that there is none left between its neighbours. "
        "Within ten minutes there is again; until then, move the task elsewhere."
    )


class PreconditionFailed(TaskSyncError):
    detail = "The version of the resource is not the one that If-Match, If-None-Match or the body requires."

    def __init__(self, version: int | None, detail: str | None = None) -> None:
        """``version``: the current version; None if the resource has no versions."""
        self.version = version
        super().__init__(detail)


class Invalid(_WithFieldErrors):
    detail = "Fields of the body are wrong, missing or unknown."


class AssigneeNotMember(Invalid):
    detail = "The assignee is not a member of the room. GET /rooms/{room_id}/users lists its members."

    def __init__(self, pointer: str = "/user_id") -> None:
        super().__init__([FieldError(pointer, "assignee_not_member", self.detail)])


class AssigneeNotOwner(AssigneeNotMember):
    detail = "A personal task is assigned to its owner, and to nobody else. In a room, others can be assigned."


class NotInColumn(Invalid):
    detail = (
        "Must be another task of the same room, or another personal task, that has the status to which the task is "
        "moved and is not in the trash. GET …/tasks?sort=rank&status=… lists them."
    )

    def __init__(self) -> None:
        super().__init__([FieldError("/after", "not_in_column", self.detail)])


class UnknownUser(Invalid):
    detail = "There is no user with this id."

    def __init__(self) -> None:
        super().__init__([FieldError("/user_id", "unknown_user", self.detail)])


class IdempotencyKeyReused(TaskSyncError):
    detail = "This idempotency key was used for another request. Each request needs a key of its own."


class AlreadyDone(TaskSyncError):
    detail = (
        "A request with this idempotency key is being carried out. Send the same request again to get its response."
    )


class RateLimited(TaskSyncError):
    detail = "Too many requests of this kind. Retry-After says when the next may come."

    def __init__(self, limit_status: LimitStatus) -> None:
        self.limit_status = limit_status
        seconds = "1 second" if limit_status.seconds == 1 else f"{limit_status.seconds} seconds"
        super().__init__(f"Too many requests of this kind. The next may come in {seconds}, as Retry-After says.")


class WriteConflict(TaskSyncError):
    detail = "The resource changed at each attempt. Nothing was written; try again."


class Defect(TaskSyncError):
    """``operation`` and ``code``: DynamoDB's operation and error code."""

    detail = "Something went wrong on our side."

    def __init__(self, operation: str, code: str) -> None:
        self.operation = operation
        self.code = code
        super().__init__()


class DependencyFailed(TaskSyncError):
    detail = "A part of the service did not respond. Nothing is lost; try again."


class OutcomeUnknown(DependencyFailed):
    detail = (
        "A part of the service did not respond. The request may have been carried out: see whether it was before you "
        "send it again. With an Idempotency-Key, a request can be sent again safely."
    )


class NotCounted(DependencyFailed):
    pass


class TasksClosed(DependencyFailed):
    detail = "The service is being upgraded, and tasks are not served meanwhile. Nothing is lost; try again soon."
