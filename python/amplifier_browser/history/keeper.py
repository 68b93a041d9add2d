"""Writes the conversation as it happens: what has changed goes to the disk twice a second, so a crash loses no more than that."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .parts import Parts
from .records import UNTITLED, Kept, Message, Record, text_of, title_of
from .troubles import left_unsaved, unsaved

EVERY = 0.5  # seconds between two writes
RETRIES = (2.0, 5.0, 15.0, 60.0)  # seconds until it is tried again; then at the last of them


@dataclass
class Current:
    """Where the keeper looks at the conversation as it is now."""

    messages: Callable[[], list[Message]]  # all, in the order in which they are shown
    memory: Callable[[], Message]  # Kept.memory
    pages: Callable[[], dict[str, Message]]  # Kept.pages
    model: Callable[[], str]  # id of the one in use


@dataclass
class Outbox:
    """What could not be written yet of one conversation, in order. One that cannot be written at all holds up no other."""

    record: Record
    changes: deque[Message] = field(default_factory=lambda: deque[Message]())
    failures: int = 0  # in a row
    reason: str = ""  # of the last of them
    due: float = 0.0  # of the monotonic clock: not before, unless somebody asks for it
    left: Kept | None = None  # the whole, once another conversation is open: it is nowhere else
    is_told: bool = False  # that it was left unsaved

    def failed(self, reason: str) -> None:
        """It is tried again, ever more rarely."""
        self.failures, self.reason = self.failures + 1, reason
        self.due = time.monotonic() + RETRIES[min(self.failures, len(RETRIES)) - 1]


class Keeper:
    """Keeps one conversation at a time. A temporary one is never written."""

    def __init__(self, call: Callable[..., Awaitable[Any]], emit: Callable[[Message], None], current: Current) -> None:
        self._call = call
        self._emit = emit
        self._current = current
        self.record = Record()
        self.is_temporary = False
        self._dirty: set[str] = set()
        self._removed: set[str] = set()
        self._is_memory_dirty = False
        self._parts = Parts()
        self.is_looking = False  # until `begin`
        self._is_written = False  # whether anything of this conversation is on the disk, or on its way there
        self._outboxes: dict[str, Outbox] = {}  # by the id of their conversation
        self._writing: asyncio.Future[None] | None = None
        self._lock = asyncio.Lock()

    # -- which conversation

    def end(self) -> None:
        """Takes a last look at the conversation; what happens from here to `begin` is not kept."""
        self._pack()
        if outbox := self._outboxes.get(self.record.id):
            outbox.left = self._whole()
        self.is_looking = False
        self._write_soon()

    def begin(self, kept: Kept | None = None, is_temporary: bool = False) -> None:
        """Keeps another conversation from now on: one that is on the disk unless it is temporary, or else a new one."""
        self.record, self.is_temporary = kept.record if kept else Record(), is_temporary
        self.is_looking, self._is_written, self._parts = True, kept is not None, Parts(kept)
        if outbox := self._outboxes.get(self.record.id):
            outbox.left, outbox.record = None, self.record
        self._tell()

    def rename(self, title: str) -> None:
        """The user gives it a name."""
        self.record.title, self.record.is_titled = title, True
        self._tell()
        self.remember()

    # -- what has changed

    def saw(self, event: Message) -> None:
        """Takes note of an event for the view that changes messages."""
        if not self.is_looking:
            return
        if event["type"] == "message":
            self._dirty.add(event["message"]["id"])
        elif event["type"] == "delta":
            self._dirty.add(event["id"])
        elif event["type"] == "removed":
            self._removed |= set(event["ids"])
            self._dirty -= self._removed
        else:
            return
        self._write_soon()

    def remember(self) -> None:
        """The memory has changed: a turn began or ended, or part of it is done."""
        self._is_memory_dirty = self.is_looking
        self._write_soon()

    # -- what is not on the disk yet

    def unsaved(self) -> list[Kept]:
        """The conversations that could not be written, as they are."""
        failing = [outbox for outbox in self._outboxes.values() if outbox.failures]
        return [outbox.left or self._whole() for outbox in failing]

    async def drop(self, ids: Sequence[str]) -> list[Outbox]:
        """These are not to be written any more; gives what `take_back` takes."""
        async with self._lock:
            return [self._outboxes.pop(name) for name in ids if name in self._outboxes]

    def take_back(self, outboxes: Sequence[Outbox]) -> None:
        """They are to be written after all."""
        self._outboxes |= {outbox.record.id: outbox for outbox in outboxes}
        self._write_soon()

    # -- writing

    @property
    def _has_changes(self) -> bool:
        is_changed = self._dirty or self._removed or self._is_memory_dirty
        return bool(self._outboxes or (is_changed and not self.is_temporary))

    def _write_soon(self) -> None:
        if self._has_changes and (self._writing is None or self._writing.done()):
            self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        while self._has_changes:  # the first change at once: a question should be safe as soon as it is asked
            await self._flush(lambda outbox: time.monotonic() >= outbox.due)
            await asyncio.sleep(EVERY)

    async def flush(self) -> None:
        """Writes what has changed, now. What cannot be written is tried again later, and the user is told."""
        await self._flush(lambda _outbox: True)

    async def _flush(self, is_due: Callable[[Outbox], bool]) -> None:
        async with self._lock:
            for outbox in list(self._outboxes.values()):
                if is_due(outbox):
                    await self._send(outbox)
            if self.record.id in self._outboxes:  # what has changed since comes after what is there
                return
            self._pack()
            if outbox := self._outboxes.get(self.record.id):
                await self._send(outbox)

    async def _send(self, outbox: Outbox) -> None:
        """Empties an outbox, or leaves in it what cannot be written."""
        while outbox.changes:
            try:
                await self._call("sessions.write", **outbox.changes[0])
            except Exception as error:
                outbox.failed(str(error))
                self._tell_failed(outbox)
                return
            outbox.changes.popleft()
        del self._outboxes[outbox.record.id]
        if outbox.failures:
            self._tell_written(outbox)

    def _pack(self) -> None:
        """Puts what has changed into the outbox, as it is now."""
        messages = self._current.messages()
        is_worth_it = self._dirty or self._removed or self._is_memory_dirty
        if is_worth_it and not self.is_temporary and (messages or self._is_written):
            change = self._change(messages)
            self._outboxes.setdefault(self.record.id, Outbox(self.record)).changes.append(change)
            self._is_written = True
        self._dirty.clear()
        self._removed.clear()
        self._is_memory_dirty = False

    def _change(self, messages: list[Message]) -> Message:
        """What sessions.write takes."""
        record = self.record
        now = int(time.time() * 1000)
        record.created = record.created or now
        record.updated = max(now, record.updated + 1)  # a clock that was moved back does not change the order
        record.model, record.messages = self._current.model(), len(messages)
        record.answering = any(message.get("state") in ("queued", "streaming") for message in messages)
        if not record.is_titled and (title := title_of(messages) or UNTITLED) != record.title:
            record.title = title
            self._tell()
        change: Message = {
            "session": record.stored(),
            "messages": [dict(message) for message in messages if message["id"] in self._dirty],
            "removed": sorted(self._removed),
            "order": [message["id"] for message in messages],
        }
        if not self._is_memory_dirty:
            return change
        return {**change, **self._parts.change(self._whole()), "text": text_of(messages)}

    def _whole(self) -> Kept:
        return Kept(self.record, self._current.messages(), self._current.memory(), self._current.pages())

    # -- what the user is told

    def _tell_failed(self, outbox: Outbox) -> None:
        if outbox.left is None:
            self._tell()
        elif not outbox.is_told:
            outbox.is_told = True
            command = {"type": "export-session", "id": outbox.record.id, "format": "json"}
            action = {"label": "Export it", "command": command}
            text = left_unsaved(outbox.record.title, outbox.reason)
            self._emit({"type": "notice", "level": "warning", "text": text, "action": action})

    def _tell_written(self, outbox: Outbox) -> None:
        if outbox.left is None:
            self._tell()
        elif outbox.is_told:
            self._emit({"type": "notice", "level": "info", "text": f"“{outbox.record.title}” is saved now."})

    def _tell(self) -> None:
        """Tells the view which conversation this is."""
        outbox = self._outboxes.get(self.record.id)
        fails = outbox is not None and outbox.failures > 0
        state = "temporary" if self.is_temporary else "unsaved" if fails else "kept"
        problem = {"problem": unsaved(outbox.reason)} if outbox and fails else {}
        self._emit({"type": "session", "session": {"id": self.record.id, "title": self.record.title, "state": state, **problem}})
