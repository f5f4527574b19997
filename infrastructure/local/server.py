"""The server process of the local stack: ministack with the edge in front, on two sockets that are already bound.

Started by ``ministack.py`` alone. It saves what changes from the moment a byte comes on its standard input. It ends in
order, with the rest saved, on SIGTERM and also when its standard input closes: so it does not outlive the program that
started it, however that one ended. Its exit code is then 0, or 1 if that last save failed.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import socket
import sys
from pathlib import Path

# ministack reads its settings from the environment while it is imported.
from ministack.app import app as ministack
from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import apigateway_v1, cloudwatch, cloudwatch_logs, dynamodb, lambda_svc

from infrastructure.local import header_lines, http_server, refusals, remembering, request_ids, side_by_side, unpacking
from infrastructure.local.edge import Edge, Route
from infrastructure.local.logs import FunctionLogs
from infrastructure.local.saving import Saver
from infrastructure.local.state import State


async def _run(api: socket.socket, aws: socket.socket, route: Path, logs: Path, state: Path, reports: int) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    saver = Saver(State(state), lambda sentence: _report(reports, sentence))
    saver.listen()

    def heard() -> None:
        if os.read(sys.stdin.fileno(), 1):
            saver.begin()
        else:
            stop.set()

    loop.add_reader(sys.stdin.fileno(), heard)
    function_logs = FunctionLogs(logs, cloudwatch_logs.handle_request, cloudwatch.handle_request)
    function_logs.listen(lambda_runtime.Worker)
    request_ids.install(apigateway_v1)
    header_lines.install(apigateway_v1)
    refusals.install(apigateway_v1)
    remembering.install(dynamodb, iam_evaluator)
    unpacking.install(lambda_runtime)
    # After the saver, which says when streams may be read.
    side_by_side.install(lambda_svc, dynamodb)

    async def stopped() -> None:
        # Nothing is deployed, and so nothing logged, before ministack has loaded what it saved.
        following = asyncio.create_task(function_logs.follow())
        await stop.wait()
        following.cancel()
        await function_logs.finish()

    edge = Edge(ministack, api.getsockname()[1], Route(route))
    await http_server.serve(edge, [api, aws], stopped, edge.unknown_route)
    return int(saver.failed)


def _report(descriptor: int, sentence: str) -> None:
    # Who would read it may have gone.
    with contextlib.suppress(OSError):
        os.write(descriptor, f"{sentence}\n".encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api-socket", type=int, required=True, help="descriptor of a listening socket")
    parser.add_argument("--aws-socket", type=int, required=True, help="descriptor of a listening socket")
    parser.add_argument("--route", type=Path, required=True, help="file that tells where the API is deployed")
    parser.add_argument("--logs", type=Path, required=True, help="directory for what the functions log")
    parser.add_argument("--state", type=Path, required=True, help="directory that the state is saved in")
    parser.add_argument(
        "--reports", type=int, required=True, help="descriptor of a pipe for the person at the terminal"
    )
    arguments = parser.parse_args()
    api = socket.socket(fileno=arguments.api_socket)
    aws = socket.socket(fileno=arguments.aws_socket)
    with asyncio.Runner() as runner:
        code = runner.run(_run(api, aws, arguments.route, arguments.logs, arguments.state, arguments.reports))
        # The state is saved. Leaving the usual way would wait for every function that is still running.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
