"""How much of a text a reader kept, and how much it brought that is not of it.

Words are compared in runs of four, so that a word does not count as kept because it stands somewhere else; a part of fewer words
is one run. Chinese, Japanese, Thai and their like are compared by characters, since they have no spaces.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .document import Document, Part

RUN = 4
UNSPACED = "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")

Tokens = Sequence[str]
Share = tuple[int, int]  # how many of how many


@dataclass(frozen=True)
class Figures:
    """`kept`: the share of the text's words that came; `clutter`: the share of the result's words that are not of the text; both
    0 to 1. The rest is counted: headings that are headings, rows that are rows with their cells, code with its lines, and links
    whose words came. `lost` and `extra`: the longest pieces that did not come, and that are not of the text."""

    kept: float
    clutter: float
    headings: Share
    rows: Share
    code: Share
    links: Share
    lost: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def score(self) -> float:
        """The harmonic mean of what was kept and of what is no clutter."""
        clean = 1 - self.clutter
        return 2 * self.kept * clean / (self.kept + clean) if self.kept + clean else 0


def tokens(text: str) -> list[str]:
    """Words without case, marks or punctuation."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return WORD.findall("".join(each for each in plain if unicodedata.category(each) not in ("Mn", "Mc", "Cf")))


def figures(document: Document, result: list[Part]) -> Figures:
    """Compares; the title is left out on both sides, since both readers give it beside the text."""
    title = tokens(document.title)
    wanted = [part for part in document.parts if tokens(part.text) != title]
    got = [part for part in result if tokens(part.text) != title]
    stream = [token for part in got for token in tokens(part.text)]
    texts = [tokens(part.text) for part in wanted]
    kept = _found(texts, stream)
    own = _runs([*texts, *(tokens(text) for text in (document.title, *document.allowed))])
    clean = _covered(stream, own)
    links = [tokens(link) for part in wanted for link in part.links if tokens(link)]
    return Figures(
        kept=sum(sum(each) for each in kept) / max(1, sum(len(text) for text in texts)),
        clutter=clean.count(False) / max(1, len(stream)),
        headings=_share(wanted, got, "heading", _is_heading),
        rows=_share(wanted, got, "row", _is_row),
        code=_share(wanted, got, "code", _is_code),
        links=(sum(_holds(stream, link) for link in links), len(links)),
        lost=_longest(_missed(texts, kept)),
        extra=_longest(_gaps(stream, clean)),
    )


# ---- words


def _runs(texts: Iterable[Tokens]) -> dict[int, set[tuple[str, ...]]]:
    """All runs of RUN words, and the whole of each shorter text, by length."""
    runs: dict[int, set[tuple[str, ...]]] = {length: set() for length in range(1, RUN + 1)}
    for text in texts:
        length = min(RUN, len(text))
        for at in range(len(text) - length + 1 if length else 0):
            runs[length].add(tuple(text[at : at + length]))
    return runs


def _covered(stream: Tokens, runs: dict[int, set[tuple[str, ...]]]) -> list[bool]:
    """Which words of the stream stand in one of the runs."""
    covered = [False] * len(stream)
    for length, known in runs.items():
        for at in range(len(stream) - length + 1):
            if tuple(stream[at : at + length]) in known:
                covered[at : at + length] = [True] * length
    return covered


def _found(texts: list[list[str]], stream: Tokens) -> list[list[bool]]:
    """For each text which of its words came. A short text that stands there more often than it came is found only so often."""
    runs = {
        length: Counter(tuple(stream[at : at + length]) for at in range(len(stream) - length + 1)) for length in range(1, RUN + 1)
    }
    found: list[list[bool]] = []
    for text in texts:
        length = min(RUN, len(text))
        if length < RUN:
            run = tuple(text)
            found.append([bool(length and runs[length][run] > 0)] * length)
            if length:
                runs[length][run] -= 1
        else:
            found.append(_covered(text, {RUN: set(runs[RUN])}))
    return found


def _holds(stream: Tokens, text: Tokens) -> bool:
    return f" {' '.join(text)} " in f" {' '.join(stream)} "


# ---- parts


def _share(wanted: list[Part], got: list[Part], kind: str, is_same: Callable[[Part, Part], bool]) -> Share:
    """How many parts of a kind are of that kind in the result; each of those counts once."""
    left = [part for part in got if part.kind == kind]
    asked = [part for part in wanted if part.kind == kind and tokens(part.text)]
    found = 0
    for part in asked:
        same = next((each for each in left if is_same(part, each)), None)
        if same:
            left.remove(same)
            found += 1
    return found, len(asked)


def _is_heading(wanted: Part, got: Part) -> bool:
    return _holds(tokens(got.text), tokens(wanted.text))


def _is_row(wanted: Part, got: Part) -> bool:
    """The cells with words in their order, each in a cell of its own."""
    cells = iter(tokens(cell) for cell in got.cells)
    return all(any(_holds(cell, tokens(want)) for cell in cells) for want in wanted.cells if tokens(want))


def _is_code(wanted: Part, got: Part) -> bool:
    """The same words in the same lines."""
    lines = [words for line in wanted.text.split("\n") if (words := tokens(line))]
    shown = [words for line in got.text.split("\n") if (words := tokens(line))]
    return lines == shown


# ---- what was lost, and what came with it


def _missed(texts: list[list[str]], kept: list[list[bool]]) -> Iterator[str]:
    for text, came in zip(texts, kept, strict=True):
        yield from _gaps(text, came)


def _gaps(stream: Tokens, covered: list[bool]) -> Iterator[str]:
    gap: list[str] = []
    for token, is_covered in [*zip(stream, covered, strict=True), ("", True)]:
        if not is_covered:
            gap.append(token)
        elif gap:
            yield " ".join(gap)
            gap = []


def _longest(gaps: Iterator[str]) -> tuple[str, ...]:
    """The ten longest, and of each no more than a line."""
    return tuple(gap[:120] for gap in sorted(gaps, key=len, reverse=True)[:10])
