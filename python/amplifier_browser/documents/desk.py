"""What the user attached: files are cut and kept in the library, pages read, selections held; what a question is sent with."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..engine import EngineError
from ..page import Page, UnreadablePage
from ..problems import document_problem, image_problem, library_problem
from .attached_pages import read_tab, site
from .attachments import Attachment
from .chunks import Block, chunks, estimated_tokens
from .followed_tab import FOLLOWED, FollowedTab
from .library import Document
from .material import Material, Resources

Message = dict[str, Any]
Spawn = Callable[[Coroutine[Any, Any, Any]], object]
Blindness = Callable[[], Awaitable[Message | None]]  # why the model in use takes no images; None if it does

DEFAULT_COLLECTION = "Documents"


class Desk:
    """The attachments of one panel."""

    def __init__(self, resources: Resources, emit: Callable[[Message], None], spawn: Spawn, blindness: Blindness) -> None:
        """`spawn` runs something beside what runs."""
        self.library = resources.library
        self.followed = FollowedTab(emit)
        self._resources = resources
        self._emit = emit
        self._spawn = spawn
        self._blindness = blindness
        self._attached: dict[str, Attachment] = {}
        self._in_use: list[Attachment] = []  # what the conversation's messages were sent with
        self._sent: set[str] = set()  # ids of what has left the tray

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
        attachment.detail = _size(parsed.get("pages"), parsed["words"])
        self._show(attachment, "indexing", 0.0)
        try:
            await self.library.put(_document(command, parsed), passages)
        except EngineError as error:
            self._fail(attachment, library_problem(error.code, str(error)))

    def started(self, command: Message) -> None:
        """A file is being read: a message that is sent meanwhile waits for it."""
        kind = command.get("kind", "document")
        self._attached.setdefault(command["id"], Attachment(command["id"], kind, command["name"]))

    async def attach_image(self, command: Message) -> None:
        """Takes the size of an image that the page has read, or why it could not."""
        attachment = self._attached.setdefault(command["id"], Attachment(command["id"], "image", command["name"]))
        if "error" in command:
            self._fail(attachment, image_problem(command["error"], command["detail"]))
            return
        attachment.width, attachment.height = command["width"], command["height"]
        attachment.detail = f"{attachment.width:,} × {attachment.height:,}"
        await self._look(attachment)

    async def _look(self, attachment: Attachment) -> None:
        attachment.problem = await self._blindness()
        if attachment.is_gone:
            return
        if attachment.problem:
            self._fail(attachment, attachment.problem)
        else:
            self._settle(attachment)

    def model_changed(self) -> None:
        """Another model is in use: it may see the images in the tray, or not any more."""
        for attachment in self._attached.values():
            if attachment.width and attachment.id not in self._sent:
                self._spawn(self._look(attachment))

    async def explain_blindness(self) -> None:
        """Says why no image can be attached, and what to do."""
        if why := await self._blindness():
            action = {"action": why["action"]} if "action" in why else {}
            self._emit({"type": "notice", "level": "info", "text": f"{why['title']}. {why['detail']}", **action})

    def select(self, attachment_id: str, title: str, text: str) -> None:
        """Puts a selection into the tray."""
        attachment = Attachment(attachment_id, "selection", title or "Selection", f"{len(text.split()):,} words", selected=text)
        self._attached[attachment_id] = attachment
        self._settle(attachment)

    def collect(self, attachment_id: str, collection: str | None) -> None:
        """Puts a whole collection into the tray; None for all documents."""
        name = collection or "All documents"
        attachment = Attachment(attachment_id, "document", name, "collection", collection=collection or "")
        attachment.is_everything = not collection
        self._attached[attachment_id] = attachment
        self._settle(attachment)

    def mention_tab(self, command: Message) -> None:
        """Puts the page of an open tab into the tray, and has it read."""
        where = site(command["url"])
        name = command["title"] or where or "Open tab"
        attachment = Attachment(command["id"], "tab", name, where, tab=command["tab"], url=command["url"])
        self._attached[attachment.id] = attachment
        self._show(attachment, "reading", None)
        self._spawn(self._take_tab(attachment))

    async def _take_tab(self, attachment: Attachment) -> None:
        try:
            page = await read_tab(self._resources.call, attachment)
            if not attachment.is_gone and estimated_tokens(page.markdown) > self._resources.room():
                self._show(attachment, "indexing", 0.0)  # while the user writes
                await self._resources.temporary.keep(attachment)
            else:
                self._settle(attachment)
        except UnreadablePage as unreadable:
            self._fail(attachment, unreadable.problem)
        except EngineError as error:
            self._fail(attachment, library_problem(error.code, str(error)))

    def mention_document(self, command: Message) -> None:
        """Puts a document of the library into the tray."""
        attachment = Attachment(command["id"], "document", "Document", document=command["document"], state="indexing")
        self._attached[attachment.id] = attachment
        self._spawn(self._take_document(attachment))

    async def _take_document(self, attachment: Attachment) -> None:
        try:
            documents = await self.library.list()
        except EngineError as error:
            self._fail(attachment, library_problem(error.code, str(error)))
            return
        known = next((each for each in documents if each.id == attachment.document), None)
        if known is None:
            self._fail(attachment, library_problem("unknown-document", attachment.document))
            return
        attachment.name, attachment.detail = known.name, _size(known.pages, known.words)
        self.listed(documents)

    def detach(self, attachment_id: str) -> None:
        """Takes something out of the tray, or out of the conversation. A document that is in the library stays there."""
        if attachment_id == FOLLOWED:
            self.followed.follow(False)
            return
        if attachment := self._attached.pop(attachment_id, None):
            self._in_use = [each for each in self._in_use if each is not attachment]
            self._drop(attachment)
        self._emit({"type": "attachment-removed", "id": attachment_id})

    def _drop(self, attachment: Attachment) -> None:
        attachment.is_gone = True
        attachment.settled.set()
        if attachment.kind != "document":
            self._spawn(self._resources.temporary.forget(attachment))

    @property
    def is_indexing(self) -> bool:
        """Whether it waits for documents to be embedded."""
        return any(each.state == "indexing" for each in self._all())

    def listed(self, documents: Sequence[Document]) -> None:
        """Tells how far each document is; called with all of the library's when more of them have their vectors."""
        known = {document.id: document for document in documents}
        for attachment in self._all():
            document = known.get(attachment.document)
            if document is None or attachment.state != "indexing":
                continue
            if document.embedded >= document.chunks:
                self._settle(attachment)
            else:
                self._show(attachment, "indexing", document.embedded / max(1, document.chunks))

    def _all(self) -> list[Attachment]:
        return [*self._attached.values(), *self.followed.asked]

    # -- what a question is sent with

    def send(self, ids: Sequence[str]) -> list[Message]:
        """A message is sent with these, and with the tab in front if that is followed. Returns how the message names them."""
        followed = self.followed.ask()
        sent = [self._attached[each] for each in ids if each in self._attached]
        self._sent |= {each.id for each in sent}
        return [each.sent() for each in [*sent, *([followed] if followed else [])]]

    async def with_images_read(self, sent: Sequence[Message]) -> list[Message]:
        """What a question was sent with, once its images are read; without those that could not be."""
        known = {each.id: each for each in self._attached.values() if each.kind == "image"}
        images = [known[each["id"]] for each in sent if each["id"] in known]
        for each in images:
            await each.settled.wait()
        read = {each.id: each.sent() for each in images if each.width}
        return [read.get(each["id"], each) for each in sent if each["id"] in read or each["id"] not in known]

    def material(self, sent: Sequence[Message]) -> Material:
        """What a question that was sent with these is answered from. From now on the conversation is about them, but for a page
        that was followed: the next question has its own."""
        attachments = self._named(sent)
        self._in_use += [each for each in attachments if each.id in self._attached and each not in self._in_use]
        kept = [each for each in self._in_use if each not in attachments and not (each.kind == "document" and each.problem)]
        return Material(attachments, kept, self._resources)

    def answered(self, material: Material) -> None:
        """A question was answered from `material.used`. A selection stays in use only as long as that goes on."""
        left = [each for each in material.kept if each.kind == "selection" and each not in material.used]
        self._in_use = [each for each in self._in_use if each not in left]

    def only_tab(self, sent: Sequence[Message]) -> Attachment | None:
        """The tab, if that is all that a message was sent with."""
        attachments = self._named(sent)
        return attachments[0] if len(attachments) == len(sent) == 1 and attachments[0].kind == "tab" else None

    async def read(self, attachment: Attachment) -> Page:
        """The page of a tab; raises UnreadablePage."""
        page = await read_tab(self._resources.call, attachment)
        return replace(page, notes=[*page.notes, attachment.note]) if attachment.note else page

    def forget_conversation(self) -> None:
        """A new one begins, with what is in the tray; the library stays, without the texts of the old one."""
        for attachment in [*(self._attached.pop(each) for each in self._sent if each in self._attached), *self.followed.asked]:
            self._drop(attachment)
        self.followed.forget_conversation()
        self._sent.clear()
        self._in_use.clear()

    def stored(self) -> list[Message]:
        """What the conversation was sent with, as JSON; images are named in their messages, and kept by the page."""
        return [each.stored() for each in self._kept()]

    def pages(self) -> list[Page]:
        """Those that `stored` names."""
        return [each.page for each in self._kept() if each.page]

    def _kept(self) -> list[Attachment]:
        kept = [each for each in self._all() if each.id in self._sent or each.follows]
        return [each for each in kept if not each.problem and each.kind != "image"]

    def restore(self, stored: Sequence[Message], pages: Mapping[str, Any]) -> None:
        """What a kept conversation was sent with; what cannot be read of it has to be attached again."""
        for each in stored:
            with contextlib.suppress(TypeError, ValueError, KeyError):
                attachment = Attachment.of(each, pages)
                self._attached[attachment.id] = attachment
                self._sent.add(attachment.id)

    def _named(self, sent: Sequence[Message]) -> list[Attachment]:
        known = {each.id: each for each in self._all() if each.kind != "image"}
        return [known[each["id"]] for each in sent if each["id"] in known]

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


def _size(pages: int | None, words: int) -> str:
    return f"{pages} {'page' if pages == 1 else 'pages'} · {words:,} words" if pages else f"{words:,} words"
