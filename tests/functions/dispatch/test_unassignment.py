"""Whoever leaves a room or is removed from it is unassigned from its tasks, once the change log has an entry of it."""

from typing import Any

import pytest

from tests.functions.activity.trails import stored
from tests.functions.room_cleanup.stream_deliveries import Hourglass, copies, hand_over, lost_responses, outage
from tests.support import tables
from tests.support.client import Person
from tests.support.function_calls import call
from tests.support.product import Product
from tests.support.stored_tasks import TABLE, assignments
from tests.support.streams import Delivery

FUNCTION = "DispatchFunction"

Json = dict[str, Any]


class Flat:
    """Ann's room, and Bob in it with a task that Ann has planned for him."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann, self.bob = product.register("ann"), product.register("bob")
        self.room = self.ann.open_room()
        self.bob.join(self.room)
        self.task = self.plan_for_bob()

    def plan_for_bob(self) -> Json:
        task: Json = self.ann.plan(room_id=self.room["id"], user_id=self.bob.id)
        return task

    def remove_bob(self, by: Person) -> None:
        assert by.delete(f"/rooms/{self.room['id']}/users/{self.bob.id}").status == 204

    def deliver_entries(self, seconds: float = 60.0) -> Delivery:
        """Hand the new entries of the log over, in one batch."""
        self.product.deliver(to="ActivityFunction")
        [delivery] = self.product.deliver(seconds, to=FUNCTION)
        return delivery

    def bob_returns(self) -> None:
        assert self.ann.post(f"/rooms/{self.room['id']}/users", json={"user_id": self.bob.id}).status == 201

    def now(self, task: Json) -> Json:
        found: Json = self.ann.get(f"/tasks/{task['id']}").json()
        return found

    def forget_joins(self) -> None:
        """Store the tasks as they were before assignments named memberships."""
        for item in self.product.items(TABLE):
            key = {name: item[name] for name in ("owner_id", "item")}
            if "join_id" in item:
                tables.forget(self.product.aws, TABLE, key, "join_id")
            if "assignees" in item:
                people = [each.partition(" ")[0] for each in item["assignees"]]
                tables.change(self.product.aws, TABLE, key, assignees=people)


@pytest.fixture
def flat(product: Product) -> Flat:
    return Flat(product)


@pytest.mark.parametrize("by_admin", [False, True])
def test_a_former_member_is_unassigned_by_the_service_in_the_trail(flat: Flat, by_admin: bool) -> None:
    flat.remove_bob(by=flat.ann if by_admin else flat.bob)

    flat.product.deliver()

    unassigned = flat.now(flat.task)
    [entry] = [
        entry
        for entry in flat.ann.list(f"/rooms/{flat.room['id']}/activity")
        if entry["resource_id"] == flat.task["id"] and entry["action"] == "updated"
    ]
    assert (unassigned["user_id"], unassigned["version"]) == (None, flat.task["version"] + 1)
    assert (entry["actor_id"], entry["changes"]) == (
        None,
        {name: {"old": flat.bob.id, "new": None} for name in ("user_id", "assignee_ids")},
    )
    assert flat.ann.list(f"/rooms/{flat.room['id']}/tasks", user_id="none") == [unassigned]


def test_before_the_unassignment_no_list_shows_the_task_by_its_assignee(flat: Flat) -> None:
    path = f"/rooms/{flat.room['id']}/tasks"

    flat.remove_bob(by=flat.bob)

    assert flat.ann.list(path, user_id=flat.bob.id) == flat.bob.list("/tasks") == []
    assert flat.ann.list(path) == [flat.task]


def test_a_late_unassignment_ends_old_assignments_and_no_new_one(flat: Flat) -> None:
    again = flat.plan_for_bob()
    flat.remove_bob(by=flat.ann)
    flat.bob_returns()
    new = flat.plan_for_bob()
    renewed = flat.ann.patch(f"/tasks/{again['id']}", json={"user_id": flat.bob.id}).json()
    before = flat.bob.list("/tasks"), flat.ann.list(f"/rooms/{flat.room['id']}/tasks", user_id=flat.bob.id)

    deliveries = flat.product.deliver()

    assert {task["id"] for task in before[0]} == {task["id"] for task in before[1]} == {again["id"], new["id"]}
    assert [flat.now(task)["user_id"] for task in (flat.task, again, new)] == [None, flat.bob.id, flat.bob.id]
    assert (flat.now(again), flat.now(new)) == (renewed, new)
    assert not any(delivery.failed for delivery in deliveries)


def test_a_redelivered_record_changes_nothing(flat: Flat) -> None:
    flat.remove_bob(by=flat.bob)
    delivery = flat.deliver_entries()
    flat.bob_returns()
    task = flat.plan_for_bob()
    before = flat.product.items("TasksTableV2")

    failed = hand_over(flat.product, FUNCTION, delivery.records * 2)

    assert failed == []
    assert flat.product.items("TasksTableV2") == before
    assert flat.bob.list("/tasks") == [task]


def test_older_assignments_without_a_membership_belong_to_the_current_member(flat: Flat) -> None:
    flat.forget_joins()
    seen = flat.bob.list("/tasks"), flat.ann.list(f"/rooms/{flat.room['id']}/tasks", user_id=flat.bob.id)
    changed = flat.ann.patch(f"/tasks/{flat.task['id']}", json={"title": "Other"}).json()
    flat.remove_bob(by=flat.bob)
    flat.bob_returns()
    flat.product.deliver()
    kept = flat.now(flat.task)

    flat.remove_bob(by=flat.bob)
    flat.product.deliver()

    assert seen == ([flat.task], [flat.task])
    assert kept == changed
    assert flat.now(flat.task)["user_id"] is None


def test_concurrent_changes_are_kept(flat: Flat) -> None:
    flat.remove_bob(by=flat.ann)

    changed = flat.ann.patch(f"/tasks/{flat.task['id']}", json={"title": "Other", "user_id": flat.bob.id})
    flat.product.deliver()

    assert changed.json()["user_id"] == flat.bob.id
    assert (flat.now(flat.task)["title"], flat.now(flat.task)["user_id"]) == ("Other", None)


def test_a_closed_room_has_its_tasks_deleted_and_not_unassigned(flat: Flat) -> None:
    flat.ann.delete(f"/rooms/{flat.room['id']}")

    flat.product.deliver()

    assert flat.product.items("TasksTableV2") == []
    entries = [entry for entry in stored(flat.product) if entry["resource_id"] == flat.task["id"]]
    assert sorted(entry["action"] for entry in entries) == ["created", "purged"]


def test_all_tasks_are_unassigned_even_when_time_runs_out(flat: Flat) -> None:
    copies(flat.product, flat.task, 24)
    flat.remove_bob(by=flat.bob)
    delivery = flat.deliver_entries(seconds=1)

    cut = hand_over(flat.product, FUNCTION, delivery.records, Hourglass(FUNCTION, looks=20))
    left = assignments(flat.product)
    flat.product.deliver()

    assert delivery.failed == cut == [delivery.records[0]["dynamodb"]["SequenceNumber"]]
    assert 0 < left < 25
    assert assignments(flat.product) == 0


@pytest.mark.parametrize("trouble", [outage, lost_responses])
def test_an_interrupted_unassignment_is_reported_and_finished_later(flat: Flat, trouble: Any) -> None:
    flat.plan_for_bob()
    flat.remove_bob(by=flat.bob)

    with trouble("TasksTableV2", after=1):
        interrupted = flat.deliver_entries()
    repeated = flat.deliver_entries()

    assert (len(interrupted.failed), repeated.failed) == (1, [])
    assert assignments(flat.product) == 0


def test_the_auditor_finds_a_lost_record_and_the_sweeper_repairs_it(flat: Flat) -> None:
    unassigned = flat.ann.plan(room_id=flat.room["id"], user_id=None)
    mine = flat.ann.plan(room_id=flat.room["id"])
    flat.forget_joins()
    flat.remove_bob(by=flat.bob)
    audit = {"older_than_seconds": 0}
    found = [each for each in call(flat.product.aws, "AuditorFunction", audit)["findings"] if each["violations"]]

    call(flat.product.aws, "SweeperFunction", audit)

    assert [(each["invariant"], each["shown"][0]["item"]) for each in found if each["invariant"] == "I11"] == [
        ("I11", flat.task["id"])
    ]
    healed = flat.now(flat.task)
    assert (healed["user_id"], healed["version"]) == (None, 2)
    assert flat.ann.list(f"/rooms/{flat.room['id']}/tasks", user_id="none") == [healed, unassigned]
    assert flat.ann.list("/tasks") == [mine]
    flat.product.deliver(to="ActivityFunction")
    assert [each for each in call(flat.product.aws, "AuditorFunction", audit)["findings"] if each["violations"]] == []


@pytest.mark.parametrize("deleted", [False, True], ids=["left", "deleted"])
def test_a_task_given_to_another_is_not_written_for_a_link_that_an_index_still_shows(flat: Flat, deleted: bool) -> None:
    key = {"owner_id": flat.room["id"], "item": f"A#{flat.bob.id}#{flat.task['id']}"}
    [link] = [item for item in flat.product.items(TABLE) if key.items() <= item.items()]
    flat.ann.patch(f"/tasks/{flat.task['id']}", json={"user_id": flat.ann.id})
    tables.put(flat.product.aws, TABLE, **link)

    if deleted:
        assert flat.bob.delete("/users/me").status == 204
    else:
        flat.remove_bob(by=flat.bob)
    flat.product.deliver()

    now = flat.now(flat.task)
    assert (now["assignee_ids"], now["version"]) == ([flat.ann.id], flat.task["version"] + 1)
