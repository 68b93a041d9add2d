"""What a sandbox does with the one module of the user's that it is for; called by the session (amplifier_browser.user_modules).

A fault of the module is no exception here but an answer, {"fault": {line, message}}: the sandbox itself is well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from . import module_check
from .main import ask
from .module_log import listen
from .module_outline import Problem, Unreadable
from .module_running import Fault, Running, load

_running: Running | None = None


async def check(source: str, known: list[str]) -> dict[str, Any]:
    """Amplifier's validators on a source: see module_check.check."""
    listen()
    return await module_check.check(source, known)


async def mount(source: str, config: dict[str, Any], capabilities: dict[str, list[str]]) -> dict[str, Any]:
    """Mounts a module in the place of the one before. `capabilities`: those granted, with the names of their arguments.

    {wants: [name], tools: [{name, description, input_schema}], hooks: [{handler, event, priority, name}]}, or {fault}.
    """
    global _running
    listen()
    await unmount()
    try:
        running = load(source, {name: _asking(name, arguments) for name, arguments in capabilities.items()})
        await running.mount(config)
        problems = await module_check.mounted_problems(running)
        tools = await running.guarded(lambda: _tools(running), None)
    except (Unreadable, Fault) as failure:
        return _fault(failure.problem)
    if problems:
        await running.stop()
        return _fault(problems[0])
    _running = running
    return {"wants": running.outline.wants, "tools": tools, "hooks": _hooks(running)}


async def tool(tool: str, input: dict[str, Any]) -> dict[str, Any]:
    """Executes a tool: {result: ToolResult as JSON}, or {fault}."""
    listen()
    try:
        return {"result": await _mounted().run_tool(tool, input)}
    except Fault as fault:
        return _fault(fault.problem)


async def hook(handler: int, event: str, data: dict[str, Any]) -> dict[str, Any]:
    """Calls a hook's handler: {result: HookResult as JSON, or None to continue}, or {fault}."""
    listen()
    try:
        return {"result": await _mounted().run_hook(handler, event, data)}
    except Fault as fault:
        return _fault(fault.problem)


async def unmount() -> None:
    """Cleans up after the module that is mounted, if one is."""
    global _running
    running, _running = _running, None
    if running is not None:
        await running.stop()


def _mounted() -> Running:
    if _running is None:
        raise Fault(Problem("The module is not mounted"))
    return _running


def _fault(problem: Problem) -> dict[str, Any]:
    return {"fault": problem.as_json()}


def _tools(running: Running) -> list[dict[str, Any]]:
    return [
        {"name": name, "description": str(getattr(tool, "description", "")), "input_schema": getattr(tool, "input_schema", {})}
        for name, tool in running.tools.items()
    ]


def _hooks(running: Running) -> list[dict[str, Any]]:
    return [
        {"handler": number, "event": handler.event, "priority": handler.priority, "name": handler.name}
        for number, handler in running.handlers.items()
    ]


def _asking(capability: str, arguments: list[str]) -> Callable[..., Awaitable[Any]]:
    """The function that stands for a capability: it asks the session, which looks whether it is still granted."""

    async def ask_session(*values: Any, **named: Any) -> Any:
        if len(values) > len(arguments):
            raise TypeError(f"{capability} takes {len(arguments)} arguments, not {len(values)}")
        return await ask(capability, **dict(zip(arguments, values, strict=False)), **named)

    return ask_session
