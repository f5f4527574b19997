"""What ministack keeps in memory: all that its services call their state is saved."""

import json
import subprocess
import sys

from infrastructure.template import REPOSITORY

# In a process of its own: ministack starts threads as soon as it is imported.
_QUESTION = """
import json
from infrastructure.local import memory

said = {name: sorted(memory.app._get_module(name).get_state()) for name in memory.FIELDS}
print(json.dumps([said, {name: sorted(memory._without_rows(name)) for name in memory.FIELDS}]))
"""


def test_where_rows_are_saved_by_themselves_the_rest_is_what_ministack_calls_its_state() -> None:
    run = subprocess.run(  # noqa: S603  # our own text
        [sys.executable, "-c", _QUESTION], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    said_by_ministack, saved = json.loads(run.stdout)
    assert saved == said_by_ministack
