"""When a model gives its memory back because the machine is short of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from amplifier_browser.engine import Engine
from amplifier_browser.host import HostError
from amplifier_browser.models.memory import LOOKS, UNUSED_SECONDS, UNWATCHED_MINUTES, MemoryWatch, is_short
from panel_harness import Panel

GB = 1_000_000_000


class Machine:
    """A machine whose free memory a test sets."""

    def __init__(self) -> None:
        self.free: int | None = 8 * GB
        self.posted: list[dict[str, Any]] = []
        self.recorded: list[str] = []
        self.looks = 0
        self.engine = Engine(self.posted.append)
        self.watch = MemoryWatch(self.engine, self._call, lambda _level, text: self.recorded.append(text))
        self.now = self.watch._used
        self.tell("ready")

    def tell(self, state: str, engine: str = "webllm") -> None:
        told = {"state": state, "model": "m", "engine": engine, "models": [], "progress": None, "text": "", "error": None}
        self.engine.receive({"type": "state", "engine": told})
        self.watch.engine_changed()

    async def look(self, times: int = 1, later: float = UNUSED_SECONDS) -> None:
        self.now += later
        for _ in range(times):
            await self.watch.look(self.now)

    async def _call(self, name: str) -> dict[str, int]:
        assert name == "memory.look"
        self.looks += 1
        if self.free is None:
            raise HostError("no number")
        return {"available": self.free, "capacity": 16 * GB}

    def slept(self) -> int:
        return sum(message["type"] == "sleep" for message in self.posted)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.mark.parametrize(
    ("available", "capacity", "short"),
    [(8, 16, False), (1.0, 16, False), (0.9, 16, True), (0.45, 4, False), (0.39, 4, True), (1.9, 32, True), (2.0, 32, False)],
)
def test_what_is_short(available: float, capacity: float, short: bool) -> None:
    assert is_short(available * GB, capacity * GB) is short


async def test_an_unused_model_goes_when_memory_stays_short(machine: Machine) -> None:
    machine.free = GB // 2
    await machine.look(LOOKS)
    assert machine.slept() == 1
    assert "500 MB left" in machine.recorded[0] and "wakes when you ask" in machine.recorded[0]


async def test_a_moment_does_not_count(machine: Machine) -> None:
    for _ in range(3):
        machine.free = GB // 2
        await machine.look(LOOKS - 1)
        machine.free = 8 * GB
        await machine.look()
    assert machine.slept() == 0


async def test_a_model_that_was_just_used_stays(machine: Machine) -> None:
    machine.free = GB // 2
    await machine.look(LOOKS, later=UNUSED_SECONDS - 1)
    assert machine.slept() == machine.looks == 0


@pytest.mark.parametrize("state", ["generating", "loading", "asleep", "absent", "unavailable"])
async def test_what_is_not_idle_is_left_alone(machine: Machine, state: str) -> None:
    machine.free = GB // 2
    machine.tell(state)
    await machine.look(LOOKS, later=1000)
    assert machine.slept() == machine.looks == 0


@pytest.mark.parametrize("engine", ["server", "browser"])
async def test_what_holds_no_memory_here_is_left_alone(machine: Machine, engine: str) -> None:
    machine.free = GB // 2
    machine.tell("ready", engine)
    await machine.look(LOOKS)
    assert machine.slept() == 0


def test_what_is_loaded_is_told_how_long_it_may_stay_when_nobody_looks(machine: Machine) -> None:
    told = {"type": "keep-unwatched", "minutes": UNWATCHED_MINUTES}
    for state in ("generating", "ready"):
        machine.tell(state)
    assert machine.posted == [told]
    machine.tell("lost")  # the offscreen document may be another one
    machine.tell("ready")
    assert machine.posted == [told, told]


async def test_without_a_number_nothing_happens(machine: Machine) -> None:
    machine.free = None
    await machine.look(LOOKS + 1)
    assert machine.slept() == 0 and machine.looks == LOOKS + 1


async def test_it_ends_with_the_application() -> None:
    panel = Panel()
    panel.connect()
    await panel.until(lambda: any(event["type"] == "ready" for event in panel.events))

    def watching() -> list[str]:
        names = [getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks() if not task.done()]
        return [name for name in names if name == "MemoryWatch.run"]

    assert watching()
    await panel.close()
    await asyncio.sleep(0)
    assert not watching()
