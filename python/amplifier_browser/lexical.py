"""Words in texts, without a model: the same word however it is written, sentences, and which of some texts fits words best."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_PLAIN_MARKS = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‑": "-", "−": "-"}
)
_QUOTES = " \t\n\"'“”„‘’«»`"
# Scripts written without spaces: each character counts as a word.
_WORD = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+")
_SENTENCE_END = re.compile(r"""(?<=[.!?…])(?:["”’»)\]]*)\s+|(?<=[。！？｡])(?:["”」』）]*)|(?<=[؟۔।])\s*|\n+""")
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a about all also am an and any are as at be been but by can could did do does for from get had has have he her him his "
        "how i if in into is it its just like me more most my no not of on or our out over she so some than that the their them "
        "then there these they this those to too up us very was we were what when where which who why will with would you your",
    )
)
_SATURATION, _LENGTH_WEIGHT = 1.2, 0.75  # k1 and b of BM25


def plain(text: str) -> str:
    """The text without what people leave out when they look for it: case, accents, kinds of spaces, quotes and dashes."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN_MARKS))
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).casefold().split())


def unquoted(text: str) -> str:
    """The text without quotation marks around it."""
    return text.strip(_QUOTES)


def pieces(text: str) -> list[str]:
    """The text cut after each sentence and line; together they are the text."""
    ends = [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False) if start < end]


def sentences(text: str) -> list[str]:
    """Sentences and lines, in order."""
    return [stripped for piece in pieces(text) if (stripped := piece.strip())]


def words(text: str) -> list[str]:
    """Words as they are compared: plain, and without the plural's s."""
    return [_singular(word) for word in _WORD.findall(plain(text))]


def rank(query: str, texts: Sequence[str]) -> list[int]:
    """Indices of the texts that share a word worth the name with the query, best first (Okapi BM25, Robertson et al. 1994)."""
    asked = {word for word in words(query) if word not in COMMON} or set(words(query))
    counted = [Counter(words(text)) for text in texts]
    average = sum(count.total() for count in counted) / max(1, len(counted)) or 1
    weights = {word: _weight(sum(word in count for count in counted), len(counted)) for word in asked}
    scores = [sum(weights[word] * _saturated(count, word, average) for word in asked) for count in counted]
    return sorted((i for i, score in enumerate(scores) if score > 0), key=lambda i: -scores[i])


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _weight(containing: int, all_texts: int) -> float:
    return math.log(1 + (all_texts - containing + 0.5) / (containing + 0.5))


def _saturated(count: Counter[str], word: str, average: float) -> float:
    length = 1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * count.total() / average
    return count[word] * (_SATURATION + 1) / (count[word] + _SATURATION * length)


TRIVIAL = COMMON | frozenset(words(" ".join(sorted(COMMON))))  # as words() gives them: "this" without its s
