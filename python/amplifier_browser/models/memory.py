"""Gives the memory of an unused model back when the machine is short of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from ..engine import Engine
from ..host import HostError
from ..storage import Call

Message = dict[str, Any]

LOOK_SECONDS = 5.0
UNUSED_SECONDS = 30.0  # that a model stays in any case
LOOKS = 2  # that must find the memory short, so that a moment does not count
UNWATCHED_MINUTES = 5  # that it stays with no panel open: then nobody looks, and it wakes with the next one
LEAST, LEAST_SHARE = 400_000_000, 0.06  # bytes, and of all there is
LOADED = ("ready", "generating")
ELSEWHERE = ("server", "browser")  # engines that hold no memory here
TOLD = "The model gave its memory back, since this computer is short of it ({free} left). It wakes when you ask."


def is_short(available: float, capacity: float) -> bool:
    """Whether other programs are about to suffer. Bytes."""
    return available < max(LEAST, LEAST_SHARE * capacity)


class MemoryWatch:
    """Looks at the machine's memory while a model lies in it unused."""

    def __init__(self, engine: Engine, call: Call, record: Callable[[str, str], object]) -> None:
        """`call` asks the page; `record` takes a line for the list of what happened."""
        self._engine = engine
        self._call = call
        self._record = record
        self._used = time.monotonic()  # when the model was last at work
        self._short = 0  # looks in a row
        self._before = ""  # the engine's state

    def engine_changed(self) -> None:
        """It tells of its state."""
        before, self._before = self._before, self._engine.state["state"]
        if self._before == "ready" and before not in LOADED:
            self._engine.keep_unwatched(UNWATCHED_MINUTES)
        if self._before != "ready":
            self._used, self._short = time.monotonic(), 0

    async def run(self) -> None:
        """For as long as the panel is open."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self, now: float | None = None) -> None:
        """One look. `now`: seconds of the monotonic clock."""
        now = time.monotonic() if now is None else now
        state = self._engine.state
        if state["state"] == "ready" and state.get("engine") not in ELSEWHERE and now - self._used >= UNUSED_SECONDS:
            await self._look_at_memory()

    async def _look_at_memory(self) -> None:
        try:
            told = await self._call("memory.look")
        except HostError:  # without a number nothing is short
            return
        self._short = self._short + 1 if told and is_short(told["available"], told["capacity"]) else 0
        if self._short == LOOKS:
            self._short = 0
            self._engine.sleep()
            self._record("info", TOLD.format(free=f"{told['available'] / 1e6:.0f} MB"))
