"""From a question to the sources that answer it: search, fuse, leave out what says the same, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..lexical import words
from .answering import Count, Source, sources
from .chunks import Chunk
from .library import Document, Library
from .ranking import TRIVIAL, Ranked, diverse, fuse, is_answerable

# Words of a question about a document as a whole, whose answer stands in no passage of it: "What is this file about?"
_WHOLE = frozenset(
    words(
        "document documents file files pdf paper text book report page article attachment attached here above tell explain give "
        "describe summary summarize summarise sum overview tldr gist main key important point points idea topic brief briefly "
        "short please content contents say says bullet list tab site website selection both two between compare comparison "
        "difference differ"
    )
)
MOST_SHOWN = 15  # passages of a search for people
LEAST_SHOWN = 0.35  # of their score: who reads judges for himself, so it may be lower than for what a model is to answer from
_OVERVIEW = 24  # passages to choose from for a question about the whole


@dataclass(frozen=True)
class Retrieved:
    """What there is to answer from. Without `sources` the answer is not in the documents, or (`total` 0) there are none."""

    sources: list[Source]
    total: int  # chunks that were searched
    pending: int  # of those, not yet searched by meaning

    @property
    def note(self) -> str:
        """What the user should know of it; empty if nothing."""
        if not self.pending:
            return ""
        share = 100 * (self.total - self.pending) // max(1, self.total)
        return f"The documents are still being prepared ({share} % done), so this may have missed something."


async def retrieve(
    library: Library,
    question: str,
    limit: int,
    count: Count | None = None,
    collections: Sequence[str] = (),
    documents: Sequence[str] = (),
) -> Retrieved:
    """Sources of at most `limit` tokens together; see answering.sources. Raises EngineError where the library cannot search.

    With `collections` or `documents` (ids), only what is in one of them is searched; temporary documents only by their ids.
    """
    known = {document.id: document for document in await library.list()}
    wanted = [
        each.id for each in known.values() if each.id in documents or (each.collection in collections and not each.temporary)
    ]
    is_scoped = bool(collections or documents)
    if is_scoped and not wanted:
        return Retrieved([], 0, 0)
    if is_scoped and is_about_whole(question):
        return await _overview(library, [known[id] for id in wanted], limit, count, known)
    found = await library.search(question, documents=wanted if is_scoped else ())
    ranked = fuse(question, found)
    passages = diverse(ranked) if is_answerable(ranked) else []
    return Retrieved(await sources(passages, known, limit, count), found.total, found.pending)


@dataclass(frozen=True)
class Searched:
    """Passages that have to do with a query, best first; of `total` that were searched, `pending` by their words alone."""

    passages: list[tuple[Document, Chunk]]
    total: int
    pending: int


async def search(library: Library, query: str, collections: Sequence[str] = (), most: int = MOST_SHOWN) -> Searched:
    """What the documents, or those of `collections`, say of a query, for people to read. Raises EngineError."""
    listed = await library.list()
    known = {each.id: each for each in listed if not each.temporary and (not collections or each.collection in collections)}
    if not known:
        return Searched([], 0, 0)
    found = await library.search(query, documents=[*known] if len(known) < len(listed) else ())
    related = [each for each in fuse(query, found) if each.score >= LEAST_SHOWN or is_answerable([each])]
    passages = [(known[each.chunk.document], each.chunk) for each in diverse(related, most) if each.chunk.document in known]
    return Searched(passages, found.total, found.pending)


def is_about_whole(question: str) -> bool:
    """Whether a question asks for nothing in particular, so that no passage answers it better than another."""
    return all(word in TRIVIAL or word in _WHOLE for word in words(question))


async def _overview(
    library: Library, wanted: Sequence[Document], limit: int, count: Count | None, known: Mapping[str, Document]
) -> Retrieved:
    """The beginning of each document, then passages from all over it, as many as fit."""
    share = max(1, _OVERVIEW // len(wanted))
    spread = [await library.get(document.id, _spread(document.chunks, share)) for document in wanted[:_OVERVIEW]]
    chunks = [each[at] for at in range(share) for each in spread if at < len(each)]
    shown = await sources([Ranked(chunk, None, 0.0, 0.0) for chunk in chunks], known, limit, count)
    return Retrieved(_in_order(shown), sum(document.chunks for document in wanted), 0)


def _spread(count: int, share: int) -> list[int]:
    """Ordinals: the first, the middle, then ever finer; so that however many fit, they are from all over."""
    ordinals: dict[int, None] = dict.fromkeys([0] if count else [])
    parts = 2
    while len(ordinals) < min(count, share) and parts <= 2 * count:
        ordinals |= dict.fromkeys(count * part // parts for part in range(1, parts, 2))
        parts *= 2
    return [*ordinals][:share]


def _in_order(shown: Sequence[Source]) -> list[Source]:
    """As they stand in the documents, numbered anew."""
    firsts: dict[str, int] = {}
    for source in shown:
        firsts.setdefault(source.chunk.document, len(firsts))

    def place(chunk: Chunk) -> tuple[int, int]:
        return firsts[chunk.document], chunk.ordinal

    ordered = sorted(shown, key=lambda source: place(source.chunk))
    return [Source(number, source.chunk, source.title) for number, source in enumerate(ordered, 1)]
