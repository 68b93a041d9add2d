"""Texts that are too long for one prompt, kept in the library as temporary documents: searched, but never listed or kept.

They go when the conversation, or what it was about, goes. What a panel that was closed leaves behind the library itself deletes:
see background/library/.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress

from ..engine import EngineError
from .attachments import Attachment
from .chunks import chunks, markdown_blocks
from .library import Document, LibraryClient

MIME = "text/markdown"


class TemporaryDocuments:
    """Puts the texts of attachments into the library, and takes them out again."""

    def __init__(self, library: LibraryClient) -> None:
        self._library = library

    async def keep(self, attachment: Attachment) -> bool:
        """Makes the attachment's text a document of the library; False if it was one. Of a text that has changed, passages
        that stayed the same keep their vectors. Raises EngineError."""
        async with attachment.lock:
            id = hashlib.sha256(f"{attachment.id}\0{attachment.text}".encode(errors="replace")).hexdigest()[:32]
            if attachment.document == id and any(each.id == id for each in await self._library.list()):
                return False
            attachment.settled.clear()
            attachment.document, attachment.state = id, "indexing"
            await self._library.put(_document(attachment).message(), chunks(markdown_blocks(attachment.text), id))
        if attachment.is_gone:
            await self.forget(attachment)
        return True

    async def forget(self, attachment: Attachment) -> None:
        """Takes the attachment's text out of the library."""
        document, attachment.document = attachment.document, ""
        if document:
            with suppress(EngineError):  # it has gone already, or the library deletes it when it starts again
                await self._library.delete(document)


def _document(attachment: Attachment) -> Document:
    """Its name and collection are those of no other document, so that it takes the place of its former text alone."""
    text = attachment.text
    return Document(
        id=attachment.document,
        name=attachment.id,
        title=attachment.title,
        collection=f"temporary {attachment.id}",
        words=len(text.split()),
        mime=MIME,
        bytes=len(text.encode(errors="replace")),
        added=int(time.time() * 1000),
        temporary=True,
    )
