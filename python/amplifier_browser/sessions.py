"""Builds Amplifier sessions over the bundled modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amplifier_core import AmplifierSession

from .engine import Engine
from .loader import BundledLoader
from .modules.loop_streaming import TurnOptions
from .prompts import SYSTEM
from .transcript import Sink

# A small model knows best what it finds likeliest; any warmth makes it wander. The penalty keeps it from going in circles.
CHAT_SAMPLING = {"temperature": 0.0, "repetition_penalty": 1.05}
RETRY_SAMPLING = {"temperature": 0.6}  # asked again, it should not say the same again


class Panel:
    """Amplifier's DisplaySystem: messages of hooks become notices of the panel."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self._emit = emit

    def show_message(self, message: str, level: str, source: str = "hook") -> None:
        """Shows one line."""
        self._emit({"type": "notice", "level": level, "text": message})


def mount_plan() -> dict[str, Any]:
    """Amplifier's configuration of a session of ours."""
    return {
        "session": {
            "orchestrator": {"module": "loop-streaming"},
            "context": {"module": "context-window", "config": {"system": SYSTEM}},
        },
        "providers": [{"module": "provider-webllm", "config": CHAT_SAMPLING}],
        "hooks": [{"module": "hooks-panel"}],
    }


async def open_session(
    engine: Engine,
    sink: Callable[[], Sink | None],
    display: Panel,
    options: Callable[[], TurnOptions] = TurnOptions,
    parent: Any = None,
) -> AmplifierSession:
    """An initialized session whose answers are drawn into `sink()`. With `parent` it is a child of that session."""
    session = AmplifierSession(
        mount_plan(),
        parent_id=parent.session_id if parent else None,
        display_system=display,
    )
    coordinator = session.coordinator
    coordinator.loader = BundledLoader(coordinator)  # the kernel ignores a loader that is passed to the session
    coordinator.register_capability("browser.engine", engine)
    coordinator.register_capability("browser.count_tokens", engine.count)
    coordinator.register_capability("panel.sink", sink)
    coordinator.register_capability("loop.turn_options", options)
    await session.initialize()
    if parent:
        parent.coordinator.cancellation.register_child(coordinator.cancellation)
    return session
