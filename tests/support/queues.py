"""SQS in process: hands the messages of moto's queues to functions, as Lambda's event sources do.

Lambda calls a function soon after a message was sent; here a test says when.
"""

import json
from math import inf
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
        self._sources = [
            (function, aws.stack.resolve(properties["Queue"]).rpartition(":")[2])
            for function in aws.stack.functions
            for properties in aws.stack.events(function, "SQS")
        ]

    def deliver(
        self, *, delayed: bool = False, seconds: float = 60.0, at_once: int = 1, rounds: float = inf
    ) -> list[Json]:
        """Hand over all messages that are there, and those that this causes: the bodies.

        ``delayed``: also those that SQS would hold back for a while, but not those that these cause. ``seconds``: how
        much time each invocation has. ``at_once``: how many messages of a queue it gets. ``rounds``: 1 leaves what
        these cause.
        """
        handed: list[Json] = []
        while rounds > 0 and (
            batches := [
                (function, batch)
                for function, queue in self._sources
                for batch in _parts(self._taken(queue, delayed), at_once)
            ]
        ):
            delayed, rounds = False, rounds - 1
            for function, batch in batches:
                records = [{"messageId": str(len(handed) + place), "body": body} for place, body in enumerate(batch)]
                with self._aws.running(function):
                    handler = load_handler(self._aws.stack.functions[function]["Handler"])
                    response = handler({"Records": records}, LambdaContext(function, seconds))
                assert response == {"batchItemFailures": []}, batch
                handed += map(json.loads, batch)
        return handed

    def lose(self) -> list[Json]:
        """Take all messages away: what was sent is lost."""
        return [json.loads(body) for _, queue in self._sources for body in self._taken(queue, delayed=True)]

    def _taken(self, name: str, delayed: bool) -> list[str]:
        with LOCK:
            queue = sqs_backends[ACCOUNT][REGION].queues[name]
            held = queue._messages  # noqa: SLF001  # moto shows no message that is delayed
            # By the delay that it was sent with, whether or not it is over: how fast a machine is decides nothing.
            taken = [each for each in held if delayed or not each.delayed_until]
            queue._messages = [each for each in held if each not in taken]  # noqa: SLF001  # as above
            return [str(each.body) for each in taken]


def _parts(bodies: list[str], size: int) -> list[list[str]]:
    return [bodies[start : start + size] for start in range(0, len(bodies), size)]
