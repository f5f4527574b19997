"""Turns what a request raises into a problem document."""

from tasksync.domain.rate_limits import POLICIES
from tasksync.http import problems
from tasksync.http.request import Handle, Request
from tasksync.http.responses import Response
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

# What is more than these allow are guesses of passwords and codes, or accounts in bulk.
_GUESSING_POLICIES = {policy.name for policy in POLICIES if policy.exact}


class Errors:
    """The problem documents of one API."""

    def __init__(self, takes_keys: bool) -> None:
        """``takes_keys``: whether routes with an access token take an idempotency key."""
        self._takes_keys = takes_keys

    def __call__(self, request: Request, handle: Handle) -> Response:
        try:
            return handle(request)
        except errors.RateLimited as error:
            request.limit_statuses = [error.limit_status]
            if error.limit_status.policy in _GUESSING_POLICIES:
                user_id = unit_of_work.current().actor_id
                note_refusal(request, "rate_limited", user_id, policy=error.limit_status.policy)
            return problems.problem(error, request.id)
        except errors.PreconditionFailed as error:
            return problems.problem(request.explained(error), request.id)
        except errors.TaskSyncError as error:
            response = problems.problem(self._reported(error, request), request.id)
            if response.status >= 500:
                _log_failure(request, error)
            return response
        except (
            Exception
        ) as error:  # The last line of defence: a defect is logged with its details, and the response has none.
            _log_failure(request, error)
            return problems.internal_problem(request.id)

    def _reported(self, error: errors.TaskSyncError, request: Request) -> errors.TaskSyncError:
        """The error as the client gets it: whether the request may have been carried out, and what to do then.

        A dependency that failed after the first write leaves something that was carried out.
        """
        known = not isinstance(error, errors.OutcomeUnknown) and unit_of_work.current().usage.writes == 0
        if known or not isinstance(error, errors.DependencyFailed | errors.WriteConflict):
            return error
        if not self._takes_key(request):
            return errors.OutcomeUnknown(_LOOK_FIRST)
        return errors.OutcomeUnknown(_SAME_KEY if "idempotency-key" in request.headers else None)

    def _takes_key(self, request: Request) -> bool:
        """Whether an idempotency key is looked at."""
        by_itself = errors.BadIdempotencyKey in request.route.description.raises
        with_token = self._takes_keys and bool(request.context.get("authorizer"))
        return request.method not in SAFE and (by_itself or with_token)


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
