"""Debian's Prometheus, scraping one local stack, and its HTTP API."""

import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.journeys.service import eventually

_HOST = "127.0.0.1"

_CONFIGURATION = """
global: {{scrape_interval: 2s, scrape_timeout: 2s}}
scrape_configs:
  - job_name: tasksync
    authorization: {{credentials_file: {token}}}
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    """A running server with data of its own."""

    def __init__(self, directory: Path, target: str, token: str) -> None:
        """``target``: host and port of what it scrapes, every two seconds. ``token``: what ``/metrics`` takes."""
        (directory / "token").write_text(token, encoding="utf-8")
        configuration = _CONFIGURATION.format(token=directory / "token", target=target)
        (directory / "prometheus.yml").write_text(configuration, encoding="utf-8")
        address = f"{_HOST}:{_free_port()}"
        self._api = httpx.Client(base_url=f"http://{address}", timeout=10, trust_env=False)
        self._log = (directory / "prometheus.log").open("wb")
        self._process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={directory / 'prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        assert eventually(self._ready)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._api.close()
        self._process.terminate()
        self._process.wait(30)
        self._log.close()

    def values(self, query: str) -> dict[tuple[str, ...], float]:
        """The value of each series that a query (PromQL) gives, by ``method``, ``route`` and ``status``, if any."""
        response: Any = self._api.get("/api/v1/query", params={"query": query}).json()
        assert response["status"] == "success", response
        return {
            tuple(series["metric"][name] for name in ("method", "route", "status") if name in series["metric"]): float(
                series["value"][1]
            )
            for series in response["data"]["result"]
        }

    def _ready(self) -> bool:
        assert self._process.poll() is None, "Prometheus ended by itself"
        try:
            return self._api.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False


def program(name: str) -> str:
    """Where it is."""
    found = shutil.which(name)
    assert found, f"make test-prometheus needs {name} on the PATH"
    return found


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
