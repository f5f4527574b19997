"""Every route, asked by everybody, of one's own room and of somebody else's.

OWASP ASVS 5.0.0 8.2.1 to 8.2.3 and 8.3.2; OWASP API Security Top 10 API1, API3 and API5. Generated from
the routes of ``template.yaml`` and the lines of ``policies.py``.
"""

import pytest

from tests.functions.authorization.callers import NOTHING, Names, Scene, told
from tests.functions.authorization.policies import POLICIES, Line, Open
from tests.support.client import Response
from tests.support.problems import problem
from tests.support.stack import Stack

LINES = [line for line in POLICIES if isinstance(line, Line)]
OPEN = [line for line in POLICIES if isinstance(line, Open)]


def _routes(*, public: bool) -> set[str]:
    stack = Stack()
    return {
        f"{event['Method'].upper()} {event['Path']}"
        for function in stack.functions
        for event in stack.events(function, "Api")
        if event["Method"] != "OPTIONS" and (event.get("Auth", {}).get("Authorizer") == "NONE") is public
    }


def _name(line: Line | Open) -> str:
    about = getattr(line, "about", {})
    return " ".join([line.route, *map(str, filter(None, [about, line.json]))])


def test_every_route_has_a_policy() -> None:
    closed, opened = {line.route for line in LINES}, {line.route for line in OPEN}

    missing = (_routes(public=False) - closed) | (_routes(public=True) - opened)
    assert not missing, f"say in tests/functions/authorization/policies.py who may do {sorted(missing)}"
    gone = (closed - _routes(public=False)) | (opened - _routes(public=True))
    assert not gone, f"tests/functions/authorization/policies.py has lines for what is no such route: {sorted(gone)}"


@pytest.mark.parametrize("line", LINES, ids=_name)
def test_every_caller_gets_the_response_of_their_rights_and_strangers_a_not_found(line: Line, scene: Scene) -> None:
    for role in scene.refused:
        responses = [scene.ask(role, line.method, line.path, line.json, place) for place in (scene.own, scene.other)]
        for response in responses:
            problem(response, 401)
    allowed = []
    for role in scene.signed_in:
        for place in (scene.own, scene.other):
            status = line.status(role) if place is scene.own else line.status(_elsewhere(role))
            if status < 300:
                allowed.append((role, place, status))
                continue
            _asked(scene, line, role, place, status, sees_nothing=status == line.stranger)
    assert scene.unchanged(), "a refused request changed something"
    for role, place, status in allowed:
        _asked(scene, line, role, place, status, sees_nothing=_is_stranger(scene, role, place))
        if line.method != "GET":
            scene.restore()


def _asked(scene: Scene, line: Line, role: str, place: Names, status: int, *, sees_nothing: bool) -> None:
    """Ask, and hold the response against the status, and against the response of what does not exist."""
    response = scene.ask(role, line.method, line.path, line.json, place)
    assert response.status == status, (role, response)
    if status == 403:
        _names_the_roles(response)
    if line.hides and sees_nothing:
        nothing = scene.ask(role, line.method, line.path, line.json, NOTHING)
        assert told(response, place) == told(nothing, NOTHING), role


def _names_the_roles(response: Response) -> None:
    """Which role would be enough, and which one the caller has: for programs, and in words."""
    document = problem(response, 403, "role_too_low")
    assert f"is {document['role']}." in document["detail"], document
    if "required_role" in document:
        assert document["required_role"] != document["role"]
        assert f"role {document['required_role']}" in document["detail"], document
    else:
        assert "No role" in document["detail"], document


def _is_stranger(scene: Scene, role: str, place: Names) -> bool:
    return role in ("stranger", "removed") or (place is scene.other and role != "administrator")


def _elsewhere(role: str) -> str:
    """What somebody is in a room of other people: a role in one's own does not count there."""
    return role if role == "administrator" else "stranger"


@pytest.mark.parametrize("line", OPEN, ids=_name)
def test_an_open_route_responds_the_same_to_every_caller(line: Open, scene: Scene) -> None:
    method, _, path = line.route.partition(" ")
    responses = {
        role: scene.ask(role, method, path, line.json, scene.own) for role in [*scene.signed_in, *scene.refused]
    }

    assert {response.status for response in responses.values()} == {line.status}, responses
    if line.status == 401:
        # It takes a token of its own: whoever sends none is asked for one.
        assert responses.pop("no token").status == 401
    assert len({repr(told(response, scene.own)) for response in responses.values()}) == 1
    assert scene.unchanged()
