"""The context object that Lambda hands to a function."""

import time
import uuid
from dataclasses import dataclass, field

from tests.support.stack import ACCOUNT, REGION


@dataclass
class LambdaContext:
    """One invocation of a function, with ``seconds`` left from now on."""

    function_name: str
    seconds: float = 20.0
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"
    _began: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._began + self.seconds - time.monotonic()) * 1000))
