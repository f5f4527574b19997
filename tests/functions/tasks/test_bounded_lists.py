"""However many tasks somebody has who has left their room, a request makes so many calls and no more.

Ann has 240 tasks in her room and 20 personal ones; and 1,000 of another room, which she left, and where nobody has
unassigned her yet. A list shows hers alone. A page may be short, or empty, and goes on by its cursor.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tasksync.http import responses
from tests.support.aws import LOCK, Aws, environment
from tests.support.client import Person
from tests.support.product import Product
from tests.support.random_tasks import random_tasks, stored_items
from tests.support.task_lists import selected
from tests.support.tasks_table import TasksTable

Json = dict[str, Any]

MOST_CALLS = 80
LIMIT = 5

CHOICES: list[list[Json]] = [
    [{}, {"status": ["pending", "completed"]}],
    [{}, {"priority": ["high"]}],
    [
        {},
        {"deadline_from": "2020-01-01T00:00:00Z"},
        {"deadline_from": "2027-01-10T00:00:00Z", "deadline_to": "2027-01-12T00:00:00Z"},
    ],
    [{"sort": order} for order in ("created_at", "-created_at", "deadline", "-deadline", "priority", "-priority")],
]
COMBINATIONS = [dict(itertools.chain.from_iterable(map(dict.items, chosen))) for chosen in itertools.product(*CHOICES)]


@dataclass(frozen=True)
class Crowded:
    ann: Person
    room_id: str
    mine: list[Json]
    table: TasksTable

    def asked(self, path: str, parameters: Json) -> Json:
        """One page, for which no more is asked than may be."""
        self.table.measured()
        response = self.ann.get(path, params=parameters)
        assert response.status == 200, response
        assert self.table.measured().queries <= MOST_CALLS, parameters
        page: Json = response.json()
        return page

    def followed(self, path: str, parameters: Json, least: int, limit: int = LIMIT) -> list[Json]:
        """Page by page, until there are so many items, or the list ends."""
        items: list[Json] = []
        asked = {**parameters, "limit": limit}
        for _ in range(100):
            page = self.asked(path, asked)
            items += page["items"]
            if len(items) >= least or page["next_cursor"] is None:
                return items
            asked["cursor"] = page["next_cursor"]
        raise AssertionError(f"no end of {parameters}")


@pytest.fixture(scope="module")
def crowded(_mocked_aws: None) -> Iterator[Crowded]:
    account = Aws()
    with environment(account.stack.all_variables()):
        product = Product(account)
        ann, bob = product.register("ann"), product.register("bob")
        mine, left = ann.open_room()["id"], bob.open_room()["id"]
        tasks = random_tasks(240, mine, ann.id, [ann.id], seed=1) + random_tasks(20, ann.id, ann.id, [ann.id], seed=2)
        others = random_tasks(1_000, left, bob.id, [ann.id], seed=3)
        table = TasksTable(
            account.stack.of_type("AWS::DynamoDB::Table")["TasksTableV2"],
            stored_items(tasks + others),
            account.dynamodb,
        )
        tasks.sort(key=lambda task: task.id.rpartition(".")[2])
        with LOCK, table.in_place():
            yield Crowded(ann, mine, [{**responses.task(task)} for task in tasks], table)


@pytest.mark.parametrize("sort", ["created_at", "deadline", "priority"])
def test_each_page_of_a_users_list_takes_a_bounded_number_of_calls(crowded: Crowded, sort: str) -> None:
    for parameters in COMBINATIONS:
        if parameters["sort"].removeprefix("-") == sort:
            items = crowded.followed("/tasks", parameters, LIMIT)

            expected = selected(crowded.mine, parameters)
            assert [item["id"] for item in items[:LIMIT]] == [item["id"] for item in expected[:LIMIT]]


def test_each_page_of_a_rooms_list_takes_a_bounded_number_of_calls(crowded: Crowded) -> None:
    path = f"/rooms/{crowded.room_id}/tasks"
    tasks = [task for task in crowded.mine if task["room_id"]]
    for parameters, person in itertools.product(COMBINATIONS[::7], ({}, {"user_id": "me"}, {"user_id": "none"})):
        items = crowded.followed(path, {**parameters, **person}, LIMIT)

        expected = [] if person == {"user_id": "none"} else selected(tasks, parameters)
        assert [item["id"] for item in items[:LIMIT]] == [item["id"] for item in expected[:LIMIT]]


def test_the_whole_list_is_returned_without_duplicates(crowded: Crowded) -> None:
    for parameters in (
        {"sort": "-created_at"},
        {"status": ["pending", "completed"], **CHOICES[2][1], "sort": "created_at"},
    ):
        items = crowded.followed("/tasks", parameters, least=1_000, limit=60)

        assert [item["id"] for item in items] == [item["id"] for item in selected(crowded.mine, parameters)]


def test_the_overview_shows_the_callers_tasks(crowded: Crowded) -> None:
    page = crowded.asked("/", {})

    open_tasks = [task for task in reversed(crowded.mine) if task["status"] != "completed"]
    assert [task["id"] for task in page["tasks"]] == [task["id"] for task in open_tasks[:100]]


def test_the_export_contains_the_callers_tasks(crowded: Crowded) -> None:
    page = crowded.asked("/users/me/export", {})

    assert {task["id"] for task in page["tasks"]} == {task["id"] for task in crowded.mine}
