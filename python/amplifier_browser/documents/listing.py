"""The list of the library's documents: asked for once after each change, for all who want to know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ..engine import EngineError
from .library import Document, LibraryClient

Message = dict[str, Any]
Take = Callable[[Sequence[Document]], object]


class Listing:
    """Keeps the documents as they were listed last."""

    def __init__(self, library: LibraryClient) -> None:
        self._library = library
        self._takers: list[tuple[Take, Callable[[], bool]]] = []
        self._is_stale = False
        self._asking: asyncio.Task[None] | None = None
        self._state: Message = {}
        self._failure: Message | None = None
        self.documents: Sequence[Document] | None = None  # None until they were listed

    @property
    def trouble(self) -> Message | None:
        """Code and message of what is wrong with the library, if anything is."""
        return self._failure or self._state.get("error")

    @property
    def device(self) -> str | None:
        """Where passages are given their vectors, "gpu" or "cpu"; None until that was needed."""
        return self._state.get("device")

    def tell(self, take: Take, wants_progress: Callable[[], bool]) -> None:
        """From now on `take` is called after each change; of how far the embedding is only while it wants to know."""
        self._takers.append((take, wants_progress))

    def library_changed(self, state: Message) -> None:
        """Takes the library's broadcast."""
        before, self._state = self._state, state
        if not _is_progress(before, state) or any(wants() for _, wants in self._takers):
            self.refresh()

    def refresh(self) -> None:
        """Has the library asked; what changes while it is asked is asked for once more, however often it changes."""
        self._is_stale = True
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._ask())

    async def settled(self) -> None:
        """Waits until nothing is asked."""
        if self._asking is not None:
            await self._asking

    async def _ask(self) -> None:
        while self._is_stale:
            self._is_stale = False
            try:
                self.documents, self._failure = await self._library.list(), None
            except EngineError as error:  # whoever needs a document hears of it where that fails
                self._failure = {"code": error.code, "message": str(error)}
            for take, _ in self._takers:
                take(self.documents or ())


def _is_progress(before: Message, state: Message) -> bool:
    """Whether all that changed is that more passages have their vectors."""
    same = all(before.get(name) == state.get(name) for name in ("state", "documents", "chunks", "device", "error"))
    return same and state.get("computed", 0) > before.get("computed", 0)
