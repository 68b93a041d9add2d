"""Checks a module: runs it once on a coordinator of its own, then lets Amplifier's validators judge it."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from amplifier_core.validation import HookValidator, ToolValidator
from amplifier_core.validation.base import ValidationCheck

from .module_outline import Outline, Problem, Unreadable
from .module_running import NO_MOUNT, Fault, Running, explain, line_of_function, load
from .module_shape import name_problem, schema_problem

VALIDATORS: dict[str, Any] = {"tool": ToolValidator, "hook": HookValidator}
OTHER_MOUNTS = ("orchestrator", "context", "providers", "module-source-resolver")

NOTHING = (
    'mount() registers neither a tool nor a hook: call `await coordinator.mount("tools", YourTool())` or '
    '`coordinator.hooks.register("tool:pre", your_handler)`'
)
# check of Amplifier's validators -> the same in words that say what to do; else the validator's own
ADVICE = {
    "mount_exists": NO_MOUNT,
    "mount_signature": "mount() must be written as `async def mount(coordinator, config)`",
    "tool_name": "The tool's name must be a text that is not empty",
    "tool_description": "The tool has no description: the model chooses tools by their descriptions",
    "tool_input_schema": "input_schema must be a dict (JSON Schema)",
    "tool_execute": "execute() must be written as `async def execute(self, input)`",
    "on_session_ready_async": "on_session_ready() must be written as `async def on_session_ready(coordinator)`",
}
MEMBERS = {"tool_name": "name", "tool_description": "description", "tool_input_schema": "input_schema", "tool_execute": "execute"}


async def check(source: str, known: list[str]) -> dict[str, Any]:
    """What a module is and what is wrong with it. `known` are the names of capabilities that there are.

    {kind: "tool" | "hook" | "", wants: [name], tools: [{name, line}], valid: bool,
    problems: [{line, message}]}
    """
    try:
        outline = Outline(source)
    except Unreadable as unreadable:
        return _report("", [], [], [unreadable.problem])
    problems = [*outline.problems, *_unknown_capabilities(outline, known)]
    try:
        running = load(source, {})
    except Fault as fault:
        return _report("", outline.wants, [], [*problems, fault.problem])
    trial = await _trial(running)
    tools = [{"name": name, "line": _line_of_tool(running, tool, "name")} for name, tool in running.tools.items()]
    kinds = _kinds(running)
    judged = [problem for kind in kinds for problem in await _judge(kind, running, has_fault=bool(trial))]
    await running.stop()
    return _report(kinds[0], outline.wants, tools, _without_repeats([*problems, *trial, *judged]))


def _report(kind: str, wants: list[str], tools: list[dict[str, Any]], problems: list[Problem]) -> dict[str, Any]:
    return {
        "kind": kind,
        "wants": wants,
        "tools": tools,
        "valid": not any(problem.is_error for problem in problems),
        "problems": [problem.as_json() for problem in problems],
    }


def _unknown_capabilities(outline: Outline, known: list[str]) -> list[Problem]:
    line = outline.line_of("CAPABILITIES")
    there_are = ", ".join(known) or "none"
    return [
        Problem(f"There is no capability {name}; there are: {there_are}", line) for name in outline.wants if name not in known
    ]


async def _trial(running: Running) -> list[Problem]:
    """Mounts the module, which validators do too, but without a word about the line."""
    mount = getattr(running.module, "mount", None)
    if not inspect.iscoroutinefunction(mount) or len(inspect.signature(mount).parameters) < 2:
        return []  # the validators say that
    try:
        await running.mount({})
        return await mounted_problems(running)
    except Fault as fault:
        return [fault.problem]


async def mounted_problems(running: Running) -> list[Problem]:
    """What is wrong with what a module mounted, beyond what Amplifier's validators look at. Raises Fault."""
    return await running.guarded(lambda: _mounted_problems(running), running.outline.line_of("mount"))


def _mounted_problems(running: Running) -> list[Problem]:
    line = running.outline.line_of("mount")
    other = [point for point in OTHER_MOUNTS if running.coordinator.get(point)]
    problems = [Problem(f"A module of yours cannot mount {point}: only tools and hooks", line) for point in other]
    if not running.tools and not running.handlers and not other:
        problems.append(Problem(NOTHING, line))
    for name, tool in running.tools.items():
        problems += _tool_problems(running, name, tool)
    for handler in running.handlers.values():
        problems += _handler_problems(running, handler.event, handler.call)
    return problems


def _tool_problems(running: Running, name: str, tool: Any) -> Iterable[Problem]:
    own_name = getattr(tool, "name", name)
    if problem := name_problem(name):
        yield Problem(problem, _line_of_tool(running, tool, "name"))
    elif own_name != name and isinstance(own_name, str):
        yield Problem(f"The tool is mounted as {name} but calls itself {own_name}", _line_of_tool(running, tool, "name"))
    if not isinstance(getattr(tool, "description", ""), str):
        yield Problem("The tool's description must be a text", _line_of_tool(running, tool, "description"))
    if problem := schema_problem(getattr(tool, "input_schema", {})):
        yield Problem(problem, _line_of_tool(running, tool, "input_schema"))


def _handler_problems(running: Running, event: str, handler: Any) -> Iterable[Problem]:
    line = line_of_function(handler, running.path) or running.outline.line_of("mount")
    if not callable(handler):
        yield Problem(f"What is registered for {event} is no function", line)
        return
    try:
        inspect.signature(handler).bind(event, {})
    except (TypeError, ValueError):
        yield Problem(f"The handler of {event} must take two arguments: `async def handler(event, data)`", line)


def _kinds(running: Running) -> list[str]:
    """The kinds that a module has to satisfy, the main one first: by what it mounted, else by what it says it is."""
    said = getattr(running.module, "__amplifier_module_type__", None)
    kinds = [kind for kind, mounted in (("tool", running.tools), ("hook", running.handlers)) if mounted]
    return kinds or [said if said in VALIDATORS else "tool"]


async def _judge(kind: str, running: Running, has_fault: bool) -> list[Problem]:
    """What Amplifier's validator says. What it says about mounting only repeats a fault that was found before."""
    try:
        checks = (await VALIDATORS[kind]().validate(running.path, config={})).checks
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # validators let through what is no Exception
        return [] if has_fault else [Problem(explain(error), running.outline.line_of("mount"))]
    failed = [check for check in checks if not check.passed]
    is_callable = not any(check.name == "mount_signature" for check in failed)
    return [
        _problem(check, running) for check in failed if check.name != "protocol_compliance" or (is_callable and not has_fault)
    ]


def _problem(check: ValidationCheck, running: Running) -> Problem:
    message = ADVICE.get(check.name, check.message)
    if check.name in MEMBERS:
        lines = [_line_of_tool(running, tool, MEMBERS[check.name]) for tool in running.tools.values()]
        line = next((line for line in lines if line), None)
    else:
        line = running.outline.line_of("on_session_ready" if check.name == "on_session_ready_async" else "mount")
    return Problem(message, line, is_error=check.severity == "error")


def _line_of_tool(running: Running, tool: Any, member: str) -> int | None:
    name = type(tool).__name__
    return running.outline.first_line_of((name, member), (name,), ("mount",))


def _without_repeats(problems: list[Problem]) -> list[Problem]:
    """The first of those that say the same."""
    said: dict[tuple[int | None, str], Problem] = {}
    for problem in problems:
        said.setdefault((problem.line, problem.message), problem)
    return list(said.values())
