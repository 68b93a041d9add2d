"""Where a text of the model's comes from: each of its sentences is laid beside the passage of the page that says it best.

A small model cannot be trusted to cite, so it is not asked to. What no passage says is marked as such: the reader sees which
sentences the model may have made up.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .lexical import COMMON, pieces, sentences, words
from .sections import blocks

# A passage is a sentence's source if it holds this share of the sentence's weighed words, or so many of its words: what small
# models write of a page is loose, yet sentences that had nothing to do with it shared one word at most.
SAID = 0.33
SHARED = 3
LONGEST_QUOTE = 300  # characters of a passage that are quoted
FEWEST_WORDS = 3  # a sentence of fewer says nothing that a page could confirm
UNSUPPORTED = "?"
_MARKED = re.compile(r" \[(?:\d+|\?)\](?=\s*$|\s)", re.MULTILINE)
_FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
_MARK = re.compile(r"^\s*(?:[-*+]|\d+[.)]|#{1,6}|>)\s+")
_END = re.compile(r"(\s*)$")


@dataclass(frozen=True)
class Citation:
    """A passage of a page; `quote` stands there word for word."""

    number: int
    quote: str


def passages(markdown: str) -> list[str]:
    """The sentences of a page, as they can be seen there: without markdown's marks, table cells each by itself."""
    found: list[str] = []
    for block in blocks(markdown):
        if block.level or _FENCE.match(block.text):
            continue
        for line in block.text.splitlines():
            plain = _MARK.sub("", line)
            if plain.lstrip().startswith("|"):
                found += [cell.strip() for cell in plain.strip().strip("|").split("|")]
            else:
                found += sentences(plain)
    return list(dict.fromkeys(passage for passage in found if words(passage)))


def cite(text: str, page: Sequence[str]) -> tuple[str, list[Citation]]:
    """The text with a mark behind each sentence, [1] or [?], and what the numbers stand for. `page`: its passages."""
    if not page or _FENCE.search(text):  # code has no sentences
        return text, []
    index = _Index(page)
    numbers: dict[int, int] = {}

    def marked(piece: str) -> str:
        if len(set(words(piece)) - COMMON) < FEWEST_WORDS:
            return piece
        best = index.best(piece)
        mark = UNSUPPORTED if best is None else str(numbers.setdefault(best, len(numbers) + 1))
        return _END.sub(rf" [{mark}]\1", piece, count=1)

    cited = "".join(marked(piece) for piece in pieces(text))
    return cited, [Citation(number, _quote(page[passage])) for passage, number in numbers.items()]


def without_marks(text: str) -> str:
    """A cited text as the model wrote it."""
    return _MARKED.sub("", text)


def _quote(passage: str) -> str:
    """Whole, or its beginning up to a word's end: all of a quote must be found in the page."""
    return passage if len(passage) <= LONGEST_QUOTE else passage[:LONGEST_QUOTE].rsplit(maxsplit=1)[0]


class _Index:
    """Passages by their words."""

    def __init__(self, page: Sequence[str]) -> None:
        self._passages = [set(words(passage)) for passage in page]
        containing = Counter(word for passage in self._passages for word in passage)
        self._weights = {word: math.log(1 + len(page) / count) for word, count in containing.items()}
        self._unknown = math.log(1 + len(page))  # a word that the page does not have weighs most

    def best(self, sentence: str) -> int | None:
        """The passage that holds most of what a sentence says; None if none holds enough."""
        said = set(words(sentence)) - COMMON
        whole = sum(self._weights.get(word, self._unknown) for word in said)
        shares = [sum(self._weights[word] for word in said & passage) / whole for passage in self._passages]
        best = max(range(len(shares)), key=shares.__getitem__)
        return best if shares[best] >= SAID or len(said & self._passages[best]) >= SHARED else None
