"""Finds the modules that ship with the extension; anything else is left to Amplifier's own loader."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from amplifier_core import ModuleLoader

MODULES = (
    "provider-webllm",
    "loop-streaming",
    "context-window",
    "tool-pages",
    "tool-documents",
    "tool-python",
    "tool-calculate",
    "tool-time",
    "tool-notes",
    "tool-todo",
    "tool-delegate",
    "hooks-panel",
    "hooks-approval",
    "hooks-event-log",
    "hooks-redaction",
    "hooks-status",
    "hooks-todo-reminder",
)
BUNDLED = {name: f"amplifier_browser.modules.{name.replace('-', '_')}" for name in MODULES}


class BundledLoader(ModuleLoader):
    """Loads a bundled module by its id, without searching entry points, which costs start-up time in a browser."""

    async def load(  # the signature is upstream's
        self,
        module_id: str,
        config: dict[str, Any] | None = None,
        source_hint: str | dict[str, Any] | None = None,
        coordinator: Any = None,
    ) -> Callable[[Any], Awaitable[Any]]:
        """Returns the function that mounts `module_id` with `config`."""
        if module_id not in BUNDLED:
            return await super().load(module_id, config, source_hint, coordinator)
        module = importlib.import_module(BUNDLED[module_id])

        async def mount(coordinator: Any) -> Any:
            return await module.mount(coordinator, config or {})

        return mount
