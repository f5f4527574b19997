"""The local AWS enforces the policies of ``template.yaml``: what one of them stops granting fails from then on.

All journeys run under this enforcement; that it is one is shown here.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError

from tests.journeys.service import Service
from tests.support.client import Person, Response
from tests.support.problems import problem

TAKEN_AWAY: dict[str, tuple[str, str, str, Callable[[Person], Response]]] = {
    "a condition inside a transaction": (
        "RoomsFunction",
        "dynamodb:ConditionCheckItem",
        "UsersTable",
        lambda person: person.post("/rooms", json={}),
    ),
    "a query of an index": (
        "RoomsFunction",
        "dynamodb:Query",
        "/index/by_user",
        lambda person: person.get("/rooms"),
    ),
    "one table of a read across tables": (
        "TasksFunction",
        "dynamodb:BatchGetItem",
        "RoomsTable",
        lambda person: person.get(f"/tasks/{person.plan(room_id=person.open_room()['id'], user_id=None)['id']}"),
    ),
    "what the authorizer looks at": (
        "AuthorizerFunction",
        "dynamodb:BatchGetItem",
        "UsersTable",
        lambda person: person.get("/users/me"),
    ),
}


@contextmanager
def without(service: Service, function: str, action: str, resource: str) -> Iterator[None]:
    """For the block, grants the action no more on resources whose ARN contains ``resource``."""
    iam = service.addresses.client("iam")
    [role] = [each["RoleName"] for each in iam.list_roles()["Roles"] if f"-{function}Role-" in each["RoleName"]]
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    before = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    narrower = []
    for statement in before["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        rest = [each for each in resources if resource not in each]
        if action not in actions or rest == resources:
            narrower.append(statement)
            continue
        others = [each for each in actions if each != action]
        kept = [{**statement, "Sid": "Others", "Action": others}] if others else []
        left = [{**statement, "Sid": "Left", "Action": [action], "Resource": rest}] if rest else []
        narrower += [*kept, *left]
    assert narrower != before["Statement"], "nothing was granted that could be taken away"
    changed = json.dumps({**before, "Statement": narrower})
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=changed)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(before))


@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_an_action_removed_from_a_policy_fails(service: Service, name: str) -> None:
    function, action, resource, request = TAKEN_AWAY[name]
    ann = service.register("ann")
    assert request(ann).status < 300

    with without(service, function, action, resource):
        problem(request(ann), 503, "dependency_failed")

    assert request(ann).status < 300


def test_a_caller_without_an_identity_is_refused_by_the_tables(service: Service) -> None:
    tables = service.addresses.client("dynamodb", access_key="somebody")

    with pytest.raises(ClientError, match="UnrecognizedClient"):
        tables.scan(TableName=service.addresses.outputs["UsersTable"])
