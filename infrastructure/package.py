"""Turns the code of functions and layers into archives.

An archive is reproducible: the same files give the same bytes, so its name, a hash, changes with its content alone
and an unchanged function is not deployed again. Layers are built by their Makefile, the recipe that SAM runs, too,
and kept: one is built again when a file of its folder, the interpreter or the target changes.
"""

import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.local.errors import BuildFailed
from infrastructure.template import code_folders

# The earliest time that the format can hold: an archive must not depend on when its files were written.
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Target:
    """Where code is to run. ``machine``: ``arm64`` or ``x86_64``. ``python``: a version of Python, such as ``3.13``."""

    machine: str
    python: str

    @property
    def variables(self) -> list[str]:
        """For the recipes of layers."""
        return [f"ARCH={self.machine}", f"PYTHON_VERSION={self.python}"]


def build(
    template: Mapping[str, Any],
    root: Path,
    kept: Path,
    progress: Callable[[str], None] = lambda _: None,
    target: Target | None = None,
) -> dict[str, Path]:
    """The archive of each function and layer, by its name in the template.

    ``root`` is the folder of the template, ``kept`` the folder that keeps archives from one call to the next. Without
    a ``target``, for this machine and this interpreter. Raises BuildFailed.
    """
    kept.mkdir(parents=True, exist_ok=True)

    def build_one(named: tuple[str, str]) -> Path:
        name, folder = named
        source = root / folder
        if not source.is_dir():
            raise BuildFailed(f"{name} has no code: there is no folder {folder}.")
        if template["Resources"][name].get("Metadata", {}).get("BuildMethod") == "makefile":
            return _build_layer(name, source, kept, progress, target)
        return _keep(kept, name, archive(source))

    folders = code_folders(template)
    # Recipes wait for the network for most of their time.
    with ThreadPoolExecutor(max_workers=4) as pool:
        return dict(zip(folders, pool.map(build_one, folders.items()), strict=True))


def digest(path: Path) -> str:
    """SHA-256 of an archive, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def archive(folder: Path) -> bytes:
    """A zip archive of the folder: sorted, without times, owners and compiled Python files."""
    with tempfile.SpooledTemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zip_file:
            for path in _files(folder):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (0o755 if os.access(path, os.X_OK) else 0o644) << 16
                zip_file.writestr(entry, path.read_bytes())
        file.seek(0)
        return file.read()


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _build_layer(name: str, source: Path, kept: Path, progress: Callable[[str], None], target: Target | None) -> Path:
    place = f"{sys.version}\0{sysconfig.get_platform()}" if target is None else str(target)
    recipe = hashlib.sha256(f"{place}\0".encode())
    for path in _files(source):
        content = path.read_bytes()
        recipe.update(f"{path.relative_to(source).as_posix()}\0{len(content)}\0".encode())
        recipe.update(content)
    path = kept / f"{name}-{recipe.hexdigest()[:32]}.zip"
    if not path.exists():
        progress(f"Building {name}")
        with tempfile.TemporaryDirectory() as artifacts:
            _run_recipe(name, source, Path(artifacts), target)
            _write(path, archive(Path(artifacts)))
    return path


def _run_recipe(name: str, source: Path, artifacts: Path, target: Target | None) -> None:
    command = [
        *("make", "--silent", "--no-print-directory", "--directory", str(source), f"build-{name}"),
        *(f"ARTIFACTS_DIR={artifacts}", f"PYTHON={sys.executable}"),
        *(["PIP_PLATFORM_FLAGS="] if target is None else target.variables),
    ]
    # The variables of a make that started this program would reach the recipe's own make.
    inherited = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARCH", "PYTHON_VERSION", "PIP_PLATFORM_FLAGS")
    environment = {key: value for key, value in os.environ.items() if key not in inherited}
    try:
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BuildFailed("Building the layers needs make, which is not on the PATH.") from None
    if result.returncode != 0:
        lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines or ["no reason given"]
        raise BuildFailed(f"{name} could not be built: {errors[-1]}")


def _keep(kept: Path, name: str, content: bytes) -> Path:
    path = kept / f"{name}-{hashlib.sha256(content).hexdigest()[:32]}.zip"
    if not path.exists():
        _write(path, content)
    return path


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: another start, or a broken one, must not find half an archive."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)
