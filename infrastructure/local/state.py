"""The saved state of the local stack: rows in two SQLite files, the second of which follows the first.

SQLite writes a set of changes whole or not at all, whatever ends the process or the machine meanwhile, and a full disk
leaves a file as it was. The second file is written after the first and holds the same, so one of the two is complete
at any moment: if one is damaged, the other takes its place.

A row has a checksum of its own, because SQLite notices damage to its structure, not to what is stored in it.
"""

import contextlib
import errno
import json
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infrastructure.local.errors import DiskFull, StateDamaged

Key = tuple[str, str, str]
"""Kind, scope and name of a row, such as ``("item", <ARN of the table>, <primary key>)``."""

_FORMAT = 1
_SPARE_BYTES = 1024 * 1024
_BUSY_SECONDS = 1.0
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLite's own codes: https://www.sqlite.org/rescode.html. An I/O error while writing is a full disk or a broken one.
_NOT_DAMAGE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY}

_SCHEMA = """
CREATE TABLE rows (
    kind TEXT NOT NULL, scope TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, checksum INTEGER NOT NULL,
    PRIMARY KEY (kind, scope, name)
) WITHOUT ROWID
"""
_PUT = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM rows WHERE kind = ? AND scope = ? AND name = ?"
_EMPTY = "DELETE FROM rows WHERE kind = ? AND scope = ?"
# The number of a save, in both files: what differs was not saved in both.
_SAVE: Key = ("save", "", "")


class Changes:
    """Rows to be written. What is said last of a row holds."""

    def __init__(self) -> None:
        self.emptied: set[tuple[str, str]] = set()
        self.rows: dict[Key, Any] = {}

    def put(self, kind: str, scope: str, name: str, value: Any) -> None:
        """``value``: a text, or what becomes one as JSON when it is written; it must not change meanwhile."""
        self.rows[kind, scope, name] = value

    def remove(self, kind: str, scope: str, name: str) -> None:
        self.rows[kind, scope, name] = None

    def empty(self, kind: str, scope: str) -> None:
        """Remove all rows of a scope."""
        self.rows = {key: value for key, value in self.rows.items() if key[:2] != (kind, scope)}
        self.emptied.add((kind, scope))

    def add(self, later: "Changes") -> None:
        for kind, scope in later.emptied:
            self.empty(kind, scope)
        self.rows |= later.rows

    def encode(self) -> None:
        """Turn all values into texts: once, for all files that they are written to."""
        for key, value in self.rows.items():
            if value is not None and not isinstance(value, str):
                self.rows[key] = json.dumps(value)

    def __bool__(self) -> bool:
        return bool(self.emptied or self.rows)


class StateFile:
    """One SQLite file. Used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def create(self, changes: Changes) -> None:
        """Under another name first: a file that has this one's name is complete. Raises as ``write`` does."""
        temporary = self.path.with_suffix(".tmp")
        temporary.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
            _write(connection, changes)
        _put_in_place(temporary, self.path)

    def write(self, changes: Changes) -> None:
        """All or nothing, and on the disk when it returns. Raises ``sqlite3.Error`` or OSError."""
        if not self.path.exists():
            raise FileNotFoundError(f"{self.path} was removed while it was in use")
        try:
            _write(self._connected(), changes)
        except BaseException:
            # The next connection undoes what this one left half done.
            self.close()
            raise

    def check(self) -> int:
        """Read every row; return the number of the last save. Raises StateDamaged, or OSError if it is not readable."""
        try:
            connection = self._connected()
            if connection.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                raise StateDamaged(f"{self.path} is not a saved state of this version")
            for (finding,) in connection.execute("PRAGMA quick_check(1)"):
                if finding != "ok":
                    raise StateDamaged(f"{self.path} is damaged ({' '.join(finding.split())})")
            return max(int(value) for key, value in self.rows() if key == _SAVE)
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF in _NOT_DAMAGE:
                raise OSError(f"{self.path}: {error}") from error
            raise StateDamaged(f"{self.path} is damaged ({error})") from error
        finally:
            self.close()

    def rows(self) -> Iterator[tuple[Key, str]]:
        """All rows, in the order of their keys. Raises StateDamaged for one whose checksum is wrong."""
        for kind, scope, name, value, checksum in self._connected().execute("SELECT * FROM rows ORDER BY 1, 2, 3"):
            if _checksum(kind, scope, name, value) != checksum:
                raise StateDamaged(f"{self.path} is damaged (a row of kind {kind} has a wrong checksum)")
            yield (kind, scope, name), value

    def replace_with(self, other: "StateFile") -> None:
        """Become a copy of another file, which nobody is writing to."""
        temporary = self.path.with_suffix(".tmp")
        shutil.copyfile(other.path, temporary)
        self._journal.unlink(missing_ok=True)
        _put_in_place(temporary, self.path)

    def set_aside(self) -> Path:
        """Rename it, so that another can take its place."""
        aside = self.path.with_name(self.path.name + ".damaged")
        self._journal.unlink(missing_ok=True)
        return self.path.replace(aside)

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    @property
    def _journal(self) -> Path:
        return self.path.with_name(self.path.name + "-journal")

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            # Opened by the thread that reads at the start, used and closed by the one that writes from then on.
            self._connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA journal_mode = TRUNCATE")
        return self._connection


class State:
    """The two files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._first = StateFile(folder / "state.sqlite")
        self._second = StateFile(folder / "state-copy.sqlite")
        self._files = (self._first, self._second)
        self._to_create = {file for file in self._files if not file.path.exists()}
        self._pending = {file: Changes() for file in self._files}
        self._last_save = 0

    def prepare(self) -> str | None:
        """Make both files whole and equal before a start. Returns a sentence if a damaged one had to be replaced.

        Raises StateDamaged if neither is whole, and DiskFull; then what was saved is left as it is.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        _require_space(self.folder)
        saves: dict[StateFile, int] = {}
        faults: dict[StateFile, str] = {}
        for file in self._files:
            if file.path.exists():
                try:
                    saves[file] = file.check()
                except StateDamaged as error:
                    faults[file] = str(error)
        if faults and not saves:
            raise StateDamaged(
                f"{' and '.join(faults.values())}; "
                f"put back a copy of {self.folder}, or move it away to start without data."
            )
        if saves:
            self._repair(max(saves, key=lambda file: saves[file]), saves, faults)
        else:
            _check_files_of_ministack(self.folder)
        return "; ".join(faults.values()) + ", and was replaced by its copy." if faults else None

    def exists(self) -> bool:
        return self._first.path.exists()

    @property
    def unsaved(self) -> bool:
        """Whether something could not be saved yet."""
        return any(self._pending.values())

    def rows(self) -> Iterator[tuple[Key, str]]:
        """All that was saved. Raises StateDamaged."""
        for key, value in self._first.rows():
            if key == _SAVE:
                self._last_save = int(value)
            else:
                yield key, value

    def write(self, changes: Changes) -> None:
        """Save them, and what could not be saved before. The first time they have to be everything.

        Raises ``sqlite3.Error`` or OSError; what was not saved is then saved with the next changes.
        """
        changes.encode()
        self._last_save += 1
        changes.put(*_SAVE, str(self._last_save))
        for pending in self._pending.values():
            pending.add(changes)
        for file in self._files:
            if file in self._to_create:
                file.create(self._pending[file])
                self._to_create.remove(file)
                if not self._to_create:
                    _remove_files_of_ministack(self.folder)
            else:
                file.write(self._pending[file])
            self._pending[file] = Changes()

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _repair(self, good: StateFile, saves: dict[StateFile, int], faults: dict[StateFile, str]) -> None:
        [other] = [file for file in self._files if file is not good]
        if other in faults:
            faults[other] += f", is kept as {other.set_aside().name}"
        if saves.get(other) != saves[good]:
            # Else the last save ended between the two.
            other.replace_with(good)


def _write(connection: sqlite3.Connection, changes: Changes) -> None:
    put = [(*key, value, _checksum(*key, value)) for key, value in changes.rows.items() if value is not None]
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(_EMPTY, changes.emptied)
        connection.executemany(_REMOVE, [key for key, value in changes.rows.items() if value is None])
        connection.executemany(_PUT, put)
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _require_space(folder: Path) -> None:
    """Raises DiskFull."""
    probe = folder / "space.tmp"
    try:
        with probe.open("wb") as file:
            file.write(bytes(_SPARE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(folder) from error
        raise
    finally:
        probe.unlink(missing_ok=True)


def _check_files_of_ministack(folder: Path) -> None:
    """Those of a version before this one. Raises StateDamaged."""
    for path in sorted(folder.glob("*.json")):
        try:
            json.loads(path.read_bytes())
        except ValueError as error:
            raise StateDamaged(
                f"{path} is damaged ({error}); put back a copy of {folder}, or move it away to start without data."
            ) from error


def _remove_files_of_ministack(folder: Path) -> None:
    for path in folder.glob("*.json"):
        path.unlink()
    shutil.rmtree(folder / "lambda-blobs", ignore_errors=True)


def _checksum(kind: str, scope: str, name: str, value: str) -> int:
    return zlib.crc32(f"{kind}\0{scope}\0{name}\0{value}".encode())


def _put_in_place(temporary: Path, path: Path) -> None:
    """Rename, so that after a power cut there is the old file or the new one, and not a part of it."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
