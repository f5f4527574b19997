"""What stands between the floor and the product: steps of a request, each by itself.

They show what a framework costs that does nothing, and what the calls cost when their responses are not used.
"""

import copy
import json
from collections.abc import Callable

from chalice.app import Chalice, Response

from bench.exchanges import Exchange
from bench.first_request import Context


def chalice(exchange: Exchange, before: Callable[[], object] = lambda: None) -> Callable[[], object]:
    """A Chalice app whose view does this, and hands over the response that was recorded."""
    app, context, event, response = Chalice("steps", configure_logs=False), Context(), exchange.event, exchange.response
    # As ours.
    app.api.binary_types = []

    def view(**_: str) -> Response:
        before()
        return Response(response["body"], dict(response["headers"]), response["statusCode"])

    app.route(event["resource"], methods=[event["httpMethod"]], content_types=[])(view)
    return lambda: app(copy.copy(event), context)


def calls(exchange: Exchange) -> Callable[[], object]:
    """The same calls by the product's own client, whose responses are read as JSON."""
    from tasksync.dynamodb.core.connection import shared_connection  # noqa: PLC0415  # after the variables are set

    client = shared_connection().client
    asked = [(call.target.rpartition(".")[2], json.loads(call.request)) for call in exchange.calls]
    return lambda: [client.call(operation, parameters) for operation, parameters in asked]
