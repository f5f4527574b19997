"""Each invariant, broken on purpose behind the product's back, is reported with the item that breaks it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from tasksync.dynamodb.integrity.snapshots import AuditRepository
from tasksync.integrity.checks import ELSEWHERE, Auditor, Invariant, Report
from tasksync.model import times
from tests.support import tables
from tests.support.aws import LOCK
from tests.support.client import Person
from tests.support.product import Product

Json = dict[str, Any]
Broken = tuple[Invariant, str]
"""An invariant, and the item that is to be named."""

TEN_MINUTES = timedelta(minutes=10)


class World:
    """Two people in a room with a task and a retired code, one who has left it, a personal task, a keyed request."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann: Person = product.register("ann")
        self.bob: Person = product.register("bob")
        self.room: Json = self.ann.open_room()
        self.bob.join(self.room)
        self.ann.post(f"/rooms/{self.room['id']}/code")
        self.room = self.ann.get(f"/rooms/{self.room['id']}").json()
        self.bob.delete(f"/rooms/{self.room['id']}/users/{self.bob.id}")
        self.bob.join(self.room)
        self.task: Json = self.ann.plan(room_id=self.room["id"], deadline="2026-12-01T12:00:00Z", user_id=self.bob.id)
        self.personal: Json = self.bob.plan()
        self.ann.post(f"/rooms/{self.room['id']}/webhooks", json={"url": "https://hooks.example.org/"})
        self.ann.post("/tasks", json={"title": "Once"}, headers={"Idempotency-Key": "one"})
        product.connect(self.bob)

    @property
    def room_key(self) -> Json:
        return {"room_id": self.room["id"], "item": "ROOM"}

    @property
    def membership_key(self) -> Json:
        return {"room_id": self.room["id"], "item": f"MEMBER#{self.bob.id}"}

    @property
    def task_key(self) -> Json:
        return {"owner_id": self.room["id"], "item": self.task["id"]}

    def change(self, table: str, key: Json, **values: Any) -> None:
        tables.change(self.product.aws, table, key, **values)

    def put(self, table: str, item: Json) -> None:
        write = TypeSerializer().serialize
        with LOCK:
            raw = {name: write(value) for name, value in item.items() if value is not None}
            self.product.aws.dynamodb.put_item(TableName=table, Item=raw)

    def delete(self, table: str, key: Json) -> None:
        write = TypeSerializer().serialize
        with LOCK:
            raw = {name: write(value) for name, value in key.items()}
            self.product.aws.dynamodb.delete_item(TableName=table, Key=raw)

    def one(self, table: str, **values: Any) -> Json:
        """The item with these values."""
        return next(item for item in self.product.items(table) if values.items() <= item.items())

    def audit(self, page_items: int | None = None, seconds: Callable[[], bool] = lambda: True) -> Report:
        with self.product.aws.running("AuditorFunction"):
            return Auditor(AuditRepository(page_items), TEN_MINUTES, lambda _: None, timedelta(days=30)).run(seconds)


@pytest.fixture
def world(product: Product) -> World:
    return World(product)


def _violations(report: Report) -> list[Broken]:
    return [(check.invariant, check.item) for finding in report.findings for check in finding.shown]


def _checked(report: Report) -> dict[Invariant, int]:
    return {finding.invariant: finding.checked for finding in report.findings}


def test_data_written_by_the_product_satisfies_every_invariant(world: World) -> None:
    world.product.deliver(to="ActivityFunction")

    report = world.audit()

    assert report.complete
    assert _violations(report) == []
    assert _checked(report) == {
        Invariant.READABLE: 35,  # a room and its memberships are one
        Invariant.MEMBER_COUNT: 1,
        Invariant.ADMIN_COUNT: 1,
        Invariant.MEMBERSHIP: 2,
        Invariant.TASK_OWNER: 3,
        Invariant.CLAIMS: 11,
        Invariant.TASK_VERSION: 3,
        Invariant.NO_JOIN_AFTER_DEATH: 0,
        Invariant.IDEMPOTENCY: 1,
        Invariant.REFRESH_TOKEN: 2,
        Invariant.NOTHING_LEFT: 12,
        Invariant.LOG: 10,
        Invariant.LOGGED: 6,
        Invariant.LINKS: 6,  # three tasks, each with one link
        Invariant.FORMER_MEMBER: 1,
        Invariant.MARKED: 3,
        Invariant.WEBHOOKS: 4,
        Invariant.LIVE: 1,
    }


@pytest.mark.parametrize("page_items", [1, 2, 3])
def test_results_do_not_depend_on_page_boundaries(world: World, page_items: int) -> None:
    whole = world.audit()

    paged = world.audit(page_items)

    assert _violations(paged) == []
    assert _checked(paged)[Invariant.TASK_OWNER] == _checked(whole)[Invariant.TASK_OWNER]


def test_invariants_that_tables_cannot_decide_name_where_they_are_shown(world: World) -> None:
    world.product.deliver(to="ActivityFunction")

    checked = _checked(world.audit())

    assert {invariant for invariant, count in checked.items() if count == 0} == ELSEWHERE.keys()


def _a_count_too_high(world: World) -> Broken:
    world.change("RoomsTable", world.room_key, member_count=3)
    return Invariant.MEMBER_COUNT, world.room["id"]


def _a_membership_gone_by_itself(world: World) -> Broken:
    world.delete("RoomsTable", world.membership_key)
    return Invariant.MEMBER_COUNT, world.room["id"]


def _a_membership_that_the_room_does_not_name(world: World) -> Broken:
    world.change("RoomsTable", world.room_key, member_ids={world.ann.id})
    return Invariant.MEMBER_COUNT, world.room["id"]


def _an_admin_count_too_low(world: World) -> Broken:
    world.change("RoomsTable", world.room_key, admin_count=0)
    return Invariant.ADMIN_COUNT, world.room["id"]


def _members_without_an_admin(world: World) -> Broken:
    world.change("RoomsTable", world.room_key, admin_count=0)
    world.change("RoomsTable", world.membership_key | {"item": f"MEMBER#{world.ann.id}"}, role="member")
    return Invariant.ADMIN_COUNT, world.room["id"]


def _a_membership_in_a_dead_room(world: World) -> Broken:
    world.change("RoomsTable", world.room_key, member_count=0)
    return Invariant.MEMBERSHIP, f"membership of {world.bob.id} in {world.room['id']}"


def _a_membership_in_no_room(world: World) -> Broken:
    world.delete("RoomsTable", world.room_key)
    return Invariant.MEMBERSHIP, f"membership of {world.bob.id} in {world.room['id']}"


def _a_task_in_no_room(world: World) -> Broken:
    world.delete("RoomsTable", world.room_key)
    return Invariant.TASK_OWNER, world.task["id"]


def _a_personal_task_of_nobody(world: World) -> Broken:
    world.delete("UsersTable", {"user_id": world.bob.id})
    return Invariant.TASK_OWNER, world.personal["id"]


def _a_code_without_a_claim(world: World) -> Broken:
    world.delete("RoomsTable", {"room_id": f"CODE#{world.room['code']}", "item": "CODE"})
    return Invariant.CLAIMS, world.room["id"]


def _a_claim_on_a_code_of_another_room(world: World) -> Broken:
    world.change("RoomsTable", {"room_id": f"CODE#{world.room['code']}", "item": "CODE"}, owner="room_other")
    return Invariant.CLAIMS, f"claim of room_other on code {world.room['code']}"


def _a_claim_on_a_code_given_up(world: World) -> Broken:
    claim = {"room_id": "CODE#ABCDEF", "item": "CODE", "kind": "code", "owner": world.room["id"]}
    world.put("RoomsTable", claim)
    return Invariant.CLAIMS, f"claim of {world.room['id']} on code ABCDEF"


def _a_code_that_is_retired_and_in_use(world: World) -> Broken:
    claim = {"room_id": f"CODE#{world.room['code']}", "item": "CODE"}
    world.change("RoomsTable", claim, expires_at=int(times.now().timestamp()) + 60)
    return Invariant.CLAIMS, world.room["id"]


def _a_code_in_use_is_retired(world: World) -> Broken:
    _a_code_that_is_retired_and_in_use(world)
    return Invariant.CLAIMS, f"claim of {world.room['id']} on code {world.room['code']}"


def _a_retired_code_that_never_ends(world: World) -> Broken:
    long_ago = int((times.now() - timedelta(days=8)).timestamp())
    claim = {"room_id": "CODE#ABCDEF", "item": "CODE", "kind": "code", "owner": world.room["id"]}
    world.put("RoomsTable", {**claim, "expires_at": long_ago})
    return Invariant.NOTHING_LEFT, "code ABCDEF"


def _somebody_removed_who_is_back(world: World) -> Broken:
    world.put("RoomsTable", _former_member(world.bob.id, world.room["id"], "removed"))
    return Invariant.FORMER_MEMBER, f"{world.bob.id}, who was in {world.room['id']}"


def _a_former_member_who_is_nobody(world: World) -> Broken:
    world.put("RoomsTable", _former_member("usr_ghost", world.room["id"], "viewer"))
    return Invariant.NOTHING_LEFT, f"usr_ghost, who was in {world.room['id']}"


def _former_member(user_id: str, room_id: str, role: str) -> Json:
    at = times.timestamp(times.now())
    keys = {"room_id": f"USER#{user_id}", "item": f"FORMER#{room_id}"}
    return {**keys, "kind": "former", "role": role, "left_at": at}


def _a_name_without_a_claim(world: World) -> Broken:
    world.delete("UsersTable", {"user_id": f"NAME#{world.ann.username}"})
    return Invariant.CLAIMS, f"{world.ann.id} with NAME#{world.ann.username}"


def _an_address_claimed_by_somebody_else(world: World) -> Broken:
    world.change("UsersTable", {"user_id": f"EMAIL#{world.ann.email}"}, owner=world.bob.id)
    return Invariant.CLAIMS, f"{world.ann.id} with EMAIL#{world.ann.email}"


def _a_claim_of_nobody(world: World) -> Broken:
    world.put("UsersTable", {"user_id": "NAME#ghost", "kind": "claim", "owner": "usr_ghost"})
    return Invariant.CLAIMS, "claim of usr_ghost on NAME#ghost"


def _a_name_claimed_twice(world: World) -> Broken:
    world.put("UsersTable", {"user_id": "NAME#second", "kind": "claim", "owner": world.ann.id})
    return Invariant.CLAIMS, f"claim of {world.ann.id} on NAME#second"


def _a_task_before_its_first_version(world: World) -> Broken:
    world.change("TasksTableV2", world.task_key, version=0)
    return Invariant.TASK_VERSION, world.task["id"]


def _a_task_sorted_by_an_old_deadline(world: World) -> Broken:
    world.change("TasksTableV2", world.task_key, by_deadline=f"T#none#{world.task['id']}")
    return Invariant.TASK_VERSION, world.task["id"]


def _a_task_sorted_by_an_old_status(world: World) -> Broken:
    world.change("TasksTableV2", world.task_key, by_status=f"T#33#{world.task['id']}")
    return Invariant.TASK_VERSION, world.task["id"]


def _a_task_under_another_owner(world: World) -> Broken:
    world.put("TasksTableV2", world.one("TasksTableV2", item=world.task["id"]) | {"owner_id": world.ann.id})
    return Invariant.TASK_VERSION, world.task["id"]


def _a_record_without_a_response(world: World) -> Broken:
    record = world.product.items("IdempotencyTable")[0]["receipt_id"]
    world.change("IdempotencyTable", {"receipt_id": record}, answer="{}")
    return Invariant.IDEMPOTENCY, f"idempotency record {record}"


def _a_record_of_a_failure(world: World) -> Broken:
    record = world.product.items("IdempotencyTable")[0]["receipt_id"]
    world.change("IdempotencyTable", {"receipt_id": record}, answer='{"status": 409}')
    return Invariant.IDEMPOTENCY, f"idempotency record {record}"


def _a_session_without_a_refresh_token(world: World) -> Broken:
    session = world.one("SessionsTable", user_id=world.ann.id)["session_id"]
    world.change("SessionsTable", {"session_id": session}, refresh_hash="")
    return Invariant.REFRESH_TOKEN, session


def _a_session_of_nobody(world: World) -> Broken:
    session = world.one("SessionsTable", user_id=world.ann.id)["session_id"]
    world.change("SessionsTable", {"session_id": session}, user_id="usr_ghost")
    return Invariant.REFRESH_TOKEN, session


def _an_empty_room_left(world: World) -> Broken:
    since = times.timestamp(times.now() - timedelta(minutes=11))
    world.put("RoomsTable", {**_dead_room("room_left", since), "unfinished": "room"})
    world.put("RoomsTable", {"room_id": "CODE#LEFT77", "item": "CODE", "kind": "code", "owner": "room_left"})
    return Invariant.NOTHING_LEFT, "room_left"


def _a_user_left_half_removed(world: World) -> Broken:
    since = times.timestamp(times.now() - timedelta(minutes=21))
    world.change("UsersTable", {"user_id": world.ann.id}, status="deleting", updated_at=since)
    return Invariant.NOTHING_LEFT, world.ann.id


def _an_empty_room_without_a_mark(world: World) -> Broken:
    world.put("RoomsTable", _dead_room("room_left", times.timestamp(times.now())))
    return Invariant.MARKED, "room_left"


def _a_room_with_members_that_is_marked(world: World) -> Broken:
    world.change("RoomsTable", world.room_key, unfinished="room")
    return Invariant.MARKED, world.room["id"]


def _a_user_being_deleted_without_a_mark(world: World) -> Broken:
    world.change("UsersTable", {"user_id": world.ann.id}, status="deleting", updated_at=times.timestamp(times.now()))
    return Invariant.MARKED, world.ann.id


def _an_active_user_who_is_marked(world: World) -> Broken:
    world.change("UsersTable", {"user_id": world.ann.id}, unfinished="user")
    return Invariant.MARKED, world.ann.id


def _an_unassignment_not_carried_out(world: World) -> Broken:
    world.put("RoomsTable", _unassignment(world, world.bob.id))
    return Invariant.NOTHING_LEFT, f"unassignment of {world.bob.id} in {world.room['id']}"


def _an_unassignment_of_nobody(world: World) -> Broken:
    world.put("RoomsTable", {**_unassignment(world, "usr_ghost"), "updated_at": times.timestamp(times.now())})
    return Invariant.NOTHING_LEFT, f"unassignment of usr_ghost in {world.room['id']}"


def _unassignment(world: World, user_id: str) -> Json:
    return {
        "room_id": f"USER#{user_id}",
        "item": f"UNASSIGNMENT#{world.room['id']}",
        "kind": "unassignment",
        "unfinished": "unassignment",
        "updated_at": times.timestamp(times.now() - timedelta(minutes=11)),
    }


def _a_membership_of_somebody_deleted_long_ago(world: World) -> Broken:
    since = times.timestamp(times.now() - timedelta(minutes=11))
    world.change("UsersTable", {"user_id": world.bob.id}, status="deleting", updated_at=since)
    return Invariant.NOTHING_LEFT, f"membership of {world.bob.id} in {world.room['id']}"


def _a_membership_of_nobody(world: World) -> Broken:
    world.delete("UsersTable", {"user_id": world.bob.id})
    return Invariant.NOTHING_LEFT, f"membership of {world.bob.id} in {world.room['id']}"


def _a_task_assigned_to_nobody_known(world: World) -> Broken:
    world.change("TasksTableV2", world.task_key, assignees=["usr_ghost"])
    return Invariant.NOTHING_LEFT, world.task["id"]


def _link(world: World) -> Json:
    return world.one("TasksTableV2", item=f"A#{world.bob.id}#{world.task['id']}")


def _an_assignee_without_a_link(world: World) -> Broken:
    world.delete("TasksTableV2", {name: _link(world)[name] for name in ("owner_id", "item")})
    return Invariant.LINKS, world.task["id"]


def _a_link_of_another_join(world: World) -> Broken:
    world.put("TasksTableV2", _link(world) | {"join_id": "000000000000"})
    return Invariant.LINKS, f"{_link(world)['item']} of {world.room['id']}"


def _a_link_sorted_by_an_old_priority(world: World) -> Broken:
    by_created = _link(world)["by_created"].replace("#12#", "#13#")
    world.put("TasksTableV2", _link(world) | {"by_created": by_created})
    return Invariant.LINKS, world.task["id"]


def _a_link_to_nobody_beside_an_assignee(world: World) -> Broken:
    link = {name: _link(world)[name].replace(world.bob.id, "none") for name in ("owner_id", "item", "by_created")}
    world.put("TasksTableV2", link)
    return Invariant.LINKS, f"{link['item']} of {world.room['id']}"


def _a_link_of_no_task(world: World) -> Broken:
    gone = world.task["id"][:-4] + "dead"
    world.put("TasksTableV2", _link(world) | {"item": f"A#{world.bob.id}#{gone}"})
    return Invariant.LINKS, f"A#{world.bob.id}#{gone} of {world.room['id']}"


def _a_long_description_that_is_gone(world: World) -> Broken:
    task = world.ann.plan(description="long " * 200)
    world.delete("TasksTableV2", {"owner_id": world.ann.id, "item": f"D#{task['id']}"})
    return Invariant.LINKS, str(task["id"])


def _a_long_description_of_a_short_one(world: World) -> Broken:
    part = {"owner_id": world.room["id"], "item": f"D#{world.task['id']}"}
    world.put("TasksTableV2", {**part, "text": "long " * 200})
    return Invariant.LINKS, f"{part['item']} of {part['owner_id']}"


def _a_task_in_nobodys_list(world: World) -> Broken:
    world.change("TasksTableV2", world.task_key, person_id=world.bob.id)
    return Invariant.TASK_VERSION, world.task["id"]


def _trashed(world: World) -> Json:
    """The key of a task in the trash."""
    task = world.ann.plan()
    assert world.ann.delete(f"/tasks/{task['id']}").status == 204
    return {"owner_id": world.ann.id, "item": task["id"]}


def _a_task_in_the_trash_that_the_sweeper_does_not_find(world: World) -> Broken:
    key = _trashed(world)
    world.change("TasksTableV2", key, person_id=world.ann.id)
    return Invariant.TASK_VERSION, key["item"]


def _a_task_in_the_trash_whose_time_is_over(world: World) -> Broken:
    key = _trashed(world)
    at = times.timestamp(times.now() - timedelta(days=30, hours=1))
    created = key["item"].rpartition(".")[2]
    world.change("TasksTableV2", key, trashed_at=at, by_created=f"X#{at}#{created}")
    return Invariant.NOTHING_LEFT, key["item"]


def _a_respread_that_nobody_carries_out(world: World) -> Broken:
    at = times.timestamp(times.now() - timedelta(hours=1))
    job = {"person_id": "JOBS", "by_created": f"J#{at}", "since": at, "status": "pending", "rank": "a0", "step": 1}
    world.put("TasksTableV2", {"owner_id": world.room["id"], "item": "J#ranks", **job})
    return Invariant.NOTHING_LEFT, f"respread of ranks in {world.room['id']}"


def _a_task_of_no_status(world: World) -> Broken:
    world.change("TasksTableV2", world.task_key, status="postponed")
    return Invariant.READABLE, f"item {world.room['id']} {world.task['id']} in TasksTableV2"


def _a_room_without_a_count(world: World) -> Broken:
    room = {name: value for name, value in world.one("RoomsTable", **world.room_key).items() if name != "member_count"}
    world.put("RoomsTable", room)
    return Invariant.READABLE, f"item {world.room['id']} ROOM in RoomsTable"


def _an_item_of_no_known_kind(world: World) -> Broken:
    world.put("UsersTable", {"user_id": "usr_odd", "kind": "visitor"})
    return Invariant.READABLE, "item usr_odd in UsersTable"


def _dead_room(room_id: str, since: str) -> Json:
    return {
        "room_id": room_id,
        "item": "ROOM",
        "kind": "room",
        "code": "LEFT77",
        "member_count": 0,
        "admin_count": 0,
        "created_by": "usr_x",
        "created_at": since,
        "updated_at": since,
        "version": 2,
    }


@pytest.mark.parametrize(
    "damage",
    [
        _a_count_too_high,
        _a_membership_gone_by_itself,
        _a_membership_that_the_room_does_not_name,
        _an_admin_count_too_low,
        _members_without_an_admin,
        _a_membership_in_a_dead_room,
        _a_membership_in_no_room,
        _a_task_in_no_room,
        _a_personal_task_of_nobody,
        _a_code_without_a_claim,
        _a_claim_on_a_code_of_another_room,
        _a_claim_on_a_code_given_up,
        _a_code_that_is_retired_and_in_use,
        _a_code_in_use_is_retired,
        _a_retired_code_that_never_ends,
        _somebody_removed_who_is_back,
        _a_former_member_who_is_nobody,
        _a_name_without_a_claim,
        _an_address_claimed_by_somebody_else,
        _a_claim_of_nobody,
        _a_name_claimed_twice,
        _a_task_before_its_first_version,
        _a_task_sorted_by_an_old_deadline,
        _a_task_sorted_by_an_old_status,
        _a_task_under_another_owner,
        _a_record_without_a_response,
        _a_record_of_a_failure,
        _a_session_without_a_refresh_token,
        _a_session_of_nobody,
        _an_empty_room_left,
        _a_user_left_half_removed,
        _an_empty_room_without_a_mark,
        _a_room_with_members_that_is_marked,
        _a_user_being_deleted_without_a_mark,
        _an_active_user_who_is_marked,
        _an_unassignment_not_carried_out,
        _an_unassignment_of_nobody,
        _a_membership_of_somebody_deleted_long_ago,
        _a_membership_of_nobody,
        _a_task_assigned_to_nobody_known,
        _an_assignee_without_a_link,
        _a_link_of_another_join,
        _a_link_sorted_by_an_old_priority,
        _a_link_to_nobody_beside_an_assignee,
        _a_link_of_no_task,
        _a_long_description_that_is_gone,
        _a_long_description_of_a_short_one,
        _a_task_in_nobodys_list,
        _a_task_in_the_trash_that_the_sweeper_does_not_find,
        _a_task_in_the_trash_whose_time_is_over,
        _a_respread_that_nobody_carries_out,
        _a_task_of_no_status,
        _a_room_without_a_count,
        _an_item_of_no_known_kind,
    ],
)
def test_a_violation_is_reported_with_its_item(world: World, damage: Callable[[World], Broken]) -> None:
    broken = damage(world)

    report = world.audit()

    assert broken in _violations(report)
    assert report.complete


@pytest.mark.parametrize("page_items", [1, 2])
def test_a_violation_that_spans_pages_is_reported(world: World, page_items: int) -> None:
    broken = _a_membership_gone_by_itself(world)

    assert _violations(world.audit(page_items)) == [broken]


def test_two_sessions_of_one_family_are_reported(world: World) -> None:
    first, second = (world.one("SessionsTable", user_id=person.id) for person in (world.ann, world.bob))
    world.change("SessionsTable", {"session_id": second["session_id"]}, family_hash=first["family_hash"])

    violations = _violations(world.audit())

    assert violations in [
        [(Invariant.REFRESH_TOKEN, f"{one['session_id']} and {other['session_id']}")]
        for one, other in [(first, second), (second, first)]
    ]


def test_an_expired_session_may_outlive_its_user(world: World) -> None:
    session = world.one("SessionsTable", user_id=world.ann.id)["session_id"]
    world.change("SessionsTable", {"session_id": session}, user_id="usr_ghost", expires_at=1)

    assert _violations(world.audit()) == []


def test_recent_unfinished_work_is_no_violation(world: World) -> None:
    assert world.ann.delete(f"/rooms/{world.room['id']}").status == 204
    now = times.timestamp(times.now())
    world.change("UsersTable", {"user_id": world.bob.id}, status="deleting", updated_at=now, unfinished="user")

    assert _violations(world.audit()) == []


def test_the_name_of_a_user_being_deleted_may_be_taken_by_another_user(world: World) -> None:
    assert world.ann.delete("/users/me").status == 204
    world.product.register("ann", username=world.ann.username)

    assert _violations(world.audit()) == []


def test_a_user_without_an_address_has_one_name_claim(world: World) -> None:
    world.product.register("eve", email=None)

    assert _violations(world.audit()) == []


def test_the_audit_stops_when_time_is_nearly_over(world: World) -> None:
    responses = iter([True, True, False])

    report = world.audit(page_items=1, seconds=lambda: next(responses))

    assert not report.complete
    assert sum(_checked(report).values()) < sum(_checked(world.audit()).values())
