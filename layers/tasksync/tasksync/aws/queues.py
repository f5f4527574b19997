"""Sends messages to a queue of SQS."""

import functools
from collections.abc import Sequence

from botocore.exceptions import BotoCoreError, ClientError

from tasksync.aws.client import SQS, Client, RetryPolicy
from tasksync.model.errors import DependencyFailed

# 3 x (1 s + 3 s) + 1 s + 2 s of back-off = 15 s.
RETRY_POLICY = RetryPolicy(connect_seconds=1, read_seconds=3, attempts=3)

LONGEST_DELAY_SECONDS = 900
"""Of SQS."""


def send(queue_url: str, messages: Sequence[tuple[str, int]]) -> None:
    """Send texts, each with a delay in seconds. Raises ``DependencyFailed``: some may have been sent.

    One by one: an event has one receiver most of the time, and a batch that is refused in part needs another answer.
    """
    for text, delay in messages:
        try:
            _client().call("SendMessage", {"QueueUrl": queue_url, "MessageBody": text, "DelaySeconds": delay})
        except (BotoCoreError, ClientError) as error:
            raise DependencyFailed from error


@functools.cache
def _client() -> Client:
    return Client(SQS, RETRY_POLICY)
