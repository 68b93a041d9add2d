"""The page's database of conversations, played in memory: sidepanel/sessions-store.js has the real one (tests/browser)."""

from __future__ import annotations

import copy
from typing import Any

Message = dict[str, Any]


class KeptSessions:
    """Answers calls named sessions.*; `fails` makes each raise it."""

    def __init__(self) -> None:
        self.sessions: dict[str, Message] = {}
        self.messages: dict[str, dict[str, Message]] = {}
        self.rest: dict[str, Message] = {}  # order and memory
        self.texts: dict[str, str] = {}
        self.last = ""  # what this window had open
        self.elsewhere: set[str] = set()  # claimed by another window
        self.writes = 0
        self.fails: str | None = None

    def call(self, name: str, arguments: Message) -> Any:
        """Answers one call."""
        if self.fails:
            raise RuntimeError(self.fails)
        return getattr(self, f"_{name.removeprefix('sessions.')}")(**copy.deepcopy(arguments))

    def _list(self) -> list[Message]:
        return [copy.deepcopy(session) for session in self.sessions.values()]

    def _read(self, id: str) -> Message | None:
        if id not in self.sessions:
            return None
        messages = self.messages[id]
        order = self.rest[id]["order"]
        shown = [messages[name] for name in order if name in messages]
        return copy.deepcopy({"session": self.sessions[id], "messages": shown, "memory": self.rest[id]["memory"]})

    def _write(
        self,
        session: Message,
        messages: list[Message],
        order: list[str],
        removed: list[str] | None = None,
        memory: Message | None = None,
        text: str | None = None,
    ) -> None:
        self.writes += 1
        name = session["id"]
        self.sessions[name] = session
        kept = self.messages.setdefault(name, {})
        kept.update({message["id"]: message for message in messages})
        for gone in removed or []:
            kept.pop(gone, None)
        before = self.rest.get(name, {}).get("memory")
        self.rest[name] = {"order": order, "memory": memory if memory is not None else before}
        if text is not None:
            self.texts[name] = text

    def _change(self, id: str, changes: Message) -> None:
        if id in self.sessions:
            self.sessions[id].update(changes)

    def _delete(self, ids: list[str]) -> None:
        for name in ids:
            for table in (self.sessions, self.messages, self.rest, self.texts):
                table.pop(name, None)

    def _search(self, words: list[str]) -> list[Message]:
        return [{"id": n, "snippet": t[:40]} for n, t in self.texts.items() if all(word in t.lower() for word in words)]

    def _claim(self, id: str, steal: bool = False, seconds: float = 0) -> bool:
        if steal:
            self.elsewhere.discard(id)
        return id not in self.elsewhere

    def _last(self) -> str:
        return self.last

    def _open(self, id: str) -> None:
        self.last = id
