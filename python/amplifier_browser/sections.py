"""Cuts a page's markdown into sections that each fit one prompt, along the page's own headings, losing nothing.

Counting tokens means asking the engine, so it is done once, between the two steps: `blocks`, count all, `pack`.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HEADING = re.compile(r"(#{1,6})\s+(.*?)[\s#]*$")
_FENCE = re.compile(r"\s*(`{3,}(?=[^`]*$)|~{3,})")

# Where a text too long for one prompt may be cut, best first: lines, sentences of any script, words.
_CUTS = [
    re.compile(r"\n+"),
    re.compile(r"""(?<=[.!?…])["”’»)\]]*\s+|(?<=[。！？｡])["”」』）]*|(?<=[؟۔।])\s*"""),
    re.compile(r"\s+"),
]
_JOINT = 1  # tokens of the blank line between two blocks
_MARGIN = 1.2  # tokens are not spread evenly over a text, so a part of it may hold more than its share

# What a partition costs, in sections: each one is a call of the model. A heading may be passed over to save a call, but
# not to fill up a prompt; see `_partition`.
_CUT_IN_TEXT = 0.5
_CUT_AT_LOWER_HEADING = 0.1
_CUT_AFTER_HEADING = 0.9
_HEADING_PASSED = 0.3
_UNEVEN = 0.5


@dataclass(frozen=True)
class Block:
    """A heading, paragraph, list, table or code fence, whole."""

    text: str
    headings: tuple[str, ...]  # the headings it stands under, outermost first; of a heading, itself included
    level: int = 0  # 1 to 6 for a heading, else 0


@dataclass(frozen=True)
class Section:
    """Neighbouring blocks for one prompt; `tokens` is rather too high than too low."""

    title: str
    text: str
    tokens: int


def blocks(markdown: str) -> list[Block]:
    """The blocks of a markdown text in order. Together they are the text, but for blank lines."""
    found: list[Block] = []
    path: list[tuple[int, str]] = []
    for text in _paragraphs(markdown):
        heading = _HEADING.match(text)
        level = len(heading[1]) if heading else 0
        if heading:
            path = [*(step for step in path if step[0] < level), (level, heading[2].strip())]
        found.append(Block(text, tuple(title for _, title in path if title), level))
    return found


def _paragraphs(markdown: str) -> Iterator[str]:
    """Runs of lines between blank lines, headings by themselves, fences with the blank lines inside them."""
    lines: list[str] = []
    fence = ""
    for line in markdown.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            fence = mark[1]
        elif not line.strip() or _HEADING.match(line):
            if lines:
                yield "\n".join(lines)
            lines = []
            if line.strip():
                yield line.strip()
            continue
        lines.append(line.rstrip())
    if text := "\n".join(lines).rstrip():
        yield text


def pack(blocks: Sequence[Block], token_counts: Sequence[int], limit: int) -> list[Section]:
    """Packs `blocks` into the fewest sections of at most `limit` tokens that still follow the page's headings.

    Everything in one section where it fits; else sections of about one size. A block over the limit is cut by lines, then
    sentences, words and characters. Raises ValueError for a limit below 1 or counts that are not one for each block.
    """
    if limit < 1:
        raise ValueError(f"a section needs room for a token, not {limit}")
    atoms = _merge_small(_atoms(blocks, token_counts, limit), limit // 16)
    groups = _partition(atoms, limit)
    titles = _titles(groups)
    return [
        Section(title, "\n\n".join(text for atom in group for text in atom.texts), _total(group))
        for title, group in zip(titles, groups, strict=True)
    ]


@dataclass
class _Atom:
    """What is never cut again."""

    texts: list[str]
    tokens: int
    headings: tuple[str, ...]
    depth: int | None  # of the heading it begins with: 0 for the page's main headings, 1 for those below them, ...
    ends_in_heading: bool


def _atoms(blocks: Sequence[Block], token_counts: Sequence[int], limit: int) -> list[_Atom]:
    depths = _depths(blocks)
    atoms: list[_Atom] = []
    above = 0  # tokens of the headings right above, which the first part of a long block should leave room for
    for block, tokens in zip(blocks, token_counts, strict=True):
        room = limit - above if above < limit // 2 else limit
        parts = [(block.text, tokens)] if tokens <= limit else _split(block.text, tokens, room)
        for text, size in parts:
            first = depths[block.level] if block.level and text is parts[0][0] else None
            atoms.append(_Atom([text], size, block.headings, first, bool(block.level)))
        above = above + tokens + _JOINT if block.level else 0
    return atoms


def _depths(blocks: Sequence[Block]) -> dict[int, int]:
    """How deep each level of heading is on this page; a single topmost heading is the page's title and divides nothing."""
    uses = Counter(block.level for block in blocks if block.level)
    levels = sorted(uses)
    title = len(levels) > 1 and uses[levels[0]] == 1
    return {level: max(0, rank - title) for rank, level in enumerate(levels)}


def _merge_small(atoms: list[_Atom], size: int) -> list[_Atom]:
    """Joins small neighbours under one heading, so that there are fewer partitions to look at."""
    merged: list[_Atom] = []
    for atom in atoms:
        last = merged[-1] if merged else None
        if last and atom.depth is None and last.tokens + _JOINT + atom.tokens <= size:
            last.texts += atom.texts
            last.tokens += _JOINT + atom.tokens
            last.ends_in_heading = atom.ends_in_heading
        else:
            merged.append(atom)
    return merged


def _partition(atoms: list[_Atom], limit: int) -> list[list[_Atom]]:
    """The cheapest cut of `atoms` into runs within the limit (shortest path over the places to cut)."""
    passed = [0.0]  # what it costs to pass the headings of the atoms so far
    for atom in atoms:
        passed.append(passed[-1] + (0.0 if atom.depth is None else _HEADING_PASSED / 2**atom.depth))
    best = [0.0]
    start_of = [0]
    for end in range(1, len(atoms) + 1):
        ending = _CUT_AFTER_HEADING if atoms[end - 1].ends_in_heading and end < len(atoms) else 0.0
        cost, start_of_best = math.inf, end - 1
        tokens = -_JOINT
        for start in range(end - 1, -1, -1):
            tokens += _JOINT + atoms[start].tokens
            if tokens > limit and start < end - 1:
                break
            here = best[start] + _cost(atoms[start], tokens / limit, start) + passed[end] - passed[start + 1] + ending
            if here < cost:
                cost, start_of_best = here, start
        best.append(cost)
        start_of.append(start_of_best)
    return _runs(atoms, start_of)


def _cost(first: _Atom, fill: float, start: int) -> float:
    """Of one section that begins with the atom `first` and is filled to the share `fill`."""
    cut = _CUT_IN_TEXT if first.depth is None else min(_CUT_AT_LOWER_HEADING * first.depth, _CUT_IN_TEXT)
    return 1 + (cut if start else 0) + _UNEVEN * (1 - min(1, fill)) ** 2


def _runs(atoms: list[_Atom], start_of: list[int]) -> list[list[_Atom]]:
    runs: list[list[_Atom]] = []
    end = len(atoms)
    while end:
        runs.append(atoms[start_of[end] : end])
        end = start_of[end]
    return runs[::-1]


def _total(group: list[_Atom]) -> int:
    return sum(atom.tokens + _JOINT for atom in group) - _JOINT


def _titles(groups: list[list[_Atom]]) -> list[str]:
    """Each by the heading that it begins under, else the first one in it, numbered where that goes on from the last."""
    titles: list[str] = []
    seen: Counter[str] = Counter()
    for number, group in enumerate(groups, 1):
        title = next((atom.headings[-1] for atom in group if atom.headings), f"Part {number}")
        seen[title] += 1
        titles.append(title if seen[title] == 1 else f"{title} ({seen[title]})")
    return titles


def _split(text: str, tokens: int, limit: int) -> list[tuple[str, int]]:
    """Parts of `text`, about equal and of at most `limit` tokens by its average tokens a byte, with those tokens.

    Bytes, because a text of several scripts has more tokens where its characters are longer.
    """
    each = _MARGIN * max(1, tokens) / max(1, _size(text))
    pieces = list(_pieces(text, limit / each, 0))
    total = sum(map(_size, pieces)) * each
    target = total / math.ceil(total / limit)
    parts: list[tuple[str, int]] = []
    part, filled = "", 0.0
    for piece in pieces:
        size = _size(piece) * each
        if part and (filled + size > limit or filled >= target):
            parts.append((part, math.ceil(filled)))
            part, filled = "", 0.0
        part += piece
        filled += size
    return [*parts, (part, math.ceil(filled))]


def _pieces(text: str, room: float, cut: int) -> Iterator[str]:
    """The text in pieces of at most `room` bytes, cut at the best places that make them small enough."""
    if _size(text) <= room:
        yield text
    elif cut == len(_CUTS):
        yield from text  # a "word" without an end; its characters are put together again into parts
    else:
        start = 0
        for end in [match.end() for match in _CUTS[cut].finditer(text)] + [len(text)]:
            if start < end:
                yield from _pieces(text[start:end], room, cut + 1)
                start = end


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))
