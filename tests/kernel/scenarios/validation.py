"""Point 18: the wheel's validators and test doubles work on this kernel."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

from amplifier_core import testing
from amplifier_core.testing import EventRecorder, ScriptedOrchestrator, create_test_coordinator, wait_for
from amplifier_core.validation import (
    ContextValidator,
    HookValidator,
    MountPlanValidator,
    OrchestratorValidator,
    ProviderValidator,
    ToolValidator,
)

_HEAD = "from amplifier_core import *\n\n"
_GOOD = {
    "tool": """
class Tool:
    name, description, input_schema = "t", "d", {"type": "object"}
    async def execute(self, input): return ToolResult(output=input)

async def mount(coordinator, config):
    await coordinator.mount("tools", Tool())
""",
    "hook": """
async def mount(coordinator, config):
    async def handler(event, data): return HookResult()
    return coordinator.hooks.register("tool:pre", handler, name="h")
""",
    "context": """
class Context:
    def __init__(self): self.messages = []
    async def add_message(self, message): self.messages.append(message)
    async def get_messages(self): return self.messages
    async def get_messages_for_request(self, token_budget=None, provider=None): return self.messages
    async def set_messages(self, messages): self.messages = messages
    async def clear(self): self.messages = []

async def mount(coordinator, config):
    await coordinator.mount("context", Context())
""",
    "orchestrator": """
class Loop:
    async def execute(self, prompt, context, providers, tools, hooks, **kwargs): return prompt

async def mount(coordinator, config):
    await coordinator.mount("orchestrator", Loop())
""",
    "provider": """
class Provider:
    name = "p"
    def get_info(self): return ProviderInfo(id="p", display_name="P")
    async def list_models(self): return [ModelInfo(id="m", display_name="M", context_window=1, max_output_tokens=1)]
    async def complete(self, request, **kwargs): return ChatResponse(content=[])
    def parse_tool_calls(self, response): return []

async def mount(coordinator, config):
    await coordinator.mount("providers", Provider())
""",
}
_BAD = {
    "no mount": "x = 1\n",
    "sync mount": "def mount(coordinator, config): pass\n",
    "mounts nothing": "async def mount(coordinator, config): pass\n",
    "mount raises": "async def mount(coordinator, config): raise ValueError('no')\n",
    "no module": "import missing_module_of_the_scenario\n",
}
_VALIDATORS: dict[str, Any] = {
    "tool": ToolValidator,
    "hook": HookValidator,
    "context": ContextValidator,
    "orchestrator": OrchestratorValidator,
    "provider": ProviderValidator,
}


async def _validated(kind: str, source: str, folder: str, number: int) -> Any:
    package = Path(folder, f"amplifier_module_{kind}_scenario{number}")
    package.mkdir()
    (package / "__init__.py").write_text(f'{_HEAD}__amplifier_module_type__ = "{kind}"\n{source}')
    importlib.invalidate_caches()  # packages appear in one folder faster than its time stamp changes
    result = await _VALIDATORS[kind]().validate(package, config={})
    return result.passed, [(check.name, check.passed) for check in result.checks]


async def p18_validators() -> Any:
    with tempfile.TemporaryDirectory(prefix="kernel-scenario-") as folder:
        good = {kind: await _validated(kind, source, folder, 0) for kind, source in _GOOD.items()}
        bad = {
            f"{kind}, {what}": await _validated(kind, source, folder, number)
            for kind in _VALIDATORS
            for number, (what, source) in enumerate(_BAD.items(), 1)
        }
    return good, bad


def p18_mount_plans() -> Any:
    plans: tuple[dict[str, Any], ...] = (
        {},
        {"session": {"orchestrator": "o", "context": "c"}},
        {"session": {"orchestrator": {"module": "o"}, "context": {"module": "c"}}, "tools": [{"module": "t"}]},
        {"session": {"orchestrator": {"module": "o"}}, "tools": [{"x": 1}], "providers": "wrong"},
    )
    results = [MountPlanValidator().validate(plan) for plan in plans]
    return [(result.passed, sorted(error.message for error in result.errors)) for result in results]


async def p18_test_doubles() -> Any:
    made, recorder = create_test_coordinator(), EventRecorder()
    orchestrator = ScriptedOrchestrator(["one"])
    context = made.get("context")
    answers = [await orchestrator.execute(p, context, {}, made.get("tools"), recorder) for p in ("a", "b")]
    echoed = await made.get("tools", "echo").execute({})
    await made.mount("tools", testing.MockTool("more"))
    await made.unmount("tools", "echo")
    return {
        "answers": answers,
        "events": recorder.get_events(),
        "messages": context.messages,
        "echoed": echoed.output,
        "history": [[entry["mount_point"], entry["name"]] for entry in (*made.mount_history, *made.unmount_history)],
        "tools": list(made.get("tools")),
        "waited": await wait_for(lambda: True),
    }
