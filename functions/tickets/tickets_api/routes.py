"""Routes of tickets for live updates."""

from dataclasses import replace
from typing import cast

from tasksync.aws.secret_values import secret
from tasksync.domain.live.connections import TICKET_SECONDS, TicketService
from tasksync.dynamodb.idempotency.repository import IdempotencyRepository
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.dynamodb.live.repository import TicketsRepository
from tasksync.dynamodb.sessions.repository import SessionsRepository
from tasksync.http.app import Api
from tasksync.http.pipeline import Idempotency, RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import Response, uncompressed
from tasksync.http.schemas.fields import EmptyBody
from tasksync.model.errors import TokenRevoked
from tasksync.runtime.settings import settings
from tasksync.security import tickets
from tickets_api.response_schemas import Ticket

api = Api("tickets", Idempotency(IdempotencyRepository()), RateLimits(RateLimitsRepository(), settings))
app = api.chalice

_tickets = TicketService(SessionsRepository(), TicketsRepository())


def _with_ticket(stored: Response) -> Response:
    """The response with a ticket, from the stored one: it has the ticket's id, as no ticket is stored."""
    body = cast("Ticket", stored.body)
    return replace(stored, body={**body, "url": f"{settings.live_url}?ticket={_ticket(body['url'])}"})


@api.route(
    "POST",
    "/live/tickets",
    body=EmptyBody,
    status=201,
    response=Ticket,
    raises=(TokenRevoked,),
    located=False,
    restored=_with_ticket,
)
def create_ticket(request: Request, body: EmptyBody) -> Response:  # it has no fields
    """Get the address of a WebSocket for live updates.

    It can be opened once, within 30 seconds. The WebSocket gets a hint when something changes: request the change log
    then. A user can have 10 WebSockets open; one more closes the oldest. A WebSocket is closed after 2 hours, after 10
    minutes without a message, and when its session ends.
    """
    ticket_id = tickets.new_ticket_id()

    def stored(ticket_id: str) -> Response:
        return uncompressed(Response(201, Ticket(url=ticket_id, expires_in=TICKET_SECONDS)))

    def issue() -> str:
        _tickets.issue(request.caller, ticket_id, str(tickets.ticket_hash(_ticket(ticket_id))))
        return ticket_id

    return request.carry_out(issue, lambda issued: _with_ticket(stored(issued)), stored=stored)


def _ticket(ticket_id: str) -> str:
    return tickets.ticket(secret(settings.http_secret), ticket_id)
