"""Named values of one group, kept on this computer; the small ones among them are also given to Chrome, which carries them to the
user's other computers, if they have synchronization on.

Which copy wins: Chrome's, as it may be newer than this computer's. Where Chrome would not take a value (too long, too many
changes), its name stands in `unsynced`, and this computer's copy wins until Chrome takes one again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any, cast

from .host import HostError
from .storage import Call, Storage

SYNCHRONIZE = "synchronize"  # of the values themselves: only what the user says may leave this computer
UNSYNCED = "unsynced"

Values = dict[str, Any]


class SyncedValues:
    """The values under one name. Nothing is cached: another window or computer may have changed them."""

    def __init__(self, call: Call, name: str, synced: Collection[str]) -> None:
        """`synced`: which of the values Chrome may carry."""
        self._call = call
        self._storage = Storage(call)
        self._name = name
        self._synced = tuple(synced)
        self._lock = asyncio.Lock()

    async def load(self) -> Values:
        """All values that are set; `unsynced` among them, if there are such."""
        async with self._lock:
            return await self._load()

    async def update(self, name: str, change: Callable[[Any], Any]) -> Values:
        """Sets a value to `change(value)`, None for one that was not set; returns all. What `change` raises is raised."""
        async with self._lock:
            values = await self._load()
            return await self._keep({**values, name: change(values.get(name))}, (name,))

    async def keep_only(self, names: Collection[str]) -> Values:
        """Forgets all other values, here and in Chrome's synchronization; what may be synchronized stays as it was chosen."""
        async with self._lock:
            values = await self._load()
            gone = [self._key(name) for name in self._synced if name not in names]
            await self._tolerant("synced.remove", names=gone)
            kept = (*names, SYNCHRONIZE, UNSYNCED)
            return await self._keep({name: value for name, value in values.items() if name in kept}, ())

    async def set_synchronized(self, value: bool) -> Values:
        """Turns synchronization on, with the values of this computer, or off, whereby Chrome forgets them."""
        async with self._lock:
            values = {**await self._load(), SYNCHRONIZE: value}
            if not value:
                await self._tolerant("synced.remove", names=[self._key(name) for name in self._synced])
            return await self._keep(values, [name for name in self._synced if name in values])

    async def _load(self) -> Values:
        stored = await self._storage.get(self._name, {})
        values: Values = dict(cast(Values, stored)) if isinstance(stored, dict) else {}
        if not values.get(SYNCHRONIZE):
            return values
        carried = await self._tolerant("synced.get", names=[self._key(name) for name in self._synced]) or {}
        stays = unsynced(values)
        found = {name: carried[self._key(name)] for name in self._synced if self._key(name) in carried and name not in stays}
        return {**values, **found}

    async def _keep(self, values: Values, changed: Collection[str]) -> Values:
        """Chrome's copy first: as long as the two differ, that one wins."""
        stays = set(unsynced(values))
        if values.get(SYNCHRONIZE):
            for name in changed:
                if name in self._synced:
                    is_taken = await self._tolerant("synced.set", **{self._key(name): values[name]}) is not _REFUSED
                    (stays.discard if is_taken else stays.add)(name)
        kept = {name: value for name, value in values.items() if name != UNSYNCED}
        kept |= {UNSYNCED: sorted(stays & set(kept))} if stays & set(kept) else {}
        return await self._storage.update(self._name, lambda _before: kept, {})

    async def _tolerant(self, call: str, **arguments: Any) -> Any:
        """Chrome's answer; `_REFUSED` where it has none, as without its synchronization all works."""
        try:
            return await self._call(call, **arguments)
        except HostError:
            return _REFUSED

    def _key(self, name: str) -> str:
        return f"{self._name}.{name}"


def unsynced(values: Values) -> list[str]:
    """Names of those that Chrome does not carry, though it may."""
    names = values.get(UNSYNCED)
    return [str(name) for name in cast(list[Any], names)] if isinstance(names, list) else []


class _Refused:
    def __bool__(self) -> bool:
        return False


_REFUSED = _Refused()
