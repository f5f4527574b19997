"""TaskSync under `sam local`, in containers: started by `make test-sam`, which sees that a Docker daemon answers."""

import http.client
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from infrastructure import smoke
from infrastructure.emulation import sam_local
from infrastructure.local.clients import local_client
from tests.journeys.service import PARAMETERS, eventually
from tests.support.client import Client
from tests.support.short_journey import short_journey

# Three in a row that few other programs use.
PORT = int(os.environ.get("SAM_PORT", "8940"))

# The first request to a function builds its image and starts its container.
FIRST_SECONDS = 120


@pytest.fixture(scope="module")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sam_local.Running]:
    folder = tmp_path_factory.mktemp("sam")
    with sam_local.running(
        PORT, folder, {"BcryptCost": PARAMETERS["BcryptCost"]}, os.environ.get("SAM_IMAGE", "")
    ) as found:
        yield found


def test_the_smoke_check_passes(sam: sam_local.Running) -> None:
    smoke.check(sam.api, FIRST_SECONDS)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer no.good.token"}], ids=["without", "with a bad one"])
def test_a_private_route_is_closed_without_a_valid_token(sam: sam_local.Running, headers: dict[str, str]) -> None:
    for method, path in [("GET", "/users"), ("GET", "/rooms"), ("POST", "/tasks"), ("GET", "/")]:
        with closing(http.client.HTTPConnection(urlsplit(sam.api).netloc, timeout=FIRST_SECONDS)) as connection:
            connection.request(method, path, headers=headers)

            assert connection.getresponse().status == (403 if headers else 401), (method, path)


def test_a_journey_passes_through_containers_streams_and_moto(sam: sam_local.Running) -> None:
    dynamodb = local_client("dynamodb", sam.aws)
    anonymous = Client.over_http(sam.api, seconds=FIRST_SECONDS)
    with closing(anonymous.connection):
        short_journey(anonymous, dynamodb, lambda holds: eventually(holds, FIRST_SECONDS))


@pytest.mark.usefixtures("sam")
def test_containers_reach_the_host_however_many_start_and_stop() -> None:
    option = '{{index .Options "com.docker.network.bridge.name"}}'
    inspect = ["docker", "network", "inspect", "bridge", "--format", option]
    asked = subprocess.run(inspect, capture_output=True, text=True, check=True)  # noqa: S603  # nothing of others
    bridge = asked.stdout.strip()
    given = Path("/sys/class/net", bridge, "addr_assign_type")

    # 3: it was set. Otherwise a bridge takes the lowest address of its ports, which changes as containers come and go,
    # and those that know the old one time out. Docker Desktop has its bridge in a virtual machine.
    assert not given.exists() or given.read_text() == "3\n"
