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
        self.parts: dict[str, dict[str, dict[Any, Any]]] = {}  # of the memories, by table and id
        self.texts: dict[str, str] = {}
        self.last = ""  # what this window had open
        self.elsewhere: set[str] = set()  # claimed by another window
        self.writes = 0
        self.fails: str | None = None
        self.refuses: set[str] = set()  # what cannot be written, by id
        self.lost: Message | None = None  # what there was before the browser threw the database away
        self._deleted: dict[str, list[Any]] = {}  # rows, by id

    @property
    def _tables(self) -> list[dict[str, Any]]:
        return [self.sessions, self.messages, self.rest, self.parts, self.texts]

    def call(self, name: str, arguments: Message) -> Any:
        """Answers one call."""
        if self.fails:
            raise RuntimeError(self.fails)
        method = name.removeprefix("sessions.").replace("-", "_")
        return copy.deepcopy(getattr(self, f"_{method}")(**copy.deepcopy(arguments)))

    def _list(self) -> list[Message]:
        return [copy.deepcopy(session) for session in self.sessions.values()]

    def _read(self, id: str) -> Message | None:
        if id not in self.sessions:
            return None
        messages, rest, parts = self.messages[id], self.rest[id], self.parts.get(id, {})
        shown = [messages[name] for name in rest["order"] if name in messages]
        if not rest["memory"]:
            return copy.deepcopy({"session": self.sessions[id], "messages": shown, "memory": None})
        turns = [parts["turns"][name] for name in rest["memory"]["turns"]]
        context = [parts["contexts"][at] for at in range(rest["memory"]["context"])]
        memory = {**rest["memory"], "turns": turns, "context": context}
        return copy.deepcopy({"session": self.sessions[id], "messages": shown, "memory": memory, "pages": parts["pages"]})

    def _write(
        self,
        session: Message,
        messages: list[Message],
        order: list[str],
        removed: list[str] | None = None,
        memory: Message | None = None,
        parts: dict[str, list[list[Any]]] | None = None,
        gone: dict[str, list[Any]] | None = None,
        text: str | None = None,
    ) -> None:
        self.writes += 1
        name = session["id"]
        if name in self.refuses:
            raise RuntimeError("DataCloneError")
        self.sessions[name] = session
        kept = self.messages.setdefault(name, {})
        kept.update({message["id"]: message for message in messages})
        for lost in removed or []:
            kept.pop(lost, None)
        tables = self.parts.setdefault(name, {"turns": {}, "contexts": {}, "pages": {}})
        for table, rows in tables.items():
            rows.update(dict((parts or {}).get(table, [])))
            for lost in (gone or {}).get(table, []):
                del rows[lost]
        before = self.rest.get(name, {}).get("memory")
        self.rest[name] = {"order": order, "memory": memory if memory is not None else before}
        if text is not None:
            self.texts[name] = text

    def _change(self, id: str, changes: Message) -> None:
        if id in self.sessions:
            self.sessions[id].update(changes)

    def _delete(self, ids: list[str]) -> None:
        self._deleted = {name: [table.pop(name, None) for table in self._tables] for name in ids}

    def _restore(self, ids: list[str]) -> None:
        for name in [name for name in ids if name in self._deleted]:
            for table, row in zip(self._tables, self._deleted.pop(name), strict=True):
                if row is not None:
                    table[name] = row

    def _lost(self) -> Message | None:
        return None if self.sessions else self.lost

    def _search(self, words: list[str]) -> list[Message]:
        texts = {name: f"{session['title']}\n{self.texts.get(name, '')}".lower() for name, session in self.sessions.items()}
        found = [name for name, text in texts.items() if all(word in text for word in words)]
        return [{"session": self.sessions[name], "snippet": self.texts.get(name, "")[:40]} for name in found]

    def _expect_search(self) -> None:
        """Nothing is to be read beforehand."""

    def _claim(self, id: str, steal: bool = False, seconds: float = 0) -> bool:
        if steal:
            self.elsewhere.discard(id)
        return id not in self.elsewhere

    def _last(self) -> str:
        return self.last

    def _open(self, id: str) -> None:
        self.last = id
