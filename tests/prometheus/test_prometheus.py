"""Debian's real Prometheus counts what was really asked, neither more nor less, over a restart of the stack."""

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.journeys.service import Service, eventually
from tests.prometheus.load import Tally
from tests.prometheus.server import Prometheus, program
from tests.support import builders
from tests.support.client import Person

REQUESTS = 'tasksync_http_requests_total{route!~"/metrics|/health"}'
LATENCIES = 'tasksync_http_request_duration_seconds_count{route!~"/metrics|/health"}'
BUCKETS = 'tasksync_http_request_duration_seconds_bucket{le="+Inf",route!~"/metrics|/health"}'
RESETS = "resets(tasksync_http_requests_total[10m]) > 0"

PEOPLE = 4
ROUNDS = 10
_LONGEST_SECONDS = 300


@pytest.fixture
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Of one test alone: what others ask would be counted, too."""
    # On Monday at midnight counters begin anew, as is said of them: a test that counts has to be on one side of it.
    week = datetime.now(UTC)
    left = (7 - week.weekday()) * 86_400 - (week.hour * 3600 + week.minute * 60 + week.second)
    if left < _LONGEST_SECONDS:
        time.sleep(left)
    running = Service(tmp_path_factory.mktemp("stack"), {"MetricsCacheSeconds": "0"})
    yield running
    running.stop()


def _token(service: Service) -> str:
    secret = service.addresses.outputs["MetricsSecret"]
    response = service.addresses.client("secretsmanager").get_secret_value(SecretId=secret)
    return str(response["SecretString"])


def _work(ann: Person) -> None:
    """Some of all that goes well, and of each kind of request that does not."""
    room = ann.open_room()
    task = ann.plan(room_id=room["id"])
    for _ in range(ROUNDS):
        ann.get(f"/tasks/{task['id']}")
        ann.get(f"/rooms/{room['id']}/tasks")
        ann.get("/rooms?nothing=1")
        ann.get("/rooms/nothing-here")
        ann.post("/rooms/join", json={"code": room["code"]})
        ann.patch(f"/tasks/{task['id']}", json={"title": "Other"}, headers={"If-Match": '"99"'})
        ann.post("/tasks", json={"title": 1})
    ann.patch("/users/me", content="{" + " " * 170_000 + "}", headers={"Content-Type": "application/json"})
    ann.post("/tasks", content="x", headers={"Content-Type": "text/plain"})
    for _ in range(12):
        ann.post("/auth/login", json={"username": ann.username, "password": "not the password"})
    ann.delete(f"/tasks/{task['id']}")
    ann.delete(f"/rooms/{room['id']}")


def test_prometheus_counts_the_requests_that_were_sent(service: Service, tmp_path: Path) -> None:
    target = service.addresses.api_url.removeprefix("http://")
    with Tally(service.addresses.api_url) as tally, Prometheus(tmp_path, target, _token(service)) as prometheus:
        people = [tally.client.register() for _ in range(PEOPLE)]
        with ThreadPoolExecutor(PEOPLE) as threads:
            list(threads.map(_work, people))
        # What the gateway answers by itself reaches no function, and no function counts it.
        assert service.anonymous.get("/rooms").status == 401
        assert service.anonymous.get("/nowhere").status == 404

        assert {status for _, _, status in tally.counts} == {
            *("200", "201", "204", "400", "401", "404", "409", "412", "413", "415", "422", "429")
        }
        assert eventually(lambda: prometheus.values(REQUESTS) == tally.counts, 60), _difference(prometheus, tally)
        assert prometheus.values(LATENCIES) == prometheus.values(BUCKETS) == tally.by_route()

        service.restart()
        scrapes = 'tasksync_http_requests_total{route="/metrics",status="200"}'
        seen = sum(prometheus.values(scrapes).values())
        assert eventually(lambda: sum(prometheus.values(scrapes).values()) > seen + 1, 60)
        assert prometheus.values(REQUESTS) == tally.counts, _difference(prometheus, tally)

        tally.client.post("/auth/register", json=builders.person())
        assert eventually(lambda: prometheus.values(REQUESTS) == tally.counts, 60), _difference(prometheus, tally)
        assert prometheus.values(LATENCIES) == tally.by_route()
        assert prometheus.values(RESETS) == {}
        print(f"{tally.total} requests, {len(tally.counts)} series: Prometheus counts the same")  # noqa: T201  # said beside the result


def test_promtool_reports_no_problem(service: Service) -> None:
    ann = service.register()
    room = ann.open_room()
    ann.delete(f"/rooms/{room['id']}")
    headers = {"Authorization": f"Bearer {_token(service)}"}

    def text() -> str:
        return service.anonymous.get("/metrics", headers=headers).text

    assert eventually(lambda: "tasksync_stream_record_age_seconds_sum" in text())
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text(), capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def _difference(prometheus: Prometheus, tally: Tally) -> str:
    counted = prometheus.values(REQUESTS)
    keys = counted.keys() | tally.counts.keys()
    wrong = {
        key: (counted.get(key), tally.counts.get(key)) for key in keys if counted.get(key) != tally.counts.get(key)
    }
    return f"counted, asked: {wrong}"
