"""`make smoke`: the check after a deployment, on a stack on AWS or on the running local one. Prints a line a check."""

import sys

from infrastructure import deployed
from infrastructure.local.deploy import STACK
from infrastructure.smoke.inspection import look


def main() -> int:
    parser = deployed.arguments(__doc__)
    parser.add_argument("--url", default="", help="where the API answers, if not at the stack's ApiUrl")
    arguments = parser.parse_args()
    try:
        stack = deployed.find(arguments.stack)
        url = arguments.url or stack.url
        found = look(arguments.stack or STACK, url, stack.client)
    except deployed.Failure as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(map(str, found)))
    return 1 if any(each.faults for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
