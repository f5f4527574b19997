"""What can go wrong, in the words of the domain. Statuses are given in ``http/problems.py``, one line each.

TaskSyncError
├── MalformedRequest          cannot be understood at all
│   ├── MalformedJson
│   ├── UnsupportedMediaType
│   │   └── UnsupportedCharset
│   ├── BodyTooLarge
│   ├── BadIdempotencyKey
│   └── BadQuery              a query parameter is unknown or wrong; names each
│       └── BadCursor
├── NotSignedIn
│   ├── InvalidCredentials
│   ├── InvalidToken
│   │   └── RefreshTokenReused  names user and session for the log; answered as any other invalid token
│   ├── InvalidRecoveryToken  wrong, used, expired, or issued before the user changed
│   └── ReauthenticationRequired  signed in, but too long ago for this; says how long ago it may be
├── NotFound                  unknown, or not the caller's to see: the two are never told apart
│   └── UnknownCode
├── RoleTooLow
├── Conflict
│   ├── UsernameTaken
│   ├── EmailTaken
│   ├── CodeTaken
│   ├── AlreadyMember
│   ├── RoomFull
│   ├── TooManyRooms
│   ├── AddingRefused
│   ├── LastAdmin
│   └── RefreshInProgress     of two refreshes at once, the one that came second
├── PreconditionFailed        the client wants to change another version, or what is not there
├── Invalid                   fields are wrong, missing or unknown; names each
│   ├── AssigneeNotMember
│   │   └── AssigneeNotOwner  of a personal task
│   └── UnknownUser
├── IdempotencyKeyReused      the same key for another request
├── AlreadyDone               this key's request has been carried out meanwhile: its answer is to be given again
├── RateLimited               too many requests of this kind; knows when the next may come
├── Stale                     what was decided on has changed meanwhile: read again, decide again
├── Defect                    DynamoDB refuses what our own code asked: nobody's input, and no help in trying again
└── DependencyFailed          a table or secret did not answer, and nothing was written
    ├── OutcomeUnknown        the same, but what was to be written may have been, or a part of it was
    └── NotCounted            the table of the rate limits answered with an error
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a rate limit for somebody: ``remaining`` of ``quota`` requests for the next ``seconds``."""

    policy: str
    quota: int
    window_seconds: int
    remaining: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request.

    ``pointer`` is a JSON pointer (RFC 6901) into the body, or into the object of the query parameters.
    """

    pointer: str
    code: str
    detail: str


class TaskSyncError(Exception):
    """Base of all errors that the API answers. The message is for the person who called."""

    detail = "Something went wrong."

    def __init__(self, detail: str | None = None) -> None:
        self.detail = detail or type(self).detail
        super().__init__(self.detail)


class MalformedRequest(TaskSyncError):
    pass


class MalformedJson(MalformedRequest):
    detail = "The body is not valid JSON."


class UnsupportedMediaType(MalformedRequest):
    detail = "The body must be JSON: Content-Type: application/json."


class UnsupportedCharset(UnsupportedMediaType):
    detail = "The body must be in UTF-8, as JSON is (RFC 8259 §8.1)."


class BodyTooLarge(MalformedRequest):
    detail = "A request body may have at most 160 KiB."


class BadIdempotencyKey(MalformedRequest):
    detail = "An idempotency key has 1 to 255 printable ASCII characters."


MOST_FAULTS = 50
"""So many are listed of one request."""


class _Faulty(TaskSyncError):
    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__()


class BadQuery(_Faulty, MalformedRequest):
    detail = "Query parameters are unknown or wrong."


class BadCursor(BadQuery):
    detail = "The cursor does not belong to this list."

    def __init__(self) -> None:
        super().__init__([Fault("/cursor", "invalid_cursor", self.detail)])


class NotSignedIn(TaskSyncError):
    pass


class InvalidCredentials(NotSignedIn):
    detail = "Name and password do not match."


class InvalidToken(NotSignedIn):
    detail = "The token is not valid, or not any more."


class InvalidRecoveryToken(NotSignedIn):
    detail = "The recovery token is wrong, used or expired, or the profile has changed since. Ask for a new one."


class RefreshTokenReused(InvalidToken):
    """The session has been revoked. For the log: whoever sent the token is told no more than of an unknown one."""

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


class UnknownCode(NotFound):
    detail = "No room has this code."


class RoleTooLow(TaskSyncError):
    detail = "Your role does not allow this."


class Conflict(TaskSyncError):
    pass


class UsernameTaken(Conflict):
    detail = "Somebody else has this username."


class EmailTaken(Conflict):
    detail = "Somebody else has registered with this e-mail address."


class CodeTaken(Conflict):
    detail = "Another room has this code."


class AlreadyMember(Conflict):
    detail = "This user is already a member of the room."


class RoomFull(Conflict):
    detail = "The room has as many members as it may have."


class TooManyRooms(Conflict):
    detail = "This user is in as many rooms as one may be."


class AddingRefused(Conflict):
    detail = "This user is not added to rooms without being asked. Send them the code of the room instead."


class LastAdmin(Conflict):
    detail = "The room's last admin must make somebody else admin first."


class RefreshInProgress(Conflict):
    detail = "Another request has just exchanged this refresh token. Go on with the tokens that it was given."

    def __init__(self, user_id: str, session_id: str) -> None:
        self.user_id = user_id
        self.session_id = session_id
        super().__init__()


class PreconditionFailed(TaskSyncError):
    detail = "The resource is not in the version that If-Match, If-None-Match or the body asks for."


class Invalid(_Faulty):
    detail = "Fields of the body are wrong, missing or unknown."


class AssigneeNotMember(Invalid):
    detail = "The assignee is not a member of the room."

    def __init__(self) -> None:
        super().__init__([Fault("/user_id", "assignee_not_member", self.detail)])


class AssigneeNotOwner(AssigneeNotMember):
    detail = "A personal task is assigned to its owner, and to nobody else. In a room, others can be assigned."


class UnknownUser(Invalid):
    detail = "There is no such user."

    def __init__(self) -> None:
        super().__init__([Fault("/user_id", "unknown_user", self.detail)])


class IdempotencyKeyReused(TaskSyncError):
    detail = "This idempotency key was used for another request."


class AlreadyDone(TaskSyncError):
    detail = "A request with this idempotency key is being carried out."


class RateLimited(TaskSyncError):
    detail = "Too many requests of this kind. Retry-After says when the next may come."

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        super().__init__()


class Stale(TaskSyncError):
    detail = "The resource kept changing while this was tried. Nothing was written; try again."


class Defect(TaskSyncError):
    """``operation`` and ``code``: what DynamoDB was asked, and what it called the fault."""

    detail = "Something went wrong on our side."

    def __init__(self, operation: str, code: str) -> None:
        self.operation = operation
        self.code = code
        super().__init__()


class DependencyFailed(TaskSyncError):
    detail = "A part of the service did not answer. Nothing is lost; try again."


class OutcomeUnknown(DependencyFailed):
    detail = (
        "A part of the service did not answer. The request may have been carried out: see whether it was before you "
        "send it again. With an Idempotency-Key, a request can be sent again safely."
    )


class NotCounted(DependencyFailed):
    pass
