"""What the scenarios are written with: catching outcomes, recording handlers, small stand-ins, normalizing."""

from __future__ import annotations

import contextlib
import inspect
import logging
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from amplifier_core import HookRegistry, HookResult, ModuleCoordinator

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(\+00:00|Z)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")
_COLUMN = re.compile(r" at line 1 column \d+")  # where in a JSON text that only upstream has
_TEMPORARY = re.compile(r"(/[\w.-]+)*/kernel-scenario-\w+")


def tidy(value: Any) -> Any:
    """value as JSON, with what differs between runs replaced: times, ids (numbered as they appear), addresses, paths."""
    return _tidy(value, {})


def _tidy(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, HookResult):
        value = value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, dict):
        return {str(_tidy(key, ids)): _tidy(value[key], ids) for key in value}
    if isinstance(value, (set, frozenset)):
        return [_tidy(item, ids) for item in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [_tidy(item, ids) for item in value]
    if isinstance(value, str):
        for pattern, text in ((_TEMPORARY, "<folder>"), (_TIME, "<time>"), (_ADDRESS, "<address>"), (_COLUMN, "")):
            value = pattern.sub(text, value)
        return _UUID.sub(lambda match: ids.setdefault(match[0], f"<id {len(ids)}>"), value)
    return value if value is None or isinstance(value, (bool, int, float)) else f"<{type(value).__name__}>"


async def outcome(call: Callable[[], Any]) -> Any:
    """What call returns, awaited if need be, or the type and message of what it raises."""
    try:
        value = call()
        return await value if inspect.isawaitable(value) else value
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


async def done(call: Callable[[], Any]) -> str:
    """outcome() for what returns nothing of interest: "done", or the error."""
    value = await outcome(call)
    return value if isinstance(value, str) else "done"


def returning(value: Any) -> Callable[..., Any]:
    """An async handler that returns value."""

    async def handler(event: str, data: Any) -> Any:
        return value

    return handler


def raising(error: BaseException) -> Callable[..., Any]:
    """An async function, of any arguments, that raises error."""

    async def handler(*args: Any, **kwargs: Any) -> Any:
        raise error

    return handler


class Recorder:
    """A handler that records (event, data) and continues."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def __call__(self, event: str, data: Any) -> HookResult:
        self.seen.append((event, data))
        return HookResult(action="continue")

    def take(self) -> list[Any]:
        """What was recorded since the last call."""
        seen, self.seen = self.seen, []
        return seen


def registry(*handlers: Any) -> HookRegistry:
    """A registry with handlers for event "x", named n0, n1, ... and run in that order."""
    hooks = HookRegistry()
    for number, handler in enumerate(handlers):
        hooks.register("x", handler, name=f"n{number}")
    return hooks


async def emitted(*results: Any) -> Any:
    """The combined result of handlers that return these."""
    return await outcome(lambda: registry(*map(returning, results)).emit("x", {"a": 1}))


def untimed(data: Any) -> Any:
    """data without its timestamp, keys in order."""
    return {key: data[key] for key in sorted(data) if key != "timestamp"} if isinstance(data, dict) else data


class Context:
    """A context manager that keeps what is added."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def add_message(self, message: Any) -> None:
        self.messages.append(message)


class Display:
    """A display system that keeps what it is asked to show."""

    def __init__(self) -> None:
        self.shown: list[Any] = []

    def show_message(self, *args: Any, **kwargs: Any) -> None:
        self.shown.append([*args, kwargs])


class Approval:
    """An approval system that gives one answer, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[Any] = []

    async def request_approval(self, *args: Any, **kwargs: Any) -> Any:
        self.asked.append([*args, kwargs])
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def coordinator(approval: Any = None, display: Any = None, context: Any = None, **session: Any) -> ModuleCoordinator:
    """A coordinator whose mount plan has these session settings."""
    identity = SimpleNamespace(session_id="s", parent_id=None, config={"session": session})
    made = ModuleCoordinator(identity, approval, display)
    made.mount_points["context"] = context
    return made


@contextlib.contextmanager
def logged(level: int = logging.WARNING) -> Iterator[list[list[str]]]:
    """The log records of at least this level, as [level, logger, message]."""
    records: list[list[str]] = []
    handler = logging.Handler(level)
    handler.emit = lambda record: records.append([record.levelname, record.name, record.getMessage()])  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        yield records
    finally:
        logging.getLogger().removeHandler(handler)
