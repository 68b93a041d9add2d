"""How long a summary still takes, from how fast the model has read and written so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .storage import Storage

FEWEST_READ, FEWEST_WRITTEN = 32, 8  # tokens: the rates of fewer say little
NEWS = 0.5  # the weight of a new rate beside those before it
SHORT = 5.0  # seconds; what takes less is not worth a word
STORED = "paces"


@dataclass(frozen=True)
class Pace:
    """Tokens a second that a model reads (prefill) and writes (decode)."""

    reads: float
    writes: float

    @classmethod
    def of(cls, usage: Mapping[str, Any], before: Pace | None) -> Pace | None:
        """What an answer's usage tells, laid over what was known; None if it tells too little."""
        fresh = usage.get("input_tokens", 0) - usage.get("cache_read_tokens", 0)
        reads = usage.get("prefill_tokens_per_second") if fresh >= FEWEST_READ else None
        writes = usage.get("tokens_per_second") if usage.get("output_tokens", 0) >= FEWEST_WRITTEN else None
        if before is None:
            return cls(reads, writes) if reads and writes else None
        return cls(_blend(before.reads, reads), _blend(before.writes, writes))


def _blend(before: float, rate: float | None) -> float:
    return before + NEWS * (rate - before) if rate else before


class Paces:
    """The pace of each model, kept for the next session."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def of(self, model: str) -> Pace | None:
        """What is known of a model."""
        return _pace(_paces(await self._storage.get(STORED, {})).get(model))

    async def learn(self, model: str, usage: Mapping[str, Any]) -> None:
        """Takes the usage of an answer into account; one that tells nothing is not worth a write."""
        before = await self.of(model)
        pace = Pace.of(usage, before)
        if pace and pace != before:
            await self._storage.update(STORED, lambda stored: {**_paces(stored), model: asdict(pace)}, {})


def _paces(stored: Any) -> dict[str, Any]:
    return stored if isinstance(stored, dict) else {}


def _pace(stored: Any) -> Pace | None:
    try:
        pace = Pace(float(stored["reads"]), float(stored["writes"]))
    except (TypeError, KeyError, ValueError):
        return None
    return pace if pace.reads > 0 and pace.writes > 0 else None


@dataclass
class _Step:
    """The prompt at hand."""

    index: int
    unread: float  # tokens
    unwritten: float


class ReadingTime:
    """Counts down the sections of a page and the summing up."""

    def __init__(self, pace: Pace | None, sections: Sequence[int], writes: float, whole: float = 0, done: int = 0) -> None:
        """`sections`: tokens to read of each; `writes`: tokens that the answer to one is expected to have; `whole`: that the
        summing up is expected to have, 0 for none; `done`: sections that need not be read any more."""
        self.pace = pace
        self._sections = sections
        self._writes = writes
        self._whole = whole
        self._answers: list[int] = []
        self._at = self._step(done)

    def _step(self, index: int) -> _Step:
        if index < len(self._sections):
            return _Step(index, self._sections[index], self._writes)
        return _Step(index, self._notes if self._whole else 0, self._whole)

    @property
    def _notes(self) -> float:
        """Tokens to read at the summing up."""
        return self._writes * len(self._sections)

    def begin(self, index: int) -> None:
        """Section `index` is asked for, or the summing up after the last of them."""
        self._at = self._step(index)

    def read(self, done: int, total: int, seconds_left: float | None) -> None:
        """The engine has read `done` of `total` tokens of the prompt, and takes `seconds_left` for the rest, as it says."""
        self._at.unread = max(0, total - done)
        if self.pace and seconds_left and done < total:
            self.pace = replace(self.pace, reads=(total - done) / seconds_left)

    def wrote(self) -> None:
        """The model has written a token."""
        self._at.unread = 0
        self._at.unwritten = max(0, self._at.unwritten - 1)

    def finished(self, usage: Mapping[str, Any]) -> None:
        """The answer of the step at hand is there."""
        self.pace = Pace.of(usage, self.pace) or self.pace
        if self._at.index < len(self._sections) and usage.get("output_tokens"):
            self._answers.append(usage["output_tokens"])
            self._writes = sum(self._answers) / len(self._answers)
        self._at.unread = self._at.unwritten = 0

    @property
    def seconds_left(self) -> float | None:
        """For all the rest; None while nothing has been measured, or if it is too short to tell."""
        if self.pace is None:
            return None
        later = self._sections[self._at.index + 1 :]
        unread = self._at.unread + sum(later)
        unwritten = self._at.unwritten + len(later) * self._writes
        if self._at.index < len(self._sections):
            unread += self._notes if self._whole else 0
            unwritten += self._whole
        return rounded(unread / self.pace.reads + unwritten / self.pace.writes)


def rounded(seconds: float | None) -> float | None:
    """As coarse as the estimate is, so that it does not change all the time; None for what is over soon."""
    if seconds is None or seconds < SHORT:
        return None
    coarse = 5 if seconds < 20 else 10 if seconds < 105 else 60
    return round(seconds / coarse) * coarse
