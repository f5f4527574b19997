"""Endpoints: the URL of a service in a region."""

import re
from typing import Any

from botocore.session import Session

_VARIABLES = {
    "dynamodb": "AWS_ENDPOINT_URL_DYNAMODB",
    "secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    "sqs": "AWS_ENDPOINT_URL_SQS",
}


def session_for(service: str) -> Session:
    """A session that reads the environment variables for another endpoint of the service.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    variables: Any = {
        "service_url": (None, _VARIABLES[service], None, None),
        "any_url": (None, "AWS_ENDPOINT_URL", None, None),
    }
    return Session(session_vars=variables)


def endpoint(session: Session, service: str, region: str) -> str:
    """The service's endpoint in the region, or the one that the environment names instead."""
    named = session.get_config_variable("service_url") or session.get_config_variable("any_url")
    return f"{named or f'https://{service}.{region}.{_suffix(session, region)}'}".rstrip("/") + "/"


def _suffix(session: Session, region: str) -> str:
    """The domain of the region's AWS partition."""
    partitions = session.get_component("data_loader").load_data("partitions")["partitions"]
    for partition in partitions:
        if region in partition["regions"] or re.match(partition["regionRegex"], region):
            return str(partition["outputs"]["dnsSuffix"])
    return str(partitions[0]["outputs"]["dnsSuffix"])
