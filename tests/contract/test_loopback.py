"""Webhooks are sent by http to the machine itself on local stacks alone: nothing that deploys to AWS lets them."""

from infrastructure.template import REPOSITORY, local_values
from tests.support.stack import Stack

PARAMETER = "WebhooksToLoopback"
DEPLOYING = ("samconfig.toml", "Makefile", "infrastructure/pipelines", "infrastructure/deploy", ".github", ".ci")
LOCAL_ALONE = {"template.yaml", "infrastructure/template.py"}


def test_it_is_off_unless_a_local_stack_turns_it_on() -> None:
    template = Stack({}).template

    assert template["Parameters"][PARAMETER]["Default"] == "false"
    assert local_values(template)[PARAMETER] == "true"


def test_nothing_but_local_stacks_names_it() -> None:
    folders = [REPOSITORY / name for name in DEPLOYING if (REPOSITORY / name).exists()]
    files = [path for folder in folders for path in (folder.rglob("*") if folder.is_dir() else [folder])]
    code = (REPOSITORY / "infrastructure").rglob("*.py")
    naming = {
        path.relative_to(REPOSITORY).as_posix()
        for path in [*files, *code]
        if path.is_file() and PARAMETER in path.read_text(encoding="utf-8", errors="replace")
    }

    assert len(files) > 3
    assert naming <= LOCAL_ALONE


def test_the_functions_that_read_it_get_it_from_the_parameter() -> None:
    stack = Stack({})
    values = [
        stack.variables(function)["WEBHOOKS_TO_LOOPBACK"]
        for function in stack.functions
        if "WEBHOOKS_TO_LOOPBACK" in stack.variables(function)
    ]

    assert values == [{"Ref": PARAMETER}] * 2
