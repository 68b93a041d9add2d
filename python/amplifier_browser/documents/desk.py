"""What the user attached: files are cut and kept in the library, selections are held; what of it answers a question."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine import EngineError
from ..problems import document_problem, library_problem
from .answering import Count
from .chunks import Block, chunks
from .library import LibraryClient
from .retrieval import Retrieved, retrieve

Message = dict[str, Any]

DEFAULT_COLLECTION = "Documents"
PATIENCE = 30.0  # seconds that an answer waits for passages to be embedded; it is found by its words until then


@dataclass
class Attachment:
    """One thing that goes along with a message."""

    id: str
    kind: str  # document, or selection
    name: str
    detail: str = ""
    state: str = "reading"
    progress: float | None = None
    problem: Message | None = None
    document: str = ""  # id in the library
    collection: str = ""  # a whole one
    text: str = ""  # of a selection
    settled: asyncio.Event = field(default_factory=asyncio.Event)  # it is as ready as it will be

    def message(self) -> Message:
        """Attachment of sidepanel/types.js."""
        shown: Message = {name: getattr(self, name) for name in ("id", "kind", "name", "detail", "state", "progress")}
        return {**shown, **({"problem": self.problem} if self.problem else {})}

    def sent(self) -> Message:
        """How a message names it."""
        return {"id": self.id, "kind": self.kind, "name": self.name}


class Desk:
    """The attachments of one panel."""

    def __init__(self, library: LibraryClient, emit: Callable[[Message], None], count: Count) -> None:
        """`count`: the model's tokenizer."""
        self.library = library
        self._emit = emit
        self._count = count
        self._attached: dict[str, Attachment] = {}
        self._in_use: list[Attachment] = []  # what the conversation's messages were sent with
        self._looking: asyncio.Task[None] | None = None

    # -- what the page says

    async def attach(self, command: Message) -> None:
        """Takes what was read of a file, or why it could not be."""
        attachment = self._attached.setdefault(command["id"], Attachment(command["id"], "document", command["name"]))
        parsed: Message = command["parsed"]
        if "error" in parsed:
            self._fail(attachment, document_problem(parsed["error"], parsed.get("detail", "")))
            return
        passages = chunks([Block.of(block) for block in parsed["blocks"]], command["hash"])
        if not passages:
            self._fail(attachment, document_problem("empty", ""))
            return
        attachment.document = command["hash"]
        attachment.detail = _detail(parsed)
        self._show(attachment, "indexing", 0.0)
        try:
            await self.library.put(_document(command, parsed), passages)
            await self._look()
        except EngineError as error:
            self._fail(attachment, library_problem(error.code, str(error)))

    def started(self, command: Message) -> None:
        """A file is being read: a message that is sent meanwhile waits for it."""
        self._attached.setdefault(command["id"], Attachment(command["id"], "document", command["name"]))

    def select(self, attachment_id: str, title: str, text: str) -> None:
        """Puts a selection into the tray."""
        attachment = Attachment(attachment_id, "selection", title or "Selection", f"{len(text.split()):,} words", text=text)
        self._attached[attachment_id] = attachment
        self._settle(attachment)

    def collect(self, attachment_id: str, collection: str | None) -> None:
        """Puts a whole collection into the tray; None for all documents."""
        name = collection or "All documents"
        attachment = Attachment(attachment_id, "document", name, "collection", collection=collection or "")
        self._attached[attachment_id] = attachment
        self._settle(attachment)

    def detach(self, attachment_id: str) -> None:
        """Takes something out of the tray. A document that is in the library stays there."""
        if attachment := self._attached.pop(attachment_id, None):
            attachment.settled.set()
        self._emit({"type": "attachment-removed", "id": attachment_id})

    def library_changed(self, _state: Message) -> None:
        """More of the library has its vectors, or it is in trouble."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._look())

    async def _look(self) -> None:
        """Tells how far each document is."""
        waiting = [each for each in self._attached.values() if each.state == "indexing"]
        if not waiting:
            return
        try:
            known = {document.id: document for document in await self.library.list()}
        except EngineError:
            return
        for attachment in waiting:
            document = known.get(attachment.document)
            if document is None or attachment.state != "indexing":
                continue
            if document.embedded >= document.chunks:
                self._settle(attachment)
            else:
                self._show(attachment, "indexing", document.embedded / max(1, document.chunks))

    # -- what an answer needs

    def use(self, ids: Sequence[str]) -> list[Message]:
        """A message is sent with these: from now on the conversation is about them. Returns how the message names them."""
        used = [self._attached[each] for each in ids if each in self._attached]
        self._in_use += [each for each in used if each not in self._in_use]
        return [each.sent() for each in used]

    def forget_conversation(self) -> None:
        """A new one begins; the library stays."""
        self._in_use.clear()

    @property
    def is_in_use(self) -> bool:
        """Whether the conversation is about anything attached."""
        return bool(self._in_use)

    async def prepared(self) -> None:
        """Waits until what is in use is read and embedded, for a while; raises UnreadableAttachment if none of it can be used."""
        waiting = [asyncio.ensure_future(each.settled.wait()) for each in self._in_use if not each.settled.is_set()]
        if waiting:
            await asyncio.wait(waiting, timeout=PATIENCE)
        failed = [each for each in self._in_use if each.problem]
        self._in_use = [each for each in self._in_use if not each.problem]
        if failed and not self._in_use:
            raise UnreadableAttachment(failed[0].name, failed[0].problem or {})

    def selections(self) -> list[str]:
        """The texts of the selections in use."""
        return [each.text for each in self._in_use if each.kind == "selection"]

    async def find(self, question: str, limit: int) -> Retrieved | None:
        """Sources of at most `limit` tokens for a question; None if no documents are in use."""
        used = [each for each in self._in_use if each.kind == "document"]
        if not used:
            return None
        wants_all = any(not each.document and not each.collection for each in used)
        documents = [] if wants_all else [each.document for each in used if each.document]
        collections = [] if wants_all else [each.collection for each in used if each.collection]
        return await retrieve(self.library, question, limit, self._count, collections, documents)

    # -- states

    def _settle(self, attachment: Attachment) -> None:
        attachment.settled.set()
        self._show(attachment, "ready", None)

    def _fail(self, attachment: Attachment, problem: Message) -> None:
        attachment.problem = problem
        attachment.settled.set()
        self._show(attachment, "error", None)

    def _show(self, attachment: Attachment, state: str, progress: float | None) -> None:
        attachment.state, attachment.progress = state, progress
        if attachment.id in self._attached:
            self._emit({"type": "attachment", "attachment": attachment.message()})


class UnreadableAttachment(Exception):
    """Nothing that was attached can be read; `problem` says why and what to do."""

    def __init__(self, name: str, problem: Message) -> None:
        super().__init__(problem.get("title", "It cannot be read"))
        self.problem = {**problem, "title": f"{name}: {problem.get('title', 'it cannot be read')}"}


def _document(command: Message, parsed: Message) -> Message:
    """LibraryDocument of background/protocol.js."""
    known = {"pages": parsed["pages"]} if parsed.get("pages") else {}
    return {
        "id": command["hash"],
        "name": command["name"],
        "title": parsed.get("title") or command["name"],
        "mime": command["mime"],
        "bytes": command["bytes"],
        "added": int(time.time() * 1000),
        "collection": DEFAULT_COLLECTION,
        "words": parsed["words"],
        "chunk_ids": [],
        **known,
    }


def _detail(parsed: Message) -> str:
    pages = parsed.get("pages")
    words = f"{parsed['words']:,} words"
    return f"{pages} {'page' if pages == 1 else 'pages'} · {words}" if pages else words
