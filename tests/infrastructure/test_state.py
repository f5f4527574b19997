"""The saved state: whatever happens to a file of it, the next start has what was saved last, or says why not."""

import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infrastructure.local.errors import DiskFull, StateDamaged
from infrastructure.local.state import Changes, Key, State
from infrastructure.template import REPOSITORY

FIRST, SECOND = "state.sqlite", "state-copy.sqlite"
TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/Tasks"

# Saves two rows that always say the same, and says each number when it is saved.
_WRITER = """
import sys
from pathlib import Path
from infrastructure.local.state import Changes, State

state = State(Path(sys.argv[1]))
list(state.rows() if state.exists() else ())
for number in range(int(sys.argv[2]), 10**9):
    changes = Changes()
    for name in ("left", "right"):
        changes.put("item", name, "", {"N": str(number), "padding": "x" * 20_000})
    state.write(changes)
    print(number, flush=True)
"""


def items(**values: object) -> Changes:
    changes = Changes()
    for name, value in values.items():
        changes.put("item", TABLE, name, value)
    return changes


def save(folder: Path, *saves: Changes) -> None:
    """As one process, which then ends."""
    state = State(folder)
    state.prepare()
    stored(state)
    for changes in saves:
        state.write(changes)
    state.close()


def stored(state: State) -> dict[Key, str]:
    rows = dict(state.rows()) if state.exists() else {}
    state.close()
    return rows


def started(folder: Path) -> tuple[str | None, dict[Key, str]]:
    """What the next start says and has."""
    state = State(folder)
    return state.prepare(), stored(state)


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file may grow beyond so many bytes: the system refuses that as it does on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_last_saved_row_is_restored_at_the_start(tmp_path: Path) -> None:
    emptied = Changes()
    emptied.put("item", "elsewhere", "a", {"S": "gone"})
    emptied.empty("item", "elsewhere")
    emptied.put("item", "elsewhere", "b", {"S": "\ud800"})
    removed = Changes()
    removed.remove("item", TABLE, "b")

    save(tmp_path, items(a=1, b=2), items(a=3), emptied, removed)

    said, rows = started(tmp_path)
    assert said is None
    assert rows == {("item", TABLE, "a"): "3", ("item", "elsewhere", "b"): '{"S": "\\ud800"}'}


@pytest.mark.parametrize("name", [FIRST, SECOND])
@pytest.mark.parametrize("damage", ["emptied", "cut off", "overwritten", "another file"])
def test_a_damaged_file_is_replaced_by_its_copy_and_reported(tmp_path: Path, name: str, damage: str) -> None:
    save(tmp_path, items(**{f"item{number}": {"S": "x" * 500} for number in range(100)}), items(last=1))
    before = started(tmp_path)[1]
    path = tmp_path / name
    content = path.read_bytes()
    middle = len(content) // 2
    damaged = {
        "emptied": b"",
        "cut off": content[:middle],
        "overwritten": content[:middle] + bytes(4096) + content[middle + 4096 :],
        "another file": b"not a database" * 1000,
    }
    path.write_bytes(damaged[damage])

    said, rows = started(tmp_path)

    assert rows == before
    assert said is not None
    assert said.startswith(f"{path} is ")
    assert said.endswith(f", is kept as {name}.damaged, and was replaced by its copy.")
    assert (tmp_path / f"{name}.damaged").read_bytes() == damaged[damage]
    assert started(tmp_path) == (None, before)


def test_damage_of_any_byte_changes_no_restored_data(tmp_path: Path) -> None:
    save(tmp_path, items(**{f"item{number}": {"N": str(number)} for number in range(200)}))
    before = started(tmp_path)[1]
    path = tmp_path / FIRST
    content = path.read_bytes()
    for position in range(0, len(content), 1511):
        path.write_bytes(content[:position] + bytes([content[position] ^ 0x20]) + content[position + 1 :])

        assert started(tmp_path)[1] == before, position


def test_with_both_files_damaged_the_start_is_refused_and_nothing_changes(tmp_path: Path) -> None:
    save(tmp_path, items(a=1))
    for name in (FIRST, SECOND):
        (tmp_path / name).write_bytes(b"not a database" * 1000)

    with pytest.raises(StateDamaged, match=rf"{FIRST} is damaged .*; put back a copy of .*, or move it away") as raised:
        State(tmp_path).prepare()

    assert "\n" not in str(raised.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(
        (FIRST, SECOND), b"not a database" * 1000
    )


def test_a_save_on_a_full_disk_changes_nothing_and_is_repeated_later(tmp_path: Path) -> None:
    save(tmp_path, items(a="before"))
    state = State(tmp_path)
    before = stored(state)
    with full_disk((tmp_path / FIRST).stat().st_size):
        with pytest.raises(Exception, match="disk"):
            state.write(items(a="while it was full", b="x" * 100_000))
        # As after a kill at this moment.
        assert stored(State(tmp_path)) == before

    state.write(items(c="after"))

    assert not state.unsaved
    assert [value[:10] for value in stored(state).values()] == ["while it w", "xxxxxxxxxx", "after"]


def test_a_start_on_a_full_disk_is_refused_in_one_sentence(tmp_path: Path) -> None:
    save(tmp_path, items(a=1))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with (
        full_disk(100_000),
        pytest.raises(
            DiskFull, match=rf"^The disk with {tmp_path} is full; free some space and start again\. [^.]+\.$"
        ),
    ):
        State(tmp_path).prepare()

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_damaged_data_of_the_previous_version_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "dynamodb.json"
    path.write_text('{"__ministack_format__": 2, "payl')

    with pytest.raises(StateDamaged, match=r"dynamodb\.json is damaged"):
        State(tmp_path).prepare()

    assert path.read_text() == '{"__ministack_format__": 2, "payl'


def test_a_process_killed_at_any_moment_leaves_its_last_save_intact(tmp_path: Path) -> None:
    dice = random.Random(1)  # to be repeatable, not secret
    number = 0
    for _ in range(3):
        with subprocess.Popen(  # noqa: S603  # our own text
            [sys.executable, "-c", _WRITER, tmp_path, str(number + 1)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            for _ in range(dice.randrange(1, 40)):
                number = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            number = max([number, *(int(line) for line in writer.stdout.read().splitlines())])

        said, rows = started(tmp_path)

        assert said is None
        [left, right] = rows.values()
        assert left == right
        # The save that was not acknowledged any more may be there too.
        assert int(left.split('"')[3]) - number in (0, 1)
