"""Query parameters: only those of the route, once each unless they are lists, and cursors only where they belong."""

import itertools

import pytest

from tests.layers.http import calls
from tests.support.client import Person, Response
from tests.support.problems import field_errors, problem
from tests.support.product import Product

OF_THE_CALLER = [route for route in calls.LISTS if "{" not in route[1]]


def query_errors(response: Response) -> dict[str, str]:
    assert response.json().get("code") == "invalid_query", response
    return field_errors(response, 400)


def test_every_route_refuses_unknown_parameters(product: Product) -> None:
    ann = product.register("ann")

    for route in set(calls.ALL) - {*calls.READ_OPENLY}:
        response = calls.call(ann, route, params={"colour": "red", "a/b~c": "1", "": "x"})
        assert query_errors(response) == dict.fromkeys(["/colour", "/a~1b~0c", "/"], "unknown_parameter"), route


def test_only_list_routes_accept_list_parameters(product: Product) -> None:
    ann = product.register("ann")

    for route in set(calls.ALL) - {*calls.READ_OPENLY, *calls.LISTS, *calls.GOES_ON}:
        response = calls.call(ann, route, params={"limit": "5", "cursor": "x"})
        assert query_errors(response) == {"/limit": "unknown_parameter", "/cursor": "unknown_parameter"}, route


def test_every_list_reports_all_errors_at_once(product: Product) -> None:
    ann = product.register("ann")

    for route in calls.LISTS:
        response = calls.call(ann, route, params={"limit": ["1", "2"], "cursor": "", "page": "3"})
        assert query_errors(response) == {
            "/limit": "repeated",
            "/cursor": "too_short",
            "/page": "unknown_parameter",
        }, route


def test_each_occurrence_of_an_unknown_parameter_is_reported(product: Product) -> None:
    ann = product.register("ann")

    response = ann.get("/rooms", params={"a/b~c": ["1", "2"]})

    assert query_errors(response) == {"/a~1b~0c": "unknown_parameter"}


def test_a_limit_is_a_whole_number_from_1_to_100(product: Product) -> None:
    ann = product.register("ann")

    for limit in ("0", "101", "-1", "99999999999999999999999999"):
        assert query_errors(ann.get("/rooms", params={"limit": limit})) == {"/limit": "out_of_range"}
    for limit in ("", "ten", "1.5", "0x10", "5 ", "null", "true", "\x00", "5\n"):
        assert query_errors(ann.get("/rooms", params={"limit": limit})) == {"/limit": "wrong_type"}


def test_limits_in_range_are_accepted(product: Product) -> None:
    ann = product.register("ann")

    for route, limit in itertools.product(OF_THE_CALLER, ("1", "50", "100")):
        assert calls.call(ann, route, params={"limit": limit}).status == 200


def test_a_page_has_50_items_by_default(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(51):
        ann.plan()

    response = ann.get("/tasks")

    assert len(response.json()["items"]) == 50
    assert response.json()["next_cursor"]


def test_an_empty_list_is_a_list(product: Product) -> None:
    ann = product.register("ann")

    for path in ("/rooms", "/tasks"):
        response = ann.get(path)
        assert response.json() == {"items": [], "next_cursor": None}
        assert "Link" not in response.headers


def test_an_invented_cursor_is_refused(product: Product) -> None:
    ann = product.register("ann")
    made_up = ["x", "é", "AAAA", "A" * 22, "A" * 64, "=", "%", "null", "\x00", "../..", "x" * 2048, "🌻"]

    for route, cursor in itertools.product(OF_THE_CALLER, made_up):
        problem(calls.call(ann, route, params={"cursor": cursor}), 400, "invalid_cursor")


def cursor_of(person: Person, path: str, **params: str) -> str:
    response = person.get(path, params={"limit": "1", **params})
    return str(response.json()["next_cursor"])


def rooms(person: Person, count: int = 3) -> None:
    for _ in range(count):
        person.open_room()


def test_an_altered_cursor_is_refused(product: Product) -> None:
    ann = product.register("ann")
    rooms(ann)
    cursor = cursor_of(ann, "/rooms")
    half = len(cursor) // 2
    swapped = "A" if cursor[half] != "A" else "B"

    for altered in (
        cursor[:-1],
        cursor + "A",
        cursor + "=",
        cursor[:half] + swapped + cursor[half + 1 :],
        cursor.swapcase(),
        cursor + cursor,
        " " + cursor,
    ):
        problem(ann.get("/rooms", params={"cursor": altered}), 400, "invalid_cursor")
    assert ann.get("/rooms", params={"cursor": cursor}).status == 200


def test_a_cursor_is_bound_to_one_user(product: Product) -> None:
    ann, eve = product.register("ann"), product.register("eve")
    rooms(ann)
    rooms(eve)

    problem(eve.get("/rooms", params={"cursor": cursor_of(ann, "/rooms")}), 400, "invalid_cursor")


def test_a_cursor_is_bound_to_one_list(product: Product) -> None:
    ann = product.register("ann")
    rooms(ann)
    for _ in range(3):
        ann.plan()
    cursor = cursor_of(ann, "/rooms")

    for route in OF_THE_CALLER:
        if route != ("GET", "/rooms"):
            problem(calls.call(ann, route, params={"cursor": cursor}), 400, "invalid_cursor")
    problem(ann.get("/rooms", params={"cursor": cursor_of(ann, "/tasks")}), 400, "invalid_cursor")


def test_a_cursor_is_bound_to_one_room(product: Product) -> None:
    ann = product.register("ann")
    ours, others = ann.open_room(), ann.open_room()
    for room in (ours, others):
        for _ in range(2):
            ann.plan(room_id=room["id"])
    cursor = cursor_of(ann, f"/rooms/{ours['id']}/tasks")

    problem(ann.get(f"/rooms/{others['id']}/tasks", params={"cursor": cursor}), 400, "invalid_cursor")
    assert ann.get(f"/rooms/{ours['id']}/tasks", params={"cursor": cursor}).status == 200


@pytest.mark.parametrize(
    "other", [{"sort": "-created_at"}, {"status": "pending"}, {"priority": ["low", "medium"]}, {"sort": "deadline"}]
)
def test_a_cursor_is_bound_to_one_query(product: Product, other: dict[str, str]) -> None:
    ann = product.register("ann")
    for _ in range(3):
        ann.plan()
    cursor = cursor_of(ann, "/tasks", priority="medium")

    problem(ann.get("/tasks", params={"cursor": cursor, **other}), 400, "invalid_cursor")
    problem(ann.get("/tasks", params={"cursor": cursor}), 400, "invalid_cursor")


def test_the_page_size_may_change_between_pages(product: Product) -> None:
    ann = product.register("ann")
    rooms(ann, 5)
    everything = ann.list("/rooms")

    response = ann.get("/rooms", params={"cursor": cursor_of(ann, "/rooms"), "limit": "3"})

    assert response.json()["items"] == everything[1:4]


def test_a_cursor_reveals_nothing_about_its_position(product: Product) -> None:
    ann = product.register("ann")
    rooms(ann)

    assert "room_" not in cursor_of(ann, "/rooms")


def test_the_link_keeps_the_query(product: Product) -> None:
    ann = product.register("ann")
    for _ in range(3):
        ann.plan(priority="high")

    response = ann.get("/tasks?limit=1&priority=high&priority=low&deadline_to=2999-01-01T00:00:00%2B01:00")
    assert response.json()["items"] == []

    response = ann.get("/tasks?limit=1&priority=high&priority=low&sort=-priority")
    link = response.headers["Link"].partition(">")[0].removeprefix("<")
    assert link.startswith("/tasks?limit=1&priority=high&priority=low&sort=-priority&cursor=")
    assert ann.get(link).json()["items"] == ann.list("/tasks", priority=["high", "low"], sort="-priority")[1:2]
