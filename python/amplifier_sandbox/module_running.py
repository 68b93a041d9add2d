"""Runs one module of the user's on a coordinator of Amplifier's own, and takes what it does wrong for what it is."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import json
import logging
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from amplifier_core import HookResult, ModuleCoordinator, ToolResult
from amplifier_core.validation.base import import_module_from_path

from .module_outline import Outline, Problem

Capabilities = Mapping[str, Callable[..., Awaitable[Any]]]

NO_MOUNT = "There is no mount(): write `async def mount(coordinator, config)`"
NOT_HERE = "There is no module named {} here: Python's standard library, amplifier_core and pydantic can be imported"
MAX_RESULT = 200_000  # characters of JSON that one call may return

_log = logging.getLogger(__name__)
_numbers = itertools.count(1)


class Fault(Exception):
    """The module's own fault; `problem` says what and where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Handler:
    """A registered hook."""

    event: str
    call: Any
    priority: int
    name: str


class RecordingHooks:
    """Amplifier's hook registry, which also remembers the handlers: each is called by itself, so that its faults show."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self.handlers: dict[int, Handler] = {}

    def register(self, event: str, handler: Any, priority: int = 0, name: str | None = None) -> Callable[[], None]:
        """As Amplifier's."""
        number = next(_numbers)
        handler_name = name or f"{getattr(handler, '__name__', 'handler')}:{number}"
        undo = self._registry.register(event, handler, priority, handler_name)
        self.handlers[number] = Handler(event, handler, priority, handler_name)

        def unregister() -> None:
            self.handlers.pop(number, None)
            undo()

        return unregister

    on = register

    def unregister(self, name: str) -> None:
        """As Amplifier's: the most recent one with this name."""
        named = [number for number, handler in self.handlers.items() if handler.name == name]
        if named:
            self.handlers.pop(max(named))
        self._registry.unregister(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)


class Coordinator(ModuleCoordinator):
    """Amplifier's coordinator for one module, with the capabilities that the user granted and no others."""

    def __new__(cls, capabilities: Capabilities) -> Coordinator:  # the kernel's class takes its arguments here
        config = {"session": {"orchestrator": "none", "context": "none"}}
        session = SimpleNamespace(session_id="sandbox", parent_id=None, config=config)
        return super().__new__(cls, session, None, None)  # pyright: ignore[reportCallIssue]

    def __init__(self, capabilities: Capabilities) -> None:
        self._recording = RecordingHooks(super().hooks)
        self.mount_points["hooks"] = self._recording
        for name, ask in capabilities.items():
            self.register_capability(name, ask)

    @property
    def hooks(self) -> Any:
        """The registry, remembering."""
        return self._recording


@dataclass
class Running:
    """A module that is loaded, and what it mounted."""

    outline: Outline
    path: Path
    module: ModuleType
    coordinator: Coordinator
    undo: list[Any] = field(default_factory=list)

    @property
    def tools(self) -> dict[str, Any]:
        """Its tools by name."""
        return self.coordinator.get("tools") or {}

    @property
    def handlers(self) -> dict[int, Handler]:
        """Its hooks by number."""
        return self.coordinator.hooks.handlers

    async def mount(self, config: dict[str, Any]) -> None:
        """Calls the module's mount(); raises Fault."""
        line = self.outline.line_of("mount")
        mount = getattr(self.module, "mount", None)
        if not callable(mount):
            raise Fault(Problem(NO_MOUNT, line))
        cleanup = await self.guarded(lambda: mount(self.coordinator, config), line)
        if callable(cleanup):
            self.undo.append(cleanup)
        ready = getattr(self.module, "on_session_ready", None)
        if callable(ready):
            await self.guarded(lambda: ready(self.coordinator), self.outline.line_of("on_session_ready"))

    async def run_tool(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Executes a tool; returns a ToolResult as JSON. Raises Fault."""
        tool = self.tools.get(name)
        if tool is None:
            raise Fault(Problem(f"There is no tool named {name} any more"))
        line = self.outline.line_of(type(tool).__name__, "execute")
        result = await self.guarded(lambda: tool.execute(arguments), line)
        if not isinstance(result, ToolResult):
            raise Fault(Problem(f"execute() returned {_kind(result)}: return ToolResult(output=...)", line))
        return as_json(result, "execute()", line)

    async def run_hook(self, number: int, event: str, data: dict[str, Any]) -> dict[str, Any] | None:
        """Calls a handler; returns a HookResult as JSON, None to continue. Raises Fault."""
        handler = self.handlers.get(number)
        if handler is None:  # it unregistered itself
            return None
        line = line_of_function(handler.call, self.path)
        result = await self.guarded(lambda: handler.call(event, data), line)
        if result is None:
            return None
        if isinstance(result, dict):
            result = await self.guarded(lambda: HookResult.model_validate(result), line)
        if not isinstance(result, HookResult):
            raise Fault(Problem(f"The handler of {event} returned {_kind(result)}: return HookResult(action=...)", line))
        return as_json(result, f"The handler of {event}", line)

    async def guarded(self, call: Callable[[], Any], line: int | None) -> Any:
        """What `call` returns, awaited; whatever is raised in it becomes a Fault at the module's innermost line."""
        try:
            value = call()
            return await value if inspect.isawaitable(value) else value
        except (KeyboardInterrupt, MemoryError):  # the sandbox's own affair
            raise
        except BaseException as error:  # SystemExit too would end the interpreter
            if isinstance(error, asyncio.CancelledError) and is_cancelled():
                raise
            raise Fault(Problem(explain(error), line_of_error(error, self.path) or line)) from error

    async def stop(self) -> None:
        """Cleans up after the module as Amplifier does; what fails in it is only logged."""
        for cleanup in reversed(self.undo):
            try:
                await self.guarded(cleanup, None)
            except Fault as fault:
                _log.error("Error during cleanup: %s", fault)
        try:
            await self.coordinator.cleanup()
        except Exception as error:
            _log.error("Error during cleanup: %s", error)


def load(source: str, capabilities: Capabilities) -> Running:
    """Runs the source as a module of its own; raises Unreadable or Fault."""
    outline = Outline(source)
    path = Path(tempfile.mkdtemp(prefix="user-module-"), f"user_module_{next(_numbers)}.py")
    path.write_text(source, encoding="utf-8")
    try:
        module = import_module_from_path(path)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        raise Fault(Problem(explain(error), line_of_error(error, path))) from error
    return Running(outline, path, module, Coordinator(capabilities))


def is_cancelled() -> bool:
    """Whether the session gave up on this call; else a CancelledError is the module's own."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def explain(error: BaseException) -> str:
    """An exception in words."""
    if isinstance(error, ModuleNotFoundError):
        return NOT_HERE.format(error.name)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def line_of_error(error: BaseException, path: Path) -> int | None:
    """The module's innermost line in the traceback."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)


def line_of_function(function: Any, path: Path) -> int | None:
    """Where a function, method or callable object of the module is defined."""
    call: Any = vars(type(function)).get("__call__")
    for candidate in (function, getattr(function, "__func__", None), call):
        code = getattr(candidate, "__code__", None)
        if code is not None and code.co_filename == str(path):
            return code.co_firstlineno
    return None


def as_json(result: ToolResult | HookResult, who: str, line: int | None) -> dict[str, Any]:
    """A result as JSON that any reader takes; raises Fault."""
    try:
        value = result.model_dump(mode="json")
        size = len(json.dumps(value, allow_nan=False))
    except Exception as error:
        raise Fault(Problem(f"{who} returned what is not JSON: {error}", line)) from error
    if size > MAX_RESULT:
        raise Fault(Problem(f"{who} returned {size} characters; {MAX_RESULT} are allowed", line))
    return value


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
