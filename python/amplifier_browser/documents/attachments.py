"""What goes along with a message: a document or collection of the library, a selection, or the page of a tab."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..page import Page

Message = dict[str, Any]

# What is kept of an attachment with its conversation. The id of a text that is searched in the library for the time being is
# not: it goes with the panel.
KEPT = ("id", "kind", "name", "detail", "collection", "is_everything", "selected", "tab", "url", "follows")


@dataclass(eq=False)
class Attachment:
    """One thing that the user attached."""

    id: str
    kind: str  # document, selection, tab or image
    name: str
    detail: str = ""
    state: str = "reading"
    progress: float | None = None
    problem: Message | None = None
    document: str = ""  # id in the library; of a selection or page, while it is searched there
    collection: str = ""  # a whole one
    is_everything: bool = False  # all documents of the library
    selected: str = ""  # text of a selection
    tab: int | None = None  # None: the one in front
    url: str = ""  # of the page that is meant, as far as it is known
    page: Page | None = None  # of a tab, as it was read last
    read_at: float | None = None  # by the monotonic clock
    width: int = 0  # of an image, in pixels, once it is read
    height: int = 0
    note: str = ""  # what the user should know of the last reading
    follows: bool = False  # it stands for whichever tab is in front
    is_gone: bool = False  # the user took it away
    settled: asyncio.Event = field(default_factory=asyncio.Event)  # it is as ready as it will be
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # one reads it, or puts it into the library, at a time

    @property
    def text(self) -> str:
        """Of a selection or page; a document's is in the library."""
        return self.page.markdown if self.page else self.selected

    @property
    def title(self) -> str:
        """As the model is told of it."""
        return self.page.title if self.page else self.name

    def message(self) -> Message:
        """Attachment of sidepanel/types.js."""
        shown: Message = {name: getattr(self, name) for name in ("id", "kind", "name", "detail", "state", "progress")}
        return {**shown, **({"problem": self.problem} if self.problem else {}), **({"follows": True} if self.follows else {})}

    def stored(self) -> Message:
        """As JSON, for a conversation that is kept."""
        plain = {name: getattr(self, name) for name in KEPT}
        document = {"document": self.document} if self.kind == "document" else {}
        return {**plain, **document, "page": self.page and self.page.id}

    @classmethod
    def of(cls, stored: Message, pages: Mapping[str, Any]) -> Attachment:
        """From JSON: as ready as it was; `pages`: those of the conversation. Raises TypeError, ValueError or KeyError for
        anything else."""
        page = Page.of(pages[stored["page"]]) if stored.get("page") else None
        attachment = cls(**{name: stored[name] for name in (*KEPT, "document") if name in stored}, page=page, state="ready")
        attachment.settled.set()
        return attachment

    def sent(self) -> Message:
        """How a message names it."""
        size = {"width": self.width, "height": self.height} if self.kind == "image" else {}
        return {"id": self.id, "kind": self.kind, "name": self.name, **size}


class UnreadableAttachment(Exception):
    """Nothing that was attached can be read; `problem` says why and what to do."""

    def __init__(self, name: str, problem: Message) -> None:
        super().__init__(problem.get("title", "It cannot be read"))
        self.problem = {**problem, "title": f"{name}: {problem.get('title', 'it cannot be read')}"}
