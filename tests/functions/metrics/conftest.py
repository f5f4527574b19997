"""A CloudWatch that is given what the functions log, as CloudWatch Logs gives it."""

import pytest

from metrics_api import routes
from metrics_api.cache import MetricsCache
from tests.functions.metrics.scraping import Scraping
from tests.support.product import Product


@pytest.fixture
def scraping(product: Product, capsys: pytest.CaptureFixture[str]) -> Scraping:
    product.aws.stack.parameters |= {"LogLevel": "INFO", "MetricsCacheSeconds": "0"}
    product.aws.make_queues()
    # A container that has just started remembers no numbers.
    routes.cache = MetricsCache()
    capsys.readouterr()
    return Scraping(product, lambda: capsys.readouterr().out)
