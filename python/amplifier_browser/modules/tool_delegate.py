"""Tool `delegate`: hands a task to a helper, a child session with a context and tools of its own, and gets its answer.

What the helper does is drawn into the step of the call. Needs the capability `session.spawn` (amplifier_browser.spawning).
Config: max_iterations (of the helper, default 6), exclude_tools (modules that it does not get).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from amplifier_core import ToolResult

from ..asking import asking
from ..spawning import NOT_INHERITED, SpawnError
from ..step_sink import running_step
from ..tooling import Arguments, Permission, Traits, failed

__amplifier_module_type__ = "tool"

MOST_ROUNDS = 6
EVENTS = ["delegate:agent_spawned", "delegate:agent_completed", "delegate:error"]


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts the tool, and tells those who log of its events."""
    tool = DelegateTool(coordinator, config or {})
    coordinator.register_contributor("observability.events", "tool-delegate", lambda: list(EVENTS))
    await coordinator.mount("tools", tool, name=tool.name)


def _permission(_arguments: Arguments) -> Permission:
    return Permission(sees="Only the task. What the helper wants to use, it asks for itself.", free=True)


class DelegateTool:
    """Amplifier's Tool."""

    name = "delegate"
    description = "Hands a task to a helper that knows nothing of this conversation."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"task": {"type": "string", "description": "The whole task, in words"}},
        "required": ["task"],
    }
    traits = Traits(
        title="Hand a task to a helper session",
        asked_by=asking(r"delegate\b"),
        instruction="Write the task for the helper.",
        raw_argument="task",
        permission=_permission,
    )

    def __init__(self, coordinator: Any, config: dict[str, Any]) -> None:
        self._coordinator = coordinator
        self._rounds = int(config.get("max_iterations", MOST_ROUNDS))
        self._excluded = [*NOT_INHERITED, *config.get("exclude_tools", [])]

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """The helper's answer, or why there is none."""
        task = str(input.get("task") or "").strip()
        spawn = self._coordinator.get_capability("session.spawn")
        if not task:
            return failed("There is no task. Write what the helper should do.")
        if spawn is None:
            return failed("Helper sessions are not available here.")
        await self._tell("delegate:agent_spawned", task=task)
        try:
            answer = await self._spawn(spawn, task)
        except Exception as error:
            words = str(error) if isinstance(error, SpawnError) else f"The helper could not start: {error}"
            await self._tell("delegate:error", error={"type": type(error).__name__, "message": words})
            return failed(words)
        await self._tell("delegate:agent_completed", sub_session_id=answer["session_id"])
        return ToolResult(output=answer["output"]) if answer["output"].strip() else failed("The helper answered nothing.")

    async def _spawn(self, spawn: Callable[..., Any], task: str) -> dict[str, Any]:
        return await spawn(
            agent_name="self",
            instruction=task,
            parent_session=self._coordinator.session,
            tool_inheritance={"exclude_tools": self._excluded},
            orchestrator_config={"max_iterations": self._rounds},
            sink=running_step(self._coordinator),
        )

    async def _tell(self, event: str, **facts: Any) -> None:
        await self._coordinator.hooks.emit(event, {"agent": "self", "parent_session_id": self._coordinator.session_id, **facts})
