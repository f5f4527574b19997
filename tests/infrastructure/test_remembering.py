"""What is remembered of ministack's changes none of its results.

ministack runs in a process of its own, for it starts threads as soon as it is imported; it does not serve.
"""

import json
import subprocess
import sys
from typing import Any

from infrastructure.template import REPOSITORY

CONDITIONS = [
    "owner_id = :owner AND #key BETWEEN :low AND :high",
    "attribute_not_exists(trashed_at) AND (#status = :status OR contains(assignee_ids, :user))",
    "size(title) > :low",
    "NOT title IN (:low, :high)",
    "title = ",
    "title == :low",
    "((title = :low))",
    "title = :low AND",
    "status = :status",
    "title BETWEEN :high AND :low",
    "title = ~",
    "",
]
POLICIES = [
    {"Statement": {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}},
    {"Statement": [{"Effect": "Deny", "NotAction": ["s3:*"], "Resource": ["a", "b"], "Condition": {"Bool": {}}}]},
    {"Statement": [{"Effect": "Perhaps"}, "none"]},
    {},
]

_EACH = """
import json, sys
from ministack.core import iam_evaluator
from ministack.services import dynamodb
from infrastructure.local import remembering

given = json.loads(sys.stdin.read())
item = {"owner_id": {"S": "o"}, "key": {"S": "k"}, "title": {"S": "m"}, "status": {"S": "s"}}
values = {":owner": {"S": "o"}, ":low": {"S": "a"}, ":high": {"S": "z"}, ":status": {"S": "s"}, ":user": {"S": "u"}}
names = {"#key": "key", "#status": "status"}

def evaluated(condition, slot):
    try:
        return dynamodb._evaluate_condition(condition, item, values, names, slot=slot)
    except ValueError as error:
        return str(error)

def updated(expression):
    try:
        return dynamodb._apply_update_expression(item, expression, values, names)[0]
    except ValueError as error:
        return str(error)

def results():
    slots = ("ConditionExpression", "FilterExpression", "KeyConditionExpression")
    return {
        "conditions": [evaluated(condition, slot) for condition in given["conditions"] for slot in slots],
        "updates": [updated("SET title = :high REMOVE #key"), updated("SET title = :high, status = :low")],
        "policies": [
            repr(iam_evaluator.parse_policy_document(form(policy)))
            for policy in given["policies"] for form in (dict, json.dumps)
        ] + [repr(iam_evaluator.parse_policy_document("not JSON"))],
    }
"""


def process(steps: str) -> Any:
    """What these steps print."""
    run = subprocess.run(  # noqa: S603  # our own text
        [sys.executable, "-c", _EACH + steps],
        input=json.dumps({"conditions": CONDITIONS, "policies": POLICIES}),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_results_and_error_texts_are_those_of_ministack_the_first_time_and_later() -> None:
    said = process("""
before = results()
remembering.install(dynamodb, iam_evaluator)
print(json.dumps([before, results(), results()]))
""")

    before, first, later = said
    assert first == later == before
    assert True in before["conditions"]
    assert any(str(each).startswith("Invalid FilterExpression: Syntax error;") for each in before["conditions"])


def test_a_text_is_read_once_and_each_caller_may_alter_the_list() -> None:
    said = process("""
read = []
tokenize, parse = dynamodb._tokenize, iam_evaluator.parse_policy_document
dynamodb._tokenize = lambda text: read.append(text) or tokenize(text)
iam_evaluator.parse_policy_document = lambda text: read.append(text) or parse(text)
remembering.install(dynamodb, iam_evaluator)
policy = json.dumps(given["policies"][0])
dynamodb._tokenize("a = :b").clear()
iam_evaluator.parse_policy_document(policy).clear()
print(json.dumps([
    len(dynamodb._tokenize("a = :b")),
    len(iam_evaluator.parse_policy_document(policy)),
    read == ["a = :b", policy],
]))
""")

    assert said == [4, 1, True]


def test_a_policy_that_changes_takes_effect_at_once() -> None:
    said = process("""
import asyncio
from urllib.parse import urlencode
from ministack import app
from ministack.core.responses import get_account_id

remembering.install(dynamodb, iam_evaluator)

def iam(action, **parameters):
    body = urlencode({"Action": action, "Version": "2010-05-08", "UserName": "ann", **parameters}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    status, _, content = asyncio.run(app.SERVICE_HANDLERS["iam"]("POST", "/", headers, body, {}))
    assert status == 200, content
    return content.decode() if isinstance(content, bytes) else content

def grant(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    iam("PutUserPolicy", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}))

def allowed():
    denied = iam_evaluator.enforce(key, "dynamodb:GetItem", "dynamodb", "eu-west-1", "arn:aws:dynamodb:eu-west-1:1:x")
    return denied is None

iam("CreateUser")
key = iam("CreateAccessKey").partition("<AccessKeyId>")[2].partition("<")[0]
said = []
for action in ("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:GetItem"):
    grant(action)
    said.append(allowed())
iam("DeleteUserPolicy", PolicyName="p")
print(json.dumps([*said, allowed()]))
""")

    assert said == [False, True, False, True, False]
