"""Hook: reminds the model of its to-do list in every request, for that request only.

As upstream's hooks-todo-reminder, without its nagging to make a list where there is none: small models would.
Config: inject_role ("user" or "system", default "user"), priority (default 10).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amplifier_core import HookResult

from .tool_todo import in_words, todos_of

__amplifier_module_type__ = "hook"

NAME = "hooks-todo-reminder"
PRIORITY = 10  # after the status


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> Callable[[], None]:
    """Registers the hook; returns what takes it away again."""
    options = config or {}
    role = options.get("inject_role", "user")

    async def remind(_event: str, _data: dict[str, Any]) -> HookResult:
        todos = todos_of(coordinator)
        if not todos:
            return HookResult(action="continue")
        return HookResult(
            action="inject_context",
            context_injection=reminder(todos),
            context_injection_role=role,
            ephemeral=True,
            suppress_output=True,
        )

    return coordinator.hooks.register("provider:request", remind, priority=int(options.get("priority", PRIORITY)), name=NAME)


def reminder(todos: list[dict[str, str]]) -> str:
    """The list in upstream's tags. A step may quote a page, which must not close them."""
    lines = "\n".join(in_words(todo) for todo in todos).replace("<", "‹").replace(">", "›")
    return f'<system-reminder source="{NAME}">\nYour to-do list:\n{lines}\n</system-reminder>'
