"""SQS in process: hands the messages of moto's queues to functions, as Lambda's event sources do.

Lambda calls a function soon after a message was sent; here a test says when.
"""

import json
from typing import Any

from moto.sqs.models import sqs_backends

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from tests.support.aws import LOCK, Aws
from tests.support.context import LambdaContext
from tests.support.gateway import load_handler

Json = dict[str, Any]


class Queues:
    """All event sources of the template that are queues."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        aws.make_queues()
        self._sources = {
            function: aws.stack.resolve(properties["Queue"]).rpartition(":")[2]
            for function in aws.stack.functions
            for properties in aws.stack.events(function, "SQS")
        }

    def deliver(self, *, delayed: bool = False, seconds: float = 60.0) -> list[Json]:
        """Hand over all messages that are there, and those that this causes: the bodies.

        ``delayed``: also those that SQS would hold back for a while, but not those that these cause. ``seconds``: how
        much time each invocation has.
        """
        handed: list[Json] = []
        while messages := [(function, body) for function in self._sources for body in self._taken(function, delayed)]:
            delayed = False
            for function, body in messages:
                record = {"messageId": str(len(handed)), "body": body}
                with self._aws.running(function):
                    handler = load_handler(self._aws.stack.functions[function]["Handler"])
                    response = handler({"Records": [record]}, LambdaContext(function, seconds))
                assert response == {"batchItemFailures": []}, body
                handed.append(json.loads(body))
        return handed

    def lose(self) -> list[Json]:
        """Take all messages away: what was sent is lost."""
        return [json.loads(body) for function in self._sources for body in self._taken(function, delayed=True)]

    def _taken(self, function: str, delayed: bool) -> list[str]:
        with LOCK:
            queue = sqs_backends[ACCOUNT][REGION].queues[self._sources[function]]
            held = queue._messages  # noqa: SLF001  # moto shows no message that is delayed
            # By the delay that it was sent with, whether or not it is over: how fast a machine is decides nothing.
            taken = [each for each in held if delayed or not each.delayed_until]
            queue._messages = [each for each in held if each not in taken]  # noqa: SLF001  # as above
            return [str(each.body) for each in taken]
