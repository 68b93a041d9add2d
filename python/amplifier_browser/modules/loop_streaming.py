"""Orchestrator: asks the provider, runs the tools it calls, until it answers; every step is an event that hooks may steer.

Capability `loop.turn_options` (a function returning TurnOptions, optional): how this turn differs from others.
Config: max_iterations (default 8).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from amplifier_core import ChatRequest, ChatResponse, HookResult, Message, TextBlock, ToolCall, ToolResult, ToolSpec

__amplifier_module_type__ = "orchestrator"

NAME = "loop-streaming"
MAX_ITERATIONS = 8


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts the orchestrator."""
    await coordinator.mount("orchestrator", StreamingLoop(config or {}))


@dataclass(frozen=True)
class TurnOptions:
    """What the application may want of one turn."""

    answer_prefix: str = ""  # an unfinished answer to go on with, instead of a new one
    sampling: dict[str, Any] = field(default_factory=dict)  # fields of ChatRequest: temperature, max_output_tokens, ...


@dataclass
class Turn:
    """Everything that one execution works with."""

    context: Any
    provider_name: str
    provider: Any
    tools: dict[str, Any]
    hooks: Any
    coordinator: Any
    options: TurnOptions

    @property
    def is_cancelled(self) -> bool:
        """Whether the user asked to stop."""
        return bool(self.coordinator and self.coordinator.cancellation.is_cancelled)

    async def emit(self, event: str, data: dict[str, Any], source: str = NAME) -> HookResult:
        """Emits an event and lets the coordinator act on what hooks made of it (injections, messages, approvals)."""
        result = await self.hooks.emit(event, data)
        if self.coordinator and hasattr(self.coordinator, "process_hook_result") and isinstance(result, HookResult):
            result = await self.coordinator.process_hook_result(result, event, source)
        return result


class StreamingLoop:
    """Amplifier's Orchestrator."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._max_iterations = int(config.get("max_iterations", MAX_ITERATIONS))

    async def execute(
        self,
        prompt: str,
        context: Any,
        providers: dict[str, Any],
        tools: dict[str, Any],
        hooks: Any,
        coordinator: Any = None,
        **_kwargs: Any,
    ) -> str:
        """Answers `prompt` and returns the answer's text; what was streamed before a stop counts as the answer."""
        if not providers:
            raise RuntimeError("No provider is mounted: a session needs one to answer")
        name, provider = next(iter(providers.items()))
        turn = Turn(context, name, provider, tools, hooks, coordinator, _options(coordinator))
        await turn.emit("execution:start", {"prompt": prompt})
        status, answer = "failed", ""
        try:
            answer = await self._answer(turn, prompt)
            status = "cancelled" if turn.is_cancelled else "completed"
        finally:
            await turn.emit("orchestrator:complete", {"orchestrator": NAME, "status": status})
            await turn.emit("execution:end", {"response": answer, "status": status})
        return answer

    async def _answer(self, turn: Turn, prompt: str) -> str:
        submitted = await turn.emit("prompt:submit", {"prompt": prompt})
        if submitted.action == "deny":
            return f"Not sent: {submitted.reason or 'a hook denied it'}"
        await turn.context.add_message({"role": "user", "content": prompt})
        extra = _injection(submitted)
        for iteration in range(self._max_iterations):
            if turn.is_cancelled:
                return ""
            prefix = turn.options.answer_prefix if iteration == 0 else ""
            response = await self._ask(turn, iteration, prefix, extra)
            text = prefix + _text(response)
            calls = [] if turn.is_cancelled else turn.provider.parse_tool_calls(response)
            await self._remember(turn, text, calls)
            if not calls:
                await turn.emit("prompt:complete", {"prompt": prompt, "response": text})
                return text
            await self._run_tools(turn, calls)
            extra = None
        return await self._give_up(turn)

    async def _ask(self, turn: Turn, iteration: int, prefix: str, extra: dict[str, Any] | None) -> ChatResponse:
        asked = await turn.emit("provider:request", {"provider": turn.provider_name, "iteration": iteration})
        if asked.action == "deny":
            raise RuntimeError(f"The request was denied: {asked.reason or 'by a hook'}")
        messages = await turn.context.get_messages_for_request(provider=turn.provider)
        injected = [message for message in (extra, _injection(asked)) if message]
        tail = [{"role": "assistant", "content": prefix}] if prefix else []
        request = ChatRequest(
            messages=[Message(**_clean(message)) for message in [*messages, *injected, *tail]],
            tools=[_spec(tool) for tool in turn.tools.values()] or None,
            **turn.options.sampling,
        )
        response = await turn.provider.complete(request)
        usage = response.usage.model_dump() if response.usage else None
        await turn.emit("provider:response", {"provider": turn.provider_name, "iteration": iteration, "usage": usage})
        return response

    async def _remember(self, turn: Turn, text: str, calls: list[ToolCall]) -> None:
        if not text and not calls:
            return
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = [{"id": call.id, "tool": call.name, "arguments": call.arguments} for call in calls]
        await turn.context.add_message(message)

    async def _run_tools(self, turn: Turn, calls: list[ToolCall]) -> None:
        for call in calls:
            output = "The user stopped this." if turn.is_cancelled else await self._run_tool(turn, call)
            await turn.context.add_message({"role": "tool", "tool_call_id": call.id, "name": call.name, "content": output})

    async def _run_tool(self, turn: Turn, call: ToolCall) -> str:
        facts = {"tool_name": call.name, "tool_call_id": call.id, "tool_input": call.arguments}
        before = await turn.emit("tool:pre", facts)
        if before.action == "deny":
            return f"Denied: {before.reason or 'not allowed'}"
        facts["tool_input"] = (before.data or {}).get("tool_input", call.arguments)  # hooks may have changed it
        tool = turn.tools.get(call.name)
        if tool is None:
            return await self._tool_failed(turn, facts, f"There is no tool named {call.name}")
        try:
            result: ToolResult = await self._execute(turn, tool, facts)
        except Exception as error:  # a tool that raises must not take the session with it
            return await self._tool_failed(turn, facts, f"{type(error).__name__}: {error}")
        after = await turn.emit("tool:post", {**facts, "tool_response": result.model_dump(mode="json")})
        return _output(ToolResult.model_validate((after.data or {}).get("tool_response", result)))

    async def _execute(self, turn: Turn, tool: Any, facts: dict[str, Any]) -> ToolResult:
        cancellation = turn.coordinator.cancellation if turn.coordinator else None
        if cancellation:
            cancellation.register_tool_start(facts["tool_call_id"], facts["tool_name"])
        try:
            return await tool.execute(facts["tool_input"])
        finally:
            if cancellation:
                cancellation.register_tool_complete(facts["tool_call_id"])

    async def _tool_failed(self, turn: Turn, facts: dict[str, Any], message: str) -> str:
        await turn.emit("tool:error", {**facts, "error": {"type": "ToolError", "message": message}})
        return f"Error: {message}"

    async def _give_up(self, turn: Turn) -> str:
        text = f"Stopped after {self._max_iterations} rounds of tool calls without an answer."
        await turn.context.add_message({"role": "assistant", "content": text})
        return text


def _options(coordinator: Any) -> TurnOptions:
    ask = coordinator.get_capability("loop.turn_options") if coordinator else None
    return ask() if ask else TurnOptions()


def _injection(result: HookResult) -> dict[str, Any] | None:
    """An ephemeral injection: part of this request only."""
    if result.action != "inject_context" or not result.context_injection:
        return None
    return {"role": result.context_injection_role, "content": result.context_injection}


def _clean(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if value is not None}


def _text(response: ChatResponse) -> str:
    return "".join(block.text for block in response.content if isinstance(block, TextBlock))


def _spec(tool: Any) -> ToolSpec:
    return ToolSpec(name=tool.name, description=tool.description, parameters=getattr(tool, "input_schema", {}))


def _output(result: ToolResult) -> str:
    if not result.success:
        return f"Error: {json.dumps(result.error, ensure_ascii=False, default=str)}"
    return result.output if isinstance(result.output, str) else json.dumps(result.output, ensure_ascii=False, default=str)
