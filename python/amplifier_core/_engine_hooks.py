"""The hook registry: who handles which event, and dispatch."""

from __future__ import annotations

import asyncio
import inspect
import logging
import uuid
from bisect import insort
from collections.abc import Callable, Coroutine, Iterable
from contextvars import Context
from dataclasses import dataclass
from typing import Any, cast

from amplifier_core.correlation import REQUEST_ID_FIELD, resolve_request_id
from amplifier_core.models import HookResult

from . import _engine_constants as events
from ._engine_checks import (
    cancel_requests,
    describe,
    expect,
    expect_optional,
    integer,
    is_callers_cancellation,
    now,
    real,
)
from ._engine_json import copy_tree, plain, to_json_tree
from ._engine_results import hook_result, injection_items, is_bare_continue, merge_injections, parse_result

_log = logging.getLogger("amplifier_core.hooks")

_MAX_TIMEOUT = 1e9


@dataclass(slots=True, eq=False)
class _Handler:
    """One registration. number counts registrations over all events."""

    event: str
    call: Callable[[str, Any], Any]
    priority: int
    name: str
    number: int


class RustUnregisterFn:
    """Removes the registration that returned it, when called; calling it again does nothing."""

    __slots__ = ("_handler", "_registry")

    def __init__(self, registry: RustHookRegistry, handler: _Handler) -> None:
        self._registry = registry
        self._handler = handler

    def __call__(self) -> None:
        self._registry._remove(self._handler)  # pyright: ignore[reportPrivateUsage]

    def __repr__(self) -> str:
        return f"<unregister '{self._handler.name}'>"


class RustHookRegistry:
    """Dispatches events to handlers ``(event, data) -> HookResult``, by priority, then order of registration."""

    __slots__ = ("_count", "_defaults", "_handlers")

    SESSION_START = events.SESSION_START
    SESSION_END = events.SESSION_END
    PROMPT_SUBMIT = events.PROMPT_SUBMIT
    TOOL_PRE = events.TOOL_PRE
    TOOL_POST = events.TOOL_POST
    CONTEXT_PRE_COMPACT = events.CONTEXT_PRE_COMPACT
    ORCHESTRATOR_COMPLETE = events.ORCHESTRATOR_COMPLETE
    USER_NOTIFICATION = events.USER_NOTIFICATION

    def __init__(self) -> None:
        self._handlers: dict[str, list[_Handler]] = {}
        self._defaults: dict[str, Any] = {}
        self._count = 0

    def register(self, event: str, handler: Any, priority: int = 0, name: str | None = None) -> RustUnregisterFn:
        """Add a handler (lower priority runs earlier); returns a callable that removes exactly this registration."""
        expect(event, str)
        priority = integer(priority, -(2**31), 2**31 - 1)
        name = expect_optional(name, str)
        self._count += 1
        entry = _Handler(event, handler, priority, f"_auto_{event}_{uuid.uuid4()}" if name is None else name, self._count)
        insort(self._handlers.setdefault(event, []), entry, key=lambda other: (other.priority, other.number))
        return RustUnregisterFn(self, entry)

    on = register

    def unregister(self, name: str) -> None:
        """Remove the most recent remaining registration with this name; none is no error."""
        expect(name, str)
        named = [entry for entries in self._handlers.values() for entry in entries if entry.name == name]
        if named:
            self._remove(max(named, key=lambda entry: entry.number))

    def _remove(self, entry: _Handler) -> None:
        entries = self._handlers.get(entry.event, [])
        if entry in entries:
            entries.remove(entry)

    def set_default_fields(self, **kwargs: Any) -> None:
        """Replace the fields that every emit() merges in; the event's own data wins over them."""
        self._defaults = to_json_tree(kwargs)

    def list_handlers(self, event: str | None = None) -> dict[str, list[str]]:
        """Names of the handlers by event, in the order they run; only for one event if given."""
        events: Iterable[str] = self._handlers if event is None else (expect(event, str),)
        return {key: [entry.name for entry in self._handlers.get(key, ())] for key in events}

    def emit(self, event: str, data: Any) -> Coroutine[Any, Any, HookResult]:
        """Run the event's handlers one after another and return their combined result.

        deny ends the dispatch; modify replaces the data for the next handler; of the rest ask_user comes before
        inject_context. A failing handler is skipped. Without handlers the data comes back as it is.
        """
        tree = to_json_tree(data)
        if expect(event, str).startswith(("llm:", "provider:")) and isinstance(tree, dict):
            tree = _stamp_request_id(event, cast("dict[str, Any]", tree))
        return self._dispatch(event, tree)

    async def _dispatch(self, event: str, tree: Any) -> HookResult:
        entries = self._handlers.get(event)
        if not entries:
            return hook_result(data=tree if isinstance(tree, dict) else {})
        if isinstance(tree, dict):
            fields = cast("dict[str, Any]", tree)
            tree = plain({**self._defaults, **fields, "timestamp": now()})
        question: HookResult | None = None
        injections: list[HookResult] = []
        for entry in tuple(entries):
            result = await _run_handler(entry, event, copy_tree(tree))
            if result is None or result.action == "continue":
                continue
            if result.action == "deny":
                return result
            if result.action == "modify":
                tree = tree if result.data is None else result.data
            elif result.action == "ask_user":
                question = question or result
            elif items := injection_items(result):
                result.context_injections = [item.model_copy(update={"hook_name": entry.name, "event": event}) for item in items]
                injections.append(result)
        if question:
            return question
        if injections:
            return merge_injections(injections)
        return hook_result(data=tree if isinstance(tree, dict) else {})

    def emit_and_collect(self, event: str, data: Any, timeout: float | None = 1.0) -> Coroutine[Any, Any, list[dict[str, Any]]]:
        """The data of every handler's result, whatever its action; timeout is seconds a handler, not in all.

        The event's data goes to the handlers as it is: no default fields, no timestamp.
        """
        if not 0 <= real(timeout) <= _MAX_TIMEOUT:
            raise ValueError(f"timeout must be seconds between 0 and {_MAX_TIMEOUT:g}, not {timeout}")
        return self._collect(expect(event, str), to_json_tree(data), real(timeout))

    async def _collect(self, event: str, tree: Any, timeout: float) -> list[dict[str, Any]]:
        collected: list[dict[str, Any]] = []
        for entry in tuple(self._handlers.get(event, ())):
            result = await _run_handler(entry, event, copy_tree(tree), timeout)
            if result is not None and result.data is not None:
                collected.append(result.data)
        return collected


def _stamp_request_id(event: str, fields: dict[str, Any]) -> dict[str, Any]:
    given = fields.get(REQUEST_ID_FIELD)
    request_id = resolve_request_id(event, given if isinstance(given, str) else None)
    return fields if request_id is None else plain({**fields, REQUEST_ID_FIELD: request_id})


async def _run_handler(entry: _Handler, event: str, data: Any, timeout: float | None = None) -> HookResult | None:
    """Call one handler and parse what it returns; None for a bare continue or a handler that failed or was too slow.

    The call itself gets an empty context (upstream makes it on another thread) and a coroutine a task of its own: what
    a handler sets in a ContextVar, or cancels, is its own affair.
    """
    before = cancel_requests()
    try:
        value: Any = Context().run(entry.call, event, data)
    except Exception as error:
        _log_handler_error(entry, event, f"Python handler call error: {describe(error)}")
        return None
    try:
        if inspect.iscoroutine(value):
            task = asyncio.create_task(value)
            value = await (task if timeout is None else asyncio.wait_for(task, timeout))
        return None if is_bare_continue(value) else parse_result(value)
    except (Exception, asyncio.CancelledError) as error:
        if is_callers_cancellation(error, before):
            raise
        if timeout is not None and isinstance(error, TimeoutError):
            _log.warning("Hook handler timed out for event '%s' (handler '%s')", event, entry.name)
        else:
            _log_handler_error(entry, event, f"Python async handler error: {describe(error)}")
        return None


def _log_handler_error(entry: _Handler, event: str, what: str) -> None:
    _log.error("Hook handler error for event '%s' (handler '%s'): hook handler failed: %s", event, entry.name, what)
