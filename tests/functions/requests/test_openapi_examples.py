"""Every example of the API's description succeeds when it is sent in the order of a first session.

The product makes ids, codes, tokens and entity tags of its own: what a response has in the place of an example is sent
wherever a later request has that example.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

from infrastructure.openapi import file
from tests.support.client import Client, Response
from tests.support.product import Product

DOCUMENT: Any = file.read()
OPERATIONS: dict[str, tuple[str, str, Any]] = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}

# Who sends which example. A name without one is a reading, or a request without a body.
ANYBODY, ANN, BOB, PROMETHEUS = "anybody", "Ann", "Bob", "Prometheus"
SESSION: list[tuple[str, str]] = [
    *((ANYBODY, name) for name in ("get_health", "get_docs", "get_asset", "get_client", "get_openapi")),
    (ANYBODY, "get_public_keys"),
    (PROMETHEUS, "get_metrics"),
    *((ANYBODY, name) for name in ("get_health_head", "get_docs_head", "get_asset_head", "get_client_head")),
    *((ANYBODY, name) for name in ("get_openapi_head", "get_public_keys_head")),
    (PROMETHEUS, "get_metrics_head"),
    *((ANYBODY, name) for name in ("register", "logout", "login", "refresh", "create_user")),
    *((ANN, name) for name in ("get_user", "change_user", "change_user_with_put", "list_sessions", "end_session")),
    *((ANN, name) for name in ("create_room", "list_rooms", "get_room", "change_room", "change_room_with_put")),
    (ANN, "change_code"),
    (BOB, "join_room"),
    *((ANN, name) for name in ("list_users", "list_members", "change_role")),
    (BOB, "remove_member"),
    (ANN, "add_member"),
    *((ANN, name) for name in ("create_webhook", "list_webhooks", "get_webhook", "change_webhook", "renew_secret")),
    *((ANN, name) for name in ("send_test", "list_deliveries", "replay", "resume_webhook", "delete_webhook")),
    *((ANN, name) for name in ("create_task", "get_task", "list_tasks", "list_tasks_of_room")),
    *((ANN, name) for name in ("change_task", "change_task_with_put", "get_overview", "resolve_keys")),
    *((ANN, name) for name in ("delete_task", "list_trash_of_room", "list_trash_of_user", "restore_task", "get_task")),
    *((ANN, name) for name in ("move_task", "get_task")),
    *((ANN, name) for name in ("delete_task", "list_activity", "export_user", "purge_task_of_user")),
    *(
        (ANN, name)
        for name in ("list_user_activity", "list_room_changes", "list_user_changes", "sync", "sync_with_body")
    ),
    (ANN, "purge_task_of_room"),
    (ANN, "create_ticket"),
    # Its version has changed with its members.
    *((ANN, name) for name in ("get_room", "delete_room")),
    *((ANN, name) for name in ("reauthenticate", "change_password", "get_user", "delete_user")),
    (BOB, "end_all_sessions"),
    (ANYBODY, "complete_recovery"),
]
# Responses whose ids, codes and tokens are those of the examples.
TELLING = {"register", "login", "refresh", "create_user", "create_room", "change_code", "create_task"}


def test_each_example_succeeds_in_the_order_of_a_first_session(product: Product) -> None:
    session = FirstSession(product)

    for who, name in SESSION:
        for body in examples(name):
            session.send(who, name, body)

    assert {name for _, name in SESSION} == OPERATIONS.keys()


def test_the_entity_tag_of_a_response_is_valid_for_the_next_read(product: Product) -> None:
    session = FirstSession(product)
    for name in ("register", "create_user", "create_room", "add_member", "create_task"):
        for body in examples(name):
            session.send(ANYBODY if name in ("register", "create_user") else ANN, name, body)

    for name in ("get_user", "get_room", "get_task", "get_overview", "get_docs", "get_client", "get_openapi"):
        found = session.send(ANN, name)

        assert session.send(ANN, name, headers={"If-None-Match": found.headers["ETag"]}).status == 304


def examples(name: str) -> list[Any]:
    """The bodies that an operation's examples have; nothing, once, for an operation without a body."""
    if "requestBody" not in OPERATIONS[name][2]:
        return [None]
    media = OPERATIONS[name][2]["requestBody"]["content"]["application/json"]
    return [example["value"] for example in media["examples"].values()]


class FirstSession:
    """Ann, Bob, and what they have learnt from responses."""

    def __init__(self, product: Product) -> None:
        product.aws.make_queues()
        self._product = product
        self._tokens = {PROMETHEUS: product.aws.secrets.get_secret_value(SecretId="MetricsSecret")["SecretString"]}
        self._in_place_of: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._task_in_room = ""
        self._tags: dict[str, str] = {}

    def send(self, who: str, name: str, body: Any = None, headers: dict[str, str] | None = None) -> Response:
        """Send an example. What is read again may not have changed; everything else must succeed as described."""
        method, template, operation = OPERATIONS[name]
        if who == BOB and BOB not in self._tokens:
            self._sign_in(BOB, examples("create_user")[0])
        if name == "list_sessions":
            # From a second device.
            self._sign_in("Ann elsewhere", examples("login")[0])
        if name == "complete_recovery":
            # Those who run the installation issue it (`make reset-password`).
            self._in_place_of[body["token"]] = self._product.recovery_token("bob")
        if name == "purge_task_of_room":
            self._ids["task_id"] = self._task_in_room
            ann = Client(self._product.anonymous.connection, self._tokens[who])
            assert ann.delete(f"/tasks/{self._task_in_room}").status == 204
        path = template.format_map({each: self._id(each, operation) for each in re.findall(r"{(\w+)}", template)})
        parameters = {_resolved(each)["name"] for each in operation.get("parameters", [])}
        own = {}
        if "If-Match" in parameters and path in self._tags:
            own["If-Match"] = self._tags[path]
        if "Idempotency-Key" in parameters:
            own["Idempotency-Key"] = str(uuid.uuid4())
        client = Client(self._product.anonymous.connection, self._tokens.get(who))

        options = {} if body is None else {"json": self._with_what_was_made(body)}
        response = client.request(method, path, headers={**own, **(headers or {})}, **options)

        success = min(operation["responses"])
        assert response.status in ({int(success)} if headers is None else {304}), (name, response)
        if "ETag" in response.headers:
            self._tags[response.headers.get("Location", path)] = response.headers["ETag"]
        if response.text and name not in {"get_docs", "get_client", "get_asset", "get_metrics"}:
            self._learn(name, response.json(), operation["responses"][success])
        if name == "get_docs" and response.text:
            self._ids["asset"] = re.findall(r"assets/([\w.-]+)", response.text)[0]
        return response

    def _sign_in(self, who: str, account: dict[str, str]) -> None:
        response = self._product.anonymous.post(
            "/auth/login", json={"username": account["username"], "password": account["password"]}
        )
        assert response.status == 200, response
        self._tokens[who] = response.json()["access_token"]

    def _id(self, name: str, operation: Any) -> str:
        [parameter] = [each for each in operation["parameters"] if each.get("name") == name]
        return str(parameter.get("example", self._ids.get(f"{name} of somebody" if name == "user_id" else name)))

    def _learn(self, name: str, made: Any, response: Any) -> None:
        if name in {"register", "login", "refresh", "reauthenticate"}:
            self._tokens[ANN] = made["access_token"]
        if name == "list_sessions":
            [self._ids["session_id"]] = [each["id"] for each in made["items"] if not each["current"]]
        if name == "resolve_keys":
            assert made["missing"] == []
        if name == "create_webhook":
            self._ids["webhook_id"] = made["id"]
        if name in TELLING:
            media = response["content"]["application/json"]
            example = media["example"] if "example" in media else _example(media["schema"])
            self._in_place_of |= dict(_texts(example, made))
            kind = {"create_user": "user_id of somebody", "create_room": "room_id", "create_task": "task_id"}.get(name)
            if name == "create_task" and made["room_id"]:
                self._task_in_room = made["id"]
            if kind:
                self._ids[kind] = made["id"]

    def _with_what_was_made(self, body: Any) -> Any:
        if isinstance(body, dict):
            return {key: self._with_what_was_made(value) for key, value in body.items()}
        if isinstance(body, list):
            return [self._with_what_was_made(each) for each in body]
        return self._in_place_of.get(body, body) if isinstance(body, str) else body


def _resolved(described: Any) -> Any:
    while "$ref" in described:
        _, _, kind, name = described["$ref"].split("/")
        described = DOCUMENT["components"][kind][name]
    return described


def _example(schema: Any) -> Any:
    """The example of a schema, made of those of its properties."""
    meant = {**_resolved(schema), **schema}
    if "examples" in meant:
        return meant["examples"][0]
    return {name: _example(each) for name, each in meant.get("properties", {}).items()}


def _texts(example: Any, made: Any) -> Iterator[tuple[str, str]]:
    """Each text of an example, with the one that stands in the same place of what was made."""
    if isinstance(example, str) and isinstance(made, str):
        yield example, made
    if isinstance(example, dict) and isinstance(made, dict):
        for name in example.keys() & made.keys():
            yield from _texts(example[name], made[name])
