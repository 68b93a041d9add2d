"""Argument checks that raise what the native module raises, and small helpers."""

from __future__ import annotations

import asyncio
import operator
from datetime import UTC, datetime
from typing import Any, TypeVar

_T = TypeVar("_T")


def expect(value: Any, kind: type[_T]) -> _T:
    """Return value if it is a kind, else raise the TypeError that the native module raises."""
    if isinstance(value, kind):
        return value
    shown = "'None'" if value is None else f"'{type(value).__name__}' object"
    raise TypeError(f"{shown} is not an instance of '{kind.__name__}'")


def expect_optional(value: Any, kind: type[_T]) -> _T | None:
    return None if value is None else expect(value, kind)


def integer(value: Any, low: int, high: int) -> int:
    """Return value as an int in low..high; TypeError if it is none, OverflowError if it does not fit."""
    number = operator.index(value)
    if number < low:
        raise OverflowError("number too small to fit in target type")
    if number > high:
        raise OverflowError("number too large to fit in target type")
    return number


def real(value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise TypeError(f"must be real number, not {type(value).__name__}")
    return float(value)


def describe(error: BaseException) -> str:
    """An exception as ``Type: message``, also when its ``__str__`` fails."""
    try:
        text = str(error)
    except Exception:
        text = "<exception str() failed>"
    return f"{type(error).__qualname__}: {text}"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def cancel_requests() -> int:
    """How often the running task was asked to cancel."""
    task = asyncio.current_task()
    return task.cancelling() if task else 0


def is_callers_cancellation(error: BaseException, before: int) -> bool:
    """Whether error is the running task's own cancellation; before is cancel_requests() from before the call."""
    return isinstance(error, asyncio.CancelledError) and cancel_requests() > before


async def nothing() -> None:
    """The awaitable of methods that have done their work when they are called."""
