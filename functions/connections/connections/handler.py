"""The connections function: what the WebSocket API asks when a client connects, and says when one has gone.

For each new connection the gateway calls it twice: as the authorizer of ``$connect``, which takes the ticket, and for
the route ``$connect``, which stores the connection. Messages of clients do not come here: the gateway itself responds
to a ping.
"""

from datetime import UTC, datetime
from typing import Any

from tasksync.domain.live.connections import forget_connection, open_connection
from tasksync.dynamodb.live.opening import OpeningConnections
from tasksync.dynamodb.live.repository import ConnectionsRepository, TicketsRepository
from tasksync.model import times
from tasksync.model.errors import TaskSyncError, TokenRevoked
from tasksync.model.live import Ticket
from tasksync.observability.logs import Measure, log, log_measured
from tasksync.runtime import deadline, unit_of_work
from tasksync.security.tickets import ticket_hash
from tasksync.streams.records import Context

_MEASURE = Measure({"connections_opened": "Count", "connections_closed": "Count"}, [["function"]])

Event = dict[str, Any]


def handler(event: Event, context: Context) -> dict[str, Any]:
    """Returns a policy to the authorizer's question, and a response to a route."""
    deadline.begin(context.get_remaining_time_in_millis)
    with unit_of_work.begin(None, event["requestContext"]["requestId"]):
        if event.get("type") == "REQUEST":
            return _authorize(event)
        if event["requestContext"]["routeKey"] == "$connect":
            return _connect(event)
        return _disconnect(event)


def _authorize(event: Event) -> dict[str, Any]:
    """Take the ticket: nobody else can open a connection with it, whatever becomes of this one."""
    digest = ticket_hash((event.get("queryStringParameters") or {}).get("ticket", ""))
    ticket = None if digest is None else TicketsRepository().take(digest, times.now())
    if ticket is None:
        log("INFO", "connection refused", request_id=event["requestContext"]["requestId"])
        return _decision(event, "Deny", "nobody", {})
    return _decision(event, "Allow", ticket.user_id, _context(ticket))


def _connect(event: Event) -> dict[str, Any]:
    context = event["requestContext"]
    ticket = _ticket(context["authorizer"])
    try:
        open_connection(context["connectionId"], ticket, OpeningConnections())
    except TokenRevoked:
        log("INFO", "connection refused", request_id=context["requestId"], user_id=ticket.user_id)
        return {"statusCode": 403}
    except TaskSyncError as error:
        log("ERROR", "connection failed", request_id=context["requestId"], error=type(error).__name__)
        return {"statusCode": 503}
    _note("connection opened", event, ticket.user_id, opened=1)
    return {"statusCode": 200}


def _disconnect(event: Event) -> dict[str, Any]:
    """Forget the connection. The gateway tries once: what is missed here, the next hint or connection finds."""
    context = event["requestContext"]
    user_id = context["authorizer"]["user_id"]
    try:
        forget_connection(user_id, context["connectionId"], ConnectionsRepository())
    except TaskSyncError as error:
        log("ERROR", "connection not forgotten", request_id=context["requestId"], error=type(error).__name__)
    _note("connection closed", event, user_id, closed=1)
    return {"statusCode": 200}


def _note(what: str, event: Event, user_id: str, opened: int = 0, closed: int = 0) -> None:
    log_measured(
        "INFO",
        what,
        (_MEASURE,),
        function="connections",
        request_id=event["requestContext"]["requestId"],
        user_id=user_id,
        connections_opened=opened,
        connections_closed=closed,
    )


def _decision(event: Event, effect: str, principal: str, context: dict[str, str]) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }


def _context(ticket: Ticket) -> dict[str, str]:
    """What the gateway hands to the routes: texts."""
    return {
        "user_id": ticket.user_id,
        "session_id": ticket.session_id,
        "epoch": str(ticket.epoch),
        "session_ends_at": str(int(ticket.session_ends_at.timestamp())),
        "expires_at": str(int(ticket.expires_at.timestamp())),
    }


def _ticket(context: dict[str, str]) -> Ticket:
    return Ticket(
        context["user_id"],
        context["session_id"],
        int(context["epoch"]),
        datetime.fromtimestamp(int(context["session_ends_at"]), UTC),
        datetime.fromtimestamp(int(context["expires_at"]), UTC),
    )
