"""The operations page: every alarm has its section, every command that it names is one."""

import re

from infrastructure.template import REPOSITORY
from tests.support.stack import Stack

PAGE = (REPOSITORY / "docs" / "guides" / "operate.md").read_text(encoding="utf-8")


def test_the_page_has_an_action_for_every_alarm_and_for_no_other() -> None:
    assert re.findall(r"^### (\w+)$", PAGE, re.MULTILINE) == list(Stack().of_type("AWS::CloudWatch::Alarm"))


def test_every_command_named_in_the_page_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")

    named = set(re.findall(r"\bmake ([a-z-]+)(?= [A-Z]+=|`)", PAGE))

    assert {"deploy", "replay", "migrate", "audit"} <= named
    assert {name for name in named if not re.search(rf"^{name}:", makefile, re.MULTILINE)} == set()


def test_every_migration_is_in_the_table() -> None:
    folder = REPOSITORY / "layers" / "tasksync" / "tasksync" / "dynamodb" / "migrations"
    released = {path.name.removeprefix("m").removesuffix(".py").replace("_", "-") for path in folder.glob("m[0-9]*.py")}

    assert set(re.findall(r"^\| `(\d{4}-[a-z-]+)` \|", PAGE, re.MULTILINE)) == released
