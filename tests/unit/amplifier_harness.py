"""A session with our orchestrator and context around a scripted provider, for what needs tools or hooks."""

from __future__ import annotations

from typing import Any, ClassVar

from amplifier_browser.loader import BundledLoader
from amplifier_core import AmplifierSession, ChatResponse, HookResult, ProviderInfo, TextBlock, ToolCall, ToolResult, Usage

PLAN = {"session": {"orchestrator": {"module": "loop-streaming"}, "context": {"module": "context-window"}}}


class ScriptedProvider:
    """Answers with the given responses in turn: a text, or a list of tool calls (name, arguments)."""

    name = "scripted"

    def __init__(self, *responses: str | list[tuple[str, dict[str, Any]]]) -> None:
        self.responses = list(responses)
        self.requests: list[Any] = []

    def get_info(self) -> ProviderInfo:
        return ProviderInfo(id="scripted", display_name="Scripted", defaults={"context_window": 2048})

    async def list_models(self) -> list[Any]:
        return []

    async def complete(self, request: Any, **_kwargs: Any) -> ChatResponse:
        self.requests.append(request)
        response = self.responses.pop(0)
        usage = Usage(input_tokens=1, output_tokens=1, total_tokens=2)
        if isinstance(response, str):
            return ChatResponse(content=[TextBlock(text=response)], usage=usage)
        calls = [ToolCall(id=f"c{i}", name=name, arguments=args) for i, (name, args) in enumerate(response)]
        return ChatResponse(content=[], tool_calls=calls, usage=usage)

    def parse_tool_calls(self, response: ChatResponse) -> list[ToolCall]:
        return list(response.tool_calls or [])


class Adder:
    """A tool: adds two numbers, or raises."""

    name = "add"
    description = "Adds two numbers."
    input_schema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "number"}}}

    def __init__(self) -> None:
        self.inputs: list[dict[str, Any]] = []

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        self.inputs.append(input)
        return ToolResult(success=True, output=input["a"] + input["b"])


class Recorder:
    """Remembers events; answers some of them."""

    def __init__(self, **answers: HookResult) -> None:
        self.answers = answers
        self.events: list[tuple[str, dict[str, Any]]] = []

    async def __call__(self, event: str, data: dict[str, Any]) -> HookResult:
        self.events.append((event, data))
        return self.answers.get(event.replace(":", "_"), HookResult(action="continue"))

    def names(self) -> list[str]:
        return [event for event, _ in self.events]


EVENTS = [
    "execution:start",
    "execution:end",
    "prompt:submit",
    "prompt:complete",
    "provider:request",
    "provider:response",
    "tool:pre",
    "tool:post",
    "tool:error",
    "orchestrator:complete",
]


async def open_session(provider: ScriptedProvider, recorder: Recorder, *tools: Any) -> AmplifierSession:
    """A session with the provider and tools mounted and the recorder on every event."""
    session = AmplifierSession(PLAN)
    session.coordinator.loader = BundledLoader(session.coordinator)
    await session.initialize()
    await session.coordinator.mount("providers", provider, name="scripted")
    for tool in tools:
        await session.coordinator.mount("tools", tool, name=tool.name)
    for event in EVENTS:
        session.coordinator.hooks.register(event, recorder, name="recorder")
    return session
