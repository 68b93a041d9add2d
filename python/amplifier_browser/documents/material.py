"""What one question is answered from: the pages, selections and documents in use, read anew, and as much of them as fits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ..engine import EngineError
from ..page import UnreadablePage
from ..problems import library_problem
from .answering import Count, Source, written
from .attached_pages import Call, address, read_tab
from .attachments import Attachment, UnreadableAttachment
from .chunks import MOST, Chunk, estimated_tokens
from .library import LibraryClient
from .ranking import fuse, is_answerable
from .retrieval import is_about_whole, retrieve
from .temporary import TemporaryDocuments

PATIENCE = 30.0  # seconds that an answer waits for passages to be embedded; they are found by their words until then
A_PASSAGE = MOST + 50  # tokens that must be left for what is searched, or nothing of it could be shown
SURELY_TOO_LONG = 3  # times the room, by an estimate: no tokenizer is asked


@dataclass(frozen=True)
class Resources:
    """What it takes to read attachments and to search in them; one for a panel."""

    library: LibraryClient
    temporary: TemporaryDocuments
    call: Call
    count: Count  # the model's tokenizer
    room: Callable[[], int]  # tokens that the model in use can read beside a question


@dataclass
class Material:
    """The attachments that one question may be answered from. `sent`: with this question; `kept`: with those before it, and
    used only where they have to do with it."""

    sent: list[Attachment]
    kept: list[Attachment]
    resources: Resources
    notes: list[str] = field(default_factory=lambda: list[str]())
    used: list[Attachment] = field(default_factory=lambda: list[Attachment]())  # what the answer is from
    _failed: list[Attachment] = field(default_factory=lambda: list[Attachment]())  # of those that were sent
    _whole: list[Attachment] = field(default_factory=lambda: list[Attachment]())
    _searched: list[Attachment] = field(default_factory=lambda: list[Attachment]())
    _room_left: int = 0

    @property
    def all(self) -> list[Attachment]:
        """Sent or kept, each once."""
        return list(dict.fromkeys([*self.kept, *self.sent]))

    @property
    def label(self) -> str:
        """What is done while it is prepared."""
        return "Preparing the documents" if any(each.kind == "document" for each in self.all) else "Reading what you attached"

    @property
    def not_found(self) -> str:
        """What is to be said where the answer is not in it."""
        kinds = {each.kind for each in self.all if not each.problem}
        if kinds == {"tab"}:
            return "That is not on the page." if len(self.all) == 1 else "That is not on these pages."
        return "That is not in your documents." if kinds <= {"document"} else "That is not in what you attached."

    # -- before the model is asked

    async def prepare(self, question: str) -> None:
        """Reads the pages, waits for files, and has the library take what must be searched. Raises UnreadableAttachment if
        nothing that the question was sent with can be used, and EngineError."""
        await asyncio.gather(*(self._ready(each) for each in self.all))
        self._leave_out_unreadable()
        self._leave_out_doubles()
        texts = [each for each in [*await self._related(question), *self.sent] if each.text]
        documents = [each for each in self.all if each.kind == "document"]
        await self._share_room(texts, bool(documents))
        long = [each for each in texts if each not in self._whole]
        await self._index(long)
        self._leave_out_unreadable()
        self._searched = [each for each in self.all if each in long or each in documents]

    async def _ready(self, attachment: Attachment) -> None:
        if attachment.kind == "tab":
            try:
                await read_tab(self.resources.call, attachment)
                attachment.problem = None
            except UnreadablePage as unreadable:
                attachment.problem = unreadable.problem
        elif attachment.kind == "document":
            await _patiently(attachment.settled.wait())
        else:
            attachment.problem = None  # it was the library's

    def _leave_out_unreadable(self) -> None:
        failed = [each for each in self.sent if each.problem]
        self._failed += failed
        self.sent = [each for each in self.sent if not each.problem]
        self.kept = [each for each in self.kept if not each.problem]
        if not self.all:
            self._raise_failed()
        self.notes += [f"Answered without {each.name}: {each.problem['title']}." for each in failed if each.problem]

    def _raise_failed(self) -> None:
        if self._failed:
            raise UnreadableAttachment(self._failed[0].name, self._failed[0].problem or {})

    def _leave_out_doubles(self) -> None:
        """The same page is read once, be it followed, mentioned, or mentioned again."""
        of_pages: dict[tuple[int | None, str], Attachment] = {}
        for each in [*self.sent, *self.kept]:
            if each.page:
                of_pages.setdefault((each.tab, address(each.page.url)), each)
        self.sent = [each for each in self.sent if not each.page or each in of_pages.values()]
        self.kept = [each for each in self.kept if not each.page or each in of_pages.values()]

    async def _related(self, question: str) -> list[Attachment]:
        """Of what earlier questions were sent with, the texts that have to do with this one, found as in documents."""
        texts = [each for each in self.kept if each.text]
        if is_about_whole(question):
            return texts
        await self._index(texts)
        self._leave_out_unreadable()
        by_document = {each.document: each for each in texts if each in self.kept}
        if not by_document:
            return []
        found = fuse(question, await self.resources.library.search(question, documents=[*by_document]))
        related = {each.chunk.document for each in found if is_answerable([each])}
        return [each for document, each in by_document.items() if document in related]

    async def _share_room(self, texts: list[Attachment], has_documents: bool) -> None:
        """Texts that fit in their share of the room are given whole, the shortest first; the rest is left to what is searched."""
        estimates = {each.id: estimated_tokens(each.text) for each in texts}
        likely = [each for each in texts if estimates[each.id] <= SURELY_TOO_LONG * self.resources.room()]
        counted = await self.resources.count([_written(each) for each in likely]) if likely else []
        left, sharing = self.resources.room(), len(texts) + has_documents
        for size, attachment in sorted(zip(counted, likely, strict=True), key=lambda each: each[0]):
            others = sharing - 1
            if size > left // sharing or (others and left - size < A_PASSAGE):
                break
            self._whole.append(attachment)
            left, sharing = left - size, others
        self._room_left = left

    async def _index(self, texts: list[Attachment]) -> None:
        """Has the library take texts, and waits until they can be found by their meaning."""

        async def index(attachment: Attachment) -> None:
            try:
                await self.resources.temporary.keep(attachment)
                await _patiently(attachment.settled.wait())
            except EngineError as error:
                attachment.problem = library_problem(error.code, str(error))

        await asyncio.gather(*(index(each) for each in texts))

    # -- what the model is shown

    async def find(self, question: str) -> list[Source]:
        """The sources for a question, numbered; none if nothing has to do with it. Raises EngineError, and UnreadableAttachment
        if that may be since all that it was sent with cannot be read."""
        whole = [each for each in self.all if each in self._whole]  # as they were attached
        found = [_source(number, each) for number, each in enumerate(whole, 1)]
        passages = await self._search(question, len(whole)) if self._searched else []
        self.used = whole + [each for each in self._searched if any(_has(each, source) for source in passages)]
        if not self.used and not self.sent:
            self._raise_failed()
        for each in self.used:
            self.notes += [*([each.note] if each.note else []), *(each.page.notes if each.page else [])]
        return [*found, *passages]

    async def _search(self, question: str, shown: int) -> list[Source]:
        texts = [each for each in self._searched if each.kind != "document"]
        documents, collections = await self._scope(texts)
        library, count = self.resources.library, self.resources.count
        retrieved = await retrieve(library, question, self._room_left, count, collections, documents)
        if retrieved.note:
            self.notes.append(retrieved.note)
        return [_of_attachment(replace(each, number=each.number + shown), texts) for each in retrieved.sources]

    async def _scope(self, texts: list[Attachment]) -> tuple[list[str], list[str]]:
        """Ids and collections to search; neither for all documents."""
        attached = [each for each in self._searched if each.kind == "document"]
        wants_all = any(each.is_everything for each in attached)
        if wants_all and not texts:
            return [], []
        everything = [each.id for each in await self.resources.library.list() if not each.temporary] if wants_all else []
        named = [each.document for each in [*attached, *texts] if each.document]
        return list(dict.fromkeys([*everything, *named])), [each.collection for each in attached if each.collection]


async def _patiently(waiting: Coroutine[Any, Any, Any]) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(waiting, PATIENCE)


def _source(number: int, attachment: Attachment) -> Source:
    chunk = Chunk("", attachment.id, 0, attachment.text)
    return Source(number, chunk, attachment.title, attachment.page, is_whole=True)


def _written(attachment: Attachment) -> str:
    return written(_source(1, attachment), "00000000")


def _of_attachment(source: Source, texts: Sequence[Attachment]) -> Source:
    """A passage of a page says which page's it is."""
    of = next((each for each in texts if each.document == source.chunk.document), None)
    return replace(source, page=of.page, title=of.title) if of else source


def _has(attachment: Attachment, source: Source) -> bool:
    """Whether a source is from it; of a collection nobody knows here."""
    is_collection = attachment.is_everything or bool(attachment.collection)
    return is_collection or attachment.document == source.chunk.document
