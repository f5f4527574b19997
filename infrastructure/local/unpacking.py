"""Archives of functions and layers, unpacked once for all workers of a process.

ministack unpacks a function and its layers anew for each worker that it starts, within the server's process, and Python
then compiles all of it anew. Here a worker's folders are links to what was unpacked before, where the compiled files
stay beside their sources. On AWS, too, a function cannot write to the folders of its code.
"""

import hashlib
import shutil
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any


def install(lambda_runtime: Any) -> None:
    """Let ministack's workers have their archives in common. ``lambda_runtime``: its module that starts them."""
    unpacked = _Unpacked(Path(tempfile.mkdtemp(prefix="unpacked-")))

    class Archive(zipfile.ZipFile):
        def extractall(self, path: Any = None, *_: Any) -> None:
            unpacked.link(self, Path(path))

    # ministack has no place to listen at: its module gets a library of its own, with this one class in it.
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": Archive})


class _Unpacked:
    """A folder that has a folder for each archive."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unpacking = threading.Lock()

    def link(self, archive: zipfile.ZipFile, place: Path) -> None:
        """Puts a link to what is in the archive in the place of an empty folder."""
        content = hashlib.sha256(Path(str(archive.filename)).read_bytes()).hexdigest()
        kept = self._folder / content
        with self._unpacking:
            if not kept.exists():
                # Whole or not at all: a full disk may break it off.
                partial = self._folder / f"{content}.part"
                shutil.rmtree(partial, ignore_errors=True)
                zipfile.ZipFile.extractall(archive, partial)
                partial.rename(kept)
        place.rmdir()
        place.symlink_to(kept, target_is_directory=True)
