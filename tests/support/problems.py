"""What every problem document has in common, held against an answer."""

from typing import Any

from tasksync.http.problems import TITLES
from tests.support.client import Answer

_MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}
_FURTHER = {"reauthentication_required": {"max_age"}, "role_too_low": {"role"}}


def problem(answer: Answer, status: int, code: str | None = None) -> Any:
    """The problem document of ``answer``, after checking that it is one, of this status and code (RFC 9457)."""
    assert answer.status == status, answer
    assert answer.headers["Content-Type"] == "application/problem+json", answer
    document = answer.json()
    recent_sign_in = document["code"] == "reauthentication_required"
    assert document.keys() - {"errors", "required_role"} == _MEMBERS | _FURTHER.get(document["code"], set()), answer
    assert document["status"] == status, answer
    assert document["title"] == TITLES[status], answer
    assert document["request_id"] == answer.headers["X-Request-Id"], answer
    assert code in (None, document["code"]), answer
    if status == 401:
        # The gateway gives that of a function another name, and leaves its own alone.
        [challenge] = [value for name, value in answer.headers.items() if name.lower().endswith("www-authenticate")]
        assert challenge.partition(" ")[0] == "Bearer", answer
        assert ("insufficient_user_authentication" in challenge) is recent_sign_in, answer
        assert recent_sign_in or challenge in ("Bearer", 'Bearer error="invalid_token"'), answer
    if status in (429, 503):
        assert int(answer.headers["Retry-After"]) > 0, answer
    return document


def faults(answer: Answer, status: int = 422) -> dict[str, str]:
    """The code of each fault by its pointer. Each pointer is named once, and each fault says something."""
    listed = problem(answer, status)["errors"]
    assert all(fault.keys() == {"pointer", "code", "detail"} and fault["detail"] for fault in listed), answer
    by_pointer = {fault["pointer"]: fault["code"] for fault in listed}
    assert len(by_pointer) == len(listed), answer
    return by_pointer
