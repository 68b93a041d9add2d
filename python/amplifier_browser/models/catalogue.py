"""The catalogue of models, as build_tools/model_catalogue.py made it, and models that the user added by address."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .speed import Size

Message = dict[str, Any]

BILLION = 1000  # millions of parameters


@dataclass(frozen=True)
class Variant:
    """One way in which a model can be had. `lib`: address of its compiled library, or its path from the package's
    root; without a hash it is not loaded. Sizes are bytes; `size_bytes` is an estimate."""

    id: str
    base: str
    lib: str
    lib_sha256: str | None
    context_window: int
    vram_bytes: int
    size_bytes: int
    needs: tuple[str, ...]
    buffer_bytes: int | None = None
    quantization: str = ""
    overrides: Message = field(default_factory=dict[str, Any])

    @classmethod
    def of(cls, facts: Message) -> Variant:
        """From JSON."""
        values: Message = {**facts, "needs": tuple(facts["needs"])}
        return cls(**values)


@dataclass(frozen=True)
class Entry:
    """A model. `parameters` are millions; `rank`, 0 to 9, compares models of about the same size."""

    id: str
    name: str
    publisher: str
    licence: str
    good_for: str
    parameters: int
    variants: tuple[Variant, ...]
    rank: int = 0
    is_special: bool = False
    thinks: bool = False
    is_vision: bool = False
    is_embedding: bool = False
    calls_functions: bool = False
    is_custom: bool = False
    layers: int = 0  # 0: not known

    @classmethod
    def of(cls, facts: Message) -> Entry:
        """From JSON."""
        values: Message = {**facts, "variants": tuple(Variant.of(each) for each in facts["variants"])}
        return cls(**values)

    @property
    def size(self) -> Size:
        """What it has to do for a token."""
        return Size(self.parameters, self.layers)

    @property
    def about(self) -> str:
        """What it is good for, and what not."""
        warnings = [
            "thinks aloud before it answers, which takes time" if self.thinks else "",
            "too small for long pages and facts" if 0 < self.parameters < BILLION else "",
        ]
        return "; ".join([self.good_for, *(each for each in warnings if each)])

    def spec(self, variant: Variant) -> Message:
        """Spec of the protocol: all that the background needs to download and load it."""
        return {
            "id": variant.id,
            "name": self.name,
            "base": variant.base,
            "lib": variant.lib,
            "lib_sha256": variant.lib_sha256,
            "licence": self.licence,
            "parameters": self.parameters,
            "context_window": variant.context_window,
            "vram_bytes": variant.vram_bytes,
            "needs": list(variant.needs),
            "overrides": variant.overrides,
            "is_vision": self.is_vision,
        }


@dataclass(frozen=True)
class Library:
    """A compiled library whose bytes are known, and what it was compiled for (shape.py)."""

    lib: str
    lib_sha256: str
    shape: str
    parameters: int
    vram_bytes: int
    size_bytes: int
    context_window: int
    needs: tuple[str, ...]

    @classmethod
    def of(cls, facts: Message) -> Library:
        """From JSON."""
        values: Message = {**facts, "needs": tuple(facts["needs"])}
        return cls(**values)


class Catalogue:
    """Models by id and variants by id."""

    def __init__(self, facts: Message | None = None) -> None:
        """`facts`: models/catalogue.json of the package; without them it is empty."""
        told = facts or {"models": [], "libraries": []}
        self.entries = [Entry.of(each) for each in told["models"]]
        self.libraries = [Library.of(each) for each in told["libraries"]]

    def find(self, model: str) -> tuple[Entry, Variant] | None:
        """A variant by its id, with the model that it is one of."""
        return next(((entry, each) for entry in self.entries for each in entry.variants if each.id == model), None)

    def add(self, entry: Entry) -> None:
        """Adds a model; one of the same id is replaced."""
        self.entries = [*(each for each in self.entries if each.id != entry.id), replace(entry, is_custom=True)]

    def remove(self, entry_id: str) -> None:
        """Forgets a model that was added."""
        self.entries = [each for each in self.entries if each.id != entry_id or not each.is_custom]
