"""Runs one tool call: checks it, lets hooks have their say, executes it, and puts what came of it into words for the model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import fastjsonschema
from amplifier_core import HookResult, ToolCall, ToolResult

from .prompts import fence
from .tooling import traits_of

Emit = Callable[[str, dict[str, Any]], Awaitable[HookResult]]
STOPPED = "The user stopped this."


@dataclass(frozen=True)
class Outcome:
    """What came of a call. `text` is for the model, not yet fenced."""

    tool: str
    text: str
    is_ok: bool
    is_trusted: bool = False
    is_final: bool = False  # the user decided: nothing is gained by trying again


class ToolRunner:
    """Runs the calls of one turn."""

    def __init__(self, tools: Mapping[str, Any], emit: Emit, coordinator: Any, longest: int) -> None:
        """`emit` emits an event and acts on what hooks made of it; `longest`: characters of a result that the model gets."""
        self._tools = tools
        self._emit = emit
        self._cancellation = coordinator.cancellation if coordinator else None
        self._verdict = coordinator.get_capability("approvals.verdict") if coordinator else None
        self._longest = longest
        self._running: asyncio.Future[Any] | None = None

    def interrupt(self) -> None:
        """Ends the tool that runs."""
        if self._running:
            self._running.cancel()

    async def run(self, call: ToolCall, origin: str) -> Outcome:
        """Runs one call. `origin`: "user" where the user's own words spelled it out, else "model"."""
        facts = {"tool_name": call.name, "tool_call_id": call.id, "tool_input": call.arguments, "origin": origin}
        tool = self._tools.get(call.name)
        if tool is None:
            return await self._failed(facts, f"There is no tool named {call.name}")
        if wrong := self._wrong_arguments(tool, call.arguments):
            return await self._failed(facts, wrong)
        arguments, refusal = await self._asked_hooks(facts)
        if refusal:
            return await self._denied(facts, refusal)
        facts = {**facts, "tool_input": arguments}
        if wrong := self._wrong_arguments(tool, facts["tool_input"]):
            return await self._failed(facts, wrong)
        return await self._execute(tool, facts)

    async def _asked_hooks(self, facts: dict[str, Any]) -> tuple[Any, str]:
        """The arguments as hooks left them, and why the call must not run, if it must not."""
        before = await self._emit("tool:pre", facts)
        if self._verdict:  # who approves knows for what; the kernel's own answer may be for another hook's question
            verdict = await self._verdict(facts, before)
            return verdict.arguments, verdict.reason
        if before.action == "deny":
            return None, before.reason or "not allowed"
        return (before.data or {}).get("tool_input", facts["tool_input"]), ""

    def _wrong_arguments(self, tool: Any, arguments: Any) -> str | None:
        """What is wrong with arguments by the tool's own schema, in words that a model can act on."""
        schema: dict[str, Any] = getattr(tool, "input_schema", None) or {}
        try:
            fastjsonschema.validate({"type": "object", **schema}, arguments)
        except fastjsonschema.JsonSchemaValueException as error:
            return f"Wrong arguments: {error.message.replace('data.', '').replace('data ', 'the input ')}"
        except fastjsonschema.JsonSchemaDefinitionException as error:
            return f"The tool's input_schema is not valid: {error}"
        return None

    async def _execute(self, tool: Any, facts: dict[str, Any]) -> Outcome:
        try:
            result = await self._guarded(tool, facts)
            if not isinstance(result, ToolResult):
                raise TypeError(f"The tool returned {type(result).__name__} instead of a ToolResult")
        except asyncio.CancelledError:
            if self._cancellation is None or not self._cancellation.is_cancelled:
                raise  # it is not the tool that was ended, but the whole turn
            await self._emit("tool:error", {**facts, "error": {"type": "ToolStopped", "message": STOPPED}})
            return Outcome(facts["tool_name"], STOPPED, is_ok=False, is_final=True)
        except Exception as error:  # a tool that raises must not take the session with it
            return await self._failed(facts, f"{type(error).__name__}: {error}")
        after = await self._emit("tool:post", {**facts, "tool_response": result.model_dump(mode="json")})
        result = ToolResult.model_validate((after.data or {}).get("tool_response", result))
        text = _shortened(text_of(result), self._longest)
        return Outcome(facts["tool_name"], text, is_ok=result.success, is_trusted=traits_of(tool).is_trusted)

    async def _guarded(self, tool: Any, facts: dict[str, Any]) -> Any:
        if self._cancellation:
            self._cancellation.register_tool_start(facts["tool_call_id"], facts["tool_name"])
        try:
            running = self._running = asyncio.ensure_future(tool.execute(facts["tool_input"]))
            return await running
        finally:
            self._running = None
            if self._cancellation:
                self._cancellation.register_tool_complete(facts["tool_call_id"])

    async def _failed(self, facts: dict[str, Any], message: str) -> Outcome:
        await self._emit("tool:error", {**facts, "error": {"type": "ToolError", "message": message}})
        tool = self._tools.get(facts["tool_name"])
        is_trusted = tool is None or traits_of(tool).is_trusted
        return Outcome(facts["tool_name"], f"Error: {_shortened(message, self._longest)}", is_ok=False, is_trusted=is_trusted)

    async def _denied(self, facts: dict[str, Any], reason: str) -> Outcome:
        await self._emit("tool:error", {**facts, "error": {"type": "ToolDenied", "message": reason}})
        return Outcome(facts["tool_name"], f"Denied: {reason}", is_ok=False, is_trusted=True, is_final=True)


def text_of(result: ToolResult) -> str:
    """A result in words for the model; what is only for people is left out."""
    if not result.success:
        error = result.error or {}
        return f"Error: {error.get('message') or json.dumps(error, ensure_ascii=False, default=str)}"
    output = result.output
    if isinstance(output, dict) and "display" in output:
        output = output.get("text", "")
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, default=str)


def as_data(outcome: Outcome) -> str:
    """An outcome as it stands in the conversation: data, never instructions."""
    return fence(outcome.text)


def _shortened(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n(cut here: {len(text) - longest} more characters)"
