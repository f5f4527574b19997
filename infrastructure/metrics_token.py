"""`make metrics-token`: prints the token that GET /metrics takes, of the running local stack or of a stack on AWS.

Another one takes its place by `aws secretsmanager put-secret-value`; containers that run keep the one they have read.
"""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError

from infrastructure import deployed
from infrastructure.local.errors import LocalStackError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", default="", help="name of a stack on AWS; the running local stack without it")
    arguments = parser.parse_args()
    try:
        stack = deployed.find(arguments.stack)
        print(stack.client("secretsmanager").get_secret_value(SecretId=stack.outputs["MetricsSecret"])["SecretString"])
    except (LocalStackError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
