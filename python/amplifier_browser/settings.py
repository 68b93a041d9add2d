"""What the settings dialog shows and changes: grants, notes, tools, users' modules, and the session's log."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from .documents.collections import Collections
from .documents.listing import Listing
from .kept_data import KeptData
from .module_examples import examples
from .notes import Notes
from .preferences import Preferences
from .sessions import Services
from .tooling import traits_of

Message = dict[str, Any]

QUIET = ("hide-settings", "preferences-changed")  # commands that nobody waits for


class Settings:
    """Takes the dialog's commands; after each the view is sent everything anew, as one event. What changes by itself is sent
    while the dialog is open."""

    def __init__(self, services: Services, emit: Callable[[Message], None], session: Callable[[], Any], listing: Listing) -> None:
        """`session` returns the running session, or None."""
        self._services = services
        self._emit = emit
        self._session = session
        self._notes = Notes(services.storage)
        self.preferences = Preferences(services.call)
        self._listing = listing
        self._kept = KeptData(services, listing, self._notes)
        self._data: Message | None = None  # what is kept, once the dialog has asked
        self._collections = Collections(services.library, listing, services.call, self._tell)
        self.is_open = False
        self._told: Message = {}  # of what is needed outside the dialog, what the view has

    async def handle(self, command: Message) -> None:
        """Does what a command asks; a failure is told, and nothing else changes."""
        try:
            await self.COMMANDS[command["type"]](self, command)
        except Exception as error:
            self._emit({"type": "notice", "level": "error", "text": str(error)})
        await self.show(always=command["type"] not in QUIET)

    async def show(self, always: bool = False) -> None:
        """Sends the view what the dialog shows, if it is open or if something has changed that is needed while it is not."""
        if not (always or self.is_open) and self._outside() == self._told:
            return
        settings = {
            "grants": await self._services.grants.list(),
            "notes": await self._notes.list(),
            "tools": self._tools(),
            "modules": await self._services.modules.list(),
            "capabilities": self._services.capabilities.listed(),
            "examples": examples(),
            "preferences": self.preferences.shown(),
            **({"data": self._data} if self._data else {}),
            **self._collections.message(),
        }
        self._told = self._outside()
        self._emit({"type": "settings", "settings": settings})

    def _tell(self, text: str) -> None:
        self._emit({"type": "notice", "level": "info", "text": text})

    def _outside(self) -> Message:
        """What a message may name, tools by "/" and documents by "@", and how pages are summarized."""
        documents = self._collections.message().get("documents")
        named = documents and [_named(each) for each in documents]
        return {"tools": self._tools(), "documents": named, "preferences": self.preferences.shown()}

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

    async def _open(self, _command: Message) -> None:
        self.is_open = True
        self._listing.refresh()  # how far the embedding is was not asked for while nobody looked

    async def _hide(self, _command: Message) -> None:
        self.is_open = False
        self._data = None
        await self._collections.close()

    async def _change_documents(self, command: Message) -> None:
        await self._collections.handle(command)

    async def _set_preference(self, command: Message) -> None:
        await self.preferences.set(command["name"], command["value"])
        if command["name"] == "keep_minutes":
            self._services.engine.keep(self.preferences.keep_minutes)
        elif command["name"] == "run_on":
            self._services.engine.run_on(self.preferences.run_on)

    async def _preferences_changed(self, _message: Message) -> None:
        """Another window or computer has changed them."""
        await self.preferences.load()
        self._services.engine.place = self.preferences.run_on

    async def _save_prompt(self, command: Message) -> None:
        await self.preferences.save_prompt(command["id"], command["title"], command["text"])

    async def _delete_prompt(self, command: Message) -> None:
        await self.preferences.delete_prompt(command["id"])

    async def _reset(self, _command: Message) -> None:
        """All choices as they came, and nothing allowed; what the user wrote and collected stays."""
        await self.preferences.reset()
        for grant in await self._services.grants.list():
            await self._services.grants.revoke(grant["id"])
        self._services.engine.keep(self.preferences.keep_minutes)
        if self._services.engine.place != self.preferences.run_on:
            self._services.engine.run_on(self.preferences.run_on)
        self._tell("The settings are as they came.")

    async def _show_data(self, _command: Message) -> None:
        self._data = await self._kept.told()

    async def _delete_everything(self, _command: Message) -> None:
        await self._services.call("data.delete-everything")

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
        "show-settings": _open,
        "hide-settings": _hide,
        "set-preference": _set_preference,
        "preferences-changed": _preferences_changed,
        "save-prompt": _save_prompt,
        "delete-prompt": _delete_prompt,
        "reset-settings": _reset,
        "show-data": _show_data,
        "delete-everything": _delete_everything,
        "revoke": _revoke,
        "add-note": _add_note,
        "delete-note": _delete_note,
        "save-module": _save_module,
        "enable-module": _enable_module,
        "grant-module": _grant_module,
        "reload-module": _reload_module,
        "remove-module": _remove_module,
        "export-log": _export_log,
        **dict.fromkeys(Collections.COMMANDS, _change_documents),
    }


def _named(document: Message) -> Message:
    return {name: document[name] for name in ("id", "name", "collection")}
