"""What is kept of a conversation, as JSON: checked when it is read, since a disk, a file and an older version may hold anything.

A kept conversation has four parts: the record that lists show, its messages as the panel draws them (sidepanel/types.js), the
memory from which it goes on (the turns, and what the model is told: Amplifier's context), and the texts of pages, each once, by
an id which the memory names them by.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

Message = dict[str, Any]

VERSION = 2
FORMAT = "amplifier-session"
TITLE_CHARACTERS = 80
UNTITLED = "New conversation"


class BadRecord(Exception):
    """A kept conversation cannot be used; its text says what is wrong with it."""


def _with_pages_apart(stored: Message) -> Message:
    """Version 1 had the text of a page in each turn and attachment about it; the page as cut was part of it."""
    ids: dict[str, str] = {}
    pages: dict[str, Message] = {}

    def named(each: Message) -> Message:
        if not isinstance(each.get("page"), dict):
            return each
        page = {**each["page"]}
        sections = page.pop("sections", [])
        id = ids.setdefault(json.dumps(page), f"p{len(ids)}")
        pages[id] = page
        return {**each, "page": id, **({"sections": sections} if "question_id" in each else {})}

    memory = cast(Message, stored.get("memory") or {})
    apart = {name: [named(each) for each in _items(memory, name)] for name in ("turns", "waiting", "attachments")}
    return {**stored, "memory": {**memory, **apart}, "pages": pages}


# version -> what makes a record of the next one of it; of the database, sidepanel/sessions-schema.js does
MIGRATIONS: dict[int, Callable[[Message], Message]] = {1: _with_pages_apart}


@dataclass
class Record:
    """One line of the list of conversations."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    title: str = UNTITLED
    is_titled: bool = False  # by the user: no title is made for it
    created: int = 0  # milliseconds since the epoch
    updated: int = 0
    pinned: bool = False
    model: str = ""
    messages: int = 0
    answering: bool = False  # when it was last written
    version: int = VERSION

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Record:
        """From JSON; raises BadRecord."""
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        record = cls(**known)
        wrong = [name for name, value in asdict(record).items() if not isinstance(value, type(getattr(_BLANK, name)))]
        if wrong or not record.id:
            raise BadRecord(f"its {', '.join(wrong or ['id'])} cannot be read")
        return record

    def stored(self) -> Message:
        """As JSON."""
        return asdict(self)


_BLANK = Record(id="-")


@dataclass
class Kept:
    """A whole conversation. `messages` are in the order in which the panel shows them."""

    record: Record
    messages: list[Message]
    memory: Message = field(default_factory=lambda: {"turns": [], "context": []})
    pages: dict[str, Message] = field(default_factory=lambda: dict[str, Message]())

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Kept:
        """From JSON of this version or an earlier one; raises BadRecord."""
        current = migrated(stored)
        memory = cast(Message, current.get("memory") or {})
        messages, turns, context = (current.get("messages"), memory.get("turns", []), memory.get("context", []))
        if not isinstance(current.get("session"), dict):
            raise BadRecord("it has no session")
        _check(messages, "messages", ("id", "role", "text"))
        _check(turns, "turns", ("question_id", "text"))
        _check(context, "memory", ("role",))
        memory = {**memory, "turns": turns, "context": context}
        return cls(Record.of(current["session"]), cast(list[Message], messages), memory, current.get("pages") or {})

    def stored(self) -> Message:
        """As JSON, for a file."""
        parts = {"session": self.record.stored(), "messages": self.messages, "memory": self.memory, "pages": self.pages}
        return {"format": FORMAT, "version": VERSION, **parts}


def migrated(stored: Mapping[str, Any]) -> Message:
    """The record as this version writes it; raises BadRecord for one of a later version."""
    current = dict(stored)
    session = cast(Message, current.get("session") or {})
    version = current.get("version", session.get("version", 1))
    if not isinstance(version, int) or version < 1:
        raise BadRecord(f"its version is {version!r}")
    if version > VERSION:
        raise BadRecord("it is of a later version of Amplifier: update the extension to open it")
    for step in range(version, VERSION):
        current = MIGRATIONS[step](current)
        current |= {"version": step + 1, "session": {**session, "version": step + 1}}
    return current


def _items(memory: Message, name: str) -> list[Message]:
    """A list of a memory; raises BadRecord if it is none."""
    items = memory.get(name) or []
    _check(items, name, ())
    return items


def _check(items: Any, what: str, needed: Sequence[str]) -> None:
    is_right = isinstance(items, list) and all(
        isinstance(item, dict) and all(isinstance(cast(Message, item).get(name), str) for name in needed)
        for item in cast(list[Any], items)
    )
    if not is_right:
        raise BadRecord(f"its {what} cannot be read")


def title_of(messages: Sequence[Message]) -> str:
    """By the page that it begins with, else by the user's first words, or what was sent without any."""
    source = next((message["source"]["title"] for message in messages[:2] if message.get("source")), "")
    asked = next((message["text"] or _sent_with(message) for message in messages if message["role"] == "user"), "")
    words = " ".join((source or asked).split())
    return words if len(words) <= TITLE_CHARACTERS else f"{words[:TITLE_CHARACTERS].rsplit(maxsplit=1)[0]}…"


def _sent_with(message: Message) -> str:
    return ", ".join(each["name"] for each in message.get("attachments") or [])


def text_of(messages: Sequence[Message]) -> str:
    """What a search looks through: all that was said, and the titles of what it was about."""
    parts = [part for message in messages for part in (message.get("source", {}).get("title", ""), message["text"])]
    return "\n".join(part for part in parts if part)
