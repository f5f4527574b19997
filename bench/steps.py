"""What stands between the floor and the product: steps of a request, each by itself.

They show what a framework costs that does nothing, and what the calls do without anything being made of their answers.
"""

import copy
import json
from collections.abc import Callable

from chalice.app import Chalice, Response

from bench.exchanges import Exchange
from bench.first import Context


def chalice(exchange: Exchange, before: Callable[[], object] = lambda: None) -> Callable[[], object]:
    """A Chalice app whose view does this, and hands over the answer that was recorded."""
    app, context, event, answer = Chalice("steps", configure_logs=False), Context(), exchange.event, exchange.answer
    # As ours.
    app.api.binary_types = []

    def view(**_: str) -> Response:
        before()
        return Response(answer["body"], dict(answer["headers"]), answer["statusCode"])

    app.route(event["resource"], methods=[event["httpMethod"]], content_types=[])(view)
    return lambda: app(copy.copy(event), context)


def calls(exchange: Exchange) -> Callable[[], object]:
    """The same calls by the product's own client, whose answers are read as JSON."""
    from tasksync.dynamodb.core.connection import shared_connection  # noqa: PLC0415  # after the variables are set

    client = shared_connection().client
    asked = [(call.target.rpartition(".")[2], json.loads(call.request)) for call in exchange.calls]
    return lambda: [client.call(operation, parameters) for operation, parameters in asked]
