"""The route that load balancers, pipelines and people ask whether all is well."""

from health_api.response_schemas import Health, HealthStatus
from tasksync import __version__
from tasksync.http.app import Api
from tasksync.http.request import Request
from tasksync.http.responses import Response
from tasksync.observability.probes import FAILED_AGE_SECONDS, Probes

# Without limits: they are counted in a table, and asking one that is out of reach takes longer than the answer may.
api = Api("health")
app = api.chalice

probes = Probes()


@api.route("GET", "/health", response=Health, failed_response=Health, limits=(), public=True)
def get_health(request: Request) -> Response:
    """Ask whether the service, and every table and secret that it depends on, answers.

    Within 3 seconds, whatever is unreachable. The answer is at most 10 seconds old; that a secret is gone may be
    noticed a minute later.
    """
    answering = probes.answering()
    well = all(answering.values())
    body: Health = {
        "status": _status(well),
        "checks": {name: _status(answers) for name, answers in answering.items()},
        "version": __version__,
    }
    return Response(200, body) if well else Response(503, body, {"Retry-After": str(FAILED_AGE_SECONDS)})


def _status(answers: bool) -> HealthStatus:
    return HealthStatus.OK if answers else HealthStatus.FAILED
