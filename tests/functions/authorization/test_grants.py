"""Every permission of a function is used; none stays for longer than ``support/retained_permissions.py`` says.

The other half, that a function has every permission it uses, is enforced wherever it runs (``support/permissions.py``).
A grant is one action on one resource; a statement grants each of its actions on each of its resources.
"""

import fnmatch
from datetime import timedelta
from typing import Any

import pytest

from tasksync.domain.live.hints import OPENING_SECONDS
from tests.functions.authorization.callers import Scene
from tests.functions.authorization.policies import POLICIES, Line
from tests.functions.room_cleanup.stream_deliveries import copies
from tests.functions.webhooks.hooked_room import HookedRoom
from tests.functions.webhooks.receivers import Receiver
from tests.support import builders, tables
from tests.support.client import Person
from tests.support.clock import Clock
from tests.support.function_calls import call
from tests.support.old_tasks import delete, put_old
from tests.support.product import Product
from tests.support.retained_permissions import GRACE, Grant
from tests.support.stack import Stack

# A failed record is sent to its queue by Lambda, with the function's role. A secret is read once in a process, and here
# all functions share one: that each needs its secrets is held by contract/test_settings.py. Messages are received by
# Lambda, with the function's role, too.
_SEEN_ELSEWHERE = {"sqs:SendMessage", "secretsmanager:GetSecretValue"}
_OF_QUEUES_OF_FUNCTIONS = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}

# The other actions are never asked of an index, so granting them on one grants nothing.
_OF_INDEXES = {"dynamodb:Query", "dynamodb:Scan"}


def _granted(stack: Stack) -> set[tuple[str, str, str]]:
    return {
        (function, action, resource)
        for function in stack.functions
        for statement in stack.statements(function)
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action not in _SEEN_ELSEWHERE
        and not (action in _OF_QUEUES_OF_FUNCTIONS and stack.events(function, "SQS"))
        and (action in _OF_INDEXES or "/index/" not in resource)
    }


def _use_every_route(scene: Scene) -> None:
    """Ask at every line on behalf of those who may; writes with an idempotency key, which only adds to what they do."""
    for number, line in enumerate(line for line in POLICIES if isinstance(line, Line)):
        for role in ("admin", "member", "administrator", "stranger"):
            if line.status(role) >= 300:
                continue
            key = None if line.method == "GET" else f"key-{number}-{role}"
            response = scene.ask(role, line.method, line.path, line.json, scene.own, key)
            assert response.status == line.status(role), response
            if key is not None:
                scene.restore()


def _use_the_open_routes(product: Product) -> None:
    ann = product.register("ann")
    anonymous = product.anonymous
    assert anonymous.post("/users", json=builders.person()).status == 201
    again = anonymous.sign_in(ann.username)
    assert anonymous.post("/auth/refresh", json={"refresh_token": again.refresh_token}).status == 200
    assert anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token}).status == 204
    assert anonymous.get("/health").status == 200


def _guess_a_password_once_too_often(product: Product) -> None:
    guess = {"username": "somebody", "password": "not the password"}
    assert product.anonymous.post("/auth/login", json=guess).status == 401
    [failures] = [item for item in product.items("RateLimitsTable") if item["limit_id"].startswith("failures#")]
    tables.change(product.aws, "RateLimitsTable", {"limit_id": failures["limit_id"]}, spent=100)
    assert product.anonymous.post("/auth/login", json=guess).status == 429


def _use_profiles_and_lists(product: Product) -> None:
    ann = product.register("ann")
    for email in ("ann.two@example.org", None):
        assert ann.patch("/users/me", json={"email": email}).status == 200
    room = ann.open_room()
    cursor = ann.get(f"/rooms/{room['id']}/changes").json()["next_cursor"]
    for _ in range(2):
        ann.plan(room_id=room["id"])
    product.register("bob").join(room)
    product.deliver()
    changes = ann.get(f"/rooms/{room['id']}/changes", params={"cursor": cursor}).json()
    assert {each["type"] for each in changes["current"]} == {"room", "membership", "task"}
    assert [room["id"]] == [each["id"] for each in ann.get("/sync").json()["rooms"]]
    assert ann.get("/users/me/export").json()["activity"]
    for sort in ("created_at", "deadline", "-priority"):
        assert len(ann.list("/tasks", sort=sort, limit=1)) == 2
        assert len(ann.list(f"/rooms/{room['id']}/tasks", sort=sort, limit=1)) == 2


def _somebody_about_to_go(product: Product) -> Person:
    """With a room, shared with somebody, another that is theirs alone, and tasks in both and personal ones."""
    ann, bob = product.register("ann"), product.register("bob")
    shared, own = ann.open_room(), ann.open_room()
    bob.join(shared)
    bob.plan(room_id=shared["id"], user_id=ann.id)
    ann.plan(room_id=own["id"])
    ann.plan()
    return ann


def _an_empty_room(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    ann.plan(room_id=room["id"])
    assert ann.delete(f"/rooms/{room['id']}").status == 204


def _somebody_to_be_unassigned(product: Product) -> None:
    ann, bob = product.register("ann"), product.register("bob")
    room = bob.open_room()
    ann.join(room)
    bob.plan(room_id=room["id"], user_id=ann.id)
    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204


def _somebody_who_left(product: Product) -> None:
    """With so many tasks in the room that the overview looks for personal ones by themselves."""
    ann, bob = product.register("ann"), product.register("bob")
    room = bob.open_room()
    ann.join(room)
    copies(product, bob.plan(room_id=room["id"], user_id=ann.id), 500)
    mine = ann.plan()
    assert ann.delete(f"/rooms/{room['id']}/users/{ann.id}").status == 204
    assert ann.get("/", headers={"Cache-Control": "no-cache"}).json()["tasks"] == [mine]
    bob.delete(f"/rooms/{room['id']}")


def _a_crowded_place(product: Product) -> None:
    """A move to a place where ranks are long, which the sweeper makes short again."""
    ann = product.register("ann")
    moved, *neighbours = (ann.plan()["id"] for _ in range(3))
    for number, neighbour in enumerate(neighbours, 1):
        rank, created = f"a0{'0' * 250}{number}", neighbour.rpartition(".")[2]
        key = {"owner_id": ann.id, "item": neighbour}
        tables.change(product.aws, "TasksTableV2", key, rank=rank, by_rank=f"T#1#{rank}#{created}")
    assert ann.post(f"/tasks/{moved}/move", json={"after": neighbours[0]}).status == 200
    key = {"owner_id": ann.id, "item": "J#ranks"}
    tables.change(product.aws, "TasksTableV2", key, by_created="J#2026-01-01T00:00:00.000Z")


def _logs_of_deleted_users(product: Product) -> None:
    """One of somebody who is gone, and one of somebody who is there again."""
    gone, back = product.register("gone"), product.register("back")
    product.deliver()
    delete(product.aws, "UsersTable", user_id=gone.id)
    product.deliver()
    for person in (gone, back):
        key = {"owner_id": person.id, "item": "head"}
        tables.change(product.aws, "LogTable", key, unfinished="log", updated_at="2026-01-01T00:00:00.000Z")


def _a_room_whose_append_was_cut_off(product: Product, person: Person) -> Any:
    """Its log has an entry, and neither the marker nor the head that go with it."""
    room = person.open_room()
    product.deliver()
    for item in ("head", f"v#{room['id']}"):
        delete(product.aws, "LogTable", owner_id=room["id"], item=item)
    return room


def _use_streams_and_sweeper(product: Product) -> None:
    product.deliver()
    _logs_of_deleted_users(product)
    bob = product.register("bob")
    cut_off = _a_room_whose_append_was_cut_off(product, bob)
    assert bob.patch(f"/rooms/{cut_off['id']}", json={"name": "Yard"}).status == 200
    assert bob.patch("/users/me", json={"username": f"{bob.username}-2"}).status == 200
    for finish in (product.deliver, lambda: call(product.aws, "SweeperFunction", {"older_than_seconds": 0})):
        ann = _somebody_about_to_go(product)
        tables.change(product.aws, "UsersTable", {"user_id": ann.id}, status="deleting", unfinished="user")
        _an_empty_room(product)
        _somebody_to_be_unassigned(product)
        _a_crowded_place(product)
        finish()


def _use_webhooks(product: Product) -> None:
    """One of either kind: an event is put down, sent, and replayed; what waits is due, too, and the room is deleted."""

    def sweep() -> object:
        return call(product.aws, "SweeperFunction", {"older_than_seconds": 0})

    with Receiver().listening() as receiver:
        for ordered, finish in ((False, product.deliver), (True, sweep)):
            hooked = HookedRoom(product, receiver, ordered=ordered)
            hooked.plan("first")
            hooked.ann.post(f"{hooked.own_path}/replay", json={"from": 1, "to": 2})
            hooked.time_passes(timedelta(days=1))
            hooked.ann.plan(room_id=hooked.id)
            product.deliver(to="ActivityFunction")
            hooked.sweep()
            hooked.queues.deliver()
            assert len(hooked.deliveries()) == 3
            hooked.ann.delete(hooked.own_path)
            hooked.queues.deliver()
            hooked.ann.post(hooked.path, json={"url": receiver.url})
            hooked.ann.delete(f"/rooms/{hooked.id}")
            finish()


# The auditor looks again at what seems broken: one item of each table.
_DAMAGE: dict[str, tuple[str, dict[str, Any]]] = {
    "RoomsTable": ("room", {"member_count": 9}),
    "TasksTableV2": ("by_rank", {"version": 0}),
    "SessionsTable": ("session", {"refresh_hash": ""}),
    "IdempotencyTable": ("receipt_id", {"answer": "{}"}),
    "WebhooksTable": ("webhooks", {"webhooks": 9}),
    "LiveTable": ("version", {"expires_at": 1}),
}


def _use_live_updates(product: Product, clock: Clock) -> None:
    """One WebSocket is closed by its client, one vanishes, and one is closed with its session."""
    ann = product.register("ann")
    product.connect(ann).close()
    product.connect(ann).vanish()
    product.connect(ann)
    product.deliver()
    clock.pass_by(OPENING_SECONDS)
    ann.open_room()
    product.deliver()
    assert product.anonymous.post("/auth/logout", json={"refresh_token": ann.refresh_token}).status == 204
    product.deliver()


def _use_the_auditor(product: Product) -> None:
    ann = product.register("ann")
    room = ann.open_room()
    headers = {"Idempotency-Key": "once"}
    assert ann.post("/tasks", json=builders.task(room_id=room["id"]), headers=headers).status == 201
    body = {"url": "https://hooks.example.org/"}
    assert ann.post(f"/rooms/{room['id']}/webhooks", json=body).status == 201
    product.connect(ann)
    schemas = product.aws.stack.of_type("AWS::DynamoDB::Table")
    for table, (mark, damage) in _DAMAGE.items():
        item = next(item for item in product.items(table) if mark in item or item.get("kind") == mark)
        key = {each["AttributeName"]: item[each["AttributeName"]] for each in schemas[table]["KeySchema"]}
        tables.change(product.aws, table, key, **damage)
    assert call(product.aws, "AuditorFunction", {"older_than_seconds": 0})["complete"]


def _use_the_migrations(product: Product) -> None:
    room = _a_room_whose_append_was_cut_off(product, product.register("ann"))
    key = {"room_id": {"S": room["id"]}, "item": {"S": "ROOM"}}
    product.aws.dynamodb.update_item(TableName="RoomsTable", Key=key, UpdateExpression="REMOVE member_ids")
    tables.put(
        product.aws,
        "ActivityTable",
        room_id=room["id"],
        entry_id=f"{0:012x}-{room['id'].removeprefix('room_')}-{1:08x}",
        at=room["created_at"],
        action="created",
        resource="room",
        resource_id=room["id"],
        changes="{}",
    )
    _somebody_to_be_unassigned(product)
    ann = product.register("ann")
    personal, shared, gone = ann.plan(), ann.plan(room_id=ann.open_room()["id"]), ann.plan()
    items = {item["item"]: item for item in product.items("TasksTableV2") if "title" in item}
    for task in (personal, shared):
        put_old(product.aws, items[task["id"]])
        delete(product.aws, "TasksTableV2", owner_id=items[task["id"]]["owner_id"], item=task["id"])
    key = {"owner_id": items[gone["id"]]["owner_id"], "item": gone["id"]}
    tables.change(product.aws, "TasksTableV2", key, copied="1")
    product.aws.deploy(TasksOpen="false")
    tables.change(product.aws, "UsersTable", {"user_id": product.register("ann").id}, status="deleting")
    assert call(product.aws, "MigrationsFunction", {"items_per_second": 10_000})["error"] is None
    product.aws.deploy(TasksOpen="true")
    assert call(product.aws, "MigrationsFunction", {"items_per_second": 10_000})["error"] is None


def _read_the_numbers(product: Product) -> None:
    product.aws.make_queues()
    token = product.aws.secrets.get_secret_value(SecretId="MetricsSecret")["SecretString"]
    assert product.anonymous.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status == 200


def test_no_function_has_an_unused_permission(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    _use_every_route(Scene(product))
    _use_the_open_routes(product)
    _guess_a_password_once_too_often(product)
    _use_profiles_and_lists(product)
    _somebody_who_left(product)
    ann = _somebody_about_to_go(product)
    assert ann.delete("/users/me").status == 204
    _use_streams_and_sweeper(product)
    _use_webhooks(product)
    with monkeypatch.context() as patch:
        _use_live_updates(product, Clock(patch))
    _use_the_auditor(product)
    _use_the_migrations(product)
    _read_the_numbers(product)

    used = product.aws.permissions.used
    granted = _granted(product.aws.stack)
    unused = {
        (function, action, resource)
        for function, action, resource in granted
        if not any((function, action) == each[:2] and fnmatch.fnmatchcase(each[2], resource) for each in used)
    }
    left_over = {Grant.of(*grant) for grant in unused}
    assert left_over <= GRACE.keys(), "\n".join(sorted(" ".join(grant) for grant in left_over - GRACE.keys()))
    kept = GRACE.keys() & {Grant.of(*grant) for grant in granted}
    assert left_over == kept, f"these are used, or their use is seen elsewhere: {kept - left_over}"
