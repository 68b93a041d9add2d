"""Draws a sub-session's answer into the step of its parent that started it."""

from __future__ import annotations

from typing import Any

from .transcript import Message, Sink, merged


class StepSink:
    """A Sink: a child's text and tool calls become `text` and `steps` of the step `step_id` of its parent's sink."""

    def __init__(self, parent: Sink, step_id: str) -> None:
        self._parent = parent
        self._id = step_id
        self._text = ""
        self._steps: list[Message] = []
        self._is_interrupted = False  # by a tool call: what is written next is another paragraph
        self.failure: str | None = None

    def append(self, text: str) -> None:
        joint = "\n\n" if self._text and self._is_interrupted else ""
        self._is_interrupted = False
        self._text += joint + text
        self._parent.step({"id": self._id, "text": self._text})

    def step(self, step: Message) -> None:
        self._is_interrupted = True
        self._steps = merged(self._steps, step)
        self._parent.step({"id": self._id, "steps": self._steps})

    def progress(self, label: str, done: int, total: int, seconds_left: float | None = None) -> None:
        self._parent.progress(f"Helper: {label}", done, total, seconds_left)

    def note(self, text: str) -> None:
        self._parent.note(f"Helper: {text}")

    def usage(self, usage: Message) -> None:
        pass  # the whole answer's rates are shown, not a helper's

    def failed(self, message: str) -> None:
        self.failure = message


def running_step(coordinator: Any) -> StepSink | None:
    """The sink that draws into the tool call that a session runs now; None where nothing is drawn."""
    current = coordinator.get_capability("panel.sink")
    sink: Sink | None = current() if current else None
    running = coordinator.cancellation.running_tools  # the loop runs one call at a time
    return StepSink(sink, next(iter(running))) if sink is not None and len(running) == 1 else None
