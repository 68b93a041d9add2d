"""Entry in a sandbox's Worker: takes calls from the session, and lets code here ask the session and log to it.

Messages are JSON texts. To here: {type: "call", id, op, args}, {type: "cancel", id}, {type: "told", id, value | error}.
From here: {type: "ready"}, {type: "returned", id, value}, {type: "raised", id, error, kind, details},
{type: "ask", id, name, args}, {type: "log", level, text}.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import itertools
import json
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]

# What may be called: "module:function", imported when it is first called. Functions take keyword arguments and return JSON.
OPS: dict[str, str] = {
    "ping": "amplifier_sandbox.main:ping",
    "run": "amplifier_sandbox.run_code:run",
    "module.check": "amplifier_sandbox.module_host:check",
    "module.mount": "amplifier_sandbox.module_host:mount",
    "module.tool": "amplifier_sandbox.module_host:tool",
    "module.hook": "amplifier_sandbox.module_host:hook",
    "module.unmount": "amplifier_sandbox.module_host:unmount",
}
INTERRUPTED = "interrupted"
MEMORY = "memory"
LONGEST_VALUE = 4 << 20  # characters of JSON
LONGEST_LOG = 2000
SPARE_BYTES = 2 << 20


class AskError(Exception):
    """The session did not do what it was asked; its text is the session's."""


class Channel:
    """The texts to and from the session."""

    def __init__(self) -> None:
        self.post: Callable[[str], bool] = lambda _text: False
        self.ids = itertools.count(1)
        self.calls: dict[int, asyncio.Task[None]] = {}
        self.asked: dict[int, asyncio.Future[Any]] = {}
        self.spare = bytearray()  # given up when memory is short, so that this can be said

    def send(self, **message: Any) -> None:
        """Posts one message; raises ValueError if that is too much."""
        self.send_text(json.dumps(message, ensure_ascii=False))

    def send_text(self, text: str) -> None:
        """Posts one message that is JSON already."""
        if not self.post(text):
            raise ValueError("too much was sent at a time")


_channel = Channel()


def start(post: Callable[[str], bool]) -> Callable[[str], None]:
    """Makes this Python one apart. `post` takes texts for the session and says whether they went; what is returned takes texts
    from the session."""
    from .apart import set_apart

    _channel.post = post
    set_apart()
    return receive


def ready() -> None:
    """Says that calls may come."""
    _channel.spare = bytearray(SPARE_BYTES)
    _channel.send(type="ready")


def receive(text: str) -> None:
    """Takes one message of the session."""
    message: Message = json.loads(text)
    kind, name = message["type"], message["id"]
    if kind == "call":
        task = _channel.calls[name] = asyncio.ensure_future(_answer(name, message["op"], message["args"]))
        task.add_done_callback(lambda _task: _channel.calls.pop(name, None))
    elif kind == "cancel" and name in _channel.calls:
        _channel.calls[name].cancel()
    elif kind == "told" and name in _channel.asked:
        future = _channel.asked[name]
        if future.done():
            return
        if "error" in message:
            future.set_exception(AskError(message["error"]))
        else:
            future.set_result(message["value"])


async def ask(name: str, **args: Any) -> Any:
    """Asks the session and returns its answer; raises AskError."""
    number = next(_channel.ids)
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    _channel.asked[number] = future
    try:
        _channel.send(type="ask", id=number, name=name, args=args)
        return await future
    finally:
        del _channel.asked[number]


def log(level: str, text: str) -> None:
    """Logs a line, at level "info" or "error"."""
    _channel.send(type="log", level=level, text=text[:LONGEST_LOG])


def ping() -> str:
    """Says that this Python takes calls."""
    return "pong"


async def _answer(number: int, op: str, args: Message) -> None:
    try:
        value = _function(op)(**args)
        text = json.dumps(await value if inspect.isawaitable(value) else value, ensure_ascii=False)
        if len(text) > LONGEST_VALUE:
            raise ValueError(f"the result is too large: {len(text):,} characters")
        _channel.send_text(f'{{"type": "returned", "id": {number}, "value": {text}}}')
    except (KeyboardInterrupt, asyncio.CancelledError):
        _raised(number, INTERRUPTED, "it was interrupted")
    except MemoryError:
        release_spare()
        _raised(number, MEMORY, "there was not enough memory")
    except BaseException as error:  # SystemExit as well: a call must be answered
        _raised(number, type(error).__name__, str(error), getattr(error, "details", None))


def _raised(number: int, kind: str, error: str, details: Any = None) -> None:
    _channel.send(type="raised", id=number, kind=kind, error=error, details=details or {})


def _function(op: str) -> Callable[..., Any]:
    module, _, name = OPS[op].partition(":")
    return getattr(importlib.import_module(module), name)


def calls() -> set[asyncio.Task[None]]:
    """The calls that are being answered."""
    return set(_channel.calls.values())


def release_spare() -> None:
    """Gives up the memory that was kept for saying that there is none."""
    _channel.spare = bytearray()
