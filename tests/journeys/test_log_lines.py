"""What the functions log on the local stack: whole JSON lines, and nothing that was sent in them."""

import json
from typing import Any

from tests.journeys.service import Service, eventually
from tests.support import builders

MARK = "canary"
FORGED = '{"level": "ERROR", "event": "forged"}'
TEXT = f'{MARK}"}}\r\n{FORGED}\r\n'

# Of a worker that another journey has killed.
_DIED = "Worker process died"


def _logged(service: Service) -> list[tuple[str, str]]:
    """Function and line, of the files that a stack keeps."""
    return [
        (file.stem, line)
        for file in (service.data / "logs").glob("*Function.log")
        for line in file.read_text(encoding="utf-8").splitlines()
        if not line.startswith(_DIED)
    ]


def test_function_logs_contain_nothing_that_was_sent(service: Service) -> None:
    ann = service.register(username=f"{MARK}-{builders.person()['username']}", password=f"{MARK} of a password 4711")
    room = ann.open_room(name=f"{MARK} {FORGED}")
    ann.plan(title=TEXT.replace("\r", ""), description=TEXT, room_id=room["id"])
    headers = {"User-Agent": f"{MARK} {FORGED}", "Idempotency-Key": MARK, "X-Forwarded-For": MARK}
    refused = [
        ann.post("/rooms", json={"name": TEXT}),
        ann.post("/tasks", json={"title": 1, TEXT: TEXT}, headers=headers),
        ann.post("/tasks", content=TEXT, headers={"Content-Type": "application/json"}),
        ann.get("/tasks", params={TEXT: TEXT, "cursor": TEXT}),
        ann.get(f"/tasks/{MARK}%0D%0A%7B%22event%22%3A%22forged%22%7D"),
        service.anonymous.post("/auth/login", json={"username": MARK, "password": TEXT}),
        service.anonymous.get("/rooms", headers={"Authorization": f"Bearer {MARK}"}),
    ]
    assert [response.status for response in refused] == [422, 422, 400, 400, 404, 401, 401]
    # The last no function has answered: the authorizer's line has the id that the gateway gave in its own answer.
    ids = {response.headers["X-Request-Id"] for response in refused}

    assert eventually(lambda: ids <= {line["request_id"] for line in _own(_logged(service))})

    lines = _logged(service)
    assert {line["level"] for line in _own(lines)} <= {"INFO", "WARNING", "ERROR"}
    assert [line for line in _own(lines) if line["event"] == "forged"] == []
    for secret in (MARK, str(ann.access_token), ann.refresh_token, room["code"]):
        assert [line for _, line in lines if secret in line] == []


def test_authorizer_function_and_audit_trail_log_the_same_request_id(service: Service) -> None:
    ann = service.register()
    response = ann.post("/rooms", json={"name": "Followed"})
    request_id = response.headers["X-Request-Id"]

    def functions() -> set[str]:
        return {function for function, line in _logged(service) if request_id in line}

    assert eventually(lambda: functions() == {"AuthorizerFunction", "RoomsFunction", "ActivityFunction"}), functions()


def _own(lines: list[tuple[str, str]]) -> list[Any]:
    """The functions' own lines, read. What is no JSON is the exception by which the authorizer says 401."""
    other = [line for function, line in lines if function != "AuthorizerFunction" and not line.startswith("{")]
    assert other == []
    return [json.loads(line) for _, line in lines if line.startswith("{")]
