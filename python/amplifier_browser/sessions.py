"""Builds Amplifier sessions over the bundled modules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from amplifier_core import AmplifierSession

from .engine import Engine
from .loader import BundledLoader
from .prompts import SYSTEM
from .transcript import Sink

TEMPERATURE = 0.2  # small models wander when it is higher
REPETITION_PENALTY = 1.05


class Panel:
    """Amplifier's DisplaySystem: messages of hooks become notices of the panel."""

    def __init__(self, emit: Callable[[dict[str, Any]], None]) -> None:
        self._emit = emit

    def show_message(self, message: str, level: str, source: str = "hook") -> None:
        """Shows one line."""
        self._emit({"type": "notice", "level": level, "text": message})


def mount_plan(max_output_tokens: int | None = None) -> dict[str, Any]:
    """Amplifier's configuration of a session of ours."""
    sampling: dict[str, Any] = {"temperature": TEMPERATURE, "repetition_penalty": REPETITION_PENALTY}
    if max_output_tokens:
        sampling["max_output_tokens"] = max_output_tokens
    return {
        "session": {
            "orchestrator": {"module": "loop-streaming"},
            "context": {"module": "context-window", "config": {"system": SYSTEM}},
        },
        "providers": [{"module": "provider-webllm", "config": sampling}],
        "hooks": [{"module": "hooks-panel"}],
    }


async def open_session(
    engine: Engine,
    sink: Callable[[], Sink | None],
    display: Panel,
    answer_prefix: Callable[[], str] = lambda: "",
    count: Callable[[list[str]], Awaitable[list[int]]] | None = None,
    max_output_tokens: int | None = None,
    parent: Any = None,
) -> AmplifierSession:
    """An initialized session whose answers are drawn into `sink()`. With `parent` it is a child of that session."""
    session = AmplifierSession(
        mount_plan(max_output_tokens),
        parent_id=parent.session_id if parent else None,
        display_system=display,
    )
    coordinator = session.coordinator
    coordinator.loader = BundledLoader(coordinator)  # the kernel ignores a loader that is passed to the session
    coordinator.register_capability("browser.engine", engine)
    coordinator.register_capability("browser.count_tokens", count or engine.count)
    coordinator.register_capability("panel.sink", sink)
    coordinator.register_capability("loop.answer_prefix", answer_prefix)
    await session.initialize()
    if parent:
        parent.coordinator.cancellation.register_child(coordinator.cancellation)
    return session
