"""The cancellation token."""

from __future__ import annotations

import inspect
import logging
from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Any

from ._engine_checks import cancel_requests, describe, expect, is_callers_cancellation

_log = logging.getLogger("_engine.cancellation")

_LEVELS = ("none", "graceful", "immediate")


class RustCancellationToken:
    """Cooperative cancellation, none -> graceful -> immediate, passed on to child tokens."""

    __slots__ = ("_callbacks", "_children", "_level", "_tools")

    def __init__(self) -> None:
        self._level = 0
        self._tools: dict[str, str] = {}
        self._children: list[RustCancellationToken] = []
        self._callbacks: list[Callable[[], Any]] = []

    @property
    def is_cancelled(self) -> bool:
        return self._level > 0

    @property
    def is_graceful(self) -> bool:
        return self._level == 1

    @property
    def is_immediate(self) -> bool:
        return self._level == 2

    @property
    def state(self) -> str:
        """``none``, ``graceful`` or ``immediate``."""
        return _LEVELS[self._level]

    @property
    def running_tools(self) -> set[str]:
        """Ids of the tool calls that run now."""
        return set(self._tools)

    @property
    def running_tool_names(self) -> list[str]:
        return list(self._tools.values())

    def request_cancellation(self) -> None:
        """The same as request_graceful, without its answer."""
        self._raise_to(1)

    def request_graceful(self) -> bool:
        """Ask to stop when the running tools have finished; returns whether that changed the state."""
        return self._raise_to(1)

    def request_immediate(self) -> bool:
        """Ask to stop now; returns whether that changed the state."""
        return self._raise_to(2)

    def _raise_to(self, level: int) -> bool:
        if self._level >= level:
            return False
        self._level = level
        for child in self._children:
            child._raise_to(level)
        return True

    def reset(self) -> None:
        """Back to none, with no running tools; children and callbacks stay, and children keep their own state."""
        self._level = 0
        self._tools.clear()

    def register_tool_start(self, tool_call_id: str, tool_name: str) -> None:
        self._tools[expect(tool_call_id, str)] = expect(tool_name, str)

    def register_tool_complete(self, tool_call_id: str) -> None:
        self._tools.pop(expect(tool_call_id, str), None)

    def register_child(self, child: RustCancellationToken) -> None:
        """Pass later requests on to child, and at once the state that holds now."""
        self._children.append(expect(child, RustCancellationToken))
        if self._level:
            child._raise_to(self._level)

    def unregister_child(self, child: RustCancellationToken) -> None:
        expect(child, RustCancellationToken)
        self._children = [other for other in self._children if other is not child]

    def on_cancel(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Add a callback, sync or async, for trigger_callbacks(); requests themselves run none."""
        self._callbacks.append(callback)

    async def trigger_callbacks(self) -> None:
        """Run the callbacks in order; one that fails is logged and the rest still run."""
        before = cancel_requests()
        for callback in tuple(self._callbacks):
            try:
                result = callback()
                if inspect.isawaitable(result):
                    await result
            except (Exception, CancelledError) as error:
                if is_callers_cancellation(error, before):
                    raise
                _log.error("Error in cancellation callback: %s", describe(error))
