"""Results of ministack's that depend on a text alone, remembered: it works them out again for each item that a query
looks at, and for each request.

Nothing that is remembered can be out of date: a condition or a policy that changes is another text.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

# More conditions and policies than there are in the template.
_RESULTS = 4096


def install(dynamodb: Any, iam_evaluator: Any) -> None:
    """Let ministack's DynamoDB remember what it reads of conditions, and its IAM what it reads of policies."""
    check = dynamodb._condition_syntax_error  # noqa: SLF001  # ministack has no place to listen at
    dynamodb._condition_syntax_error = lru_cache(_RESULTS)(check)  # noqa: SLF001  # ministack has no place to listen at
    dynamodb._tokenize = _lists(dynamodb._tokenize)  # noqa: SLF001  # ministack has no place to listen at
    iam_evaluator.parse_policy_document = _lists(iam_evaluator.parse_policy_document)


def _lists(read: Callable[[Any], list[Any]]) -> Callable[[Any], list[Any]]:
    """The same function of a text. Each caller has a list of its own, of parts that ministack alters nowhere."""
    remembered = lru_cache(_RESULTS)(lambda text: tuple(read(text)))

    def read_once(source: Any) -> list[Any]:
        return list(remembered(source)) if isinstance(source, str) else read(source)

    return read_once
