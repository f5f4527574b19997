"""Backups are taken, tables damaged, restored beside, and what was damaged is copied back."""

from typing import Any

from infrastructure import audit
from infrastructure.restore import Counts, restore
from tests.journeys.service import Service, eventually

RENEWED = {"version", "revision", "updated_at", "stamp"}
"""What says that something is a new version of itself."""


def unclean(service: Service) -> set[str]:
    functions, auditor = service.addresses.client("lambda"), service.addresses.outputs["AuditorFunction"]
    report = audit.audit(functions, auditor, {"older_than_seconds": 0})
    return {finding["invariant"] for finding in report["findings"] if finding["violations"]}


def back_up(service: Service, table: str) -> str:
    """The ARN of a backup."""
    name = service.addresses.outputs[table]
    backup = service.addresses.client("dynamodb").create_backup(TableName=name, BackupName="before")
    return str(backup["BackupDetails"]["BackupArn"])


def test_deleted_and_corrupted_items_are_restored(fresh: Service) -> None:
    ann, bob = fresh.register("ann"), fresh.register("bob")
    room = ann.open_room()
    bob.join(room)
    task, other = ann.plan(room_id=room["id"]), ann.plan(room_id=room["id"])
    assert eventually(lambda: unclean(fresh) == set())
    dynamodb, names = fresh.addresses.client("dynamodb"), fresh.addresses.outputs
    backups = {table: back_up(fresh, table) for table in ("RoomsTable", "TasksTableV2")}
    before = {table: fresh.items(table) for table in backups}

    membership = {"room_id": {"S": room["id"]}, "item": {"S": f"MEMBER#{bob.id}"}}
    dynamodb.delete_item(TableName=names["RoomsTable"], Key=membership)
    dynamodb.delete_item(
        TableName=names["TasksTableV2"], Key={"owner_id": {"S": room["id"]}, "item": {"S": task["id"]}}
    )
    dynamodb.update_item(
        TableName=names["TasksTableV2"],
        Key={"owner_id": {"S": room["id"]}, "item": {"S": other["id"]}},
        UpdateExpression="SET by_status = :garbled",
        ExpressionAttributeValues={":garbled": {"S": "?"}},
    )
    assert unclean(fresh) >= {"I1", "I6"}

    sources = {table: f"{table}-restored" for table in backups}
    for table, backup in backups.items():
        dynamodb.restore_table_from_backup(TargetTableName=sources[table], BackupArn=backup)
    found = {table: restore(dynamodb, source, names[table], False, True) for table, source in sources.items()}
    assert {(each.missing, each.different, each.written) for each in found.values()} == {(1, 0, 0), (1, 1, 0)}
    assert "I1" in unclean(fresh)

    first = restore(dynamodb, sources["TasksTableV2"], names["TasksTableV2"], True, False)
    assert (first.missing, first.different, first.written) == (1, 1, 1)
    counts = {table: restore(dynamodb, source, names[table], True, True) for table, source in sources.items()}

    assert {table: each.written for table, each in counts.items()} == {"RoomsTable": 1, "TasksTableV2": 1}
    for table, items in before.items():
        assert sorted(map(repr, _ordered(fresh.items(table)))) == sorted(map(repr, _ordered(items)))
        again = restore(dynamodb, sources[table], names[table], True, True)
        assert again == Counts(read=len(items))
        dynamodb.delete_table(TableName=sources[table])
    assert eventually(lambda: unclean(fresh) == set()), unclean(fresh)


def _ordered(items: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    return [
        [
            (name, sorted(value) if isinstance(value, set) else value)
            for name, value in sorted(item.items())
            if name not in RENEWED
        ]
        for item in items
    ]
