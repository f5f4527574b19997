"""The route that load balancers, pipelines and people ask whether all is well."""

from health_api.answers import Health
from tasksync import __version__
from tasksync.domain.limits import PUBLIC
from tasksync.http.api import Api
from tasksync.http.limits import RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import Response
from tasksync.tables.limits import RateLimitsTable
from tasksync.tables.probes import answering_tables

api = Api("health", limits=RateLimits(RateLimitsTable()))
app = api.chalice


@api.route("GET", "/health", answer=Health, failed_answer=Health, limits=(PUBLIC,))
def health(request: Request) -> Response:
    """Ask whether the service and what it depends on answer."""
    tables = answering_tables()
    well = all(tables.values())
    body: Health = {
        "status": "ok" if well else "failed",
        "checks": {table: "ok" if answers else "failed" for table, answers in tables.items()},
        "version": __version__,
    }
    return Response(200, body) if well else Response(503, body, {"Retry-After": "1"})
