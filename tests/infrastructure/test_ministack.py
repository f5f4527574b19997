"""Starting the server process: what is refused before there is one."""

import fcntl
import os
import socket
from pathlib import Path

import pytest

from infrastructure.local.addresses import running_addresses
from infrastructure.local.errors import LocalStackError, NotRunning, PortTaken
from infrastructure.local.logs import function_name
from infrastructure.local.ministack import Server
from infrastructure.local.stack import LocalStack


def test_a_port_in_use_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PortTaken, match=rf"^Port {port} on 127\.0\.0\.1 is in use; [^.]+\.$"):
            Server(port, tmp_path).start()


def test_data_that_another_stack_uses_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(str(os.getpid()))
        lock.flush()

        with pytest.raises(LocalStackError, match="Another local stack is running"):
            Server(0, tmp_path).start()


def test_a_refused_start_leaves_the_files_of_the_running_stack(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    files = [tmp_path / name for name in ("stack.json", "route.json", "tmp/code.py")]
    for file in files:
        file.write_text("{}", encoding="utf-8")
    second = LocalStack(0, tmp_path)
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(str(os.getpid()))
        lock.flush()

        with pytest.raises(LocalStackError, match="Another local stack is running"):
            second.start()
        second.stop()
        second.kill()

    assert [file for file in files if not file.exists()] == []


def test_without_a_stack_there_are_no_addresses(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        running_addresses(tmp_path)


def test_addresses_left_by_a_killed_stack_are_ignored(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    (tmp_path / "stack.json").write_text(f'{{"api_url": "{address}", "aws_endpoint": "{address}", "outputs": {{}}}}')

    with pytest.raises(NotRunning):
        running_addresses(tmp_path)


def test_a_function_is_logged_under_its_template_name() -> None:
    assert function_name("/tasksync/RoomsFunction") == "RoomsFunction"
