"""One log line for each request, with its metrics."""

import time

from tasksync.http.request import Handle, Request
from tasksync.http.responses import Response
from tasksync.observability.logs import Measure, bucket, log_measured
from tasksync.runtime import unit_of_work

_ROUTE_MEASURE = Measure(
    {"milliseconds": "Milliseconds", "round_trips": "Count", "capacity_units": "Count"}, [["method", "route"]]
)
_SPARSE_MEASURES = tuple(
    Measure({name: "Count"}, [["method", "route"]], sparse=True) for name in ("throttles", "cold_starts")
)
_REQUEST_MEASURE = Measure({"requests": "Count"}, [["method", "route", "status"], ["method", "route", "le"]])


class Metrics:
    """Measures each request, and opens its unit of work, which counts what is requested of DynamoDB."""

    def __init__(self) -> None:
        self._cold = True

    def __call__(self, request: Request, handle: Handle) -> Response:
        started = time.perf_counter()
        user_id = (request.context.get("authorizer") or {}).get("user_id")
        with unit_of_work.begin(user_id, request.id) as unit:
            response = handle(request)
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        log_measured(
            "INFO",
            "request",
            (_ROUTE_MEASURE, _REQUEST_MEASURE, *_SPARSE_MEASURES),
            request_id=request.id,
            method=request.method,
            route=request.route.path,
            # A text: metrics are not distinguished by numbers.
            status=str(response.status),
            le=bucket(milliseconds),
            user_id=user_id,
            milliseconds=milliseconds,
            requests=1,
            round_trips=unit.usage.round_trips,
            round_trips_in_sequence=unit.usage.in_sequence,
            capacity_units=unit.usage.capacity_units,
            throttles=unit.usage.throttles,
            cold_starts=int(self._cold),
        )
        self._cold = False
        return response
