"""Stands before the authorizer under SAM local, where no exception of an authorizer is a 401: each is a 502.

What API Gateway responds with 401 is denied here, so it is a 403. This file is copied beside the authorizer's code.
"""

import importlib
import os
from typing import Any

_module, _, _name = os.environ["WRAPPED_HANDLER"].rpartition(".")
_decide = getattr(importlib.import_module(_module), _name)


def handler(event: dict[str, Any], context: Any) -> Any:
    """As the authorizer decides. Raises whatever it does, except for the word that stands for 401."""
    try:
        return _decide(event, context)
    except Exception as error:
        if str(error) != "Unauthorized":
            raise
        statement = {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": event["methodArn"]}
        return {"principalId": "nobody", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
