"""The data model: tables, keys, indexes, TTL and streams on the page are those of the template."""

import re
from typing import Any

from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

PAGE = (REPOSITORY / "docs" / "data-model.md").read_text(encoding="utf-8")
STACK = Stack({})
TABLES = STACK.of_type("AWS::DynamoDB::Table")


def _rows(heading: str) -> list[list[str]]:
    table = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [
        [cell.strip(" `") for cell in row.split("|")[1:-1]]
        for row in re.findall(r"(?m)^\| `\w+Table(?:V\d)?` .*$", table)
    ]


def _keys(schema: list[dict[str, str]]) -> list[str]:
    names = {each["KeyType"]: each["AttributeName"] for each in schema}
    return [names["HASH"], names.get("RANGE", "")]


def test_the_tables_have_the_keys_ttl_and_streams_of_the_template() -> None:
    declared = [
        [
            name,
            *_keys(table["KeySchema"]),
            table.get("TimeToLiveSpecification", {}).get("AttributeName", ""),
            "yes" if "StreamSpecification" in table else "",
        ]
        for name, table in TABLES.items()
    ]

    assert [row[:5] for row in _rows("Tables")] == declared


def test_the_functions_behind_each_stream_are_those_of_the_template() -> None:
    readers: dict[str, set[str]] = {}
    for function in STACK.functions:
        for event in STACK.events(function, "DynamoDB"):
            folder = re.sub(r"(?<!^)(?=[A-Z])", "_", function.removesuffix("Function")).lower()
            readers.setdefault(event["Stream"]["Fn::GetAtt"][0], set()).add(folder)

    shown = {row[0]: set(re.findall(r"\w+", row[5])) for row in _rows("Tables") if row[5]}

    assert shown == readers


def test_the_indexes_are_those_of_the_template() -> None:
    assert [row[:6] for row in _rows("Indexes")] == [
        row for name, table in TABLES.items() for row in _indexes(name, table)
    ]


def _indexes(name: str, table: dict[str, Any]) -> list[list[str]]:
    kinds = (("local", "LocalSecondaryIndexes"), ("global", "GlobalSecondaryIndexes"))
    return [
        [name, index["IndexName"], *_keys(index["KeySchema"]), kind, _projection(index)]
        for kind, key in kinds
        for index in table.get(key, [])
    ]


def _projection(index: dict[str, Any]) -> str:
    return {"ALL": "items", "KEYS_ONLY": "keys"}[index["Projection"]["ProjectionType"]]
