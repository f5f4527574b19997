"""The gateway's REQUEST authorizer. Its answer is cached by token, so it allows the whole stage, not one path."""

from typing import Any, Protocol

from authorizer import store
from tasksync import deadline, tokens
from tasksync.bearer import bearer_token
from tasksync.errors import DependencyFailed, InvalidToken
from tasksync.http.headers import Headers
from tasksync.settings import settings
from tasksync.telemetry import log


class Context(Protocol):
    """Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Answers with a policy, and who is asking. Raises ``Unauthorized``, the word the gateway turns into a 401."""
    deadline.begin(context.get_remaining_time_in_millis)
    request_id = event["requestContext"].get("requestId", "")
    try:
        claims = tokens.verify(_bearer_token(event), store.PublishedKeys(), settings.token_issuer)
        role = store.role_of_live_session(claims)
    except InvalidToken as error:
        log("INFO", "access refused", request_id=request_id, cause=type(error.__cause__ or error).__name__)
        raise Exception("Unauthorized") from None  # the gateway knows this text, not a class
    except DependencyFailed as error:
        log("ERROR", "access undecided", request_id=request_id, cause=type(error.__cause__ or error).__name__)
        raise
    log("INFO", "access allowed", request_id=request_id, user_id=claims.user_id)
    return {
        "principalId": claims.user_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": _stage(event["methodArn"])}],
        },
        "context": {
            "user_id": claims.user_id,
            "session_id": claims.session_id,
            "role": role,
            "auth_time": str(claims.auth_time),
        },
    }


def _bearer_token(event: dict[str, Any]) -> str:
    # Two different tokens are none: which of them the gateway keeps the answer for is its own affair.
    token = bearer_token(Headers(event["multiValueHeaders"]).get("authorization", ""))
    if token is None:
        raise InvalidToken
    return token


def _stage(method_arn: str) -> str:
    """arn:aws:execute-api:region:account:api/stage/METHOD/path → …:api/stage/*/*"""
    api, stage, *_ = method_arn.split("/")
    return f"{api}/{stage}/*/*"
