"""Lists of many tasks: every filter alone and in pairs, page by page, against the same filter in plain Python."""

from collections.abc import Iterator

import pytest

from tests.support.aws import Aws, environment
from tests.support.product import Product
from tests.support.task_lists import (
    ALONE_AND_IN_PAIRS,
    FILTERS,
    ROOMS,
    TASKS,
    Crowd,
    cases,
    in_python,
    listed,
    plan_tasks,
    titles,
    values,
)


@pytest.fixture(scope="module")
def crowd(_mocked_aws: None) -> Iterator[Crowd]:
    """Made once for the module, whose tests change nothing."""
    account = Aws()
    with environment(account.stack.all_variables()):
        yield plan_tasks(Product(account).anonymous)
    assert account.permissions.denied == []


def test_the_sample_lists_are_long(crowd: Crowd) -> None:
    assert len(crowd.tasks) == TASKS
    assert len({task["room_id"] for task in crowd.tasks}) == ROOMS + 1
    assert len(in_python(crowd, crowd.ann, {})) > 60
    assert len(in_python(crowd, crowd.bob, {})) > 30
    assert len(in_python(crowd, crowd.ann, {"room_id": crowd.busy_room})) > 30


def test_every_room_lists_all_its_tasks(crowd: Crowd) -> None:
    for room in crowd.rooms:
        assert crowd.ann.list(f"/rooms/{room}/tasks") == in_python(crowd, crowd.ann, {}, room)


@pytest.mark.parametrize("limit", [3, 7, 50, 100])
def test_the_callers_list_is_complete_with_any_page_size(crowd: Crowd, limit: int) -> None:
    for person in (crowd.ann, crowd.bob):
        assert listed(person, "/tasks", {}, limit) == in_python(crowd, person, {})


@pytest.mark.parametrize("names", ALONE_AND_IN_PAIRS, ids="-".join)
def test_the_callers_list_by_each_filter_and_each_pair_of_filters(crowd: Crowd, names: tuple[str, ...]) -> None:
    for number, parameters in enumerate(cases(crowd, names)):
        expected = titles(in_python(crowd, crowd.ann, parameters))
        assert titles(listed(crowd.ann, "/tasks", parameters, limit=25 + number)) == expected, parameters


@pytest.mark.parametrize("names", ALONE_AND_IN_PAIRS, ids="-".join)
def test_a_rooms_list_by_each_filter_and_each_pair_of_filters(crowd: Crowd, names: tuple[str, ...]) -> None:
    path = f"/rooms/{crowd.busy_room}/tasks"
    for number, parameters in enumerate(cases(crowd, names)):
        expected = titles(in_python(crowd, crowd.ann, parameters, crowd.busy_room))
        assert titles(listed(crowd.bob, path, parameters, limit=11 + number)) == expected, parameters


@pytest.mark.parametrize("name", FILTERS)
def test_the_room_filter_combines_with_other_filters(crowd: Crowd, name: str) -> None:
    for number, parameters in enumerate(cases(crowd, ("room_id", name))):
        expected = titles(in_python(crowd, crowd.bob, parameters))
        assert titles(listed(crowd.bob, "/tasks", parameters, limit=9 + number)) == expected, parameters


def test_all_filters_at_once(crowd: Crowd) -> None:
    for sort in values(crowd, "sort"):
        parameters = {
            "status": ["pending", "completed"],
            "priority": ["high", "medium"],
            "user_id": crowd.ann.id,
            "deadline_from": "2027-01-02T00:00:00Z",
            "deadline_to": "2027-01-09T00:00:00Z",
            "sort": sort,
        }
        expected = titles(in_python(crowd, crowd.ann, parameters))
        assert expected
        assert titles(listed(crowd.ann, "/tasks", parameters, limit=4)) == expected, sort


def test_the_link_header_leads_through_a_filtered_list(crowd: Crowd) -> None:
    parameters = {"status": ["pending", "in progress"], "sort": "-deadline", "limit": 9}
    response = crowd.ann.get("/tasks", params=parameters)
    found = response.json()["items"]

    while "Link" in response.headers:
        target, _, relation = response.headers["Link"].partition(";")
        assert relation.strip() == 'rel="next"'
        response = crowd.ann.get(target.strip("<>"))
        found += response.json()["items"]

    assert titles(found) == titles(in_python(crowd, crowd.ann, parameters))
    assert response.json()["next_cursor"] is None
