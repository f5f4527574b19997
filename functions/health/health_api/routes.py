"""The route that load balancers, pipelines and people ask whether all is well."""

from tasksync import __version__
from tasksync.http.api import Api
from tasksync.http.request import Request
from tasksync.http.responses import Response
from tasksync.tables.probes import answering_tables

api = Api("health")
app = api.chalice


@api.route("GET", "/health")
def health(request: Request) -> Response:
    checks = {table: "ok" if answers else "failed" for table, answers in answering_tables().items()}
    well = set(checks.values()) == {"ok"}
    body = {"status": "ok" if well else "failed", "checks": checks, "version": __version__}
    return Response(200, body) if well else Response(503, body, {"Retry-After": "1"})
