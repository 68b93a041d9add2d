"""What the settings dialog shows and changes: grants, notes, tools, users' modules, and the session's log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from .engine import EngineError
from .module_examples import examples
from .notes import Notes
from .sessions import Services
from .tooling import traits_of

Message = dict[str, Any]


class Settings:
    """Takes the dialog's commands; after each the view is sent everything anew, as one event."""

    def __init__(self, services: Services, emit: Callable[[Message], None], session: Callable[[], Any]) -> None:
        """`session` returns the running session, or None."""
        self._services = services
        self._emit = emit
        self._session = session
        self._notes = Notes(services.storage)
        self._documents: list[Message] = []
        self._listing: asyncio.Future[None] | None = None

    async def handle(self, command: Message) -> None:
        """Does what a command asks; a failure is told, and nothing else changes."""
        try:
            await self.COMMANDS[command["type"]](self, command)
        except Exception as error:
            self._emit({"type": "notice", "level": "error", "text": str(error)})
        await self.show()

    def library_changed(self, _state: Message) -> None:
        """Documents came, went, or were prepared further."""
        if self._listing is None or self._listing.done():
            self._listing = asyncio.ensure_future(self._list_documents())

    async def _list_documents(self) -> None:
        try:
            answer = await self._services.engine.request({"type": "library.list"})
        except EngineError:
            return  # whoever attaches a document is told; the rest of the settings is no worse for it
        shown = ("id", "name", "collection", "words", "pages", "chunks", "embedded", "added")
        self._documents = [{name: each[name] for name in shown if name in each} for each in answer["documents"]]
        await self.show()

    async def show(self) -> None:
        """Sends the view what the dialog shows."""
        settings = {
            "grants": await self._services.grants.list(),
            "notes": await self._notes.list(),
            "tools": self._tools(),
            "modules": await self._services.modules.list(),
            "documents": self._documents,
            "capabilities": self._services.capabilities.listed(),
            "examples": examples(),
        }
        self._emit({"type": "settings", "settings": settings})

    def _tools(self) -> list[Message]:
        session = self._session()
        tools = session.coordinator.get("tools") if session else {}
        modules = self._services.modules.tools()
        return [
            {
                "name": name,
                "title": traits_of(tool).title,
                "description": tool.description,
                "module": modules.get(name),
            }
            for name, tool in tools.items()
        ]

    async def _show(self, _command: Message) -> None:
        self.library_changed({})  # the rest is shown after each command

    async def _delete_document(self, command: Message) -> None:
        await self._services.library.delete(command["id"])
        self.library_changed({})

    async def _move_document(self, command: Message) -> None:
        listed = (await self._services.engine.request({"type": "library.list"}))["documents"]
        for document in listed:
            if document["id"] == command["id"]:
                kept = {name: value for name, value in document.items() if name not in ("chunks", "embedded")}
                passages = await self._services.library.get(document["id"])
                await self._services.library.put({**kept, "collection": command["collection"]}, passages)
        self.library_changed({})

    async def _rename_collection(self, command: Message) -> None:
        await self._services.library.rename(command["from"], command["to"])
        self.library_changed({})

    async def _revoke(self, command: Message) -> None:
        await self._services.grants.revoke(command["id"])

    async def _add_note(self, command: Message) -> None:
        await self._notes.add(command["text"])

    async def _delete_note(self, command: Message) -> None:
        await self._notes.delete(command["id"])

    async def _save_module(self, command: Message) -> None:
        await self._services.modules.save(command["id"], command["name"], command["source"])

    async def _enable_module(self, command: Message) -> None:
        await self._services.modules.enable(command["id"], command["enabled"])

    async def _grant_module(self, command: Message) -> None:
        await self._services.modules.grant(command["id"], command["capability"], command["granted"])

    async def _reload_module(self, command: Message) -> None:
        await self._services.modules.reload(command["id"])

    async def _remove_module(self, command: Message) -> None:
        await self._services.modules.remove(command["id"])

    async def _export_log(self, _command: Message) -> None:
        session = self._session()
        log = session and session.coordinator.get_capability("session.event_log")
        text = log() if log else ""
        if not text:
            raise RuntimeError("This session has no events yet: ask something first.")
        name = f"amplifier-session-{time.strftime('%Y-%m-%d-%H%M%S')}.jsonl"
        await self._services.call("file.save", name=name, text=text, mime="application/x-ndjson")

    COMMANDS: ClassVar[dict[str, Callable[[Settings, Message], Awaitable[None]]]] = {
        "show-settings": _show,
        "revoke": _revoke,
        "add-note": _add_note,
        "delete-note": _delete_note,
        "save-module": _save_module,
        "enable-module": _enable_module,
        "grant-module": _grant_module,
        "reload-module": _reload_module,
        "remove-module": _remove_module,
        "export-log": _export_log,
        "delete-document": _delete_document,
        "move-document": _move_document,
        "rename-collection": _rename_collection,
    }
