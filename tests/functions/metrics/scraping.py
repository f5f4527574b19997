"""What a Prometheus would read, without one: the numbers of a response, by name and labels."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3
from moto.cloudwatch.models import cloudwatch_backends

from infrastructure.local import extraction
from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT
from tests.support.aws import LOCK
from tests.support.client import Response
from tests.support.product import Product

_SAMPLE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Scraping:
    """``logged`` gives what was logged since it was last called."""

    def __init__(self, product: Product, logged: Callable[[], str]) -> None:
        self.product = product
        self._logged = logged
        with LOCK:
            secret = product.aws.secrets.get_secret_value(SecretId="MetricsSecret")
            self._cloudwatch: Any = boto3.client("cloudwatch")
        self.token = secret["SecretString"]

    def forget(self) -> None:
        """What was logged so far is never counted."""
        self._logged()

    def gather(self) -> None:
        """CloudWatch Logs adds up what was logged since it last did."""
        for call in extraction.calls(self._logged().splitlines()):
            self.put(call["Namespace"], call["MetricData"])

    def put(self, namespace: str, data: list[dict[str, Any]]) -> None:
        with LOCK:
            self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)

    def add(self, name: str, value: float, at: datetime, **dimensions: str) -> None:
        """A metric of the product's, as of some other time."""
        named = [{"Name": key, "Value": each} for key, each in dimensions.items()]
        self.put("tasksync", [{"MetricName": name, "Value": value, "Timestamp": at, "Dimensions": named}])

    def clear(self) -> None:
        """CloudWatch forgets all metrics."""
        with LOCK:
            cloudwatch_backends[ACCOUNT][REGION].metric_data.clear()

    def scrape(self) -> Response:
        return self.product.anonymous.get("/metrics", headers={"Authorization": f"Bearer {self.token}"})

    def numbers(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        response = self.scrape()
        assert response.status == 200, response
        found = {}
        for line in response.text.splitlines():
            if not line.startswith("#"):
                sample = _SAMPLE.fullmatch(line)
                assert sample, line
                key = sample["name"], frozenset(_LABEL.findall(sample["labels"] or ""))
                assert key not in found, line
                found[key] = float(sample["value"])
        return found

    def number(self, name: str, **labels: str) -> float | None:
        return self.numbers().get((name, frozenset(labels.items())))


def now() -> datetime:
    return datetime.now(UTC)
