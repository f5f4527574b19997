"""The route that Prometheus scrapes. Its token gives no other permission."""

import hmac

from metrics_api.cache import MetricsCache
from metrics_api.exposition import MEDIA_TYPE
from tasksync.aws.secret_values import secret
from tasksync.domain.rate_limits import PUBLIC
from tasksync.dynamodb.limits.repository import RateLimitsRepository
from tasksync.http.app import Api
from tasksync.http.bearer import token_of
from tasksync.http.pipeline import RateLimits
from tasksync.http.request import Request
from tasksync.http.responses import Response
from tasksync.model import times
from tasksync.model.errors import InvalidToken, TokenMalformed, TokenMissing
from tasksync.runtime.settings import settings

api = Api("metrics", limits=RateLimits(RateLimitsRepository(), settings))
app = api.chalice

cache = MetricsCache()


@api.route(
    "GET",
    "/metrics",
    response=str,
    media_types=("text/plain",),
    raises=(InvalidToken, TokenMissing, TokenMalformed),
    limits=(PUBLIC,),
    token="metrics_token",  # noqa: S106  # a name
    public=True,
)
def get_metrics(request: Request) -> Response:
    """Get the metrics of all functions, in Prometheus's text format.

    It takes the metrics token of this installation, not an access token.
    """
    _check(request)
    return Response(200, cache.at(times.now(), settings.metrics_cache_seconds), {"Content-Type": MEDIA_TYPE})


def _check(request: Request) -> None:
    """Raises ``InvalidToken``. The comparison takes as long for a wrong token as for a nearly right one (CWE-208)."""
    token = token_of(request.event["multiValueHeaders"])
    if not hmac.compare_digest(token.encode(), secret(settings.metrics_secret)):
        raise InvalidToken("This is not the metrics token of this installation. make metrics-token prints it.")
