"""`make seed`: creates the tables, secrets and queues of ``template.yaml`` at any endpoint that speaks AWS's protocols.

Everything is called by its name in the template. What exists already is kept as it is.
"""

import argparse
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from infrastructure import template as templates
from infrastructure.local.clients import local_client

_CREATE_TABLE = {
    "BillingMode",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
}
_OTHER_PROPERTIES = {
    "StreamSpecification",
    "TimeToLiveSpecification",
    # Of no meaning where there is nothing to protect.
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "DeletionProtectionEnabled",
}


def seed(template: Mapping[str, Any], endpoint: str) -> list[str]:
    """Creates what is missing at the endpoint; the names of what was created. Raises BotoCoreError or ClientError."""
    dynamodb, secrets, sqs = (local_client(name, endpoint) for name in ("dynamodb", "secretsmanager", "sqs"))
    created = []
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        try:
            match resource["Type"]:
                case "AWS::DynamoDB::Table":
                    create_table(dynamodb, name, properties)
                case "AWS::SecretsManager::Secret":
                    create_secret(secrets, name, properties)
                case "AWS::SQS::Queue":
                    # Creating a queue again is no error.
                    if name in _queues(sqs):
                        continue
                    sqs.create_queue(QueueName=name)
                case _:
                    continue
        except (dynamodb.exceptions.ResourceInUseException, secrets.exceptions.ResourceExistsException):
            continue
        created.append(name)
    return created


def create_table(dynamodb: Any, name: str, properties: Mapping[str, Any]) -> str | None:
    """Creates a table as the template describes it, with a boto3 client; the ARN of its stream, if it has one."""
    unknown = properties.keys() - _CREATE_TABLE - _OTHER_PROPERTIES
    if unknown:
        raise ValueError(f"{name} has {', '.join(sorted(unknown))}, which is not understood")
    given = {key: properties[key] for key in _CREATE_TABLE & properties.keys()}
    if "StreamSpecification" in properties:
        given["StreamSpecification"] = {"StreamEnabled": True, **properties["StreamSpecification"]}
    made = dynamodb.create_table(TableName=name, **given)["TableDescription"]
    if "TimeToLiveSpecification" in properties:
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=properties["TimeToLiveSpecification"])
    stream: str | None = made.get("LatestStreamArn")
    return stream


def create_secret(secrets: Any, name: str, properties: Mapping[str, Any]) -> str:
    """Creates a secret with a value as the template says, with a boto3 client; the secret's ARN."""
    value = secrets.get_random_password(**properties["GenerateSecretString"])["RandomPassword"]
    arn: str = secrets.create_secret(Name=name, SecretString=value)["ARN"]
    return arn


def _queues(sqs: Any) -> set[str]:
    return {url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", [])}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True, help="of the AWS to fill, such as http://127.0.0.1:5000")
    endpoint = parser.parse_args().endpoint
    if urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname:
        print(f"'{endpoint}' is no endpoint; give ENDPOINT= a URL such as http://127.0.0.1:5000.", file=sys.stderr)
        return 1
    try:
        created = seed(templates.load(), endpoint)
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        print(f"{endpoint}: {error}", file=sys.stderr)
        return 1
    print(f"Created: {', '.join(created)}" if created else "Everything was there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
