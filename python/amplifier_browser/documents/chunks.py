"""Cuts a document's blocks into chunks to search: along its headings and pages, of about one size, losing nothing.

No tokenizer is asked: a document has thousands of blocks, and a chunk need only be of about the size that the embedding model
reads best. What is told apart is told by markdown: headings, code fences, tables, lists, paragraphs.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .. import sections
from ..lexical import pieces

TARGET = 180  # tokens; MiniLM was trained on texts of at most 128 word pieces and reads 256
MOST = 230
OVERLAP = 40  # a sentence longer than this is not said twice
SMALL = 40  # a rest of a page or table that joins the chunk before it

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t#]*$")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)\n?[ \t]*\1[ \t]*$", re.DOTALL)
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_ITEM = re.compile(r"(?=^(?:[-*+]|\d{1,4}[.)])[ \t]+)", re.MULTILINE)
_BLANK = re.compile(r"(?<=\n)(?=[ \t]*\n)")

# Tokens of a text without a tokenizer: long words fall into pieces, signs count each, scripts unlike Latin fall into letters.
_PIECE = re.compile(
    r"[A-Za-z]+|[0-9]+|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w|[^\w\s]"
)


@dataclass(frozen=True)
class Block:
    """What a parser found: one heading, paragraph, list, table or code fence, as markdown."""

    text: str
    page: int | None = None  # from 1
    heading_level: int | None = None  # 1 to 6

    @staticmethod
    def of(block: dict[str, Any]) -> Block:
        """From a parser's message."""
        return Block(str(block["text"]), block.get("page"), block.get("heading_level"))


@dataclass(frozen=True)
class Chunk:
    """A passage that is found and cited as one. `id` says what it holds: the same passage in a changed document has it again."""

    id: str
    document: str
    ordinal: int
    text: str
    heading: str = ""  # the headings it stands under: "A > B"
    page: int | None = None

    @staticmethod
    def of(chunk: dict[str, Any]) -> Chunk:
        """From the library's message."""
        return Chunk(
            id=chunk["id"],
            document=chunk["document"],
            ordinal=chunk["ordinal"],
            text=chunk["text"],
            heading=chunk.get("heading") or "",
            page=chunk.get("page"),
        )

    def message(self) -> dict[str, Any]:
        """For the library."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class _Atom:
    """What is not cut again; `lead` is the sentence before it, said again only where a chunk begins with this."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class _Place:
    headings: tuple[str, ...]
    page: int | None


def chunks(blocks: Iterable[Block], document: str) -> list[Chunk]:
    """The chunks of the document with this id, in order. A passage that stands in it twice, under one heading, is one chunk."""
    found: dict[str, Chunk] = {}
    for place, atoms in _groups(blocks):
        heading = " > ".join(place.headings)
        for text in _pack(atoms):
            id = chunk_id(heading, text)
            if id not in found:
                found[id] = Chunk(id, document, len(found), text, heading, place.page)
    return list(found.values())


def markdown_blocks(markdown: str) -> Iterator[Block]:
    """The blocks of a page's text."""
    for block in sections.blocks(markdown):
        yield Block(block.text, heading_level=block.level or None)


def chunk_id(heading: str, text: str) -> str:
    """By content alone, so that what stays the same in a changed document keeps its vector."""
    return hashlib.sha256(f"{heading}\0{text}".encode(errors="replace")).hexdigest()[:24]


def estimated_tokens(text: str) -> int:
    """About as many as MiniLM's tokenizer makes of it."""
    return math.ceil(sum(_weight(piece) for piece in _PIECE.findall(text)))


def _weight(piece: str) -> float:
    if piece.isascii() and piece.isalpha():
        return 1 + (len(piece) - 1) // 8
    if piece.isascii() and piece.isdigit():
        return math.ceil(len(piece) / 3)
    return 0.5 if len(piece) == 1 and piece.isalpha() and ord(piece) < 0x0E00 else 1


# ---- what stands together


def _groups(blocks: Iterable[Block]) -> Iterator[tuple[_Place, list[_Atom]]]:
    """Neighbouring atoms under one heading and on one page."""
    path: list[tuple[int, str]] = []
    place, atoms = _Place((), None), list[_Atom]()
    bare: str | None = None  # a heading that nothing stands under yet
    for block in blocks:
        text = block.text.strip("\n").rstrip()
        if not text.strip():
            continue
        level, title = _heading(block, text)
        if level:
            if bare is not None and level <= path[-1][0]:
                atoms.append(_Atom(bare))  # it would be lost, as no chunk has it for a heading
            if atoms:
                yield place, atoms
            path = [*(step for step in path if step[0] < level), (level, title)]
            place, atoms, bare = _Place(tuple(name for _, name in path if name), block.page), [], title
            continue
        if atoms and block.page != place.page:
            yield place, atoms
            atoms = []
        if not atoms:
            place = _Place(place.headings, block.page)
        atoms += _atoms(text)
        bare = None
    if bare is not None:
        atoms.append(_Atom(bare))
    if atoms:
        yield place, atoms


def _heading(block: Block, text: str) -> tuple[int, str]:
    """Level and title; level 0 for what is none."""
    marked = _HEADING.match(text) if "\n" not in text else None
    if not block.heading_level and not marked:
        return 0, ""
    title = " ".join((marked[2] if marked else text).split())
    return block.heading_level or (len(marked[1]) if marked else 1), title


def _pack(atoms: list[_Atom]) -> Iterator[str]:
    """Texts of about one size, of whole atoms."""
    sizes = [estimated_tokens(atom.text) for atom in atoms]
    goal = sum(sizes) / math.ceil(max(1, sum(sizes)) / TARGET)
    texts: list[str] = []
    filled = 0
    for at, (atom, size) in enumerate(zip(atoms, sizes, strict=True)):
        is_rest = sum(sizes[at:]) <= SMALL
        if texts and (filled + size > MOST or (filled >= goal * 0.9 and not is_rest)):
            yield "\n\n".join(texts)
            texts, filled = [], 0
        texts.append(f"{atom.lead}{atom.text}" if not texts else atom.text)
        filled += size
    yield "\n\n".join(texts)


# ---- what is too long for one chunk


def _atoms(text: str) -> list[_Atom]:
    if estimated_tokens(text) <= MOST:
        return [_Atom(text)]
    if fence := _FENCE.match(text):
        mark = text[: text.index("\n")].strip()
        return [_Atom(f"{mark}\n{part}\n{fence[1]}") for part in _joined(_code(fence[2]))]
    lines = text.split("\n")
    if len(lines) > 2 and "|" in lines[0] and _RULE.match(lines[1]):
        return _table(lines)
    items = _ITEM.split(text)
    if len(items) > 1:
        return [_Atom(part.strip("\n")) for part in _joined(_small(items))]
    return _paragraph(text)


def _table(lines: list[str]) -> list[_Atom]:
    """By rows, each part with the table's header."""
    header = "\n".join(lines[:2])
    room = max(MOST // 3, TARGET - estimated_tokens(header))
    rows = [f"{row}\n" for row in lines[2:]]
    return [_Atom(f"{header}\n{part.rstrip()}") for part in _joined(_small(rows, room), room)]


def _code(text: str) -> Iterator[str]:
    """At blank lines, so that what was written together stays together; else at lines."""
    start = 0
    for end in [*(match.start() for match in _BLANK.finditer(text)), len(text)]:
        part, start = text[start:end], end
        yield from [part] if estimated_tokens(part) <= TARGET else _small(part.splitlines(keepends=True))


def _paragraph(text: str) -> list[_Atom]:
    """By sentences; each part says the last sentence before it again."""
    parts = _joined(_small(pieces(text)))
    atoms: list[_Atom] = []
    before = ""
    for part in parts:
        lead = before if estimated_tokens(before) <= OVERLAP else ""
        atoms.append(_Atom(part.strip(), f"{lead.strip()} " if lead.strip() else ""))
        before = pieces(part.rstrip())[-1] if part.strip() else ""
    return [atom for atom in atoms if atom.text]


def _joined(parts: Iterable[str], room: int = TARGET) -> list[str]:
    """Neighbours put together again, evenly: of as many runs as are needed, each part joins the one that its middle lies in."""
    known = [(part, estimated_tokens(part)) for part in parts]
    goal = max(1, sum(size for _, size in known)) / math.ceil(max(1, sum(size for _, size in known)) / room)
    joined: list[str] = []
    run, filled, before = -1, 0, 0
    for part, size in known:
        lies_in = int((before + size / 2) / goal)
        if lies_in > run or filled + size > MOST * room / TARGET:
            joined.append("")
            run, filled = lies_in, 0
        joined[-1] += part
        filled += size
        before += size
    return [part.strip("\n") for part in joined if part.strip()]


def _small(parts: Iterable[str], room: int = TARGET) -> Iterator[str]:
    """Parts that are too long themselves, cut at sentences, words or anywhere."""
    for part in parts:
        if estimated_tokens(part) <= room:
            yield part
        else:
            inner = pieces(part)
            yield from _small(inner, room) if len(inner) > 1 else _words(part, room)


def _words(text: str, room: int) -> Iterator[str]:
    """A text without sentences, by words; a word without an end by characters."""
    taken, filled = "", 0
    for word in re.findall(r"\s*\S{1,200}|\s+$", text):
        size = estimated_tokens(word)
        if taken and filled + size > room:
            yield taken
            taken, filled = "", 0
        taken += word
        filled += size
    yield taken
