"""Where a text of the model's comes from: each of its sentences is laid beside the passage that says it best.

A small model cannot be trusted to cite, so it is not asked to; what a capable one cites of itself is kept. What no passage of a
page says is marked in its summary: the reader sees which sentences the model may have made up.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .lexical import TRIVIAL, pieces, sentences, words
from .sections import blocks


@dataclass(frozen=True)
class Bar:
    """What a passage must hold to be a sentence's source: a share of its words, weighed, or so many of them."""

    share: float
    shared: float = math.inf


# What small models write of a page that they summarize is loose, yet sentences that had nothing to do with it shared one word.
SUMMARY = Bar(0.33, 3)
# The passages behind an answer have the question's words, as any answer has, so these say nothing of what it makes of them;
# but six words in one passage are more than a question's, even where the rest of the sentence is from elsewhere.
ANSWER = Bar(0.6, 6)

LONGEST_QUOTE = 300  # characters of a passage that are quoted
FEWEST_WORDS = 3  # a sentence of fewer says nothing that a page could confirm
UNSUPPORTED = "?"
MOST_NUMBERS = 20  # that one mark of the model's may name

_MARKED = re.compile(r" \[(?:\d+|\?)\](?=\s*$|\s)", re.MULTILINE)
# [1], [2, 3], [1-3]; not [1](address)
_NUMBERS = r"\[(\d{1,2}(?:\s*[,;–-]\s*\d{1,2})*)\](?!\()"
_OWN = re.compile(rf"[ \t]*{_NUMBERS}")
_GLUED = re.compile(rf"(?<=[.!?…])(?={_NUMBERS})")
_OWN_BEFORE = re.compile(rf"(?:[ \t]*{_NUMBERS})+(?=\s|$)")
_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]+`")
_FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
_MARK = re.compile(r"^\s*(?:[-*+]|\d+[.)]|#{1,6}|>)\s+")
_END = re.compile(r"(\s*)$")
_STATES_NOTHING = re.compile(r"^\s*#|[?？؟][\s*_\"”’)]*$")  # a heading, a question


@dataclass(frozen=True)
class Origin:
    """A text that sentences may be from. `source`: the number that the model saw it under, or another that tells it from others;
    `quotes`: what can be quoted of it by itself. Without these it is quoted as a whole."""

    source: int
    text: str
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Citation:
    """What a mark [number] stands for: a passage of the source; `quote` stands there word for word."""

    number: int
    quote: str
    source: int = 1


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


def quotable(markdown: str) -> tuple[str, ...]:
    """The passages of a part of a page; of one that has none, such as code, its lines."""
    lines = [line.strip() for line in markdown.splitlines() if words(line) and not _FENCE.match(line)]
    return tuple(passages(markdown) or lines)


def cite(text: str, page: Sequence[str]) -> tuple[str, list[Citation]]:
    """A summary with a mark behind each sentence, [1] or [?], and what the numbers stand for. `page`: its passages."""
    return _Marker([Origin(1, passage, (passage,)) for passage in page], SUMMARY, UNSUPPORTED).mark(text)


def cite_sources(text: str, origins: Sequence[Origin], numbered: bool = True) -> tuple[str, list[Citation]]:
    """An answer with a mark behind each sentence that a source says, and what the numbers stand for.

    With `numbered` the model knew the sources' numbers: what it cites itself counts, but for sources that there are not.
    A number is its source's own, but where a source is quoted several times: each of its passages after the first gets another.
    """
    return _Marker(origins, ANSWER, "", numbered).mark(text)


def without_marks(text: str) -> str:
    """A cited text as the model wrote it."""
    return _MARKED.sub("", text)


@dataclass
class _Sentence:
    """A piece of the model's text, without the citations in it; `own`: the numbers that these name."""

    text: str
    own: list[int] = field(default_factory=lambda: list[int]())
    is_code: bool = False


class _Marker:
    """Lays sentences beside origins, and counts the citations."""

    def __init__(self, origins: Sequence[Origin], bar: Bar, unsupported: str, numbered: bool = False) -> None:
        self._origins = origins
        self._bar = bar
        self._unsupported = unsupported
        self._numbered = numbered
        self._index = _Index([origin.text for origin in origins])
        self._free = max((origin.source for origin in origins), default=0) + 1
        self._citations: dict[tuple[int, str], Citation] = {}

    def mark(self, text: str) -> tuple[str, list[Citation]]:
        """The text with its marks, and the citations in the order of their numbers."""
        if not self._origins:
            return text, []
        marked = "".join(self._marked(sentence) for sentence in _sentences(text))
        return marked, sorted(self._citations.values(), key=lambda each: each.number)

    def _marked(self, sentence: _Sentence) -> str:
        if sentence.is_code:
            return sentence.text
        marks = self._own(sentence) or self._found(sentence.text)
        return _END.sub("".join(rf" [{mark}]" for mark in marks) + r"\1", sentence.text, count=1) if marks else sentence.text

    def _own(self, sentence: _Sentence) -> list[int]:
        """Numbers of what the model cites of itself; a page is cited by the passage that is nearest to the sentence."""
        known = {origin.source for origin in self._origins} if self._numbered else set[int]()
        told = set(words(sentence.text)) - TRIVIAL
        numbers: list[int] = []
        for source in dict.fromkeys(sentence.own):
            if source in known:
                of_source = [i for i, origin in enumerate(self._origins) if origin.source == source]
                numbers.append(self._number(self._origins[self._index.nearest(told, of_source)], told))
        return list(dict.fromkeys(numbers))

    def _found(self, text: str) -> list[int | str]:
        """The number of what a sentence is from, where the model does not say."""
        told = set(words(text)) - TRIVIAL
        if len(told) < FEWEST_WORDS or _STATES_NOTHING.search(text):
            return []
        best = self._index.best(told, self._bar)
        if best is None:
            return [self._unsupported] if self._unsupported else []
        return [self._number(self._origins[best], told)]

    def _number(self, origin: Origin, told: set[str]) -> int:
        quote = _quote(_nearest(told, origin.quotes)) if origin.quotes else origin.text
        key = (origin.source, quote if origin.quotes else "")
        if key not in self._citations:
            is_first = all(source != origin.source for source, _ in self._citations)
            number = origin.source if is_first else self._free
            self._free += not is_first
            self._citations[key] = Citation(number, quote, origin.source)
        return self._citations[key].number


def _sentences(text: str) -> list[_Sentence]:
    """The text cut into sentences. A citation behind a sentence's end is that sentence's."""
    text = _without_glue(text)
    fences = [match.span() for match in _FENCED.finditer(text)]
    found: list[_Sentence] = []
    at = 0
    for piece in pieces(text):
        start, at = at, at + len(piece)
        if any(begin < at and start < end for begin, end in fences):
            found.append(_Sentence(piece, is_code=True))
            continue
        before = found[-1] if found and not found[-1].is_code and not found[-1].text.endswith("\n") else None
        if before and (late := _OWN_BEFORE.match(piece)):
            before.own += _numbers_in(late[0])
            before.text = before.text.rstrip()
            piece = piece[late.end() :]
            if not piece.strip():
                before.text += piece
                continue
            before.text += piece[: len(piece) - len(piece.lstrip())] or " "
            piece = piece.lstrip()
        found.append(_without_own(piece))
    return found


def _without_glue(text: str) -> str:
    """With a space where a sentence's end and its citation are glued together, so that the end is seen as one."""
    code = [match.span() for pattern in (_FENCED, _CODE) for match in pattern.finditer(text)]
    return _GLUED.sub(lambda match: "" if any(start <= match.start() < end for start, end in code) else " ", text)


def _without_own(piece: str) -> _Sentence:
    code = [match.span() for match in _CODE.finditer(piece)]
    sentence = _Sentence("")

    def take(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in code):
            return match[0]
        sentence.own += _numbers(match[1])
        return ""

    sentence.text = _OWN.sub(take, piece)
    if not sentence.own:
        sentence.text = piece
    return sentence


def _numbers_in(text: str) -> list[int]:
    return [number for match in _OWN.finditer(text) for number in _numbers(match[1])]


def _numbers(inside: str) -> list[int]:
    """The numbers that a citation names; "1-3" is all three."""
    numbers: list[int] = []
    for part in re.split(r"[,;]", inside):
        ends = [int(end) for end in re.split(r"[–-]", part)]
        numbers += range(ends[0], min(ends[-1], ends[0] + MOST_NUMBERS) + 1)
    return numbers


def _nearest(told: set[str], quotes: Sequence[str]) -> str:
    """The quote that shares most words with a sentence; of those, the shortest."""
    return max(quotes, key=lambda quote: (len(told & set(words(quote))), -len(quote)))


def _quote(passage: str) -> str:
    """Whole, or its beginning up to a word's end: all of a quote must be found in the page."""
    return passage if len(passage) <= LONGEST_QUOTE else passage[:LONGEST_QUOTE].rsplit(maxsplit=1)[0]


class _Index:
    """Texts by their words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [set(words(text)) for text in texts]
        containing = Counter(word for text in self._texts for word in text)
        self._weights = {word: math.log(1 + len(texts) / count) for word, count in containing.items()}
        self._unknown = math.log(1 + len(texts))  # a word that no text has weighs most

    def best(self, told: set[str], bar: Bar) -> int | None:
        """The text that holds most of what is told; None if none holds enough."""
        best = self.nearest(told, range(len(self._texts)))
        whole = sum(self._weights.get(word, self._unknown) for word in told)
        is_enough = self._shared(told, best) >= bar.share * whole or len(told & self._texts[best]) >= bar.shared
        return best if is_enough else None

    def nearest(self, told: set[str], among: Iterable[int]) -> int:
        """Of some texts the one that holds most of what is told."""
        return max(among, key=lambda i: self._shared(told, i))

    def _shared(self, told: set[str], i: int) -> float:
        return sum(self._weights[word] for word in told & self._texts[i])
