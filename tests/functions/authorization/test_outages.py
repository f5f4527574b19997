"""A table out of reach, under every route: a plain 503 with nothing half-written, or the response as if all were well.

OWASP ASVS 5.0.0 16.5.1 to 16.5.3. Generated from the lines of ``policies.py`` and the tables of each function.
"""

import pytest

from tests.functions.authorization.callers import Scene
from tests.functions.authorization.policies import POLICIES, Line
from tests.support.problems import problem
from tests.support.stack import Stack

STACK = Stack()
ROLES = ("admin", "member", "administrator", "stranger")


def _tables_of(route: str) -> list[str]:
    """Those that the function behind a route, or the authorizer before it, may call."""
    method, _, path = route.partition(" ")
    [function] = [
        name
        for name in STACK.functions
        for event in STACK.events(name, "Api")
        if (event["Method"].upper(), event["Path"]) == (method, path)
    ]
    resources = {
        resource
        for name in (function, "AuthorizerFunction")
        for statement in STACK.statements(name)
        for resource in statement["Resource"]
    }
    return [
        table
        for table in STACK.of_type("AWS::DynamoDB::Table")
        if any(f":table/{table}" in resource for resource in resources)
    ]


# By the authorizer, which lets nobody in whom it cannot look up.
LOOKED_AT_FIRST = {"UsersTable", "SessionsTable"}

CASES = [
    (line, role, table)
    for line in POLICIES
    if isinstance(line, Line)
    for role in [next((role for role in ROLES if line.status(role) < 300), None)]
    if role is not None
    for table in _tables_of(line.route)
]


@pytest.mark.parametrize(("line", "role", "table"), CASES, ids=lambda each: getattr(each, "route", each))
def test_an_unreachable_table_is_a_503_that_changed_nothing(line: Line, role: str, table: str, scene: Scene) -> None:
    key = None if line.method == "GET" else "a-key"

    with scene.outage(table):
        response = scene.ask(role, line.method, line.path, line.json, scene.own, key)

    if response.status == line.status(role) and table not in LOOKED_AT_FIRST:
        # The route does not need this table for its response; what it wrote is whole, as without the outage.
        scene.restore()
        return
    problem(response, 503, "dependency_failed")
    assert table not in response.text
    assert scene.unchanged(), "something was half-written"
