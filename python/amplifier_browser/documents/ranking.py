"""From what the library found by keywords and by vectors to the passages that a question is answered from.

The score of a passage is the cosine of its vector with the question's, plus a share for the question's words in it, weighed by
how few of the candidates have them. The numbers were chosen by `build.py bench retrieval`, on one half of its questions; fusion
by ranks alone (RRF), which does not see by how much one candidate is better than the next, was worse there than vectors alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from ..lexical import TRIVIAL, words
from .chunks import Chunk
from .library import Found

WORDS_WEIGHT = 0.3
SAMENESS_WEIGHT = 0.1  # what a passage loses by saying what one before it says
SAME = 0.8  # share of words: such a passage adds nothing
PASSAGES = 6

# Below both of these, nothing that was found has to do with the question. A name or number that no embedding knows is found by
# its words alone; and words alone must do before the first vector is there.
LEAST_SCORE = 0.48
LEAST_COVERED = 0.8
LEAST_COVERED_WITHOUT_VECTORS = 0.5

_SATURATION, _LENGTH_WEIGHT = 1.2, 0.75  # k1 and b of BM25


@dataclass(frozen=True)
class Ranked:
    """A candidate. `covered`: the share of the question's words, by weight, that it has; `cosine`: None if that is not known."""

    chunk: Chunk
    cosine: float | None
    covered: float
    score: float


def fuse(question: str, found: Found) -> list[Ranked]:
    """All candidates of both lists, best first."""
    cosines = {hit.chunk.id: hit.score for hit in found.vectors}
    chunks = {hit.chunk.id: hit.chunk for hit in (*found.vectors, *found.keywords)}
    lowest = min(cosines.values(), default=0.0)  # a chunk that only keywords found has no higher one, or has no vector yet
    matches = match_words(question, [_said(chunk) for chunk in chunks.values()])
    ranked = [
        Ranked(chunk, cosines.get(id), match.covered, cosines.get(id, lowest) + WORDS_WEIGHT * match.share)
        for (id, chunk), match in zip(chunks.items(), matches, strict=True)
    ]
    return sorted(ranked, key=lambda each: -each.score)


@dataclass(frozen=True)
class Match:
    """The question's words in a text, 0 to 1: `share` is BM25's score, of the highest that there can be; `covered` only counts
    which words are there, not how often."""

    share: float
    covered: float


def match_words(question: str, texts: Sequence[str]) -> list[Match]:
    """For each text, how far it has the question's words, weighed by how few of these texts have them."""
    asked = _asked(question)
    counted = [_counted(text) for text in texts]
    average = sum(count.total() for count in counted) / max(1, len(counted)) or 1
    weights = {word: _weight(sum(word in count for count in counted), len(counted)) for word in asked}
    most = sum(weights.values()) or 1
    return [
        Match(
            share=sum(weights[word] * _saturated(count, word, average) for word in asked) / most / (_SATURATION + 1),
            covered=sum(weights[word] for word in asked if word in count) / most,
        )
        for count in counted
    ]


def diverse(ranked: Sequence[Ranked], limit: int = PASSAGES) -> list[Ranked]:
    """The best of them that do not say the same (maximal marginal relevance, Carbonell and Goldstein 1998, by their words)."""
    left = [(each, _counted(_said(each.chunk)).keys()) for each in ranked[: 4 * limit]]
    taken: list[tuple[Ranked, Set[str]]] = []
    while left and len(taken) < limit:
        likeness = [max((_likeness(said, other) for _, other in taken), default=0.0) for _, said in left]
        best = max(range(len(left)), key=lambda at: left[at][0].score - SAMENESS_WEIGHT * likeness[at])
        if likeness[best] < SAME:
            taken.append(left[best])
        del left[best]
    return [each for each, _ in taken]


def is_answerable(ranked: Sequence[Ranked]) -> bool:
    """Whether anything that was found has to do with the question; else the answer is that the documents do not say."""
    has_vectors = any(each.cosine is not None for each in ranked)
    least_covered = LEAST_COVERED if has_vectors else LEAST_COVERED_WITHOUT_VECTORS
    return any(each.score >= LEAST_SCORE or each.covered >= least_covered for each in ranked)


def _said(chunk: Chunk) -> str:
    return f"{chunk.heading}\n{chunk.text}"


@lru_cache(maxsize=2000)  # the next question is about the same documents
def _counted(text: str) -> Counter[str]:
    return Counter(map(_stem, words(text)))


def _asked(question: str) -> set[str]:
    """The words of a question that tell what it is about."""
    all_words = words(question)
    return {_stem(word) for word in all_words if word not in TRIVIAL} or {_stem(word) for word in all_words}


@lru_cache(maxsize=20000)
def _stem(word: str) -> str:
    """English words without the endings of verbs and adverbs; after lexical.words, which takes the plural's."""
    for ending, shortest in (("ing", 7), ("ed", 6), ("ly", 6)):
        if len(word) >= shortest and word.endswith(ending):
            word = word[: -len(ending)]
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] in "bdfgmnprt":
        word = word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def _weight(containing: int, all_texts: int) -> float:
    return math.log(1 + (all_texts - containing + 0.5) / (containing + 0.5))


def _saturated(count: Counter[str], word: str, average: float) -> float:
    length = 1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * count.total() / average
    return count[word] * (_SATURATION + 1) / (count[word] + _SATURATION * length)


def _likeness(one: Set[str], other: Set[str]) -> float:
    """Share of the shorter one's words that the other has too (overlap coefficient): a part is like the whole."""
    return len(one & other) / max(1, min(len(one), len(other)))
