"""Orchestrator: asks the provider, runs the tools it calls, until it answers; every step is an event that hooks may steer.

Capability `loop.turn_options` (a function returning TurnOptions, optional): how this turn differs from others.
Config: max_iterations (default 8).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from amplifier_core import ChatRequest, ChatResponse, HookResult, Message, TextBlock, ToolCall, ToolSpec

from ..engine import DEFAULT_CONTEXT
from ..images import with_images
from ..tool_choice import Offer, Round
from ..tool_runner import Outcome, ToolRunner, as_data
from ..tooling import traits_of

__amplifier_module_type__ = "orchestrator"

NAME = "loop-streaming"
MAX_ITERATIONS = 8
FAILURES_TOLERATED = 1  # the model hears of an error once, then the user does
CHARACTERS_A_CONTEXT_TOKEN = 2  # of a tool's result, so that it takes about half of the model's context


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts the orchestrator."""
    await coordinator.mount("orchestrator", StreamingLoop(config or {}))


def _all_tools(_prompt: str, _tools: dict[str, Any], _rounds: list[Round]) -> Offer:
    return Offer()


@dataclass(frozen=True)
class TurnOptions:
    """What the application may want of one turn."""

    answer_prefix: str = ""  # an unfinished answer to go on with, instead of a new one
    sampling: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())  # fields of ChatRequest: temperature, ...
    offer: Callable[[str, dict[str, Any], list[Round]], Offer] = _all_tools  # prompt, tools, rounds so far
    attachments: list[dict[str, Any]] = field(default_factory=lambda: list[dict[str, Any]]())  # of which the images are shown


@dataclass
class Turn:
    """Everything that one execution works with."""

    prompt: str
    context: Any
    provider_name: str
    provider: Any
    tools: dict[str, Any]
    hooks: Any
    coordinator: Any
    options: TurnOptions
    rounds: list[Round] = field(default_factory=lambda: list[Round]())

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
        self._runner: ToolRunner | None = None

    def interrupt(self) -> None:
        """Ends a tool that runs; the turn itself ends by the coordinator's cancellation."""
        if self._runner:
            self._runner.interrupt()

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
        turn = Turn(prompt, context, name, provider, tools, hooks, coordinator, _options(coordinator))
        self._runner = ToolRunner(tools, turn.emit, coordinator, _longest_result(provider))
        await turn.emit("execution:start", {"prompt": prompt})
        status, answer = "failed", ""
        try:
            answer = await self._answer(turn, self._runner)
            status = "cancelled" if turn.is_cancelled else "completed"
        finally:
            await turn.emit("orchestrator:complete", {"orchestrator": NAME, "status": status})
            await turn.emit("execution:end", {"response": answer, "status": status})
        return answer

    async def _answer(self, turn: Turn, runner: ToolRunner) -> str:
        submitted = await turn.emit("prompt:submit", {"prompt": turn.prompt})
        if submitted.action == "deny":
            refusal = f"Not sent: {submitted.reason or 'a hook denied it'}"
            await turn.emit("loop:gave_up", {"text": refusal})
            return refusal
        await turn.context.add_message({"role": "user", "content": with_images(turn.prompt, turn.options.attachments)})
        extra = _injections(submitted)
        for iteration in range(self._max_iterations):
            if turn.is_cancelled:
                return ""
            offer = turn.options.offer(turn.prompt, turn.tools, turn.rounds)
            if offer.call:
                text, calls, origin = "", [ToolCall(id=_call_id(), name=offer.call[0], arguments=offer.call[1])], "user"
            else:
                text, calls = await self._ask(turn, iteration, offer, extra)
                origin, extra = "model", []
            await self._remember(turn, text, calls)
            if not calls:
                await turn.emit("prompt:complete", {"prompt": turn.prompt, "response": text})
                return text
            if failure := await self._run_tools(turn, runner, calls, origin):
                return await self._give_up(turn, failure)
        return await self._give_up(turn, f"Stopped after {self._max_iterations} rounds of tool calls without an answer.")

    async def _ask(self, turn: Turn, iteration: int, offer: Offer, extra: list[dict[str, Any]]) -> tuple[str, list[ToolCall]]:
        """One request to the model: the text and the calls it came to."""
        asked = await turn.emit("provider:request", {"provider": turn.provider_name, "iteration": iteration})
        if asked.action == "deny":
            raise RuntimeError(f"The request was denied: {asked.reason or 'by a hook'}")
        messages = await turn.context.get_messages_for_request(provider=turn.provider)
        injected = [*extra, *_injections(asked)]
        prefix = turn.options.answer_prefix if iteration == 0 else ""
        tail = [{"role": "assistant", "content": prefix}] if prefix else []
        request = ChatRequest(
            messages=[Message(**_clean(message)) for message in [*messages, *injected, *tail]],
            tools=[_spec(tool) for name, tool in turn.tools.items() if offer.tools is None or name in offer.tools] or None,
            tool_choice=offer.choice,
            **({"answer_prefix": offer.answer_prefix} if offer.answer_prefix else {}),
            **turn.options.sampling,
        )
        response = await turn.provider.complete(request)
        usage = response.usage.model_dump() if response.usage else None
        await turn.emit("provider:response", {"provider": turn.provider_name, "iteration": iteration, "usage": usage})
        return prefix + _text(response), [] if turn.is_cancelled else turn.provider.parse_tool_calls(response)

    async def _remember(self, turn: Turn, text: str, calls: list[ToolCall]) -> None:
        if not text and not calls:
            return
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = [{"id": call.id, "tool": call.name, "arguments": call.arguments} for call in calls]
        await turn.context.add_message(message)

    async def _run_tools(self, turn: Turn, runner: ToolRunner, calls: list[ToolCall], origin: str) -> str | None:
        """Runs the calls of one round; returns why the turn should end, if it should."""
        for call in calls:
            if turn.is_cancelled:
                outcome = Outcome(call.name, "The user stopped this.", is_ok=False, is_final=True)
            else:
                outcome = await runner.run(call, origin)
            turn.rounds.append(Round(call.name, outcome.is_ok, outcome.is_final))
            await turn.context.add_message(_tool_message(call, outcome))
            failed = [done for done in turn.rounds if done.tool == call.name and not done.is_ok and not done.is_final]
            if not outcome.is_ok and len(failed) > FAILURES_TOLERATED:
                title = traits_of(turn.tools[call.name]).title if call.name in turn.tools else call.name
                return f"“{title}” failed {len(failed)} times, so it was given up. {outcome.text}"
        return None

    async def _give_up(self, turn: Turn, text: str) -> str:
        """Ends the turn with words of ours instead of the model's."""
        await turn.context.add_message({"role": "assistant", "content": text})
        await turn.emit("loop:gave_up", {"text": text})
        return text


def _options(coordinator: Any) -> TurnOptions:
    ask = coordinator.get_capability("loop.turn_options") if coordinator else None
    return ask() if ask else TurnOptions()


def _injections(result: HookResult) -> list[dict[str, Any]]:
    """Ephemeral injections: part of this request only, each with the role that its hook gave it."""
    if result.action != "inject_context":
        return []
    single = [{"role": result.context_injection_role, "content": result.context_injection}] if result.context_injection else []
    return [{"role": each.role, "content": each.content} for each in result.context_injections or []] or single


def _clean(message: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if value is not None}


def _text(response: ChatResponse) -> str:
    return "".join(block.text for block in response.content if isinstance(block, TextBlock))


def _spec(tool: Any) -> ToolSpec:
    return ToolSpec(name=tool.name, description=tool.description, parameters=getattr(tool, "input_schema", {}))


def _tool_message(call: ToolCall, outcome: Outcome) -> dict[str, Any]:
    message = {"role": "tool", "tool_call_id": call.id, "name": call.name, "content": as_data(outcome)}
    return message if outcome.is_trusted else {**message, "metadata": {"untrusted": True}}


def _longest_result(provider: Any) -> int:
    """Characters of a tool's result that the model gets."""
    return CHARACTERS_A_CONTEXT_TOKEN * provider.get_info().defaults.get("context_window", DEFAULT_CONTEXT)


def _call_id() -> str:
    return f"call_{uuid.uuid4().hex[:12]}"
