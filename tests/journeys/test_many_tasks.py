"""200 tasks across 20 rooms over HTTP: every filter alone and in pairs, equal to the same filter in plain Python."""

import pytest

from tests.journeys.service import Service
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
)


@pytest.fixture(scope="module")
def crowd(service: Service) -> Crowd:
    """Made once for the module, whose tests change nothing."""
    return plan_tasks(service.anonymous)


def test_all_pages_have_every_task_exactly_once(crowd: Crowd) -> None:
    for person in (crowd.ann, crowd.bob):
        assert listed(person, "/tasks", {}, limit=23) == in_python(crowd, person, {})
    for room in crowd.rooms:
        assert listed(crowd.ann, f"/rooms/{room}/tasks", {}, limit=7) == in_python(crowd, crowd.ann, {}, room)
    assert (len(crowd.tasks), len(crowd.rooms)) == (TASKS, ROOMS)


def test_the_callers_list_by_each_filter_and_each_pair_of_filters(crowd: Crowd) -> None:
    for parameters in (case for names in ALONE_AND_IN_PAIRS for case in cases(crowd, names)):
        expected = titles(in_python(crowd, crowd.ann, parameters))
        assert titles(listed(crowd.ann, "/tasks", parameters, limit=29)) == expected, parameters


def test_a_rooms_list_by_each_filter_and_each_pair_of_filters(crowd: Crowd) -> None:
    path = f"/rooms/{crowd.busy_room}/tasks"
    for parameters in (case for names in ALONE_AND_IN_PAIRS for case in cases(crowd, names)):
        expected = titles(in_python(crowd, crowd.bob, parameters, crowd.busy_room))
        assert titles(listed(crowd.bob, path, parameters, limit=13)) == expected, parameters


def test_the_room_filter_combines_with_other_filters(crowd: Crowd) -> None:
    for parameters in (case for name in FILTERS for case in cases(crowd, ("room_id", name))):
        expected = titles(in_python(crowd, crowd.bob, parameters))
        assert titles(listed(crowd.bob, "/tasks", parameters, limit=13)) == expected, parameters
