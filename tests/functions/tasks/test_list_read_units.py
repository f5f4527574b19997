"""How much lists read: of 2,000 tasks at random, and as many in the trash, little more than they return.

Counts, not times. ``make bench PARTS=lists`` does the same for up to 100,000 tasks.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tasksync.http import responses
from tasksync.model.entities import Task
from tests.support.aws import LOCK, Aws, environment
from tests.support.client import Person
from tests.support.product import Product
from tests.support.random_tasks import random_tasks, stored_items, trashed
from tests.support.task_lists import selected
from tests.support.tasks_table import Read, TasksTable

Json = dict[str, Any]

TASKS = 2_000
LIMIT = 50
SEED = 20270103

DUE = {"deadline_from": "2027-01-10T00:00:00Z", "deadline_to": "2027-01-25T00:00:00Z"}
ONE_RANGE = ["created_at", "-created_at", "deadline", "-deadline"]
FILTERS: dict[str, list[Json]] = {
    "status": [{"status": ["pending"]}, {"status": ["pending", "in progress"]}],
    "priority": [{"priority": ["high"]}, {"priority": ["high", "low"]}],
    "deadline": [DUE],
    "sort": [{"sort": order} for order in ("created_at", "-deadline", "priority")],
}


@dataclass(frozen=True)
class Crowded:
    """A room with many tasks, some of them Ann's, who asks."""

    ann: Person
    room_id: str
    tasks: list[Json]
    deleted: list[str]
    """The ids of as many tasks in the trash, the latest first."""
    table: TasksTable

    def asked(self, path: str, parameters: Json) -> tuple[list[Json], Read]:
        """The first page, and what was read for it."""
        self.table.measured()
        response = self.ann.get(path, params={**parameters, "limit": LIMIT})
        assert response.status == 200, response
        return response.json()["items"], self.table.measured()


@pytest.fixture(scope="module")
def crowded(_mocked_aws: None) -> Iterator[Crowded]:
    account = Aws()
    with environment(account.stack.all_variables()):
        ann = Product(account).register("ann")
        room_id = ann.open_room()["id"]
        tasks = random_tasks(TASKS, room_id, ann.id, [ann.id, ann.id, "usr_" + "b" * 32, None], SEED)
        deleted = random_tasks(TASKS, room_id, ann.id, [ann.id], SEED)
        properties = account.stack.of_type("AWS::DynamoDB::Table")["TasksTableV2"]
        table = TasksTable(properties, stored_items([*tasks, *trashed(deleted)]), account.dynamodb)
        with LOCK, table.in_place():
            yield Crowded(ann, room_id, [_shown(task) for task in tasks], [task.id for task in deleted], table)


def combinations(*names: str) -> list[Json]:
    """What can be asked for with any of these, alone and together."""
    choices = [[{}, *FILTERS[name]] for name in names]
    return [dict(itertools.chain.from_iterable(map(dict.items, each))) for each in itertools.product(*choices)]


def is_two_ranges(parameters: Json) -> bool:
    """Tasks in a range of deadlines, in the order of their creation: two ranges, of which a sort key can have one."""
    return "deadline_from" in parameters and parameters.get("sort", "").endswith("created_at")


def selects_one_open_status(parameters: Json) -> bool:
    """A link says whether its task is open, and not which of the two open statuses it has."""
    return len({"pending", "in progress"} & set(parameters.get("status", []))) == 1


def test_a_rooms_list_reads_at_most_twice_what_it_returns(crowded: Crowded) -> None:
    for asked in combinations("status", "priority", "deadline", "sort"):
        items, read = crowded.asked(f"/rooms/{crowded.room_id}/tasks", asked)

        assert [item["id"] for item in items] == [item["id"] for item in selected(crowded.tasks, asked)[:LIMIT]]
        assert read.tasks == 0
        assert is_two_ranges(asked) or read.items <= 2 * len(items) + 1, (asked, read, len(items))


@pytest.mark.parametrize("path", ["room", "person", "nobody"])
def test_a_list_through_links_reads_two_links_and_one_task_for_each_that_it_returns(
    crowded: Crowded, path: str
) -> None:
    of_room = f"/rooms/{crowded.room_id}/tasks"
    path, chosen = {
        "room": (of_room, {"user_id": crowded.ann.id}),
        "person": ("/tasks", {}),
        "nobody": (of_room, {"user_id": "none"}),
    }[path]
    mine = [
        task for task in crowded.tasks if task["user_id"] == (None if "none" in chosen.values() else crowded.ann.id)
    ]

    for parameters in combinations("status", "priority", "deadline", "sort"):
        items, read = crowded.asked(path, {**parameters, **chosen})

        assert [item["id"] for item in items] == [item["id"] for item in selected(mine, parameters)[:LIMIT]]
        factor = 2.6 if selects_one_open_status(parameters) else 1
        assert read.tasks <= factor * (len(items) + 1), (parameters, read, len(items))
        assert is_two_ranges(parameters) or read.items <= factor * (2 * len(items) + 2), (parameters, read, len(items))


@pytest.mark.parametrize("asked", [{}, DUE, *({"sort": order} for order in ONE_RANGE)], ids=str)
def test_a_single_range_reads_exactly_what_it_returns(crowded: Crowded, asked: Json) -> None:
    items, read = crowded.asked(f"/rooms/{crowded.room_id}/tasks", asked)

    # One more says whether there is a next page.
    assert (len(items), read.items) == (LIMIT, LIMIT + 1)


@pytest.mark.parametrize("descending", ["", "-"])
def test_the_manual_order_reads_exactly_what_it_returns(crowded: Crowded, descending: str) -> None:
    path, statuses = f"/rooms/{crowded.room_id}/tasks", FILTERS["status"][1]["status"]
    pending, started = (
        [task["id"] for task in crowded.tasks if task["status"] == status][:: -1 if descending else 1]
        for status in statuses
    )
    in_order = started + pending if descending else pending + started

    items, read = crowded.asked(path, {"sort": f"{descending}rank", "status": statuses})

    # Ranks of new tasks are in the order of their creation.
    assert ([item["id"] for item in items], read.items) == (in_order[:LIMIT], LIMIT + 1)


def test_the_trash_reads_exactly_what_it_returns(crowded: Crowded) -> None:
    items, read = crowded.asked(f"/rooms/{crowded.room_id}/trash", {})

    assert ([item["id"] for item in items], read.items, read.tasks) == (crowded.deleted[:LIMIT], LIMIT + 1, 0)


def test_a_merge_of_two_ranges_reads_at_most_four_times_the_better_plan(crowded: Crowded) -> None:
    """Ann's tasks due in a fourth of the time: one in five of hers, so some 250 of a list in the order of creation."""
    for order in ("created_at", "-created_at"):
        items, read = crowded.asked("/tasks", {**DUE, "sort": order})

        assert len(items) == LIMIT
        assert read.items <= 4 * 5.5 * LIMIT


def test_a_merged_list_continues_where_its_page_ended(crowded: Crowded) -> None:
    path = f"/rooms/{crowded.room_id}/tasks"
    for asked in ({"status": ["pending", "completed"], "sort": "-priority"}, {**DUE, "sort": "-created_at"}):
        pages, parameters = [], {**asked, "limit": 70}
        while "cursor" not in parameters or parameters["cursor"]:
            page = crowded.ann.get(path, params=parameters).json()
            pages.append(page["items"])
            parameters["cursor"] = page["next_cursor"]

        found = [item["id"] for page in pages for item in page]
        assert found == [item["id"] for item in selected(crowded.tasks, asked)]


def _shown(task: Task) -> Json:
    return {**responses.task(task)}
