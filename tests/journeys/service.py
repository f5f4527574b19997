"""The whole product as people meet it: a local stack of its own, spoken to over real HTTP."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer

from infrastructure import deployed
from infrastructure.local.addresses import Addresses
from infrastructure.local.stack import LocalStack
from tests.support.client import Client, Person

Result = TypeVar("Result")

ORIGIN = "https://app.example.org"
"""Whose pages may use the API from a browser."""

# Every request asks the authorizer, so that the end of a session is seen at once; hashing is as cheap as it may be.
PARAMETERS = {
    "AuthorizerCacheSeconds": "0",
    "BcryptCost": "10",
    "CorsAllowedOrigins": f"https://other.example.org,{ORIGIN}",
}

# None of what is waited for takes more than a few seconds, but for a machine that has much else to do.
_DEADLINE_SECONDS = 90


class Service:
    """A running stack with data of its own."""

    def __init__(self, data: Path, parameters: Mapping[str, str] = MappingProxyType({})) -> None:
        """``parameters``: of the template, beside those of all journeys."""
        self.data = data
        self._stack = LocalStack(0, data, {**PARAMETERS, **parameters})
        self.addresses: Addresses = self._stack.start()
        self.anonymous = Client.over_http(self.addresses.api_url)

    def register(self, name: str = "person", **fields: Any) -> Person:
        """Somebody new, signed in."""
        return self.anonymous.register(name, **fields)

    def items(self, table: str) -> list[dict[str, Any]]:
        """All items of a table, by its name in the template, read behind the product's back."""
        read = TypeDeserializer().deserialize
        pages = (
            self.addresses.client("dynamodb").get_paginator("scan").paginate(TableName=self.addresses.outputs[table])
        )
        return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def sweep(self) -> None:
        """Have the sweeper do what is due, however young."""
        sweeper = self.addresses.outputs["SweeperFunction"]
        deployed.invoke(self.addresses.client("lambda"), sweeper, {"older_than_seconds": 0})

    def variables(self, function: str) -> dict[str, str]:
        """The environment variables of a function, by its name in the template."""
        functions = self.addresses.client("lambda")
        found = functions.get_function_configuration(FunctionName=self._name_of(function))
        return dict(found["Environment"]["Variables"])

    @contextmanager
    def configured(self, function: str, **variables: str) -> Iterator[None]:
        """For the block, a function has other values of environment variables."""
        functions, name = self.addresses.client("lambda"), self._name_of(function)
        served = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
        before = self.variables(function)
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": {**before, **variables}})
        version = functions.publish_version(FunctionName=name)["Version"]
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        try:
            yield
        finally:
            functions.update_alias(FunctionName=name, Name="live", FunctionVersion=served)
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})

    def _name_of(self, function: str) -> str:
        pages = self.addresses.client("lambda").get_paginator("list_functions").paginate()
        names: list[str] = [each["FunctionName"] for page in pages for each in page["Functions"]]
        [name] = [name for name in names if f"-{function}-" in name]
        return name

    def restart(self) -> None:
        """Stop in order and start again, on the same port and with the same data."""
        self._stack.stop()
        self.start()

    def kill(self) -> float:
        """End the server and the functions as a power cut would; returns the moment before, of the monotonic clock."""
        before = time.monotonic()
        self._stack.kill()
        return before

    def start(self) -> None:
        """Start again, on the same port and with the same data."""
        self.addresses = self._stack.start()

    def stop(self) -> None:
        self.anonymous.connection.close()
        self._stack.stop()


def eventually(holds: Callable[[], object], seconds: float = _DEADLINE_SECONDS) -> bool:
    """Whether ``holds`` becomes true in time. Asked again and again, less often as time passes."""
    deadline = time.monotonic() + seconds
    pause = 0.05
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 1.5, 1.0)
    return True


def at_once(calls: list[Callable[[], Result]]) -> list[Result]:
    """The results of calls that begin at the same moment, each in a thread of its own."""
    ready = threading.Barrier(len(calls))

    def begin(call: Callable[[], Result]) -> Result:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(begin, calls))
