"""Workers of ministack's find their code where others of the same archives do.

ministack runs in a process of its own, for it starts threads as soon as it is imported; it does not serve.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from infrastructure.template import REPOSITORY

_BEGINNING = """
import io, json, os, sys, tempfile, zipfile
from pathlib import Path

tempfile.tempdir = sys.argv[1]
from ministack.core import lambda_runtime
from infrastructure.local import unpacking

unpacking.install(lambda_runtime)

def archive(**modules):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as content:
        for name, text in modules.items():
            content.writestr(f"{name}.py", text)
    return file.getvalue()

READS = "import os\\ndef handler(event, context): return [os.path.realpath(__file__), TEXT]\\nTEXT = "

def start(code):
    config = {
        "FunctionName": "f", "FunctionArn": "arn:aws:lambda:eu-west-1:000000000000:function:f", "Handler": "f.handler"
    }
    return lambda_runtime.Worker("f", config, code)

def handled(worker):
    return worker.invoke({}, "an id")["result"]
"""


def process(folder: Path, steps: str) -> Any:
    """What these steps print; ``folder`` is for temporary files."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run(  # noqa: S603  # our own text
        [sys.executable, "-c", _BEGINNING + steps, folder],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_workers_of_one_archive_have_one_copy_and_those_of_another_have_theirs(tmp_path: Path) -> None:
    said = process(
        tmp_path,
        """
workers = [start(archive(f=READS + repr(text))) for text in ("one", "one", "two")]
said = [handled(worker) for worker in workers]
for worker in workers:
    worker.kill()
print(json.dumps(said))
""",
    )

    (first, *_), (second, *_), (third, *_) = said
    assert [text for _, text in said] == ["one", "one", "two"]
    assert first == second != third
    assert list(Path(first).parent.glob("__pycache__/f.*.pyc"))


def test_a_copy_stays_when_a_worker_ends_and_is_used_by_the_next(tmp_path: Path) -> None:
    said = process(
        tmp_path,
        """
code = archive(f=READS + "'one'")
workers = [start(code), start(code)]
first = handled(workers[0])
workers[0].kill()
workers[0]._discard_tmpdir()
second = handled(workers[1])
workers[1].kill()
print(json.dumps([first, second]))
""",
    )

    first, second = said
    assert first == second


def test_an_archive_that_could_not_be_unpacked_whole_is_unpacked_again(tmp_path: Path) -> None:
    said = process(
        tmp_path,
        """

extract = zipfile.ZipFile.extractall

def extract_half(self, path):
    Path(path).mkdir()
    Path(path, "half").write_text("")
    zipfile.ZipFile.extractall = extract
    raise OSError("No space left on device")

zipfile.ZipFile.extractall = extract_half
worker = start(archive(f=READS + "'one'"))
try:
    failed = str(worker.invoke({}, "an id"))
except OSError as error:
    failed = str(error)
again = start(archive(f=READS + "'one'"))
place, text = handled(again)
again.kill()
print(json.dumps([failed, text, sorted(os.listdir(os.path.dirname(place)))]))
""",
    )

    failed, text, found = said
    assert "No space left on device" in failed
    assert text == "one"
    assert found == ["__pycache__", "f.py"]
