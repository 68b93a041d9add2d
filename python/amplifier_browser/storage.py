"""What outlasts a session: named JSON values in the extension's own storage, the same for all windows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Call = Callable[..., Awaitable[Any]]  # amplifier_browser.host.Host.call


class Storage:
    """JSON values by name. Nothing is cached: another window may have changed it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._lock = asyncio.Lock()

    async def get(self, name: str, otherwise: Any = None) -> Any:
        """A stored value; `otherwise` if there is none."""
        values = await self._call("settings.get", names=[name])
        return (values or {}).get(name, otherwise)

    async def update(self, name: str, change: Callable[[Any], Any], otherwise: Any = None) -> Any:
        """Stores `change(value)` in the place of a value and returns it; one change at a time."""
        async with self._lock:
            changed = change(await self.get(name, otherwise))
            await self._call("settings.set", **{name: changed})
            return changed
