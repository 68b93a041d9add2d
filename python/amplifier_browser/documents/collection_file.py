"""A collection as one file: readable JSON that holds the documents with their passages, and from which it is made again.

    {"format": "amplifier-collection", "version": 1, "collection": "Ice", "documents": [
      {"id": ..., "name": ..., "title": ..., "mime": ..., "words": 4300, "pages": 12, "added": ..., "passages": [
        {"text": ..., "heading": "A > B", "page": 3}]}]}

Vectors are not in it: a passage's id is that of its words, so only passages that the library does not know are embedded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .chunks import Chunk, chunk_id
from .library import Document

FORMAT = "amplifier-collection"
VERSION = 1
MIME = "application/json"

MOST_BYTES = 64 << 20  # what the page reads of a file (LARGEST_COLLECTION in sidepanel/limits.js)
LONGEST_NAME = 200  # characters; file systems allow little more


class UnreadableCollection(Exception):
    """It is no collection that can be read; the text says why, and what to do."""


@dataclass(frozen=True)
class StoredDocument:
    """A document with all its passages."""

    document: Document
    chunks: Sequence[Chunk]


@dataclass(frozen=True)
class Collection:
    """What a file holds."""

    name: str
    documents: Sequence[StoredDocument]


def file_name(collection: str) -> str:
    """What the file is called: every system takes letters, digits, spaces and these signs."""
    kept = "".join(sign if sign.isalnum() or sign in " -_()" else "-" for sign in collection)
    return f"{' '.join(kept.split())[:80].strip() or 'collection'}.amplifier.json"


def write(collection: Collection) -> str:
    """The file's text. Raises UnreadableCollection for one that is too large to be read again."""
    documents = [_written(each) for each in collection.documents]
    whole = {"format": FORMAT, "version": VERSION, "collection": collection.name, "documents": documents}
    text = json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise UnreadableCollection(
            f"“{collection.name}” is too large for one file. Move some of its documents to another collection, and export both."
        )
    return text


def _written(stored: StoredDocument) -> dict[str, Any]:
    document = stored.document
    passages = [
        {"text": chunk.text, "heading": chunk.heading, **({"page": chunk.page} if chunk.page else {})} for chunk in stored.chunks
    ]
    about = {name: getattr(document, name) for name in ("id", "name", "title", "mime", "words", "added")}
    return {**about, **({"pages": document.pages} if document.pages else {}), "passages": passages}


# -- reading


def read(text: str) -> Collection:
    """What a file's text holds. Raises UnreadableCollection, and then nothing of it is to be used."""
    whole = _parsed(text)
    if not isinstance(whole, dict) or cast(dict[str, Any], whole).get("format") != FORMAT:
        raise UnreadableCollection("This file is no exported collection. Choose one that was made with Export.")
    fields = _Fields(cast(dict[str, Any], whole), "the file")
    if fields.value("version") != VERSION:
        raise UnreadableCollection(
            f"This file is of another version ({_quoted(fields.value('version'))}, not {VERSION}). "
            "Update Amplifier, or export the collection again with the version that you have."
        )
    name, listed = fields.name("collection"), fields.list("documents")
    return Collection(name, [_document(each, number, name) for number, each in enumerate(listed, 1)])


def _parsed(text: str) -> object:
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        if FORMAT in text[:200]:
            raise _damaged("it is cut off, or was changed by hand") from None
        raise UnreadableCollection("This file is no exported collection. Choose one that was made with Export.") from None


def _damaged(why: str) -> UnreadableCollection:
    return UnreadableCollection(f"This file is damaged: {why}. Nothing was imported. Export the collection again.")


def _document(message: object, number: int, collection: str) -> StoredDocument:
    fields = _Fields(message, f"document {number}")
    id = fields.string("id")
    if not (0 < len(id) <= 64 and id.isascii() and id.isalnum()):
        raise fields.wrong("id")
    name = fields.name("name")
    chunks = _chunks(fields, id)
    document = Document(
        id=id,
        name=name,
        title=fields.name("title", name),
        collection=collection,
        pages=fields.number("pages", 0) or None,
        words=fields.number("words", 0),
        mime=fields.string("mime", "")[:LONGEST_NAME],
        added=fields.number("added", 0),
    )
    return StoredDocument(document, chunks)


def _chunks(fields: _Fields, document: str) -> list[Chunk]:
    """As chunks.chunks() makes them: a passage that stands twice under one heading is one."""
    found: dict[str, Chunk] = {}
    for number, message in enumerate(fields.list("passages"), 1):
        passage = _Fields(message, f"passage {number} of {fields.what}")
        text, heading = passage.string("text"), passage.string("heading", "")
        if not text.strip():
            raise passage.wrong("text")
        id = chunk_id(heading, text)
        if id not in found:
            found[id] = Chunk(id, document, len(found), text, heading, passage.number("page", 0) or None)
    if not found:
        raise fields.wrong("passages")
    return list(found.values())


class _Fields:
    """The fields of one JSON object, each of the type that it must have. Raises UnreadableCollection."""

    def __init__(self, message: object, what: str) -> None:
        self.what = what
        if not isinstance(message, dict):
            raise _damaged(f"{what} is not what it should be")
        self._message = cast(Mapping[str, Any], message)

    def value(self, name: str) -> Any:
        return self._message.get(name)

    def string(self, name: str, otherwise: str | None = None) -> str:
        value = self._message.get(name, otherwise)
        if not isinstance(value, str):
            raise self.wrong(name)
        return value

    def name(self, name: str, otherwise: str | None = None) -> str:
        """On one line, and not empty."""
        value = " ".join(self.string(name, otherwise).split())[:LONGEST_NAME]
        if not value:
            raise self.wrong(name)
        return value

    def number(self, name: str, otherwise: int) -> int:
        """Whole, and not below 0."""
        value = self._message.get(name, otherwise)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:  # JavaScript's whole numbers
            raise self.wrong(name)
        return value

    def list(self, name: str) -> list[Any]:
        value = self._message.get(name)
        if not isinstance(value, list):
            raise self.wrong(name)
        return cast(list[Any], value)

    def wrong(self, name: str) -> UnreadableCollection:
        return _damaged(f"“{name}” of {self.what} is missing or wrong")


def _quoted(value: object) -> str:
    return str(value)[:20] if isinstance(value, (int, float, str)) else "none"
