"""`make migrate`: carries out the migrations that are not done, in the running local stack or in a stack on AWS.

The function that does it is called until all are done. It stores where it stands, so this may be ended at any time and
called again. Ends with 1 if a migration was interrupted (the next call goes on) or had to leave items as they were.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infrastructure import deployed

Report = Mapping[str, Any]

ITEMS_PER_SECOND = 2_000
"""During a deployment: a sixth of the read capacity that DynamoDB gives a new table."""


class MigrationFailed(Exception):
    """A migration was interrupted. The message says by what."""


def call(functions: Any, function: str, event: Mapping[str, Any]) -> Report:
    """What the function answers. ``functions``: a boto3 client of Lambda. Raises MigrationFailed."""
    try:
        report: Report = deployed.invoke(functions, function, event)
    except deployed.FunctionFailed as error:
        raise MigrationFailed(f"The migration was interrupted: {error}") from error
    if report["error"]:
        raise MigrationFailed(f"The migration was interrupted: {report['error']}; call it again to go on.")
    return report


def until_done(functions: Any, function: str, event: Mapping[str, Any]) -> Iterator[Report]:
    """The responses of as many calls as it takes. Raises MigrationFailed."""
    while True:
        report = call(functions, function, event)
        yield report
        if done(report) or event.get("status"):
            return
        event = {name: value for name, value in event.items() if name != "again"}


def is_done(functions: Any, function: str) -> bool:
    """Whether all migrations are done. ``functions``: a boto3 client of Lambda."""
    return done(call(functions, function, {"status": True}))


def finish(functions: Any, function: str, progress: Callable[[str], None]) -> None:
    """Carry out what is not done, after a deployment. Raises MigrationFailed.

    ``functions``: a boto3 client of Lambda.
    """
    if is_done(functions, function):
        return
    for report in until_done(functions, function, {"items_per_second": ITEMS_PER_SECOND}):
        for line in lines(report):
            progress(line)


def done(report: Report) -> bool:
    return all(each["done"] for each in report["migrations"])


def left_over(report: Report) -> bool:
    """Whether there are items that could not be brought to the new form."""
    return any(each["left"] for each in report["migrations"])


def lines(report: Report) -> Iterator[str]:
    """The report for the person at the terminal."""
    for each in report["migrations"]:
        state = "done" if each["done"] else "under way" if each["looked_at"] else "not begun"
        yield f"{each['id']}  {state}: {each['changed']} of {each['looked_at']} items changed; {each['description']}"
        if each["left"]:
            yield f"{'':{len(each['id'])}}  {each['left']} LEFT as they were: their content is wrong, see make audit"


def main() -> int:
    parser = deployed.arguments(__doc__)
    parser.add_argument("--status", default="", help="1: only say how far each is")
    parser.add_argument("--again", default="", help="ids of migrations to begin anew, separated by commas")
    parser.add_argument("--items-per-second", default="", help="how many items are looked at")
    arguments = parser.parse_args()
    event: dict[str, Any] = {"status": bool(arguments.status), "again": [*filter(None, arguments.again.split(","))]}
    try:
        if arguments.items_per_second:
            event["items_per_second"] = float(arguments.items_per_second)
        stack = deployed.find(arguments.stack)
        functions = deployed.functions(stack.client)
        report: Report = {"migrations": []}
        for report in until_done(functions, stack.outputs["MigrationsFunction"], event):
            for line in lines(report):
                print(line, flush=True)
    except (MigrationFailed, ValueError, *deployed.Failure) as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if left_over(report) else 0


if __name__ == "__main__":
    sys.exit(main())
