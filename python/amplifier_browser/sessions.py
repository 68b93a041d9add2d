"""Builds Amplifier sessions over the bundled modules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from amplifier_core import AmplifierSession

from .approvals import Grants, PanelApprovals
from .documents.library import LibraryClient
from .engine import Engine
from .history.records import Kept
from .loader import BundledLoader
from .module_capabilities import ModuleCapabilities
from .modules.loop_streaming import TurnOptions
from .prompts import SYSTEM
from .sandbox import Sandboxes
from .spawning import spawner
from .storage import Call, Storage
from .transcript import Sink
from .user_modules import UserModules

# A small model knows best what it finds likeliest; any warmth makes it wander. The penalty keeps it from going in circles.
CHAT_SAMPLING = {"temperature": 0.0, "repetition_penalty": 1.05}
RETRY_TEMPERATURE = 0.6  # asked again, it should not say the same again

TOOLS = ("tool-python", "tool-calculate", "tool-time", "tool-notes", "tool-pages", "tool-documents", "tool-todo", "tool-delegate")
HOOKS = ("hooks-approval", "hooks-redaction", "hooks-event-log", "hooks-status", "hooks-todo-reminder", "hooks-panel")


def retried(sampling: dict[str, Any]) -> dict[str, Any]:
    """The sampling of an answer that was asked for once more."""
    return {**sampling, "temperature": max(sampling.get("temperature", 0.0), RETRY_TEMPERATURE)}


class Panel:
    """Amplifier's DisplaySystem: messages of hooks become notices of the panel."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self._emit = emit

    def show_message(self, message: str, level: str, source: str = "hook") -> None:
        """Shows one line."""
        self._emit({"type": "notice", "level": level, "text": message})


@dataclass
class Services:
    """What the sessions of a panel share: each is a capability, or a system of Amplifier's application layer."""

    engine: Engine
    library: LibraryClient
    call: Call
    storage: Storage
    sandboxes: Sandboxes
    display: Panel
    approvals: PanelApprovals
    grants: Grants
    modules: UserModules
    capabilities: ModuleCapabilities  # that users' modules may be granted
    status: Callable[[], Awaitable[dict[str, Any] | None]]


def mount_plan(system: str = "") -> dict[str, Any]:
    """Amplifier's configuration of a session of ours; `system`: another system prompt than ours."""
    return {
        "session": {
            "orchestrator": {"module": "loop-streaming"},
            "context": {"module": "context-window", "config": {"system": system or SYSTEM}},
        },
        "providers": [{"module": "provider-webllm", "config": CHAT_SAMPLING}],
        "tools": [{"module": name} for name in TOOLS],
        "hooks": [{"module": name} for name in HOOKS],
    }


def section_plan() -> dict[str, Any]:
    """For the summary of a section: it needs no tools, and its prompt has no room for more."""
    return {**mount_plan(), "tools": [], "hooks": [{"module": "hooks-event-log"}, {"module": "hooks-panel"}]}


def own_system(session: Any) -> str:
    """A session's system prompt if it is the user's own, else nothing."""
    system = session.config["session"]["context"]["config"]["system"]
    return "" if system == SYSTEM else system


async def open_session(
    services: Services,
    sink: Callable[[], Sink | None],
    options: Callable[[], TurnOptions] = TurnOptions,
    parent: Any = None,
    plan: dict[str, Any] | None = None,
    session_id: str | None = None,
    resumed: Kept | None = None,
    system: str = "",
) -> AmplifierSession:
    """An initialized session whose answers are drawn into `sink()`; `plan`: another mount plan than the usual one. With `parent`
    it is a child of that session. `resumed`: the kept conversation that it goes on with. `system`: another
    system prompt of the usual plan than ours."""
    session = AmplifierSession(
        plan or mount_plan(system),
        session_id=session_id,
        parent_id=parent.session_id if parent else None,
        is_resumed=resumed is not None,
        display_system=services.display,
        approval_system=services.approvals,
    )
    coordinator = session.coordinator
    coordinator.loader = BundledLoader(coordinator)  # the kernel ignores a loader that is passed to the session
    capabilities = {
        "browser.engine": services.engine,
        "browser.library": services.library,
        "browser.count_tokens": services.engine.count,
        "browser.call": services.call,
        "browser.storage": services.storage,
        "browser.sandboxes": services.sandboxes,
        "browser.status": services.status,
        "panel.sink": sink,
        "panel.approvals": services.approvals,
        "panel.grants": services.grants,
        "loop.turn_options": options,
        "session.spawn": spawner(),
        "session.equip": services.modules.mount_into,
    }
    if parent:
        capabilities["session.event_log"] = parent.coordinator.get_capability("session.event_log")
    for name, value in capabilities.items():
        coordinator.register_capability(name, value)
    await session.initialize()
    if resumed:
        await coordinator.get("context").set_messages(resumed.memory["context"])
    if plan is None:
        coordinator.register_cleanup(await services.modules.mount_into(coordinator))
    if parent:
        parent.coordinator.cancellation.register_child(coordinator.cancellation)
    return session
