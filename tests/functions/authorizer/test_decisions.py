"""What the authorizer looks at beyond the token: the session, the user, and whether the tables answer at all."""

import json
from typing import Any

import pytest

from tasksync.http import bearer
from tasksync.model import errors
from tasksync.security import access_tokens
from tests.functions.authorizer.forged_tokens import right_claims
from tests.support.client import Person
from tests.support.context import LambdaContext
from tests.support.gateway import load_handler
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.tables import change, drop

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/live"


def decision(product: Product, person: Person, method_arn: str, headers: Any = None) -> Any:
    """What the authorizer's handler answers to the gateway."""
    sent = {"Authorization": f"Bearer {person.access_token}"} if headers is None else headers
    event = {
        "type": "REQUEST",
        "methodArn": method_arn,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "requestContext": {"requestId": "a-request"},
    }
    function = product.aws.stack.functions["AuthorizerFunction"]
    with product.aws.running("AuthorizerFunction"):
        return load_handler(function["Handler"])(event, LambdaContext("AuthorizerFunction"))


def session_key(person: Person) -> dict[str, str]:
    [session] = [each for each in person.list("/auth/sessions") if each["current"]]
    return {"session_id": session["id"]}


@pytest.mark.parametrize(
    "path", ["GET/users/me", "POST/rooms", "DELETE/rooms/a%2Fb/c d/*", "GET/", "GET//", "PATCH/tasks/a/b/c/d/e:f"]
)
def test_the_policy_covers_the_whole_stage(product: Product, path: str) -> None:
    ann = product.register("ann")

    response = decision(product, ann, f"{STAGE}/{path}")

    [statement] = response["policyDocument"]["Statement"]
    assert statement == {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{STAGE}/*/*"}


def test_the_context_identifies_the_caller(product: Product) -> None:
    ann = product.register("ann")

    response = decision(product, ann, f"{STAGE}/GET/users/me")

    assert response["principalId"] == ann.id
    context = response["context"]
    assert int(context.pop("auth_time")) == right_claims(ann)["auth_time"]
    assert context == {"user_id": ann.id, **session_key(ann), "role": "user"}


@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "Authorization"])
def test_the_header_name_is_case_insensitive(product: Product, name: str) -> None:
    ann = product.register("ann")

    response = decision(product, ann, f"{STAGE}/GET/users/me", {name: f"Bearer {ann.access_token}"})

    assert response["principalId"] == ann.id


@pytest.mark.parametrize("headers", [{"Host": "example.org"}, {"Authorization": ""}], ids=["absent", "empty"])
def test_without_a_token_the_authorizer_raises_unauthorized(product: Product, headers: dict[str, str]) -> None:
    ann = product.register("ann")

    with pytest.raises(Exception, match=r"\AUnauthorized\Z"):
        decision(product, ann, f"{STAGE}/GET/users/me", headers)


def test_an_invalid_token_is_denied_for_the_whole_stage(product: Product) -> None:
    ann = product.register("ann")

    response = decision(product, ann, f"{STAGE}/GET/users/me", {"Authorization": str(ann.access_token)})

    [statement] = response["policyDocument"]["Statement"]
    assert statement == {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": f"{STAGE}/*/*"}
    assert response["context"].keys() == {"code", "detail"}


@pytest.mark.parametrize(
    ("header", "code", "word"),
    [
        (None, "token_missing", "Bearer"),
        ("", "token_missing", "Bearer"),
        ("{token}", "token_malformed", "without the word Bearer"),
        ("Bearer", "token_malformed", "no token follows"),
        ("Basic YW5uOng=", "token_malformed", "Bearer"),
        ("Bearer {token} {token}", "token_malformed", "one token"),
        ("Bearer {half}", "token_malformed", "not all of it"),
        ("Bearer {refresh}", "token_malformed", "refresh token"),
        ("Bearer {forged}", "invalid_token", "Sign in again"),
    ],
)
def test_code_and_text_state_what_is_wrong_with_a_token(
    product: Product, header: str | None, code: str, word: str
) -> None:
    ann = product.register("ann")
    token = str(ann.access_token)
    forged = f"{token.rpartition('.')[0]}.{'A' * 86}"
    values = {"token": token, "half": token[:-20], "refresh": ann.refresh_token, "forged": forged}
    sent = {} if header is None else {"Authorization": header.format(**values)}

    document = problem(product.anonymous.get("/users/me", headers=sent), 401, code)

    assert word in document["detail"]
    assert token not in document["detail"]


def test_every_refusal_text_is_safe_inside_json() -> None:
    """The gateway puts it between quotation marks, and escapes nothing."""
    kinds: list[type[errors.InvalidToken]] = [errors.InvalidToken, *errors.InvalidToken.__subclasses__()]
    said = [kind.detail for kind in kinds] + [
        value
        for module in (bearer, access_tokens)
        for name, value in vars(module).items()
        if name.startswith("_") and not name.startswith("__") and isinstance(value, str) and " " in value
    ]

    assert len(said) > len(kinds)
    for detail in said:
        assert json.loads(f'"{detail}"') == detail


def test_a_deleted_user_is_denied_at_once(product: Product) -> None:
    ann = product.register("ann")

    assert ann.delete("/users/me").status == 204

    problem(ann.get("/users/me"), 401, "token_revoked")


def test_a_user_being_deleted_is_denied(product: Product) -> None:
    ann = product.register("ann")
    change(product.aws, "UsersTable", {"user_id": ann.id}, status="deleting")

    problem(ann.get("/users/me"), 401, "token_revoked")


def test_a_session_of_an_earlier_epoch_is_denied(product: Product) -> None:
    ann = product.register("ann")
    change(product.aws, "UsersTable", {"user_id": ann.id}, token_epoch=2)

    problem(ann.get("/users/me"), 401, "token_revoked")


def test_an_expired_session_is_denied_although_its_item_still_exists(product: Product) -> None:
    ann = product.register("ann")
    change(product.aws, "SessionsTable", session_key(ann), expires_at=1_700_000_000)

    problem(ann.get("/users/me"), 401, "token_revoked")
    assert [item for item in product.items("SessionsTable") if item.get("user_id") == ann.id]


def test_the_role_comes_from_the_table_and_not_from_the_token(product: Product) -> None:
    ann, stranger = product.register("ann"), product.register("stranger")
    assert ann.get(f"/users/{stranger.id}").status == 404

    change(product.aws, "UsersTable", {"user_id": ann.id}, role="admin")
    as_admin = ann.get(f"/users/{stranger.id}")
    change(product.aws, "UsersTable", {"user_id": ann.id}, role="user")
    as_user = ann.get(f"/users/{stranger.id}")

    assert as_admin.status == 200, as_admin
    assert as_user.status == 404, as_user


@pytest.mark.parametrize("table", ["UsersTable", "SessionsTable"])
def test_an_unavailable_table_is_not_reported_as_a_bad_token(product: Product, table: str) -> None:
    ann = product.register("ann")
    ann.get("/users/me")

    drop(product.aws, table)

    for response in (ann.get("/users/me"), ann.post("/rooms", json={})):
        problem(response, 503, "dependency_failed")


def test_an_undecided_request_is_logged_for_the_alarm(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    ann = product.register("ann")
    drop(product.aws, "UsersTable")

    request_id = ann.get("/users/me").headers["X-Request-Id"]

    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["event"], line["level"], line["request_id"]) == ("access undecided", "ERROR", request_id)
    [pattern] = [
        properties["FilterPattern"]
        for properties in product.aws.stack.of_type("AWS::Logs::MetricFilter").values()
        if properties["LogGroupName"] == {"Ref": "AuthorizerFunctionLogs"}
    ]
    assert pattern == f'{{ $.event = "{line["event"]}" }}'


def test_an_unreadable_key_is_not_reported_as_a_bad_token(product: Product) -> None:
    ann = product.register("ann")

    # Nobody has been let in yet, so the key has not been read before.
    drop(product.aws, "SessionsTable")

    problem(ann.get("/users/me"), 503, "dependency_failed")


def test_a_bad_token_is_refused_even_when_tables_are_unavailable(product: Product) -> None:
    drop(product.aws, "UsersTable")

    problem(product.anonymous.get("/users/me", headers={"Authorization": "Bearer a.b.c"}), 401, "token_malformed")
