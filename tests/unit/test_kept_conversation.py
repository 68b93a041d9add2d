"""A conversation survives its panel: what was said, what the model is told, what ran, and what it was about."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser.history import keeper
from kept_sessions import KeptSessions
from panel_harness import Panel

Message = dict[str, Any]
PAGE: Message = {
    "title": "Owls",
    "url": "https://owls.example/",
    "tab": 7,
    "markdown": "# Owls\n\nOwls hunt mice at night.",
    "words": 6,
    "method": "article",
    "visible_chars": 30,
    "kept_chars": 30,
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes as soon as anything changes."""
    monkeypatch.setattr(keeper, "EVERY", 0.0)


def opened(kept: KeptSessions, answer: Any = None) -> Panel:
    """A panel over a database; its engine answers "All is well." or as told."""
    panel = Panel(answer, kept) if answer else Panel(kept=kept)
    panel.connect()
    return panel


async def written(panel: Panel, condition: Any) -> Message:
    """The record of the only conversation, once it fulfils a condition."""

    def look() -> Message | None:
        stored = panel.kept.call("sessions.read", {"id": panel.kept.last}) if panel.kept.last else None
        return stored if stored and condition(stored) else None

    return await panel.until(look)


def last_is(state: str) -> Any:
    return lambda stored: stored["messages"] and stored["messages"][-1]["state"] == state


async def asked(panel: Panel, *questions: str) -> None:
    for at, question in enumerate(questions):
        before = len(panel.answers())
        panel.send(type="prompt", id=f"{question}-{at}", text=question)
        await panel.settled(before + 1)


async def test_a_panel_that_is_opened_again_shows_the_conversation_and_the_model_remembers_it() -> None:
    first = opened(KeptSessions())
    await asked(first, "What do owls hunt?")
    await written(first, lambda stored: stored["memory"]["context"] and not stored["session"]["answering"])
    await first.close()
    second = opened(first.kept)
    await second.until(lambda: len(second.messages()) == 2)
    assert [message["text"] for message in second.messages()] == ["What do owls hunt?", "All is well."]
    await asked(second, "And by day?")
    told = [message["content"] for message in second.requests[-1]["messages"]]
    assert told[1:] == ["What do owls hunt?", "All is well.", "And by day?"]
    await second.close()


async def test_a_panel_that_goes_in_mid_answer_finds_the_words_again_and_goes_on() -> None:
    first = opened(KeptSessions(), lambda _request: ["Owls hunt ", "mice ", "..."])
    first.send(type="prompt", id="q", text="What do owls hunt?")
    await written(first, lambda stored: len(stored["messages"]) == 2 and stored["messages"][1]["text"] == "Owls hunt mice ")
    await first.close()
    second = opened(first.kept, lambda _request: ["and voles."])
    answer = await second.settled()
    assert (answer["text"], answer["state"]) == ("Owls hunt mice and voles.", "done")
    assert second.requests[-1]["messages"][-1] == {"role": "assistant", "content": "Owls hunt mice "}
    await second.close()


async def test_an_answer_that_is_cut_off_again_and_again_waits_for_the_user() -> None:
    kept = KeptSessions()
    panel = opened(kept, lambda _request: ["Owls ", "..."])
    panel.send(type="prompt", id="q", text="What do owls hunt?")
    for _ in range(3):
        await written(panel, last_is("streaming"))
        await panel.close()
        panel = opened(kept, lambda _request: ["..."])
        await panel.until(panel.answers)
    answer = await panel.settled()
    assert answer["state"] == "stopped"
    assert not panel.requests
    await panel.close()


async def test_questions_that_waited_are_asked() -> None:
    first = opened(KeptSessions(), lambda _request: ["..."])
    first.send(type="prompt", id="q1", text="One?")
    await first.until(lambda: first.requests)
    first.send(type="prompt", id="q2", text="Two?")
    await written(first, lambda stored: stored["memory"]["waiting"])
    await first.close()
    second = opened(first.kept)
    await second.settled(2)
    assert [message["text"] for message in second.messages()] == ["One?", "All is well.", "Two?", "All is well."]
    await second.close()


async def test_a_summary_can_be_tried_again_though_another_page_is_in_front() -> None:
    first = opened(KeptSessions())
    first.calls["page.read"] = PAGE
    first.send(type="summarize", id="s")
    await first.settled()
    await written(first, lambda stored: stored["memory"]["turns"] and not stored["session"]["answering"])
    await first.close()
    second = opened(first.kept)
    second.calls["page.read"] = {**PAGE, "url": "https://bread.example/", "markdown": "Bread is baked from flour."}
    answer = await second.until(lambda: second.answers() and second.answers()[0])
    second.send(type="retry", id=answer["id"])
    await second.until(lambda: second.requests)
    assert "Owls hunt mice" in second.requests[0]["messages"][-1]["content"]
    await second.close()


async def test_a_summary_whose_panel_goes_keeps_the_sections_that_are_done() -> None:
    """The page is kept too, since its tab may be closed by then; when all is done, only its text is."""
    parts = "\n\n".join(f"## Part {part}\n\n" + " ".join(f"w{part}-{at}" for at in range(150)) for part in (1, 2, 3))
    first = opened(KeptSessions(), lambda request: ["Half ", "..."] if "w2-5 " in str(request["messages"][-1]) else ["Noted."])
    first.calls["page.read"] = {**PAGE, "markdown": parts, "words": 450}
    first.send(type="summarize", id="s")
    await written(first, lambda stored: stored["memory"]["turns"] and stored["memory"]["turns"][0]["notes"])
    await first.close()
    second = opened(first.kept, lambda _request: ["Noted."])
    second.calls["page.read"] = {"error": "no-tab"}
    await second.settled()
    asked_for = [str(request["messages"][-1]) for request in second.requests]
    assert not any("w1-5 " in each for each in asked_for) and any("w3-5 " in each for each in asked_for)
    stored = await written(second, lambda stored: not stored["session"]["answering"])
    (turn,) = stored["memory"]["turns"]
    assert (turn["sections"], turn["notes"]) == ([], []) and stored["pages"][turn["page"]]["markdown"] == parts
    await second.close()


async def test_what_was_attached_is_still_known() -> None:
    first = opened(KeptSessions())
    first.send(type="wish", id="w", action="ask", text="Owls hunt mice at night.", title="Owls", language="English")
    await first.until(lambda: any(event["type"] == "attachment" for event in first.events))
    first.send(type="prompt", id="q", text="What do owls hunt?", attachments=["w"])
    await first.settled()
    await written(first, lambda stored: stored["memory"]["attachments"] and not stored["session"]["answering"])
    await first.close()
    second = opened(first.kept)
    answer = await second.until(lambda: second.answers() and second.answers()[0])
    second.send(type="retry", id=answer["id"])
    await second.until(lambda: second.requests)
    assert "Owls hunt mice at night." in second.requests[0]["messages"][-1]["content"]
    await second.close()


async def test_a_new_conversation_keeps_the_old_one() -> None:
    panel = opened(KeptSessions())
    await asked(panel, "One?")
    panel.send(type="new-session")
    await panel.until(lambda: not panel.messages())
    await asked(panel, "Two?")
    panel.send(type="list-sessions")
    shown = await panel.until(lambda: [event for event in panel.events if event["type"] == "sessions"])
    assert [each["title"] for each in shown[-1]["sessions"]] == ["Two?", "One?"]
    await panel.close()


async def test_switching_stops_the_answer_and_its_words_stay() -> None:
    panel = opened(KeptSessions(), lambda request: ["Well ", "..."] if "Long" in str(request["messages"][-1]) else ["Yes."])
    await asked(panel, "One?")
    first = panel.kept.last
    panel.send(type="new-session")
    panel.send(type="prompt", id="q", text="Long?")
    await written(panel, lambda stored: stored["messages"][-1]["text"] == "Well ")
    second = panel.kept.last
    panel.send(type="open-session", id=first)
    await panel.until(lambda: panel.kept.last == first and [each["text"] for each in panel.messages()] == ["One?", "Yes."])
    await asked(panel, "Three?")
    assert [each["content"] for each in panel.requests[-1]["messages"]][1:] == ["One?", "Yes.", "Three?"]
    left = panel.kept.call("sessions.read", {"id": second})
    assert [(each["text"], each["state"]) for each in left["messages"]] == [("Long?", "done"), ("Well ", "stopped")]
    assert left["session"]["answering"] is False
    await panel.close()


async def test_a_temporary_conversation_leaves_nothing() -> None:
    panel = opened(KeptSessions())
    panel.send(type="new-session", temporary=True)
    await asked(panel, "A secret?")
    await panel.close()
    assert not panel.kept.sessions
    again = opened(panel.kept)
    await again.until(lambda: any(event["type"] == "ready" for event in again.events))
    assert not again.messages()
    await again.close()


async def test_a_record_that_cannot_be_read_does_not_keep_the_panel_from_starting() -> None:
    first = opened(KeptSessions())
    await asked(first, "One?")
    await written(first, lambda stored: stored["memory"]["context"])
    await first.close()
    first.kept.rest[first.kept.last]["memory"] = {"turns": "?", "context": []}
    second = opened(first.kept)
    await asked(second, "Two?")
    assert any("could not be opened" in event.get("text", "") for event in second.events)
    assert [message["text"] for message in second.messages()] == ["Two?", "All is well."]
    await second.close()


async def test_another_window_takes_the_conversation_over() -> None:
    panel = opened(KeptSessions())
    await asked(panel, "One?")
    panel.send(type="session-taken", id=panel.kept.last)
    await panel.until(lambda: not panel.messages())
    assert any("taken over" in event.get("text", "") for event in panel.events)
    await panel.close()


async def test_a_fork_goes_on_by_itself() -> None:
    panel = opened(KeptSessions())
    await asked(panel, "One?", "Two?")
    first = panel.kept.last
    panel.send(type="fork-session", message=panel.answers()[0]["id"])
    await panel.until(lambda: panel.kept.last != first and len(panel.messages()) == 2)
    await asked(panel, "Three?")
    assert [each["content"] for each in panel.requests[-1]["messages"]][1:] == ["One?", "All is well.", "Three?"]
    assert len(panel.kept.call("sessions.read", {"id": first})["messages"]) == 4
    await panel.close()
