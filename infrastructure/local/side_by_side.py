"""Functions that process streams, side by side as on AWS: ministack calls one after another, so that a change waits for
whatever the other functions are doing.

One call at a time goes to each function, in the order of each stream.
"""

import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

# ministack has no place to listen at: what is private in it is read and replaced here.
# ruff: noqa: SLF001

# How soon ministack looks again after it found something changed. Looking is cheap, for it calls no function any more.
_SECONDS_BETWEEN_LOOKS = 0.02

_function: ContextVar[str | None] = ContextVar("function", default=None)


def install(lambda_svc: Any, dynamodb: Any) -> None:
    """Let ministack call the functions so. ``lambda_svc``: its module that reads streams; ``dynamodb``: has them."""
    poll, mappings = lambda_svc._poll_dynamodb_streams, lambda_svc._iter_all_esms
    busy: set[str] = set()
    changing = threading.Lock()

    def mappings_of_one() -> Iterator[Any]:
        function = _function.get()
        return (each for each in mappings() if function in (None, each[2]["FunctionName"]))

    def behind(account: str, region: str, mapping: Any) -> bool:
        table, separator, _ = mapping.get("EventSourceArn", "").partition("/stream/")
        if not separator:
            return False
        position = lambda_svc._dynamodb_stream_positions.get_scoped(account, region, mapping["UUID"])
        end = dynamodb.stream_end_position(table.rpartition("/")[2], account_id=account, region=region)
        return bool(position != end)

    def process(function: str) -> None:
        _function.set(function)
        processed = False
        try:
            while poll():
                processed = True
        finally:
            with changing:
                busy.discard(function)
            if processed:
                # What came since the last look found this function busy.
                lambda_svc._esm_wake.set()

    def look() -> bool:
        for function in {each[2]["FunctionName"] for each in mappings() if behind(*each)}:
            with changing:
                if function in busy:
                    continue
                busy.add(function)
            threading.Thread(target=process, args=(function,), daemon=True, name=f"stream-{function}").start()
        return False

    lambda_svc._iter_all_esms = mappings_of_one
    lambda_svc._poll_dynamodb_streams = look
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = _SECONDS_BETWEEN_LOOKS
