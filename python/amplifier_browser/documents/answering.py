"""From passages to an answer with its sources: what fits the model, how it is told of them, and what its citations point to."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ..lexical import pieces, words
from ..prompts import TITLE_CHARACTERS, fence
from .chunks import Chunk, estimated_tokens
from .library import Document
from .ranking import TRIVIAL, Ranked

Count = Callable[[list[str]], Awaitable[list[int]]]

SHARE = 0.5  # of the model's context that sources may take
BESIDES = 160  # tokens of the instructions and the question
NOT_FOUND = "That is not in your documents."
SUPPORT = 0.6  # share of a sentence's words that a passage must have to count as where it is from
FEWEST_WORDS = 3  # of a sentence that can be told apart by its words

# [1], [2, 3], [1-3]; not [1](address), nor what stands in code
_CITATION = re.compile(r"\[(\d{1,2}(?:\s*[,;–-]\s*\d{1,2})*)\](?!\()")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A passage that the model is shown under a number, from 1."""

    number: int
    chunk: Chunk
    title: str  # of the document

    @property
    def place(self) -> str:
        """Where the passage stands, for people and the model: "Report, page 3: Costs"."""
        page = f", page {self.chunk.page}" if self.chunk.page else ""
        heading = f": {_short(self.chunk.heading)}" if self.chunk.heading else ""
        return f"{_short(self.title)}{page}{heading}"

    def message(self) -> dict[str, Any]:
        """For the view."""
        shown = {"document": self.chunk.document, "title": self.title, "chunk": self.chunk.id, "ordinal": self.chunk.ordinal}
        page = {"page": self.chunk.page} if self.chunk.page else {}
        return {"number": self.number, **shown, **page, "heading": self.chunk.heading, "passage": self.chunk.text}


@dataclass(frozen=True)
class Citation:
    """A place in an answer, `start` to `end`, that names sources."""

    start: int
    end: int
    sources: tuple[Source, ...]


def room(context_window: int, besides: int = 0) -> int:
    """Tokens that sources may take; `besides`: what the conversation takes already."""
    return max(0, min(int(context_window * SHARE), context_window * 3 // 4 - besides) - BESIDES)


async def sources(
    ranked: Sequence[Ranked], documents: Mapping[str, Document], limit: int, count: Count | None = None
) -> list[Source]:
    """The best passages that fit together in `limit` tokens, each whole.

    `count` is the model's tokenizer; without it, an estimate serves.
    """
    numbered = [
        Source(number, each.chunk, documents[each.chunk.document].title if each.chunk.document in documents else "Document")
        for number, each in enumerate(ranked, 1)
    ]
    texts = [written(source, "00000000") for source in numbered]
    sizes = await count(texts) if count and texts else [estimated_tokens(text) for text in texts]
    fitting = sum(end <= limit for end in accumulate(size + 1 for size in sizes))
    return numbered[:fitting]


def written(source: Source, nonce: str | None = None) -> str:
    """A source as the model reads it. Its title and headings are the document's words too, so they stand within the fence."""
    body = f"{source.place}\n\n{source.chunk.text}"
    return f"[{source.number}]\n{fence(body, nonce)}"


def prompt(question: str, shown: Sequence[Source]) -> str:
    """Asks a question that is to be answered from the sources alone."""
    listed = "\n\n".join(written(source) for source in shown)
    return (
        f"Read these passages from the user's documents.\n\n{listed}\n\n"
        f"Answer the question from these passages only. After each sentence write the number of its passage, like [1]. "
        f'If they do not answer it, write: "{NOT_FOUND}"\n\nQuestion: {question.strip()}'
    )


def citations(answer: str, shown: Sequence[Source]) -> list[Citation]:
    """The citations of an answer in order. Numbers that no source has are left out: the model made them up."""
    known = {source.number: source for source in shown}
    code = [match.span() for match in _CODE.finditer(answer)]
    found: list[Citation] = []
    for match in _CITATION.finditer(answer):
        if any(start <= match.start() < end for start, end in code):
            continue
        named = tuple(known[number] for number in dict.fromkeys(_numbers(match[1])) if number in known)
        if named:
            found.append(Citation(match.start(), match.end(), named))
    return found


def cited(answer: str, shown: Sequence[Source]) -> list[Source]:
    """The sources that an answer names, in the order of their numbers."""
    named = {source.number for citation in citations(answer, shown) for source in citation.sources}
    return [source for source in shown if source.number in named]


def with_citations(answer: str, shown: Sequence[Source]) -> str:
    """The answer with a citation after each sentence that has none and whose words a source has.

    Small models do not cite of themselves; what this adds is no claim of the model, but where its words can be found.
    Citations of sources that there are not are taken out.
    """
    code = [match.span() for match in _CODE.finditer(answer)]
    said = [(source, set(words(source.chunk.text)) - TRIVIAL) for source in shown]
    written: list[str] = []
    at = 0
    for piece in pieces(answer):
        is_code = any(start < at + len(piece) and at < end for start, end in code)
        at += len(piece)
        written.append(piece if is_code else _cited_sentence(piece, said, shown))
    return "".join(written)


def _cited_sentence(piece: str, said: list[tuple[Source, set[str]]], shown: Sequence[Source]) -> str:
    known = {source.number for source in shown}
    kept = _CITATION.sub(lambda match: match[0] if known & set(_numbers(match[1])) else "", piece)
    if _CITATION.search(kept):
        return kept
    told = set(words(kept)) - TRIVIAL
    if len(told) < FEWEST_WORDS or not said or kept.lstrip().startswith("#"):
        return kept
    source, share = max(((source, len(told & has) / len(told)) for source, has in said), key=lambda each: each[1])
    if share < SUPPORT:
        return kept
    sentence = kept.rstrip()
    return f"{sentence} [{source.number}]{kept[len(sentence) :]}"


def _numbers(inside: str) -> list[int]:
    """The numbers that a citation names; "1-3" is all three."""
    numbers: list[int] = []
    for part in re.split(r"[,;]", inside):
        ends = [int(end) for end in re.split(r"[–-]", part)]
        numbers += range(ends[0], ends[-1] + 1)
    return numbers


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= TITLE_CHARACTERS else f"{text[:TITLE_CHARACTERS]}…"
