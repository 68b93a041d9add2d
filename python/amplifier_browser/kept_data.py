"""What Amplifier keeps on this computer: how many of each kind, and how many bytes, as far as that is known."""

from __future__ import annotations

from typing import Any

from .documents.listing import Listing
from .host import HostError
from .notes import Notes
from .sessions import Services

Message = dict[str, Any]
Sizes = dict[str, int]


class KeptData:
    """Asks those who keep it; one that cannot tell is shown without its number."""

    def __init__(self, services: Services, listing: Listing, notes: Notes) -> None:
        self._services = services
        self._listing = listing
        self._notes = notes

    async def told(self) -> Message:
        """{lines: [{name, count, bytes}], usage, quota}; a count or bytes that nobody knows are None."""
        sizes: Sizes = await self._asked("storage.sizes") or {}
        sessions = await self._asked("sessions.list")
        models = [model for model in self._services.engine.state["models"] if model.get("origin") == "downloaded"]
        documents = self._listing.documents
        notes, modules = await self._notes.list(), await self._services.modules.list()
        lines = [
            _line("conversations", None if sessions is None else len(sessions), sizes.get("conversations")),
            _line("documents", None if documents is None else len(documents), sizes.get("documents")),
            _line("models", len(models), self._services.engine.downloaded_bytes),
            _line("notes", len(notes), sum(len(note["text"].encode()) for note in notes)),
            _line("modules", len(modules), sum(len(module["source"].encode()) for module in modules)),
        ]
        return {"lines": lines, "usage": sizes.get("usage"), "quota": sizes.get("quota")}

    async def _asked(self, name: str) -> Any:
        try:
            return await self._services.call(name)
        except HostError:
            return None


def _line(name: str, count: int | None, size: int | None) -> Message:
    return {"name": name, "count": count, "bytes": size}
