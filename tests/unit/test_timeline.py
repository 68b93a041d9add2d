"""What happened, in words: which events are told, once each, and that the list stays bounded."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser import timeline
from amplifier_browser.history import keeper
from amplifier_browser.timeline import MOST, Timeline
from kept_sessions import KeptSessions
from panel_harness import Panel

Message = dict[str, Any]


class Told:
    """A timeline and what it has told."""

    def __init__(self) -> None:
        self.events: list[Message] = []
        self.timeline = Timeline(self.events.append, now=lambda: 1.5)

    def engine(self, state: str, engine: str = "webllm", **more: Any) -> None:
        shown = {"state": state, "engine": engine, "model": {"id": "tiny", "name": "Tiny"}, "error": None, **more}
        self.timeline.saw({"type": "engine", "engine": shown})

    @property
    def lines(self) -> list[tuple[str, str]]:
        return [(entry["level"], entry["text"]) for entry in self.timeline.entries]


def test_an_engine_that_is_lost_and_comes_back() -> None:
    told = Told()
    for state in ("absent", "loading", "ready", "generating", "ready"):
        told.engine(state)
    told.engine("lost", error={"title": "The engine was lost", "technical": "destroyed"})
    told.engine("lost", error={"title": "The engine was lost", "technical": "again"})
    for state in ("loading", "ready", "generating"):
        told.engine(state)
    assert told.lines == [
        ("info", "Tiny runs on the graphics card"),
        ("warning", "The engine was lost and is being started again (destroyed)"),
        ("info", "The engine is back: Tiny runs on the graphics card"),
    ]
    assert told.events[-1] == {"type": "timeline", "entries": told.timeline.entries}
    assert {entry["time"] for entry in told.timeline.entries} == {1500}


def test_an_engine_that_is_not_there_yet_was_not_lost() -> None:
    told = Told()
    told.engine("absent")
    told.engine("lost", error={"title": "The engine was lost", "technical": "no document yet"})
    told.engine("loading")
    told.engine("ready", engine="wllama")
    assert told.lines == [("info", "Tiny runs on the processor")]


def test_what_cannot_run_says_the_next_step() -> None:
    told = Told()
    told.engine("unavailable", error={"title": "No memory", "detail": "Close other tabs."})
    told.engine("unavailable", error={"title": "No memory", "detail": "Close other tabs."})
    told.engine("ready")
    assert told.lines == [("error", "No memory. Close other tabs."), ("info", "Tiny runs on the graphics card")]


def test_saving_fails_and_works_again() -> None:
    told = Told()
    problem = {"title": "Not saved", "detail": "Free some space.", "technical": "quota"}
    for state in ("kept", "unsaved", "unsaved", "kept"):
        told.timeline.saw({"type": "session", "session": {"state": state, "problem": problem}})
    assert told.lines == [("error", "Not saved. Free some space. (quota)"), ("info", "The conversation is being saved again")]


def test_another_conversation_that_is_saved_says_nothing_of_the_one_that_is_not() -> None:
    told = Told()
    problem = {"title": "Not saved", "detail": "Free some space.", "technical": "quota"}
    for id, state in (("a", "unsaved"), ("b", "kept"), ("a", "unsaved"), ("a", "kept")):
        told.timeline.saw({"type": "session", "session": {"id": id, "state": state, "problem": problem}})
    failed = ("error", "Not saved. Free some space. (quota)")
    assert told.lines == [failed, failed, ("info", "The conversation is being saved again")]


def test_an_answer_is_told_of_once() -> None:
    told = Told()
    interrupted = {"id": "a", "role": "assistant", "notes": [f"{timeline.INTERRUPTED} It went on."]}
    for message in (interrupted, interrupted, {**interrupted, "error": {"title": "It failed", "detail": ""}}):
        told.timeline.saw({"type": "message", "message": message})
    told.timeline.saw({"type": "message", "message": {"id": "u", "role": "user", "text": "?"}})
    assert told.lines == [
        ("warning", "An answer was interrupted and went on by itself"),
        ("error", "An answer failed. It failed."),
    ]


def test_notices_stay_to_be_read() -> None:
    told = Told()
    told.timeline.saw({"type": "notice", "level": "warning", "text": "Taken over."})
    told.timeline.saw({"type": "delta", "id": "a", "text": "x"})
    assert told.lines == [("warning", "Taken over.")]


def test_it_is_bounded_and_the_oldest_go() -> None:
    told = Told()
    for number in range(MOST + 5):
        told.timeline.add("info", str(number))
    assert len(told.lines) == MOST
    assert told.lines[0] == ("info", "5")


def test_a_python_that_was_started_again_goes_on_with_what_was_told() -> None:
    told = Told()
    told.timeline.add("info", "mine")
    told.timeline.go_on([{"time": 1, "level": "info", "text": "earlier"}], "it was ended")
    texts = [text for _, text in told.lines]
    assert texts == ["earlier", "mine", "Python stopped and was started again: it was ended"]


# -- in the application


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "EVERY", 0.0)


def texts(panel: Panel) -> list[str]:
    """What the view was last told."""
    told = [event["entries"] for event in panel.events if event["type"] == "timeline"]
    return [entry["text"] for entry in told[-1]] if told else []


async def test_a_conversation_that_was_cut_off_is_told_of() -> None:
    kept = KeptSessions()
    first = Panel(lambda _request: ["Well ", "..."], kept)
    first.connect()
    first.send(type="prompt", id="q", text="Why?")
    await first.until(lambda: first.answers() and first.answers()[0]["text"] == "Well ")

    def is_written() -> bool:
        stored = kept.call("sessions.read", {"id": kept.last}) if kept.last else None
        return bool(stored and stored["session"]["answering"] and stored["messages"][-1]["text"] == "Well ")

    await first.until(is_written)
    await first.close()
    second = Panel(kept=kept)
    second.send(type="restarted", reason="it was ended", entries=[{"time": 1, "level": "info", "text": "before"}])
    second.connect()
    await second.settled()
    assert "“Why?” was taken up: it was cut off in the middle of an answer, which goes on" in texts(second)
    assert texts(second)[0] == "before"
    assert any("was started again: it was ended" in text for text in texts(second))
    await second.close()


async def test_what_was_asked_twice_of_two_pythons_is_answered_once() -> None:
    kept = KeptSessions()
    first = Panel(lambda _request: ["Well ", "..."], kept)
    first.connect()
    first.send(type="prompt", id="q", text="Why?")
    await first.until(lambda: kept.last and kept.call("sessions.read", {"id": kept.last}))
    await first.close()
    second = Panel(kept=kept)
    second.connect()
    second.send(type="prompt", id="q", text="Why?")  # the page did not know that it is on the disk
    await second.settled()
    await second.until(lambda: not second.is_busy())
    assert [message["role"] for message in second.messages()] == ["user", "assistant"]
    assert len(second.requests) == 1
    await second.close()


async def test_how_downloads_end_is_told() -> None:
    panel = Panel()
    panel.connect()
    await panel.until(lambda: any(event["type"] == "ready" for event in panel.events))
    download: Message = {"model": "scripted", "state": "downloading", "done": 1, "total": 2, "error": None}
    for changes in ({}, {"state": "waiting"}, {"state": "downloading"}, {"state": "error", "error": {"code": "corrupt"}}):
        panel.tell_downloads({**download, **changes})
    await panel.until(lambda: any("A file came damaged" in text for text in texts(panel)))
    assert "Scripted: No network; goes on by itself" in texts(panel)
    await panel.close()
