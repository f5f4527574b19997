"""The health route, for load balancers, pipelines and people."""

from health_api.response_schemas import Health, HealthStatus
from tasksync import __version__
from tasksync.http.app import Api
from tasksync.http.request import Request
from tasksync.http.responses import Response
from tasksync.observability.probes import FAILED_AGE_SECONDS, Probes

# No rate limit: it needs a table, and waiting for an unreachable table takes too long for this route.
api = Api("health")
app = api.chalice

probes = Probes()


@api.route("GET", "/health", response=Health, failed_response=Health, limits=(), public=True)
def get_health(request: Request) -> Response:
    """Check whether the service and the tables and secrets that it depends on respond.

    It responds within 3 seconds, even if a dependency does not. The result is at most 10 seconds old; a deleted secret
    may be noticed a minute later.
    """
    answering = probes.answering()
    well = all(answering.values())
    body: Health = {
        "status": _status(well),
        "checks": {name: _status(responds) for name, responds in answering.items()},
        "version": __version__,
    }
    return Response(200, body) if well else Response(503, body, {"Retry-After": str(FAILED_AGE_SECONDS)})


def _status(responds: bool) -> HealthStatus:
    return HealthStatus.OK if responds else HealthStatus.FAILED
