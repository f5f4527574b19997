"""The context object that Lambda hands to a function."""

import uuid
from dataclasses import dataclass, field
from typing import ClassVar

from infrastructure.local.clients import REGION
from infrastructure.references import ACCOUNT


@dataclass
class LambdaContext:
    """One invocation of a function, with ``seconds`` left from now on.

    Its time stands still unless a test lets it pass, so that no outcome depends on how busy the machine is.
    """

    function_name: str
    seconds: float = 20.0
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"
    passed_seconds: ClassVar[float] = 0.0
    """How much time a test has let pass, for all invocations."""
    _began: float = field(default_factory=lambda: LambdaContext.passed_seconds)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._began + self.seconds - LambdaContext.passed_seconds) * 1000))
