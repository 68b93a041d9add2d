"""What the panel shows: the conversation's messages, and sinks that running answers write to. Interface: sidepanel/types.js."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from .reading_time import ReadingTime, rounded

Message = dict[str, Any]


class Sink(Protocol):
    """Where a running answer is drawn."""

    def append(self, text: str) -> None: ...
    def progress(self, label: str, done: int, total: int, seconds_left: float | None = None) -> None: ...
    def note(self, text: str) -> None: ...
    def usage(self, usage: Message) -> None: ...
    def step(self, step: Message) -> None: ...
    def failed(self, message: str) -> None: ...


class Transcript:
    """The messages of one conversation, in order; every change goes to the view as an event."""

    def __init__(self, emit: Callable[[Message], None]) -> None:
        self._emit = emit
        self._messages: dict[str, Message] = {}

    def get(self, message_id: str) -> Message:
        """A message as it stands; empty if it was removed."""
        return self._messages.get(message_id, {})

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._messages

    @property
    def ids(self) -> list[str]:
        """Of all messages, in the order in which they came."""
        return list(self._messages)

    def fill(self, messages: Sequence[Message]) -> None:
        """Shows the messages of a kept conversation. Whatever ran when it was written does not run any more."""
        for message in messages:
            is_over = message.get("state") in ("done", "error", "stopped")
            self.put({**message, **({} if is_over else {"state": "stopped"})})

    def put(self, message: Message) -> None:
        """Adds a message, or replaces the one with its id."""
        self._messages[message["id"]] = message
        self._emit({"type": "message", "message": message})

    def update(self, message_id: str, **changes: Any) -> None:
        """Changes fields of a message; a field set to None goes. What was removed meanwhile stays removed."""
        if message_id not in self._messages:
            return
        changed = {**self._messages[message_id], **changes}
        self.put({name: value for name, value in changed.items() if value is not None})

    def append(self, message_id: str, text: str) -> None:
        """Adds text to a message."""
        if message_id not in self._messages:
            return
        self._messages[message_id]["text"] += text
        self._emit({"type": "delta", "id": message_id, "text": text})

    def remove(self, ids: list[str]) -> None:
        """Takes messages away."""
        for message_id in ids:
            self._messages.pop(message_id, None)
        if ids:
            self._emit({"type": "removed", "ids": ids})

    def clear(self) -> None:
        """Forgets everything."""
        self._messages.clear()
        self._emit({"type": "cleared"})


class MessageSink:
    """Draws an answer into its message."""

    def __init__(self, transcript: Transcript, message_id: str) -> None:
        self._transcript = transcript
        self._id = message_id
        self.failure: str | None = None
        self.time: ReadingTime | None = None  # of what has several steps; without one, what the engine tells is shown

    def append(self, text: str) -> None:
        if "progress" in self._transcript.get(self._id):
            self._transcript.update(self._id, progress=None)
        self._transcript.append(self._id, text)

    def progress(self, label: str, done: int, total: int, seconds_left: float | None = None) -> None:
        if self.time and total:
            self.time.read(done, total, seconds_left)
        left = (self.time and self.time.seconds_left) or rounded(seconds_left)
        known = {} if left is None else {"seconds_left": left}
        self._transcript.update(self._id, progress={"label": label, "done": done, "total": total, **known})

    def note(self, text: str) -> None:
        notes = self._transcript.get(self._id).get("notes", [])
        if text not in notes:
            self._transcript.update(self._id, notes=[*notes, text])

    def usage(self, usage: Message) -> None:
        self._transcript.update(self._id, usage=usage)

    def step(self, step: Message) -> None:
        """Adds a tool call, or changes what is known of the one with its id."""
        steps = self._transcript.get(self._id).get("steps", [])
        self._transcript.update(self._id, steps=merged(steps, step), progress=None)

    def failed(self, message: str) -> None:
        self.failure = message


def merged(steps: list[Message], step: Message) -> list[Message]:
    """The steps with `step` added to them, or laid over the one with its id."""
    if all(known["id"] != step["id"] for known in steps):
        return [*steps, step]
    return [{**known, **step} if known["id"] == step["id"] else known for known in steps]


class SectionSink(MessageSink):
    """Draws the summary of one section into its message's list of sections."""

    def __init__(self, transcript: Transcript, message_id: str, index: int, label: str, time: ReadingTime | None = None) -> None:
        super().__init__(transcript, message_id)
        self._index = index
        self._label = label
        self._time = time
        self.measured: Message = {}  # the section's usage; the whole answer's is shown

    def begin(self) -> None:
        """The section is asked for."""
        if self._time:
            self._time.begin(self._index)
        self.progress(self._label, 0, 0)
        self.set(state="streaming")

    def append(self, text: str) -> None:
        self.set(text=self._sections()[self._index]["text"] + text)
        if self._time:
            self._time.wrote()
            self._show_time(self._time.seconds_left)

    def progress(self, label: str, done: int, total: int, seconds_left: float | None = None) -> None:
        if self._time and total:
            self._time.read(done, total, seconds_left)
        left = self._time and self._time.seconds_left
        shown = self._index * 100 + int(100 * done / max(1, total)), len(self._sections()) * 100
        super().progress(self._label, *shown, left)

    def _show_time(self, left: float | None) -> None:
        """Tells how long it takes while the model writes, when that is another number than before."""
        progress = self._transcript.get(self._id).get("progress")
        if progress and left and left != progress.get("seconds_left"):
            self._transcript.update(self._id, progress={**progress, "seconds_left": left})

    def usage(self, usage: Message) -> None:
        self.measured = usage
        if self._time:
            self._time.finished(usage)

    def set(self, **changes: Any) -> None:
        """Changes fields of the section: text, state."""
        sections = self._sections()
        sections[self._index] = {**sections[self._index], **changes}
        self._transcript.update(self._id, sections=sections)

    def _sections(self) -> list[Message]:
        nothing = [{"title": "", "state": "stopped", "text": ""}] * (self._index + 1)  # the answer was removed meanwhile
        return list(self._transcript.get(self._id).get("sections", nothing))
