"""A deletion that was accepted is finished by the users stream, wherever it was cut short."""

import functools
from typing import Any

import pytest

from tests.functions.room_cleanup.stream_deliveries import (
    Hourglass,
    copies,
    hand_over,
    let_indexes_settle,
    lost_responses,
    outage,
    record,
)
from tests.support import gateway
from tests.support.client import Person
from tests.support.context import LambdaContext
from tests.support.problems import problem
from tests.support.product import Product
from tests.support.rooms_table import of_rooms
from tests.support.stored_tasks import assign

FUNCTION = "UserRemovalFunction"

Json = dict[str, Any]


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions behind the API have one second left when they are called."""
    monkeypatch.setattr(gateway, "LambdaContext", functools.partial(LambdaContext, seconds=1.0))


class Household:
    """Ann, who is about to go: admin of a room with Bob, alone in another, with tasks here, there and personal ones."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.ann, self.bob = product.register("ann"), product.register("bob")
        self.shared, self.own = self.ann.open_room(), self.ann.open_room()
        self.bob.join(self.shared)
        self.for_ann = self.bob.plan(room_id=self.shared["id"], user_id=self.ann.id)
        self.for_bob = self.ann.plan(room_id=self.shared["id"], user_id=self.bob.id)
        self.ann.plan(room_id=self.own["id"])
        self.ann.plan()

    def assert_ann_is_gone_for_everybody(self) -> None:
        """From the moment the deletion is accepted, whatever is still in the tables."""
        problem(self.ann.get("/users/me"), 401)
        login = {"username": self.ann.username, "password": self.ann.password}
        problem(self.product.anonymous.post("/auth/login", json=login), 401, "invalid_credentials")
        refresh = {"refresh_token": self.ann.refresh_token}
        problem(self.product.anonymous.post("/auth/refresh", json=refresh), 401, "invalid_token")
        problem(self.bob.get(f"/users/{self.ann.id}"), 404, "not_found")
        assert [user["id"] for user in self.bob.list("/users")] == [self.bob.id]
        other = self.bob.open_room()
        problem(self.bob.post(f"/rooms/{other['id']}/users", json={"user_id": self.ann.id}), 422, "unknown_user")
        self.bob.delete(f"/rooms/{other['id']}")

    def assert_nothing_is_left_to_do(self) -> None:
        self.product.deliver()
        shared = self.bob.get(f"/rooms/{self.shared['id']}").json()
        assert (shared["user_ids"], shared["member_count"], shared["role"]) == ([self.bob.id], 1, "admin")
        tasks = {task["id"]: task["user_id"] for task in self.bob.list(f"/rooms/{self.shared['id']}/tasks")}
        assert tasks == {self.for_ann["id"]: None, self.for_bob["id"]: self.bob.id}
        assert {item["owner_id"] for item in self.product.items("TasksTableV2")} == {self.shared["id"]}
        rooms = {item.get("owner", item["room_id"]) for item in of_rooms(self.product)}
        assert rooms == {self.shared["id"]}
        assert self.people() == {self.ann.id: "deleting", self.bob.id: "active"}
        assert {item["owner"] for item in self.product.items("UsersTable") if "owner" in item} == {self.bob.id}
        sessions = {item["user_id"] for item in self.product.items("SessionsTable") if item["kind"] == "session"}
        assert sessions == {self.bob.id}

    def assert_the_account_itself_goes_last(self) -> None:
        let_indexes_settle(self.product)
        self.product.deliver()
        assert self.people() == {self.bob.id: "active"}

    def people(self) -> dict[str, str]:
        return {item["user_id"]: item["status"] for item in self.product.items("UsersTable") if "status" in item}


def deleting(number: int, person: Person) -> Json:
    """A record that says the person's deletion was accepted, whether or not that is so."""
    image: dict[str, str | int] = {"user_id": person.id, "kind": "user", "status": "deleting", "version": 2}
    return record(number, {"user_id": person.id}, image)


@pytest.mark.usefixtures("hurry")
def test_a_deletion_without_time_is_accepted_and_finished_by_the_stream(product: Product) -> None:
    household = Household(product)

    response = household.ann.delete("/users/me")

    assert response.status == 204
    household.assert_ann_is_gone_for_everybody()
    taken = {"username": household.ann.username, "password": household.ann.password}
    problem(product.anonymous.post("/users", json=taken), 409, "username_taken")
    household.assert_nothing_is_left_to_do()
    household.assert_the_account_itself_goes_last()
    assert product.anonymous.post("/users", json=taken).status == 201


@pytest.mark.parametrize("table", ["RoomsTable", "SessionsTable", "TasksTableV2"])
@pytest.mark.parametrize("after", [0, 2])
def test_a_deletion_during_an_outage_is_finished_by_the_stream(product: Product, table: str, after: int) -> None:
    household = Household(product)

    with outage(table, after):
        response = household.ann.delete("/users/me")

    assert response.status == 204
    household.assert_ann_is_gone_for_everybody()
    household.assert_nothing_is_left_to_do()


@pytest.mark.parametrize("table", ["RoomsTable", "SessionsTable", "TasksTableV2"])
def test_a_deletion_with_lost_responses_is_finished_by_the_stream(product: Product, table: str) -> None:
    household = Household(product)

    with lost_responses(table, after=1):
        household.ann.delete("/users/me")

    household.assert_ann_is_gone_for_everybody()
    household.assert_nothing_is_left_to_do()


def test_a_deletion_that_was_not_accepted_changes_nothing(product: Product) -> None:
    household = Household(product)
    tables = ("UsersTable", "RoomsTable", "TasksTableV2", "SessionsTable")
    before = [product.items(table) for table in tables]

    with outage("UsersTable", after=1):
        response = household.ann.delete("/users/me")

    problem(response, 503, "dependency_failed")
    assert [product.items(table) for table in tables] == before
    assert product.deliver(to=FUNCTION) == []
    assert household.ann.get("/users/me").status == 200


@pytest.mark.usefixtures("hurry")
def test_without_time_the_record_is_reported_and_finished_at_the_next_delivery(product: Product) -> None:
    household = Household(product)
    household.ann.delete("/users/me")

    [hurried] = product.deliver(seconds=1, to=FUNCTION)

    assert (hurried.function, len(hurried.failed)) == (FUNCTION, 1)
    household.assert_ann_is_gone_for_everybody()
    household.assert_nothing_is_left_to_do()


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("looks", [1, 3, 5])
def test_an_interrupted_removal_continues_where_it_stopped(product: Product, looks: int) -> None:
    household = Household(product)
    household.ann.delete("/users/me")

    failed = hand_over(product, FUNCTION, [deleting(1, household.ann)], Hourglass(FUNCTION, looks))

    assert failed == [deleting(1, household.ann)["dynamodb"]["SequenceNumber"]]
    household.assert_ann_is_gone_for_everybody()
    household.assert_nothing_is_left_to_do()


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("table", ["UsersTable", "RoomsTable", "SessionsTable", "TasksTableV2"])
@pytest.mark.parametrize("trouble", [outage, lost_responses])
def test_a_record_that_meets_an_outage_is_reported_and_finished_later(
    product: Product, table: str, trouble: Any
) -> None:
    household = Household(product)
    household.ann.delete("/users/me")

    with trouble(table, after=1):
        failed = hand_over(product, FUNCTION, [deleting(1, household.ann)])

    assert len(failed) == 1
    household.assert_nothing_is_left_to_do()


def test_redelivered_records_change_nothing(product: Product) -> None:
    household = Household(product)
    household.ann.delete("/users/me")
    delivered = [delivery for delivery in product.deliver() if delivery.function == FUNCTION]
    namesake = product.register(username=household.ann.username, email=household.ann.email)
    namesake.open_room()
    tables = ("UsersTable", "RoomsTable", "TasksTableV2", "SessionsTable")
    before = [product.items(table) for table in tables]

    failed = [hand_over(product, FUNCTION, delivery.records * 2) for delivery in delivered]

    assert failed == [[]]
    assert [product.items(table) for table in tables] == before


def test_items_missing_from_a_stale_index_are_found_before_the_account_is_deleted(product: Product) -> None:
    household = Household(product)
    household.ann.delete("/users/me")
    household.assert_nothing_is_left_to_do()

    # A task that was assigned just before the deletion, and that the index did not show yet.
    assign(product, household.for_ann["id"], household.ann.id)
    household.assert_the_account_itself_goes_last()

    assert household.bob.get(f"/tasks/{household.for_ann['id']}").json()["user_id"] is None


def test_a_record_of_a_user_who_is_not_being_deleted_changes_nothing(product: Product) -> None:
    household = Household(product)
    tables = ("UsersTable", "RoomsTable", "TasksTableV2", "SessionsTable")
    before = [product.items(table) for table in tables]

    failed = hand_over(product, FUNCTION, [deleting(1, household.bob), deleting(2, household.ann)])

    assert failed == []
    assert [product.items(table) for table in tables] == before
    assert household.ann.get("/users/me").status == 200


@pytest.mark.usefixtures("hurry")
def test_all_personal_tasks_are_deleted_however_many_there_are(product: Product) -> None:
    ann = product.register("ann")
    copies(product, ann.plan(), 110)
    ann.delete("/users/me")

    product.deliver()

    assert product.items("TasksTableV2") == []


@pytest.mark.usefixtures("hurry")
def test_several_users_are_removed_one_after_the_other(product: Product) -> None:
    people = [product.register(f"person{number}") for number in range(3)]
    room = people[0].open_room()
    for person in people[1:]:
        person.join(room)
    for person in people:
        person.delete("/users/me")

    product.deliver()

    assert of_rooms(product) == []
    assert {item.get("status") for item in product.items("UsersTable")} == {"deleting"}
