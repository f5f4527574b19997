"""What functions log is kept in a file each, with a worker of ministack's that runs.

ministack runs in a process of its own, for it starts threads as soon as it is imported; it does not serve.
"""

import json
import subprocess
import sys
from pathlib import Path

from infrastructure.template import REPOSITORY

_STEPS = """
import asyncio, io, json, sys, tempfile, zipfile
from pathlib import Path

tempfile.tempdir = sys.argv[1]
from ministack.core import lambda_runtime
from infrastructure.local.logs import FunctionLogs

async def none(*_):
    return 200, {}, json.dumps({"logGroups": []})

logs = FunctionLogs(Path(sys.argv[1]), none, none)
logs.listen(lambda_runtime.Worker)
HANDLER = '''
import json, sys
def handler(event, context):
    if event["fails"]:
        print("the reason", file=sys.stderr, flush=True)
        raise ValueError(event["text"])
    print(json.dumps({"message": event["text"]}), file=sys.stderr, flush=True)
    return event["text"]
'''
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as content:
    content.writestr("f.py", HANDLER)
arn = "arn:aws:lambda:eu-west-1:000000000000:function:f"
config = {
    "FunctionName": "f",
    "FunctionArn": arn,
    "Handler": "f.handler",
    "LoggingConfig": {"LogGroup": "/tasksync/F"},
}
worker = lambda_runtime.Worker("f", config, archive.getvalue())
said = [worker.invoke({"fails": False, "text": f"call {number}"}, "an id") for number in range(3)]
said.append(worker.invoke({"fails": True, "text": "broken"}, "an id"))
asyncio.run(logs.finish())
worker.kill()
print(json.dumps([[each["status"], each["log"]] for each in said]))
"""


def test_lines_of_functions_are_in_their_file_and_the_reason_of_a_failure_is_at_ministack(tmp_path: Path) -> None:
    run = subprocess.run(  # noqa: S603  # our own text
        [sys.executable, "-c", _STEPS, tmp_path], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    *successes, failure = json.loads(run.stdout.splitlines()[-1])

    assert successes == [["ok", ""]] * 3
    assert failure[0] == "error"
    assert "the reason" in failure[1]
    lines = (tmp_path / "F.log").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["call 0", "call 1", "call 2"]
