"""The library as the settings dialog shows and changes it: collections, their export and import, deletions that can be undone,
and a search for people to read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Set
from dataclasses import replace
from typing import Any, ClassVar

from ..engine import EngineError
from ..problems import library_trouble, library_words
from ..storage import Call
from .collection_file import MIME, Collection, StoredDocument, file_name, read, write
from .library import Document, LibraryClient
from .listing import Listing
from .retrieval import search

Message = dict[str, Any]

SHOWN = ("id", "name", "collection", "words", "pages", "chunks", "embedded", "added")


class CollectionError(Exception):
    """It could not be done; the text says why and what to do."""


class Collections:
    """Takes the commands that are about documents. Changes are made one after the other, in the order in which they came."""

    def __init__(self, library: LibraryClient, listing: Listing, call: Call, tell: Callable[[str], None]) -> None:
        """`call` asks the page; `tell` shows the user one line."""
        self._library = library
        self._listing = listing
        self._call = call
        self._tell = tell
        self._changing = asyncio.Lock()
        self._going: set[str] = set()  # being deleted: not shown, so that they do not come back into sight meanwhile
        self._deleted: dict[str, StoredDocument] = {}  # by the last deletion
        self._asked: Message | None = None
        self._found: Message | None = None

    def message(self) -> Message:
        """Documents, what a search found, where it runs and what troubles the library, as in Settings of sidepanel/types.js.
        Documents are missing until the library has told them."""
        listed = self._listing.documents
        trouble = self._listing.trouble
        return {
            **(
                {} if listed is None else {"documents": [_shown(each) for each in _by_name(listed) if each.id not in self._going]}
            ),
            "found": self._found,
            "search_device": self._listing.device,
            "trouble": library_trouble(trouble["code"], trouble["message"]) if trouble else None,
        }

    async def handle(self, command: Message) -> None:
        """Does what a command asks. Raises CollectionError or UnreadableCollection."""
        try:
            if command["type"] == "search-documents":
                await self._search(command)
            elif command["type"] in ("delete-document", "delete-collection"):
                await self._delete(lambda document: _is_meant(command, document))
            else:
                async with self._changing:
                    await self.CHANGES[command["type"]](self, command)
                    await self._listing.settled()  # what is shown next shows the change
        except EngineError as error:
            raise CollectionError(library_words(error.code)) from error

    async def close(self) -> None:
        """The dialog is closed: what was deleted is gone for good, once what was asked for before is done."""
        self._asked = self._found = None
        async with self._changing:
            self._deleted.clear()

    # -- changes

    async def _move(self, command: Message) -> None:
        listed = await self._library.list()
        others = _names(each for each in listed if each.id != command["id"])
        for document in listed:
            if document.id == command["id"]:
                moved = replace(document, collection=command["collection"])
                await self._put(StoredDocument(moved, await self._library.get(document.id)), others)

    async def _rename(self, command: Message) -> None:
        await self._library.rename(command["from"], command["to"])

    async def _delete(self, is_meant: Callable[[Document], bool]) -> None:
        going = {each.id for each in self._listing.documents or () if is_meant(each)}
        self._going |= going
        try:
            async with self._changing:
                self._deleted = {}
                for document in await self._library.list():
                    if is_meant(document) and not document.temporary:
                        await self._delete_one(document)
                await self._listing.settled()
        finally:
            self._going -= going

    async def _delete_one(self, document: Document) -> None:
        try:
            self._deleted[document.id] = StoredDocument(document, await self._library.get(document.id))
            await self._library.delete(document.id)
        except EngineError as error:
            if error.code != "unknown-document":  # it is gone: by another window, or by a first try whose answer was lost
                raise

    async def _restore(self, command: Message) -> None:
        """Puts back what was deleted last, without what is there again."""
        listed = await self._library.list()
        known, names = {each.id for each in listed}, _names(listed)
        for id in command["ids"]:
            if id not in known and id in self._deleted:
                await self._put(self._deleted[id], names)
            self._deleted.pop(id, None)

    async def _put(self, stored: StoredDocument, names: dict[str, set[str]]) -> None:
        """Under a name that its collection does not have, as the library would replace the document that has it. `names`:
        those of the other documents, by collection; this one's is added."""
        taken = names.setdefault(stored.document.collection, set())
        name = _free_name(stored.document.name, taken)
        await self._library.put(replace(stored.document, name=name).message(), stored.chunks)
        taken.add(name)

    # -- files

    async def _export(self, command: Message) -> None:
        name = command["collection"]
        documents = [each for each in _by_name(await self._library.list()) if each.collection == name]
        if not documents:
            raise CollectionError(f"There is no collection “{name}” any more.")
        whole = Collection(name, [StoredDocument(each, await self._library.get(each.id)) for each in documents])
        await self._call("file.save", name=file_name(name), text=write(whole), mime=MIME)

    async def _import(self, command: Message) -> None:
        """All or, if the file is not as it should be, nothing. Documents that are there already stay as they are."""
        collection = read(command["text"])
        listed = [each for each in await self._library.list() if not each.temporary]
        known, names = {each.id for each in listed}, _names(listed)
        every = {each.document.id: each for each in collection.documents}
        fresh = [each for each in every.values() if each.document.id not in known]
        for came, stored in enumerate(fresh):
            try:
                await self._put(stored, names)
            except EngineError as error:
                came_so_far = f"Only {came} of {_counted(len(fresh))} came into “{collection.name}”"
                raise CollectionError(f"{came_so_far}. {library_words(error.code)}") from error
        self._tell(_told(collection.name, len(fresh), len(every) - len(fresh)))

    # -- searching

    async def _search(self, command: Message) -> None:
        """Only the last search is shown, whichever ends last."""
        asked = self._asked = {"query": command["query"], "collection": command.get("collection")}
        if not asked["query"].strip():
            self._found = None
            return
        found = await self._find(asked["query"], asked["collection"])
        if self._asked is asked:
            self._found = {**asked, **found}

    async def _find(self, query: str, collection: str | None) -> Message:
        try:
            result = await search(self._library, query, [] if collection is None else [collection])
        except EngineError as error:
            return {"passages": [], "total": 0, "pending": 0, "problem": library_trouble(error.code, str(error))}
        passages = [
            {
                "document": document.id,
                "name": document.name,
                "heading": chunk.heading,
                "text": chunk.text,
                **({"page": chunk.page} if chunk.page else {}),
            }
            for document, chunk in result.passages
        ]
        return {"passages": passages, "total": result.total, "pending": result.pending}

    CHANGES: ClassVar[dict[str, Callable[[Collections, Message], Awaitable[None]]]] = {
        "move-document": _move,
        "rename-collection": _rename,
        "restore-documents": _restore,
        "export-collection": _export,
        "import-collection": _import,
    }
    COMMANDS: ClassVar[tuple[str, ...]] = (*CHANGES, "delete-document", "delete-collection", "search-documents")


def _by_name(documents: Iterable[Document]) -> list[Document]:
    """Those that last."""
    return sorted((each for each in documents if not each.temporary), key=lambda each: (each.name.casefold(), each.id))


def _is_meant(command: Message, document: Document) -> bool:
    """Whether a command that names a document, or a collection, means this one."""
    return document.id == command["id"] if "id" in command else document.collection == command["collection"]


def _shown(document: Document) -> Message:
    return {name: value for name in SHOWN if (value := getattr(document, name)) is not None}


def _names(documents: Iterable[Document]) -> dict[str, set[str]]:
    """Names by collection."""
    names: dict[str, set[str]] = {}
    for document in documents:
        names.setdefault(document.collection, set()).add(document.name)
    return names


def _free_name(name: str, taken: Set[str]) -> str:
    """The name, or "report (2).pdf" where that is taken."""
    stem, dot, ending = name.rpartition(".") if "." in name.lstrip(".") else (name, "", "")
    number = 1
    free = name
    while free in taken:
        number += 1
        free = f"{stem} ({number}){dot}{ending}"
    return free


def _told(collection: str, came: int, known: int) -> str:
    """How many came."""
    there = f"{_counted(known)} {'was' if known == 1 else 'were'} there already" if known else ""
    if not came:
        return f"Nothing new for “{collection}”: {there or 'the file holds no documents'}."
    return f"{_counted(came)} came into “{collection}”{f'; {there}' if there else ''}."


def _counted(documents: int) -> str:
    return f"{documents:,} document{'' if documents == 1 else 's'}"
