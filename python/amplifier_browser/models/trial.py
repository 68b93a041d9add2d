"""Measures a model that is loaded: how fast it reads prompts of some lengths, and how fast it writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..engine import Done, Engine, EngineError

Message = dict[str, Any]

SECONDS = 20  # that all of it may take, the graphics card's own measuring included
READING = (64, 256, 1024)  # tokens; as many of them as there is time and room for
FEW, MOST, WRITING = 8, 192, 3.0  # tokens of an answer to begin with, at most; seconds that the long one should take
SPARE = 96  # tokens of the model's context that are not the prompt
PASSAGE = "In spring the river brings cold water down from the hills, and the people carry their boats back to the shore. "
WRITE = "Write the numbers from one to one hundred as words, one after the other, and nothing else."


class Trial:
    """One measuring, of at most SECONDS from its making."""

    def __init__(self, engine: Engine, context: int, on_step: Callable[[str, float], object]) -> None:
        """`context`: tokens that the model takes; `on_step` is told what goes on and how much is done, 0 to 1."""
        self._engine = engine
        self._context = context
        self._on_step = on_step
        self._until = time.monotonic() + SECONDS

    async def run(self) -> Message:
        """{writes: tokens a second, reading: [{tokens, rate}], shortest first}. Raises EngineError."""
        self._on_step("Writing", 0.3)
        short = await self._complete(WRITE, FEW)
        writes = _write_rate(short)
        reading = [_reading(short)]
        longer = min(MOST, int(writes * WRITING))
        if longer > FEW:
            self._on_step("Writing", 0.35)
            writes = _write_rate(await self._complete(WRITE, longer, "Begin with two. ")) or writes
        if not writes:
            raise EngineError("failed", "the model wrote nothing")
        (passage,) = await self._engine.count([PASSAGE])
        for at, tokens in enumerate(READING):
            expected = tokens / reading[-1]["rate"]
            if tokens > self._context - SPARE or time.monotonic() + expected > self._until:
                break
            self._on_step(f"Reading {tokens:,} tokens", 0.6 + 0.13 * at)
            # The beginning is another each time, or the engine would go on from what it has read before.
            reading.append(_reading(await self._complete(PASSAGE * max(1, tokens // passage), 1, f"Part {at + 1}. ")))
        return {"writes": writes, "reading": reading}

    async def _complete(self, text: str, tokens: int, beginning: str = "") -> Message:
        """The usage of an answer."""
        request = {"messages": [{"role": "user", "content": beginning + text}], "max_tokens": tokens, "temperature": 0}
        async for piece in self._engine.complete(request):
            if isinstance(piece, Done) and piece.usage:
                return piece.usage
        raise EngineError("failed", "the model did not say how long it took")


def _write_rate(usage: Message) -> float:
    """0 if there is nothing to tell it by."""
    seconds = usage["decode_seconds"]
    return (usage["output_tokens"] - 1) / seconds if seconds > 0 else 0


def _reading(usage: Message) -> Message:
    tokens = usage["input_tokens"] - usage["cache_read_tokens"]
    return {"tokens": tokens, "rate": tokens / max(usage["prefill_seconds"], 1e-6)}
