"""The library of documents behind the engine's port, as Python asks it: the messages of background/protocol.js, typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from .chunks import Chunk

Message = dict[str, Any]
Request = Callable[[Message], Awaitable[Message]]

MOST_FOUND = 50  # of each of the two lists of a search


@dataclass(frozen=True)
class Document:
    """A document that is kept. Of its `chunks`, `embedded` can be found by meaning, the rest by their words alone."""

    id: str
    name: str
    title: str
    collection: str
    pages: int | None = None
    words: int = 0
    chunks: int = 0
    embedded: int = 0
    mime: str = ""
    bytes: int = 0  # 0 if nobody knows: it was imported with its collection
    added: int = 0  # milliseconds since the epoch
    temporary: bool = False  # a page, as long as a conversation is about it: in no collection that is listed

    @staticmethod
    def of(message: Message) -> Document:
        """From the library's message."""
        return Document(
            id=message["id"],
            name=message["name"],
            title=message.get("title") or message["name"],
            collection=message.get("collection") or "",
            pages=message.get("pages"),
            words=message.get("words") or 0,
            chunks=message.get("chunks") or 0,
            embedded=message.get("embedded") or 0,
            mime=message.get("mime") or "",
            bytes=message.get("bytes") or 0,
            added=message.get("added") or 0,
            temporary=bool(message.get("temporary")),
        )

    def message(self) -> Message:
        """LibraryDocument of background/protocol.js, to keep it; the library counts its chunks itself."""
        unset = ("chunks", "embedded", *(["temporary"] if not self.temporary else []))
        kept = {name: value for name, value in asdict(self).items() if value is not None and name not in unset}
        return {**kept, "chunk_ids": []}


@dataclass(frozen=True)
class Hit:
    """A chunk that a search found. `score`: BM25 in a list by keywords, cosine in one by vectors."""

    chunk: Chunk
    score: float

    @staticmethod
    def of(message: Message) -> Hit:
        """From the library's message."""
        return Hit(Chunk.of(message["chunk"]), float(message["score"]))


@dataclass(frozen=True)
class Found:
    """Both lists of a search, best first; `total` chunks were searched, of which `pending` have no vector yet."""

    keywords: Sequence[Hit] = field(default_factory=tuple)
    vectors: Sequence[Hit] = field(default_factory=tuple)
    total: int = 0
    pending: int = 0


class Library(Protocol):
    """What is asked of the library. Each call raises EngineError where the library cannot do it."""

    async def put(self, document: Message, chunks: Sequence[Chunk]) -> None:
        """Keeps a document; one of the same name in the same collection is replaced. `document`: LibraryDocument."""
        ...

    async def delete(self, document: str) -> None:
        """Forgets a document, by its id."""
        ...

    async def rename(self, collection: str, name: str) -> None:
        """Gives a collection another name."""
        ...

    async def list(self) -> list[Document]:
        """All documents."""
        ...

    async def search(
        self, query: str, collections: Sequence[str] = (), documents: Sequence[str] = (), limit: int = MOST_FOUND
    ) -> Found:
        """Searches all documents, or those of these collections and ids."""
        ...

    async def get(self, document: str, ordinals: Sequence[int] = ()) -> Sequence[Chunk]:
        """Chunks of a document: all, or those with these ordinals."""
        ...


class LibraryClient:
    """The library over a port."""

    def __init__(self, request: Request) -> None:
        """`request` sends a message without its id and returns the answer; raises EngineError for an answer of type error."""
        self._request = request

    async def put(self, document: Message, chunks: Sequence[Chunk]) -> None:
        """See Library."""
        await self._request({"type": "library.put", "document": document, "chunks": [chunk.message() for chunk in chunks]})

    async def delete(self, document: str) -> None:
        """See Library."""
        await self._request({"type": "library.delete", "document": document})

    async def rename(self, collection: str, name: str) -> None:
        """See Library."""
        await self._request({"type": "library.rename", "from": collection, "to": name})

    async def list(self) -> list[Document]:
        """See Library."""
        answer = await self._request({"type": "library.list"})
        return [Document.of(each) for each in answer["documents"]]

    async def search(
        self, query: str, collections: Sequence[str] = (), documents: Sequence[str] = (), limit: int = MOST_FOUND
    ) -> Found:
        """See Library."""
        scope = {name: [*values] for name, values in (("collections", collections), ("documents", documents)) if values}
        answer = await self._request({"type": "library.search", "query": query, "limit": limit, **scope})
        return Found(
            keywords=[Hit.of(hit) for hit in answer["keywords"]],
            vectors=[Hit.of(hit) for hit in answer["vectors"]],
            total=answer["total"],
            pending=answer["pending"],
        )

    async def get(self, document: str, ordinals: Sequence[int] = ()) -> Sequence[Chunk]:
        """See Library."""
        wanted = {"ordinals": [*ordinals]} if ordinals else {}
        answer = await self._request({"type": "library.get", "document": document, **wanted})
        return [Chunk.of(chunk) for chunk in answer["chunks"]]
