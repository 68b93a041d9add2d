"""A user's module in one session: it runs in a sandbox, and here stand a tool or a handler for each of its own.

Whatever comes from the sandbox may be anything. What is no sensible answer is the module's fault: it is logged, the user is told
its name, and the session goes on as if the module had said nothing.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from amplifier_core import HookResult, ToolResult
from amplifier_sandbox.module_shape import name_problem, schema_problem

from .asking import asking
from .module_capabilities import ModuleCapabilities, Refused
from .sandbox import Sandbox, SandboxError, SandboxTimeout
from .tooling import Arguments, Permission, Traits, failed

MOUNT_SECONDS = 10.0
TOOL_SECONDS = 20.0
HOOK_SECONDS = 2.0
ATTEMPTS = 3
MOST_FAULTS = 3
MOST_TOOLS = 10
MOST_HANDLERS = 50
LONGEST_DESCRIPTION = 300
LONGEST_INJECTION = 4000
LONGEST_WORDS = 300  # of what a hook says to the user
# Users' hooks run before all of ours, in their own order: nothing may change what the user has approved, or what is redacted.
FIRST, LAST = -2000, -1000
# Where a no means something; anywhere else it would only hide the event from what comes after.
MAY_DENY = ("tool:pre", "prompt:submit", "provider:request")


class ModuleFault(Exception):
    """What the module did wrong, in words; `line` of its source, or None."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line

    @property
    def text(self) -> str:
        """With the line."""
        return f"{self} (line {self.line})" if self.line else str(self)


@dataclass(frozen=True)
class ToolFacts:
    """A tool that the module mounted."""

    name: str
    description: str
    input_schema: dict[str, Any]


@dataclass(frozen=True)
class HookFacts:
    """A handler that the module registered; `handler` is its number in the sandbox."""

    handler: int
    event: str
    priority: int
    name: str


@dataclass(frozen=True)
class Facts:
    """What a module mounted, as its sandbox says."""

    wants: list[str]
    tools: list[ToolFacts]
    hooks: list[HookFacts]


@dataclass(frozen=True)
class Surroundings:
    """What a mounted module needs of the application."""

    capabilities: ModuleCapabilities
    granted: Callable[[], Any]  # async () -> names of the capabilities that are granted at this moment
    log: Callable[[str, str], None]  # (level, text), to the module's log
    notify: Callable[[str, str], object]  # (level, text), to the user


class MountedModule:
    """One module in one session."""

    def __init__(self, name: str, version: str, source: str, sandbox: Sandbox, around: Surroundings) -> None:
        """`version` tells sources apart."""
        self.name = name
        self.version = version
        self._source = source
        self._sandbox = sandbox
        self._around = around
        self._facts = Facts([], [], [])
        self._generation = 0
        self._is_up = False  # as far as is known
        self._is_stopped = False
        self._mounting = asyncio.Lock()
        self._faults = 0
        self._asked: dict[str, int] = {}
        self._coordinator: Any = None
        self._mounted_tools: list[str] = []
        self._undo_hooks: list[Callable[[], object]] = []
        sandbox.on_ask = self._answer
        sandbox.on_log = around.log

    @property
    def tool_names(self) -> list[str]:
        """The tools that are mounted in the session."""
        return list(self._mounted_tools)

    # -- its life

    async def load(self) -> None:
        """Mounts it in its sandbox; raises ModuleFault."""
        await self._mount_in_sandbox()

    async def attach(self, coordinator: Any) -> None:
        """Mounts what stands for it in the session; raises ModuleFault."""
        taken = coordinator.get("tools") or {}
        for facts in self._facts.tools:
            if facts.name in taken:
                raise ModuleFault(f"There is a tool named {facts.name} already: give this one another name")
        self._coordinator = coordinator
        for facts in self._facts.tools:
            await coordinator.mount("tools", ToolProxy(self, facts), name=facts.name)
            self._mounted_tools.append(facts.name)
        for index, facts in enumerate(self._facts.hooks):
            priority = min(LAST, max(FIRST, (FIRST + LAST) // 2 + facts.priority))
            handler = self._handler(index, facts.event)
            self._undo_hooks.append(coordinator.hooks.register(facts.event, handler, priority=priority, name=facts.name))

    async def stop(self) -> None:
        """Takes it out of the session and ends its sandbox."""
        self._is_stopped = True
        self._stop_hooks()
        for name in self._mounted_tools:
            await self._coordinator.unmount("tools", name=name)
        self._mounted_tools.clear()
        try:
            if self._is_up:
                await self._sandbox.call("module.unmount", HOOK_SECONDS)
        except SandboxError as error:
            self._around.log("error", f"When it was unmounted: {error}")
        await self._sandbox.end()

    def _stop_hooks(self) -> None:
        for undo in self._undo_hooks:
            undo()
        self._undo_hooks.clear()

    # -- what it is called for

    async def run_tool(self, name: str, arguments: Arguments) -> ToolResult:
        """Executes one of its tools."""
        try:
            answer = await self._call("module.tool", TOOL_SECONDS, lambda: {"tool": name, "input": arguments})
            return _tool_result(answer.get("result"))
        except ModuleFault as fault:
            self._failed(f"{name} failed", fault)
            return failed(f"The user's module “{self.name}” failed: {fault.text}")

    def _handler(self, index: int, event: str) -> Callable[[str, dict[str, Any]], Any]:
        async def handle(event_name: str, data: dict[str, Any]) -> HookResult:
            try:
                sent = {"event": event_name, "data": data}
                answer = await self._call("module.hook", HOOK_SECONDS, lambda: {"handler": self._number(index), **sent})
                return self._hook_result(answer.get("result"), event_name, data)
            except ModuleFault as fault:
                self._failed(f"its hook on {event} failed", fault)
                return HookResult(action="continue")

        return handle

    def _number(self, index: int) -> int:
        """A handler's number in the present Worker."""
        if index >= len(self._facts.hooks):
            raise ModuleFault("It registers its hooks differently each time")
        return self._facts.hooks[index].handler

    def _hook_result(self, value: Any, event: str, data: dict[str, Any]) -> HookResult:
        if value is None:
            return HookResult(action="continue")
        try:
            result = HookResult.model_validate(value)
        except ValueError as error:
            raise ModuleFault(f"Its hook returned no HookResult: {_first_line(error)}") from None
        if result.action in ("deny", "ask_user") and event not in MAY_DENY:
            raise ModuleFault(f"A hook can {result.action} at {', '.join(MAY_DENY)}, not at {event}")
        if result.action == "modify":
            _check_modified(result.data, event, data)
        injected = [result.context_injection, *(item.content for item in result.context_injections)]
        if sum(len(text or "") for text in injected) > LONGEST_INJECTION:
            raise ModuleFault(f"Its hook injects more than {LONGEST_INJECTION} characters")
        if result.action in ("inject_context", "modify"):  # it may have read a page
            taint = self._coordinator.get_capability("approvals.taint")
            if taint:
                taint()
        return self._named(result)

    def _named(self, result: HookResult) -> HookResult:
        """With the module's name wherever it speaks to the user, so that it passes for nobody else."""
        if result.action == "deny":
            result.reason = f"{(result.reason or 'denied')[:LONGEST_WORDS]} (by the user's module “{self.name}”)"
        if result.action == "ask_user":
            result.approval_prompt = f"Your module “{self.name}” asks: {(result.approval_prompt or '')[:LONGEST_WORDS]}"
        if result.user_message:
            result.user_message = f"{self.name}: {result.user_message[:LONGEST_WORDS]}"
            if result.action in ("continue", "modify"):  # the kernel shows only what comes with another action
                self._around.notify(result.user_message_level, result.user_message)
        return result

    async def _call(self, op: str, seconds: float, arguments: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Calls it in its sandbox, where it is mounted anew if the Worker was ended meanwhile. Raises ModuleFault."""
        for _ in range(ATTEMPTS):
            if self._generation != self._sandbox.generation:
                await self._mount_in_sandbox()
            answer = await self._ask_sandbox(op, seconds, arguments())
            if self._generation == self._sandbox.generation:
                return _without_fault(answer)
        raise ModuleFault("Its sandbox ends again and again")

    async def _mount_in_sandbox(self) -> None:
        async with self._mounting:
            if self._generation and self._generation == self._sandbox.generation:
                return  # another call has done it
            granted = await self._around.granted()
            allowed = {name: list(self._around.capabilities[name].arguments) for name in granted}
            arguments = {"source": self._source, "config": {}, "capabilities": allowed}
            answer = await self._ask_sandbox("module.mount", MOUNT_SECONDS, arguments)
            self._facts = _facts(_without_fault(answer))
            self._generation = self._sandbox.generation
            self._is_up = True

    async def _ask_sandbox(self, op: str, seconds: float, arguments: dict[str, Any]) -> Any:
        try:
            return await self._sandbox.call(op, seconds, **arguments)
        except SandboxTimeout as error:
            self._is_up = self._is_up and not error.lost
            raise ModuleFault(f"It took longer than {seconds:g} s and was ended") from None
        except SandboxError as error:
            self._is_up = self._is_up and error.kind not in ("gone", "start")
            raise ModuleFault(str(error)) from None

    # -- what it asks for

    async def _answer(self, name: str, arguments: Arguments) -> Any:
        if name not in self._around.capabilities or name not in await self._around.granted():
            self._around.log("error", f"It asked for {name}, which it is not granted.")
            raise Refused(f"{name} is not granted to this module")
        capability = self._around.capabilities[name]
        asked = self._asked[name] = self._asked.get(name, 0) + 1
        if capability.most and asked > capability.most:
            raise Refused(f"{name} may be asked {capability.most} times a session")
        return await capability.answer(arguments)

    # -- what it did wrong

    def _failed(self, what: str, fault: ModuleFault) -> None:
        if self._is_stopped:
            return
        self._faults += 1
        self._around.log("error", f"{what}: {fault.text}")
        if self._faults < MOST_FAULTS:
            self._around.notify("warning", f"Your module “{self.name}”: {what}: {fault.text}")
        elif self._faults == MOST_FAULTS:
            after = "Its hooks are off until the next session. " if self._undo_hooks else ""
            self._around.notify("error", f"Your module “{self.name}” failed {MOST_FAULTS} times, now: {fault.text}. {after}")
            self._stop_hooks()


class ToolProxy:
    """Amplifier's Tool, for one in a sandbox."""

    def __init__(self, module: MountedModule, facts: ToolFacts) -> None:
        self._module = module
        self.name = facts.name
        self.description = facts.description
        self.input_schema = facts.input_schema
        self.traits = _traits(module, facts)

    async def execute(self, input: Arguments) -> ToolResult:
        """Executes it in the sandbox."""
        return await self._module.run_tool(self.name, input)


def _traits(module: MountedModule, facts: ToolFacts) -> Traits:
    """Cautious ones: each call asks, and what it returns is a stranger's text."""
    properties: dict[str, dict[str, Any]] = facts.input_schema.get("properties", {})
    name = re.escape(facts.name).replace("_", "[_ ]")
    named = rf"(?:use|run|call|try) (?:my |the )?{name}(?: tool)?\b"
    text = ""
    if len(properties) == 1 and next(iter(properties.values())).get("type") == "string":
        text = next(iter(properties))
        named = rf"{named}(?:(?: on| for| with)?:?\s+(?P<{text}>\S.*))?"
    return Traits(
        title=f"Use {facts.name} of my module “{module.name}”",
        asked_by=asking(named),
        raw_argument=text,
        permission=lambda _arguments: Permission(
            sees=f"Your module “{module.name}” gets what is written here. It has no network.",
            scope=f"my module “{module.name}”, version {module.version}",
        ),
    )


def _without_fault(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise ModuleFault("Its sandbox answered with something else than an answer")
    facts = cast("dict[str, Any]", answer)
    fault = facts.get("fault")
    if isinstance(fault, dict):
        problem = cast("dict[str, Any]", fault)
        line = problem.get("line")
        raise ModuleFault(str(problem.get("message"))[:500], line if isinstance(line, int) else None)
    return facts


def _facts(answer: dict[str, Any]) -> Facts:
    try:
        tools = [_tool_facts(each) for each in answer["tools"]]
        hooks = [HookFacts(int(h["handler"]), str(h["event"]), int(h["priority"]), str(h["name"])) for h in answer["hooks"]]
        wants = [str(name) for name in answer["wants"]]
    except (KeyError, TypeError, ValueError) as error:
        raise ModuleFault(f"Its sandbox does not say what it mounted: {error}") from None
    if len(tools) > MOST_TOOLS or len(hooks) > MOST_HANDLERS:
        raise ModuleFault(f"A module can have {MOST_TOOLS} tools and {MOST_HANDLERS} hooks")
    return Facts(wants, tools, hooks)


def _tool_facts(said: dict[str, Any]) -> ToolFacts:
    name, schema = str(said["name"]), said["input_schema"]
    if problem := name_problem(name) or schema_problem(schema):
        raise ModuleFault(problem)
    return ToolFacts(name, str(said["description"])[:LONGEST_DESCRIPTION], schema or {"type": "object", "properties": {}})


def _tool_result(value: Any) -> ToolResult:
    """As text: what a module calls a picture or a table is shown to nobody."""
    try:
        result = ToolResult.model_validate(value)
    except ValueError as error:
        raise ModuleFault(f"It returned no ToolResult: {_first_line(error)}") from None
    if not result.success:
        message = (result.error or {}).get("message") or result.output or "it failed and does not say why"
        return failed(str(message))
    output = result.output
    return ToolResult(output=output if isinstance(output, str) else json.dumps(output, ensure_ascii=False))


def _check_modified(changed: Any, event: str, data: dict[str, Any]) -> None:
    """Others rely on an event's data: a hook may change values, but not what kind of values there are."""
    if not isinstance(changed, dict):
        raise ModuleFault(f"Its hook modifies {event} without data")
    for name, value in data.items():
        new = cast("dict[str, Any]", changed).get(name)
        if value is not None and type(new) is not type(value):
            raise ModuleFault(f"Its hook leaves {event} without a proper {name}: change the data you got, and return all of it")
    if "tool_response" in data:
        _tool_result(cast("dict[str, Any]", changed)["tool_response"])


def _first_line(error: ValueError) -> str:
    return str(error).splitlines()[0]
