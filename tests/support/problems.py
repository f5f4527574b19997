"""What every problem document has in common, held against a response."""

from typing import Any

from tasksync.http.problems import TITLES
from tests.support.client import Response

_MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
_FURTHER = {"reauthentication_required": {"max_age"}, "role_too_low": {"role"}}


def problem(response: Response, status: int, code: str | None = None) -> Any:
    """The problem document of ``answer``, after checking that it is one, of this status and code (RFC 9457)."""
    assert response.status == status, response
    assert response.headers["Content-Type"] == "application/problem+json", response
    document = response.json()
    recent_sign_in = document["code"] == "reauthentication_required"
    assert document.keys() - {"errors", "required_role"} == _MEMBERS | _FURTHER.get(document["code"], set()), response
    assert document["status"] == status, response
    assert document["title"] == TITLES[status], response
    assert document["request_id"] == response.headers["X-Request-Id"], response
    assert code in (None, document["code"]), response
    if status == 401:
        # The gateway gives that of a function another name, and leaves its own alone.
        [challenge] = [value for name, value in response.headers.items() if name.lower().endswith("www-authenticate")]
        assert challenge.partition(" ")[0] == "Bearer", response
        assert ("insufficient_user_authentication" in challenge) is recent_sign_in, response
        assert recent_sign_in or challenge in ("Bearer", 'Bearer error="invalid_token"'), response
    if status in (429, 503):
        assert int(response.headers["Retry-After"]) > 0, response
    return document


def field_errors(response: Response, status: int = 422) -> dict[str, str]:
    """The code of each fault by its pointer. Each pointer is named once, and each fault says something."""
    listed = problem(response, status)["errors"]
    assert all(fault.keys() == {"pointer", "code", "detail"} and fault["detail"] for fault in listed), response
    by_pointer = {fault["pointer"]: fault["code"] for fault in listed}
    assert len(by_pointer) == len(listed), response
    return by_pointer
