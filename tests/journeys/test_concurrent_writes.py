"""What many people do at once: nothing acknowledged is lost, and nothing is counted twice."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from tests.journeys.service import Service, at_once
from tests.support.client import Client, Person, Response
from tests.support.problems import problem


@contextmanager
def on_connections_of_their_own(service: Service, people: list[Person]) -> Iterator[list[Client]]:
    """The same people, each on a connection for which nobody waits."""
    clients = [Client.over_http(service.addresses.api_url) for _ in people]
    for client, person in zip(clients, people, strict=True):
        client.access_token = person.access_token
    yield clients
    for client in clients:
        client.connection.close()


def responses_of(calls: list[Callable[[], Response]]) -> list[Response]:
    responses = at_once(calls)
    assert all(response.status < 500 for response in responses), responses
    return responses


def test_eight_users_join_one_room_concurrently(service: Service) -> None:
    ann = service.register("ann")
    room = ann.open_room()
    people = [service.register(f"guest-{number}") for number in range(8)]

    with on_connections_of_their_own(service, people) as guests:
        responses = responses_of([partial(guest.post, "/rooms/join", json={"code": room["code"]}) for guest in guests])

    assert [response.status for response in responses] == [200] * 8
    found = ann.get(f"/rooms/{room['id']}").json()
    assert found["member_count"] == 9
    assert sorted(found["user_ids"]) == sorted([ann.id, *(person.id for person in people)])
    assert len(ann.list(f"/rooms/{room['id']}/users")) == 9


def test_eight_concurrent_joins_of_one_user_make_one_membership(service: Service) -> None:
    ann, bob = service.register("ann"), service.register("bob")
    room = ann.open_room()

    with on_connections_of_their_own(service, [bob] * 8) as hands:
        responses = responses_of([partial(hand.post, "/rooms/join", json={"code": room["code"]}) for hand in hands])

    assert sorted(response.status for response in responses) == [200, *[409] * 7]
    assert ann.get(f"/rooms/{room['id']}").json()["member_count"] == 2


def test_of_concurrent_claims_of_one_name_one_succeeds(service: Service) -> None:
    body = {"username": "the only one", "password": "a password of some length"}

    responses = responses_of([partial(service.anonymous.post, "/auth/register", json=body)] * 4)

    assert sorted(response.status for response in responses) == [201, 409, 409, 409]


def test_two_admins_leaving_concurrently_do_not_leave_a_room_without_an_admin(service: Service) -> None:
    ann, bob, guest = service.register("ann"), service.register("bob"), service.register("guest")
    room = ann.open_room()
    bob.join(room)
    guest.join(room)
    members = f"/rooms/{room['id']}/users"
    assert ann.patch(f"{members}/{bob.id}", json={"role": "admin"}).status == 200

    with on_connections_of_their_own(service, [ann, bob]) as (anns, bobs):
        responses = responses_of(
            [partial(anns.delete, f"{members}/{ann.id}"), partial(bobs.delete, f"{members}/{bob.id}")]
        )

    assert sorted(response.status for response in responses) == [204, 409]
    assert sorted(member["role"] for member in guest.list(members)) == ["admin", "member"]


def test_all_members_leaving_concurrently_leave_no_items(service: Service) -> None:
    people = [service.register(f"guest-{number}") for number in range(4)]
    room = people[0].open_room()
    members = f"/rooms/{room['id']}/users"
    for person in people[1:]:
        person.join(room)
        assert people[0].patch(f"{members}/{person.id}", json={"role": "admin"}).status == 200

    with on_connections_of_their_own(service, people) as hands:
        responses = responses_of(
            [partial(hand.delete, f"{members}/{person.id}") for hand, person in zip(hands, people, strict=True)]
        )

    # As long as others remain, the last admin stays; here all are admins, so all may leave, one after the other.
    assert [response.status for response in responses] == [204] * 4
    problem(people[0].get(f"/rooms/{room['id']}"), 404, "not_found")
    problem(people[1].post("/rooms/join", json={"code": room["code"]}), 404, "unknown_code")


def test_concurrent_changes_without_a_condition_all_succeed(service: Service) -> None:
    ann = service.register("ann")
    path = f"/tasks/{ann.plan()['id']}"

    with on_connections_of_their_own(service, [ann] * 6) as hands:
        responses = responses_of(
            [partial(hand.patch, path, json={"description": f"Change {n}"}) for n, hand in enumerate(hands)]
        )

    assert [response.status for response in responses] == [200] * 6
    assert sorted(response.json()["version"] for response in responses) == [2, 3, 4, 5, 6, 7]
    [last] = [response.json() for response in responses if response.json()["version"] == 7]
    assert ann.get(path).json() == last


def test_of_concurrent_changes_of_one_version_exactly_one_succeeds(service: Service) -> None:
    ann = service.register("ann")
    path = f"/tasks/{ann.plan()['id']}"
    condition = {"If-Match": '"1"'}

    with on_connections_of_their_own(service, [ann] * 6) as hands:
        responses = responses_of(
            [
                partial(hand.patch, path, json={"description": f"Change {n}"}, headers=condition)
                for n, hand in enumerate(hands)
            ]
        )

    refused = [response for response in responses if response.status != 200]
    assert len(refused) == 5
    assert all(problem(response, 412, "version_mismatch") for response in refused)
    [made] = [response.json() for response in responses if response.status == 200]
    assert ann.get(path).json() == made


def test_concurrent_changes_of_different_fields_are_all_stored(service: Service) -> None:
    ann = service.register("ann")
    path = f"/tasks/{ann.plan()['id']}"
    changes = [
        {"title": "Order eight desks"},
        {"description": "Oak"},
        {"priority": "high"},
        {"status": "in progress"},
        {"deadline": "2027-03-01T12:00:00Z"},
    ]

    with on_connections_of_their_own(service, [ann] * len(changes)) as hands:
        responses_of([partial(hand.patch, path, json=change) for hand, change in zip(hands, changes, strict=True)])

    found = ann.get(path).json()
    for change in changes:
        assert found | change == found
    assert found["version"] == 1 + len(changes)
