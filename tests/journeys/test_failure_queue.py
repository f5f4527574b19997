"""Functions behind streams fail until their records are given up; once they work again, these are replayed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infrastructure import audit, deployed, replay
from tests.journeys.service import Service, eventually

Json = dict[str, Any]

ON_TABLES = ["room_cleanup", "user_removal", "activity"]
"""The queues of the functions that read what requests write. Without ``activity``, the other one gets nothing."""


def _let_alias(service: Service, alias_arn: str, version: str, record_age_seconds: int) -> None:
    """Which version of a function is called. On AWS what it fails at is tried for a minute at least; not here."""
    functions = service.addresses.client("lambda")
    name, _, alias = alias_arn.rpartition(":")
    functions.update_alias(FunctionName=name, Name=alias, FunctionVersion=version)
    for source in functions.list_event_source_mappings(FunctionName=alias_arn)["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=source["UUID"], MaximumRecordAgeInSeconds=record_age_seconds)


def _broken_version(service: Service, name: str) -> str:
    """A version whose handler cannot be found, which fails as any that raises."""
    functions = service.addresses.client("lambda")
    handler = functions.get_function_configuration(FunctionName=name)["Handler"]
    functions.update_function_configuration(FunctionName=name, Handler=f"{handler}_of_tomorrow")
    version: str = functions.publish_version(FunctionName=name)["Version"]
    functions.update_function_configuration(FunctionName=name, Handler=handler)
    return version


@contextmanager
def broken(service: Service, queues: list[str]) -> Iterator[None]:
    """The functions of these queues fail, and their records are given up after a second."""
    functions = service.addresses.client("lambda")
    aliases = [service.addresses.outputs[f"{replay.QUEUES[each]}Function"] for each in queues]
    good = {each: functions.get_function_configuration(FunctionName=each)["Version"] for each in aliases}
    for alias in aliases:
        _let_alias(service, alias, _broken_version(service, alias.rpartition(":")[0]), 1)
    try:
        yield
    finally:
        for alias, version in good.items():
            _let_alias(service, alias, version, 21600)


def waiting(service: Service, queue: str) -> int:
    """How many messages can be received."""
    url = service.addresses.outputs[f"{replay.QUEUES[queue]}Failures"]
    names = ["ApproximateNumberOfMessages"]
    response = service.addresses.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return int(response["Attributes"]["ApproximateNumberOfMessages"])


def replayed(service: Service, queue: str) -> list[str]:
    """What became of each message."""
    outputs, name = service.addresses.outputs, replay.QUEUES[queue]
    client = service.addresses.client
    queue, function = outputs[f"{name}Failures"], outputs[f"{name}Function"]
    failures = replay.Failures(client, deployed.functions(client), queue, function)
    return [outcome.state for outcome in failures.replay()]


def unclean(service: Service) -> list[str]:
    functions, auditor = service.addresses.client("lambda"), service.addresses.outputs["AuditorFunction"]
    report = audit.audit(functions, auditor, {"older_than_seconds": 0})
    return [finding["invariant"] for finding in report["findings"] if finding["violations"]]


def alarm_on(service: Service, queue: str) -> Json:
    """The alarm on the depth of this queue."""
    url = service.addresses.outputs[f"{replay.QUEUES[queue]}Failures"]
    found: list[Json] = service.addresses.client("cloudwatch").describe_alarms()["MetricAlarms"]
    [alarm] = [each for each in found if {"Name": "QueueName", "Value": url.rpartition("/")[2]} in each["Dimensions"]]
    return alarm


def is_raised(service: Service, queue: str) -> bool:
    """Whether the alarm is, once the depth of the queue is measured."""
    measure(service, queue)
    return bool(alarm_on(service, queue)["StateValue"] == "ALARM")


def measure(service: Service, queue: str) -> None:
    """What CloudWatch does by itself on AWS, each minute: the depth of the queue becomes a metric."""
    alarm = alarm_on(service, queue)
    service.addresses.client("cloudwatch").put_metric_data(
        Namespace=alarm["Namespace"],
        MetricData=[
            {
                "MetricName": alarm["MetricName"],
                "Dimensions": alarm["Dimensions"],
                "Value": waiting(service, queue),
                "Unit": "Count",
            }
        ],
    )


def test_a_failed_record_reaches_the_queue_raises_the_alarm_and_is_replayed(fresh: Service) -> None:
    ann, bob = fresh.register("ann"), fresh.register("bob")
    room, closed = ann.open_room(), ann.open_room()
    ann.plan(room_id=closed["id"])
    # Logged before: if its own record were given up, its change could be logged first, and cover that.
    task = ann.plan(room_id=room["id"])
    assert eventually(lambda: unclean(fresh) == [])
    with broken(fresh, ON_TABLES):
        assert ann.patch(f"/tasks/{task['id']}", json={"title": "Anew"}).status == 200
        assert ann.delete(f"/rooms/{closed['id']}").status == 204
        assert bob.delete("/users/me").status == 204
        for queue in ON_TABLES:
            assert eventually(lambda queue=queue: waiting(fresh, queue) > 0), queue  # type: ignore[misc]  # mypy infers no type for such a lambda
        assert eventually(lambda: waiting(fresh, "activity") >= 2)
    assert all(is_raised(fresh, queue) for queue in ON_TABLES)
    assert {"I11", "I13"} <= set(unclean(fresh))

    outcomes = {queue: replayed(fresh, queue) for queue in ON_TABLES}

    assert all(set(states) == {"replayed"} for states in outcomes.values()), outcomes
    assert [waiting(fresh, queue) for queue in ON_TABLES] == [0, 0, 0]
    assert eventually(lambda: unclean(fresh) == []), unclean(fresh)
    assert [entry["action"] for entry in ann.list(f"/rooms/{room['id']}/activity")][:2] == ["updated", "created"]


def test_an_entry_that_was_given_up_is_handed_out_again(fresh: Service) -> None:
    ann, bob = fresh.register("ann"), fresh.register("bob")
    room = ann.open_room()
    bob.join(room)
    task = ann.plan(room_id=room["id"], user_id=bob.id)
    with broken(fresh, ["dispatch"]):
        assert bob.delete(f"/rooms/{room['id']}/users/{bob.id}").status == 204
        assert eventually(lambda: waiting(fresh, "dispatch") > 0)
    assert is_raised(fresh, "dispatch")
    assert ann.get(f"/tasks/{task['id']}").json()["user_id"] == bob.id

    assert replayed(fresh, "dispatch") == ["replayed"]

    assert waiting(fresh, "dispatch") == 0
    assert ann.get(f"/tasks/{task['id']}").json()["user_id"] is None
