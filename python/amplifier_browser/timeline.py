"""What happened, in words: read off the events that the view gets, so that whoever was not looking can see it afterwards."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

Message = dict[str, Any]

MOST = 200  # entries; the oldest go
INTERRUPTED = "The engine was lost in the middle of this answer."  # how a note of the answer begins; modules/hooks_panel.py
NEVER_UP = ("", "absent")
RUNNING = ("ready", "generating")


class Timeline:
    """A bounded list of {time, level, text}, oldest first; `time` is in milliseconds since the epoch."""

    def __init__(self, emit: Callable[[Message], None], now: Callable[[], float] = time.time) -> None:
        """`emit` takes the whole list as an event, whenever it has changed."""
        self._emit = emit
        self._now = now
        self._entries: deque[Message] = deque(maxlen=MOST)
        self._engine = ""  # state
        self._loaded = ""  # which model, and where it runs
        self._was_lost = False
        self._saving = ("", "")  # the conversation, and its state
        self._told: set[tuple[str, str]] = set()  # what was said of which message
        self._takers: dict[str, Callable[[Message], None]] = {
            "engine": lambda event: self._saw_engine(event["engine"]),
            "session": lambda event: self._saw_session(event["session"]),
            "message": lambda event: self._saw_message(event["message"]),
            "notice": lambda event: self.add(event["level"], event["text"]),
            "fatal": lambda event: self.add("error", _line(event["error"])),
        }

    @property
    def entries(self) -> list[Message]:
        """All of them, oldest first."""
        return list(self._entries)

    def add(self, level: str, text: str) -> None:
        """One more line; level: info, warning or error."""
        self._entries.append({"time": int(self._now() * 1000), "level": level, "text": text})
        self._emit({"type": "timeline", "entries": self.entries})

    def go_on(self, earlier: Iterable[Message], reason: str) -> None:
        """Python was started again: what the Python before it saw comes first."""
        mine = self.entries
        self._entries = deque([*earlier, *mine], maxlen=MOST)
        self.add("warning", f"Python stopped and was started again: {reason}")

    def taken_up(self, title: str, is_cut_off: bool) -> None:
        """A kept conversation goes on where it was left, or where it was cut off."""
        cause = "it was cut off in the middle of an answer, which goes on" if is_cut_off else "the panel was opened again"
        self.add("warning" if is_cut_off else "info", f"“{title}” was taken up: {cause}")

    def saw(self, event: Message) -> None:
        """Takes note of an event for the view; most of them are no news."""
        if take := self._takers.get(event["type"]):
            take(event)

    def _saw_engine(self, engine: Message) -> None:
        before, self._engine = self._engine, engine["state"]
        if before == self._engine and self._engine not in RUNNING:
            return
        if self._engine == "lost" and before not in NEVER_UP:
            self._was_lost = True
            self.add("warning", f"The engine was lost and is being started again{_reason(engine['error'])}")
        elif self._engine == "unavailable":
            self._loaded = ""
            self.add("error", _line(engine["error"] or {"title": "The model is not available"}))
        elif self._engine in RUNNING:
            self._saw_running(engine)

    def _saw_running(self, engine: Message) -> None:
        model = (engine["model"] or {}).get("name", "The model")
        loaded = f"{model} runs on the {'processor' if engine.get('engine') == 'wllama' else 'graphics card'}"
        if self._was_lost:
            self.add("info", f"The engine is back: {loaded}")
        elif loaded != self._loaded:
            self.add("info", loaded)
        self._was_lost, self._loaded = False, loaded

    def _saw_session(self, session: Message) -> None:
        before, self._saving = self._saving, (session.get("id", ""), session["state"])
        is_same = before[0] == self._saving[0]
        if session["state"] == "unsaved" and not (is_same and before[1] == "unsaved"):
            self.add("error", f"{_line(session['problem'])}{_reason(session['problem'])}")
        elif is_same and before[1] == "unsaved" and session["state"] == "kept":
            self.add("info", "The conversation is being saved again")

    def _saw_message(self, message: Message) -> None:
        if message["role"] != "assistant":
            return
        if any(note.startswith(INTERRUPTED) for note in message.get("notes", [])):
            self._once(message, "interrupted", "warning", "An answer was interrupted and went on by itself")
        if message.get("error"):
            self._once(message, "error", "error", f"An answer failed. {_line(message['error'])}")

    def _once(self, message: Message, what: str, level: str, text: str) -> None:
        if (message["id"], what) not in self._told:
            self._told.add((message["id"], what))
            self.add(level, text)


def _line(problem: Message) -> str:
    """A problem's title, and its next step."""
    return " ".join(part for part in (f"{problem['title']}.", problem.get("detail", "")) if part)


def _reason(problem: Message | None) -> str:
    technical = (problem or {}).get("technical")
    return f" ({technical})" if technical else ""
