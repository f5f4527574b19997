"""`make metrics-token`: prints the token that GET /metrics takes, of the running local stack or of a stack on AWS.

Another one takes its place by `aws secretsmanager put-secret-value`; containers that run keep the one they have read.
"""

import sys

from infrastructure import deployed


def main() -> int:
    parser = deployed.arguments(__doc__)
    arguments = parser.parse_args()
    try:
        stack = deployed.find(arguments.stack)
        print(stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["MetricsSecret"])["SecretString"])
    except deployed.Failure as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
