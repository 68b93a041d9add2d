"""Hook: turns kernel events into what the panel shows.

Capability `panel.sink`: a function that returns where the running answer is drawn (amplifier_browser.transcript.Sink), or None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amplifier_core import HookResult, ToolResult

from ..engine import WAITING
from ..tool_runner import text_of
from ..tooling import shown_arguments, traits_of
from ..transcript import Sink

__amplifier_module_type__ = "hook"

Handler = Callable[[Sink, dict[str, Any]], None]
FAILED_STATES = {"ToolDenied": "denied", "ToolStopped": "stopped"}


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> Callable[[], None]:
    """Registers one handler an event; returns what takes them away again."""
    undo = [
        coordinator.hooks.register(event, _to_sink(coordinator, handler), priority=100, name=f"hooks-panel:{event}")
        for event, handler in HANDLERS.items()
    ]

    def unmount() -> None:
        for unregister in undo:
            if callable(unregister):
                unregister()

    return unmount


def _to_sink(coordinator: Any, handler: Handler) -> Callable[[str, dict[str, Any]], Any]:
    async def handle(_event: str, data: dict[str, Any]) -> HookResult:
        current = coordinator.get_capability("panel.sink")
        sink = current() if current else None
        if sink is not None:
            facts = data or {}
            tool = (coordinator.get("tools") or {}).get(facts.get("tool_name") or facts.get("name"))
            handler(sink, facts if tool is None else {**facts, "tool": tool})
        return HookResult(action="continue")

    return handle


def _on_block(sink: Sink, data: dict[str, Any]) -> None:
    if data["block_type"] == "tool_use":
        title = traits_of(data["tool"]).title if "tool" in data else "a tool"
        sink.progress(f"Preparing: {title}", 0, 0)


def _on_delta(sink: Sink, data: dict[str, Any]) -> None:
    if data["block_type"] == "text":
        sink.append(data["text"])


def _on_waiting(sink: Sink, _data: dict[str, Any]) -> None:
    sink.progress(WAITING, 0, 0)


def _on_prefill(sink: Sink, data: dict[str, Any]) -> None:
    done, total, left = data["done"], data["total"], data["seconds_left"]
    sink.progress("Reading" if done < total else "Thinking", done, total, left)


def _on_response(sink: Sink, data: dict[str, Any]) -> None:
    sink.usage({**data.get("usage", {}), **data.get("speed", {})})


def _on_images_left_out(sink: Sink, data: dict[str, Any]) -> None:
    sink.note(data["text"])


def _on_retry(sink: Sink, _data: dict[str, Any]) -> None:
    sink.note("The engine was lost in the middle of this answer. It was started again and the answer went on.")


def _on_error(sink: Sink, data: dict[str, Any]) -> None:
    sink.failed(data["error"]["message"])


def _on_tool(sink: Sink, data: dict[str, Any]) -> None:
    sink.step({**_step(data), "state": "running"})


def _on_question(sink: Sink, data: dict[str, Any]) -> None:
    sink.step({**_step(data), "state": "asking"})


def _on_tool_result(sink: Sink, data: dict[str, Any]) -> None:
    result = ToolResult.model_validate(data["tool_response"])
    said = {"output": text_of(result)} if result.success else {"error": text_of(result).removeprefix("Error: ")}
    sink.step({**_step(data), "state": "done" if result.success else "error", **said, "display": _display(result)})


def _on_tool_error(sink: Sink, data: dict[str, Any]) -> None:
    error = data["error"]
    sink.step({**_step(data), "state": FAILED_STATES.get(error["type"], "error"), "error": error["message"]})


def _step(data: dict[str, Any]) -> dict[str, Any]:
    """A tool call as the panel shows it; a tool that does not exist has no traits."""
    traits = traits_of(data["tool"]) if "tool" in data else None
    return {
        "id": data["tool_call_id"],
        "tool": data["tool_name"],
        "title": traits.title if traits else data["tool_name"],
        "arguments": shown_arguments(traits, data["tool_input"]),
    }


def _display(result: ToolResult) -> list[dict[str, Any]]:
    output = result.output
    return output.get("display", []) if isinstance(output, dict) else []


def _on_gave_up(sink: Sink, data: dict[str, Any]) -> None:
    sink.append(data["text"])


def _on_compaction(sink: Sink, data: dict[str, Any]) -> None:
    count = data["dropped_in_all"]
    messages = "message" if count == 1 else f"{count} messages"
    sink.note(
        f"The first {messages} of this conversation no longer fit the model's memory and were left out. "
        "Start a new session for a new subject."
    )


HANDLERS: dict[str, Handler] = {
    "llm:stream_block_start": _on_block,
    "llm:stream_block_delta": _on_delta,
    "llm:waiting": _on_waiting,
    "llm:prefill_progress": _on_prefill,
    "llm:response": _on_response,
    "llm:images_left_out": _on_images_left_out,
    "provider:retry": _on_retry,
    "provider:error": _on_error,
    "tool:pre": _on_tool,
    "approval:required": _on_question,
    "approval:granted": _on_tool,
    "tool:post": _on_tool_result,
    "tool:error": _on_tool_error,
    "loop:gave_up": _on_gave_up,
    "context:compaction": _on_compaction,
}
