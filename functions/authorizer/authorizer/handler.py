"""The gateway's REQUEST authorizer. Its policy is cached by token, so it applies to the whole stage, not one path.

For an invalid token, it returns a policy that denies. The context of the policy contains the code and the detail of the
problem document (gateway response ``ACCESS_DENIED``), which an exception could not.
"""

from typing import Any, Protocol

from authorizer import store
from tasksync.http import problems
from tasksync.http.bearer import token_of
from tasksync.model.errors import DependencyFailed, InvalidToken, TokenMissing
from tasksync.observability.logs import log
from tasksync.runtime import deadline
from tasksync.runtime.settings import settings
from tasksync.security import access_tokens


class Context(Protocol):
    """Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Returns a policy, with the caller or the problem in its context.

    Raises ``Unauthorized`` if there is no token: for this text the gateway sends the same response as for a missing
    header.
    """
    deadline.begin(context.get_remaining_time_in_millis)
    request_id = event["requestContext"].get("requestId", "")
    try:
        # Two different tokens count as none: it is undefined for which one the gateway caches the policy.
        claims = access_tokens.verify(
            token_of(event["multiValueHeaders"]), store.PublishedKeys(), settings.token_issuer
        )
        role = store.role_of_live_session(claims)
    except InvalidToken as error:
        log("INFO", "access refused", request_id=request_id, cause=type(error.__cause__ or error).__name__)
        if isinstance(error, TokenMissing):
            raise Exception("Unauthorized") from None  # the gateway recognises this text
        return _decision(event, "Deny", "nobody", _refusal(error))
    except DependencyFailed as error:
        log("ERROR", "access undecided", request_id=request_id, cause=type(error.__cause__ or error).__name__)
        raise
    log("INFO", "access allowed", request_id=request_id, user_id=claims.user_id)
    known = {
        "user_id": claims.user_id,
        "session_id": claims.session_id,
        "role": role,
        "auth_time": str(claims.auth_time),
    }
    return _decision(event, "Allow", claims.user_id, known)


def _decision(event: dict[str, Any], effect: str, principal: str, context: dict[str, str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": _stage(event["methodArn"])}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }


def _refusal(error: InvalidToken) -> dict[str, str]:
    """What the gateway inserts into the body unescaped: texts without quotation marks and backslashes."""
    return {"code": problems.problem_type(type(error)).code, "detail": error.detail}


def _stage(method_arn: str) -> str:
    """arn:aws:execute-api:region:account:api/stage/METHOD/path → …:api/stage/*/*"""
    api, stage, *_ = method_arn.split("/")
    return f"{api}/{stage}/*/*"
