"""Which models fit this machine, in which variant, and which one to suggest.

WebGPU does not tell how much memory a graphics card has. What is known: its features and limits, and, from
navigator.deviceMemory, how much the machine has; Chrome rounds that, and tells no more than a few gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from .catalogue import BILLION, Entry, Variant

Message = dict[str, Any]
Fits = Literal["yes", "tight", "unknown", "no"]

GB = 1_000_000_000
MOST_TOLD = 8  # gigabytes; of what has more, many versions of Chrome tell this
# Shares of the machine's memory. Where the graphics card has none of its own the browser and the system need the rest.
COMFORTABLE, MOST = 0.4, 0.7
# A GPU in software computes on the processor, and slowly: that is bearable for the smallest models only.
MOST_IN_SOFTWARE = 500  # millions of parameters
ORDER: dict[str, int] = {"yes": 0, "tight": 1, "unknown": 2, "no": 3}


@dataclass(frozen=True)
class Adapter:
    """The graphics card as WebGPU tells it; limits are bytes, `memory` is the machine's, in gigabytes."""

    description: str
    f16: bool
    max_buffer: int
    max_storage_binding: int
    memory: float | None = None
    is_software: bool = False

    @classmethod
    def of(cls, facts: Message) -> Adapter:
        """From the page's answer to `gpu.adapter`."""
        return cls(
            facts["description"],
            facts["f16"],
            facts["max_buffer"],
            facts["max_storage_binding"],
            facts.get("memory"),
            facts.get("is_software", False),
        )

    def shown(self) -> Message:
        """For the view."""
        return {"description": self.description, "f16": self.f16, "max_buffer": self.max_buffer, "memory": self.memory}


@dataclass(frozen=True)
class Fit:
    """Whether a model can run here, and why (not), in a sentence."""

    fits: Fits
    why: str


def fit(entry: Entry, variant: Variant, adapter: Adapter | None) -> Fit:
    """Whether this variant can run on this machine."""
    if adapter is None:
        return Fit("no", "It runs on a graphics card only, and Chrome found none that it could use here.")
    if "shader-f16" in variant.needs and not adapter.f16:
        return Fit("no", "It needs 16-bit shaders (shader-f16), which this graphics card lacks.")
    if variant.buffer_bytes and variant.buffer_bytes > min(adapter.max_storage_binding, adapter.max_buffer):
        limit = min(adapter.max_storage_binding, adapter.max_buffer)
        return Fit("no", f"It needs buffers of {size(variant.buffer_bytes)}; this graphics card allows {size(limit)}.")
    if adapter.is_software:
        if entry.parameters > MOST_IN_SOFTWARE:
            return Fit("no", "Chrome has no graphics card here and computes in software: it would take minutes a sentence.")
        return Fit("tight", "Chrome has no graphics card here and computes in software: it will be slow.")
    return _fit_of_memory(variant, adapter)


def _fit_of_memory(variant: Variant, adapter: Adapter) -> Fit:
    wanted = f"It takes {size(variant.vram_bytes)} of graphics memory"
    if adapter.memory is None:
        return Fit("unknown", f"{wanted}; Chrome does not tell how much there is.")
    there = adapter.memory * GB
    has = f"{adapter.memory:g} GB" + (" or more" if adapter.memory >= MOST_TOLD else "")
    if variant.vram_bytes <= COMFORTABLE * there:
        return Fit("yes", f"{wanted}; this computer has {has} of memory.")
    if variant.vram_bytes <= MOST * there:
        return Fit("tight", f"{wanted}, much for this computer with {has} of memory: close other tabs and programs.")
    if adapter.memory >= MOST_TOLD:
        return Fit("unknown", f"{wanted}. Chrome tells only that this computer has {has}.")
    return Fit("no", f"{wanted}: too much for this computer, which has {has} of memory.")


def choose(entry: Entry, adapter: Adapter | None) -> tuple[Variant, Fit]:
    """The variant of a model that suits this machine best: one that fits, with the longest context, in half precision."""

    def order(each: tuple[Variant, Fit]) -> tuple[int, int, int]:
        variant, found = each
        return (ORDER[found.fits], -variant.context_window, variant.vram_bytes)

    return min(((variant, fit(entry, variant, adapter)) for variant in entry.variants), key=order)


def score(entry: Entry) -> float:
    """How well a model answers, roughly: the larger the better, with diminishing returns, and by its rank."""
    return entry.rank + min(8.0, entry.parameters / BILLION) * 1.2


@dataclass(frozen=True)
class Candidate:
    """A model that may be suggested."""

    entry: Entry
    variant: Variant
    fit: Fit
    can_be_had: bool

    @property
    def is_able(self) -> bool:
        """Whether it runs here, and suits everybody."""
        entry = self.entry
        suits = entry.parameters >= BILLION and not (entry.is_special or entry.thinks or entry.is_custom)
        return suits and self.fit.fits != "no"


def recommend(candidates: Iterable[Candidate]) -> tuple[str, str] | None:
    """Id of the variant to suggest, and why in one sentence; None if nothing fits. Models under a billion parameters, for one
    purpose only, or that think before they speak are not suggested."""
    able = [each for each in candidates if each.is_able]
    if not able:
        return None
    # What can be downloaded, before what cannot; what fits well, before what may; then the best. Where nothing is known of the
    # memory, the small ones are the safe guess.
    best = min(able, key=lambda each: (not each.can_be_had, ORDER[each.fit.fits], _unsafe(each), -score(each.entry)))
    return best.variant.id, _reason(best)


def _unsafe(candidate: Candidate) -> int:
    return candidate.variant.vram_bytes if candidate.fit.fits != "yes" else 0


def _reason(best: Candidate) -> str:
    takes = f"it takes {size(best.variant.vram_bytes)} of graphics memory"
    sure = {
        "yes": f"The best general model that fits this computer well: {takes}.",
        "tight": f"The smallest general model that this computer can just run: {takes}.",
        "unknown": f"A safe choice where Chrome does not tell how much memory there is: {takes}.",
    }
    return sure[best.fit.fits]


def size(count: float) -> str:
    """Bytes for people: "412 MB", "1.3 GB"."""
    if count >= 999_500_000:
        return f"{count / GB:.1f} GB"
    if count >= 999_500:
        return f"{count / 1_000_000:.0f} MB"
    return f"{count / 1000:.0f} kB"
