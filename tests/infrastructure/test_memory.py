"""What ministack keeps in memory is there again in the next process, and only what has changed is written.

Each process is one of its own, for ministack starts threads as soon as it is imported; none of them serves.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from infrastructure.template import REPOSITORY

_BEGINNING = """
import asyncio, json, os, sys
from pathlib import Path

os.environ |= {"PERSIST_STATE": "1", "STATE_DIR": sys.argv[1]}
from infrastructure.local import memory
from infrastructure.local.state import Changes, State

app, dynamodb, lambdas = memory.app, memory.dynamodb, memory.lambda_svc
kept, state = memory.Memory(), State(Path(sys.argv[1]))
kept.listen()
if state.exists():
    kept.restore(state.rows())

def call(service, target, **body):
    handled = app.SERVICE_HANDLERS[service]("POST", "/", {"x-amz-target": target}, json.dumps(body).encode(), {})
    status, _, content = asyncio.run(handled)
    assert status == 200, content
    return json.loads(content or "null")

def table(operation, **body):
    return call("dynamodb", f"DynamoDB_20120810.{operation}", TableName="Tasks", **body)

def put(name, **attributes):
    table("PutItem", Item={"id": {"S": name}, "at": {"N": "1"}, **attributes})

def delete(name):
    table("DeleteItem", Key={"id": {"S": name}, "at": {"N": "1"}})

def change_secret():
    call("secretsmanager", "secretsmanager.PutSecretValue", SecretId="pepper", SecretString="new")

def metric(value):
    data = [{"MetricName": "Tasks", "Value": value, "Timestamp": time.time()}]
    call("monitoring", "GraniteServiceVersion20100801.PutMetricData", Namespace="Ours", MetricData=data)

def process(number):
    # As ministack's own thread does when a function has processed so many records.
    lambdas._dynamodb_stream_positions["mapping"] += number

def save(**options):
    changes = Changes()
    kept.capture(changes, **options)
    state.write(changes)
    return sorted({kind for kind, _, _ in changes.rows} - {"save"})

def content():
    pending = dynamodb.stream_records_since("Tasks", lambdas._dynamodb_stream_positions["mapping"], 100)
    return {
        "items": sorted(item["id"]["S"] for item in table("Scan")["Items"]),
        "records": [record["dynamodb"]["Keys"]["id"]["S"] for record in pending],
        "points": [point["Value"] for points in memory.cloudwatch._metrics._data.values() for point in points],
        "secret": call("secretsmanager", "secretsmanager.GetSecretValue", SecretId="pepper")["SecretString"],
    }
"""

_FILL = """
table(
    "CreateTable",
    BillingMode="PAY_PER_REQUEST",
    StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"}],
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
)
arn = table("DescribeTable")["Table"]["LatestStreamArn"]
lambdas._esms["mapping"] = {"UUID": "mapping", "EventSourceArn": arn, "Enabled": False}
lambdas._dynamodb_stream_positions["mapping"] = 0
call("secretsmanager", "secretsmanager.CreateSecret", Name="pepper", SecretString="sesame")
"""


def process(folder: Path, *steps: str) -> Any:
    """What ``said`` is at the end of these steps, in a process of their own."""
    text = "\n".join(["import time", _BEGINNING, *steps, "print(json.dumps(said))"])
    run = subprocess.run(  # noqa: S603  # our own text
        [sys.executable, "-c", text, folder], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_captured_data_is_restored_in_the_next_process_and_stream_records_continue(tmp_path: Path) -> None:
    before = process(
        tmp_path,
        _FILL,
        "put('a'); put('b'); put('c'); metric(1); save()",
        "process(1); put('d'); put('a', text={'S': 'changed'}); delete('b')",
        "metric(2); save()",
        "said = content()",
    )

    after = process(tmp_path, "said = content()")

    assert before == {
        "items": ["a", "c", "d"],
        "records": ["b", "c", "d", "a", "b"],
        "points": [1.0, 2.0],
        "secret": "sesame",
    }
    assert after == before


def test_the_next_process_saves_its_changes_beside_earlier_ones(tmp_path: Path) -> None:
    process(tmp_path, _FILL, "put('a'); put('b'); metric(1); save()", "said = None")

    process(tmp_path, "process(1); put('c'); metric(2); save()", "said = None")

    assert process(tmp_path, "said = content()") == {
        "items": ["a", "b", "c"],
        "records": ["b", "c"],
        "points": [1.0, 2.0],
        "secret": "sesame",
    }


def test_only_changed_rows_are_written(tmp_path: Path) -> None:
    said = process(
        tmp_path,
        _FILL,
        "put('a'); metric(1); save()",
        "said = [save()]",
        "put('a', text={'S': 'changed'}); said.append(save())",
        "process(2); said.append(save())",
        "metric(2); said.append(save())",
        "change_secret(); said.append(save())",
    )

    assert said == [[], ["item", "record", "streams"], ["record", "streams"], ["points"], ["service"]]


def test_while_a_stack_is_being_changed_only_tables_and_streams_are_saved(tmp_path: Path) -> None:
    said = process(
        tmp_path,
        _FILL,
        "save()",
        "memory.cloudformation._stacks['tasksync'] = stack = {'StackStatus': 'UPDATE_IN_PROGRESS'}",
        "change_secret(); put('a')",
        "said = [save()]",
        "stack['StackStatus'] = 'UPDATE_COMPLETE'; said.append(save())",
    )

    assert said == [["item", "record", "streams"], ["service"]]


def test_state_saved_by_the_previous_version_is_read_and_then_replaced(tmp_path: Path) -> None:
    stop = "memory.persistence.save_all(app._build_persistence_save_dict())"
    process(tmp_path, _FILL, "put('a'); put('b'); process(2); metric(1)", stop, "said = None")
    names = "sorted(path.name for path in Path(sys.argv[1]).iterdir() if path.suffix in ('.json', '.sqlite'))"
    upgraded = process(
        tmp_path,
        "memory.load_files_of_ministack(); save()",
        # The count of what was processed begins again with the records, of which there are none.
        "lambdas._dynamodb_stream_positions['mapping'] = dynamodb.stream_start_position('Tasks'); put('c')",
        "save()",
        f"said = {names}",
    )

    assert upgraded == ["state-copy.sqlite", "state.sqlite"]
    assert process(tmp_path, "said = content()") == {
        "items": ["a", "b", "c"],
        "records": ["c"],
        "points": [1.0],
        "secret": "sesame",
    }


def test_everything_that_is_not_saved_as_rows_is_ministacks_state(tmp_path: Path) -> None:
    ministacks, ours = process(
        tmp_path,
        "names = list(memory.FIELDS)",
        "said = [[sorted(app._get_module(name).get_state()) for name in names]]",
        "said.append([sorted(memory._without_rows(name)) for name in names])",
    )

    assert ours == ministacks
