"""Writes the conversation as it happens: what has changed goes to the disk twice a second, so a crash loses no more than that."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .parts import Parts
from .records import UNTITLED, Kept, Message, Record, text_of, title_of

EVERY = 0.5  # seconds between two writes
RETRIES = (2.0, 5.0, 15.0, 60.0)  # seconds until it is tried again; then at the last of them


@dataclass
class Current:
    """Where the keeper looks at the conversation as it is now."""

    messages: Callable[[], list[Message]]  # all, in the order in which they are shown
    memory: Callable[[], Message]  # Kept.memory
    pages: Callable[[], dict[str, Message]]  # Kept.pages
    model: Callable[[], str]  # id of the one in use


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
        self._outbox: deque[Message] = deque()  # what could not be written yet, in order
        self._failures = 0
        self._problem: Message | None = None
        self._writing: asyncio.Future[None] | None = None
        self._lock = asyncio.Lock()

    # -- which conversation

    def end(self) -> None:
        """Takes a last look at the conversation; what happens from here to `begin` is not kept."""
        self._pack()
        self.is_looking = False
        self._write_soon()

    def begin(self, kept: Kept | None = None, is_temporary: bool = False) -> None:
        """Keeps another conversation from now on: one that is on the disk unless it is temporary, or else a new one."""
        self.record, self.is_temporary = kept.record if kept else Record(), is_temporary
        self.is_looking, self._is_written, self._parts = True, kept is not None, Parts(kept)
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

    @property
    def _has_changes(self) -> bool:
        return bool(self._outbox or ((self._dirty or self._removed or self._is_memory_dirty) and not self.is_temporary))

    # -- writing

    def _write_soon(self) -> None:
        if self._has_changes and (self._writing is None or self._writing.done()):
            self._writing = asyncio.ensure_future(self._write())

    async def _write(self) -> None:
        while self._has_changes:  # the first change at once: a question should be safe as soon as it is asked
            if self._failures:
                await asyncio.sleep(RETRIES[min(self._failures, len(RETRIES)) - 1])
            await self.flush()
            await asyncio.sleep(EVERY)

    async def flush(self) -> None:
        """Writes what has changed, now. What cannot be written is tried again later, and the user is told."""
        async with self._lock:
            if await self._send():
                self._pack()
                if await self._send():
                    self._succeeded()

    async def _send(self) -> bool:
        """Empties the outbox; False if something is left in it."""
        while self._outbox:
            try:
                await self._call("sessions.write", **self._outbox[0])
            except Exception as error:
                self._failed(str(error))
                return False
            self._outbox.popleft()
        return True

    def _pack(self) -> None:
        """Puts what has changed into the outbox, as it is now."""
        messages = self._current.messages()
        is_worth_it = self._dirty or self._removed or self._is_memory_dirty
        if is_worth_it and not self.is_temporary and (messages or self._is_written):
            self._outbox.append(self._change(messages))
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
        whole = Kept(record, messages, self._current.memory(), self._current.pages())
        return {**change, **self._parts.change(whole), "text": text_of(messages)}

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._problem = {
            "title": "This conversation is not being saved",
            "detail": "It goes on, and saving is tried again by itself. Free some space if the disk is full. Until it is saved, "
            "do not close the panel, or export the conversation from the list of conversations first.",
            "technical": reason,
        }
        self._tell()

    def _succeeded(self) -> None:
        self._failures = 0
        if self._problem:
            self._problem = None
            self._tell()

    def _tell(self) -> None:
        """Tells the view which conversation this is."""
        state = "temporary" if self.is_temporary else "unsaved" if self._problem else "kept"
        problem = {"problem": self._problem} if self._problem else {}
        self._emit({"type": "session", "session": {"id": self.record.id, "title": self.record.title, "state": state, **problem}})
