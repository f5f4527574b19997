"""Runs the unit layer on every other CPython of this machine from 3.11 up: ``python -m tests.interpreters``.

Each version gets a virtual environment of its own, ``.venvs/3.N``, which is kept until a requirement file changes.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LEAST = (3, 11)

_NAME = re.compile(r"python3\.\d+")
_PROBE = (
    "import sys, ensurepip, venv; print(sys.implementation.name, sys.version_info.releaselevel, *sys.version_info[:2])"
)
_REQUIREMENTS = [
    "tests/requirements.txt",
    "infrastructure/requirements.txt",
    "layers/dependencies/requirements.txt",
    "layers/passwords/requirements.txt",
    "layers/signing/requirements.txt",
    "pyproject.toml",
]
_REQUIREMENTS_OF_TOOLS = [
    "bench/requirements.txt",
    "infrastructure/requirements-checkov.txt",
    "infrastructure/requirements-deploy.txt",
    "tests/fuzz/requirements.txt",
]

Version = tuple[int, int]


def found() -> dict[Version, Path]:
    """One interpreter for each version, the first that really runs: those on the PATH, then pyenv's."""
    interpreters: dict[Version, Path] = {}
    for candidate in [*_on_path(), *_of_pyenv()]:
        version = _version(candidate)
        if version is not None and version >= LEAST:
            interpreters.setdefault(version, candidate)
    return dict(sorted(interpreters.items()))


def _on_path() -> list[Path]:
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    return [path for folder in folders for path in _interpreters_in(folder)]


def _of_pyenv() -> list[Path]:
    """pyenv's commands on the PATH fail for versions that are installed but not chosen, so they are looked up here."""
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return []
    said = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False).stdout.strip()
    # With another home than the one it was installed for, pyenv names a folder that is not there.
    roots = [Path(said), Path(pyenv).resolve().parents[1]]
    return [
        path for root in roots for folder in sorted(root.glob("versions/*/bin")) for path in _interpreters_in(folder)
    ]


def _interpreters_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError:  # The PATH may name what is not there, or not ours to read.
        return []


def _version(candidate: Path) -> Version | None:
    """Its version, if it runs, is a released CPython, and can make virtual environments."""
    try:
        probe = subprocess.run([candidate, "-c", _PROBE], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match probe.stdout.split():
        case ["cpython", "final", major, minor] if probe.returncode == 0:
            return int(major), int(minor)
    return None


def environment_of(version: Version, interpreter: Path) -> Path:
    """The Python of a virtual environment that has what the tests need. Raises ``CalledProcessError``."""
    folder = ROOT / ".venvs" / _text(version)
    python, stamp = folder / "bin" / "python", folder / "stamp"
    wanted = hashlib.sha256(
        b"".join((ROOT / name).read_bytes() for name in [*_REQUIREMENTS, *_REQUIREMENTS_OF_TOOLS])
    ).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"Setting up {folder.relative_to(ROOT)} with {interpreter}", flush=True)
    subprocess.run([interpreter, "-m", "venv", "--clear", folder], check=True)
    install = ["sh", "infrastructure/install.sh", str(python)]
    subprocess.run([*install, "--requirement", "tests/requirements.txt"], cwd=ROOT, check=True)
    subprocess.run([*install, "--no-deps", "--editable", "."], cwd=ROOT, check=True)
    for name in _REQUIREMENTS_OF_TOOLS:
        # Not used here, but there must be all of them for this Python, too.
        exist = ["install", "--quiet", "--dry-run", "--no-deps", "--requirement", name]
        subprocess.run([python, "-m", "pip", *exist], cwd=ROOT, check=True)
    stamp.write_text(wanted)
    return python


def main(arguments: list[str]) -> int:
    """The exit code: 0 if the tests passed on every version. ``arguments`` are handed to pytest."""
    here = sys.version_info[:2]
    others = [(version, interpreter) for version, interpreter in found().items() if version != here]
    outcomes = {}
    for version, interpreter in others:
        print(f"\nUnit layer on Python {_text(version)}", flush=True)
        outcomes[version] = _passes(version, interpreter, arguments)
    tested = [f"{_text(version)} {'passed' if passed else 'FAILED'}" for version, passed in outcomes.items()]
    print(f"\nPython versions beside {_text(here)}: {', '.join(tested) or 'none on this machine'}", flush=True)
    return 0 if all(outcomes.values()) else 1


def _passes(version: Version, interpreter: Path, arguments: list[str]) -> bool:
    try:
        python = environment_of(version, interpreter)
    except subprocess.CalledProcessError as error:
        print(f"Python {_text(version)} could not be set up: {error}", file=sys.stderr)
        return False
    return subprocess.run([python, "-m", "pytest", *arguments], cwd=ROOT, check=False).returncode == 0


def _text(version: Version) -> str:
    return ".".join(map(str, version))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
