"""A hook: says how many tools were called in this session."""

from typing import Any

from amplifier_core import HookResult, ModuleCoordinator

calls = 0


async def count(event: str, data: dict[str, Any]) -> HookResult:
    global calls
    calls += 1
    print(f"call {calls}: {data['tool_name']}")
    return HookResult(user_message=f"That was tool call {calls} of this session.")


async def mount(coordinator: ModuleCoordinator, config: dict[str, Any]) -> None:
    coordinator.hooks.register("tool:post", count)
