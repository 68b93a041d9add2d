"""Notes: kept once, found by their words, limited, and only ever kept or read when the user agrees."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from amplifier_browser import notes as notes_module
from amplifier_browser.modules import tool_notes
from amplifier_browser.notes import NoteError, Notes
from amplifier_browser.storage import Storage
from tool_harness import Browser, asked, refused, said, tools_of


def stored(*texts: str) -> Browser:
    """A browser that holds these notes, oldest first."""
    browser = Browser()
    browser.stored["notes"] = [
        {"id": f"n{i}", "text": text, "created": f"2025-01-{i + 1:02}T10:00:00+00:00"} for i, text in enumerate(texts)
    ]
    return browser


def notes_in(browser: Browser) -> Notes:
    return Notes(Storage(browser.call))


async def test_a_note_outlasts_the_session() -> None:
    browser = Browser()
    note = await notes_in(browser).add("  My flight is on Monday. ")
    assert await notes_in(browser).list() == [note]
    assert note["text"] == "My flight is on Monday."
    assert note["created"].endswith("+00:00")


async def test_the_same_text_is_one_note() -> None:
    notes = notes_in(Browser())
    first = await notes.add("My flight is on Monday.")
    assert await notes.add("my flight  is on monday.") == first
    assert len(await notes.list()) == 1


async def test_two_at_once_are_both_kept() -> None:
    notes = notes_in(Browser())
    await asyncio.gather(notes.add("one"), notes.add("two"))
    assert {note["text"] for note in await notes.list()} == {"one", "two"}


async def test_newest_first_and_gone_when_deleted() -> None:
    notes = notes_in(stored("one", "two", "three"))
    assert [note["text"] for note in await notes.list()] == ["three", "two", "one"]
    await notes.delete("n1")
    await notes.delete("n1")
    assert [note["text"] for note in await notes.list()] == ["three", "one"]


async def test_limits_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = stored("one", "two")
    notes = notes_in(browser)
    with pytest.raises(NoteError, match="Write what to remember"):
        await notes.add(" \n ")
    with pytest.raises(NoteError, match="can have 2,000 characters, this one has 2,001"):
        await notes.add("x" * 2001)
    monkeypatch.setattr(notes_module, "MOST_NOTES", 2)
    with pytest.raises(NoteError, match="Delete some in Settings"):
        await notes.add("three")
    assert (await notes.add("TWO"))["id"] == "n1"
    assert len(browser.stored["notes"]) == 2


async def test_search_ranks_by_words_that_count() -> None:
    notes = notes_in(stored("The café in Zürich opens at nine", "My cars are red", "My mother likes the café"))
    assert [note["id"] for note in await notes.search("what about the car")] == ["n1"]
    assert [note["id"] for note in await notes.search("CAFE in Zurich")] == ["n0", "n2"]
    assert await notes.search("what is the") != []  # common words count where there are no others
    assert await notes.search("submarine") == []


async def test_remember_keeps_and_recall_finds() -> None:
    browser = Browser()
    tools = await tools_of(tool_notes, browser)
    assert "kept" in said(await tools["remember"].execute({"text": "The wifi password is swordfish"}))
    assert "swordfish" in said(await tools["recall"].execute({"about": "wifi"}))
    assert "No note is about" in said(await tools["recall"].execute({"about": "submarines"}))
    assert "nothing to remember" in refused(await tools["remember"].execute({}))


async def test_recall_shows_the_newest_that_fit() -> None:
    tools = await tools_of(tool_notes, stored(*[f"note {i} {'long ' * 60}" for i in range(12)]))
    text = said(await tools["recall"].execute({}))
    assert text.startswith("- note 11 ")
    assert text.endswith(f"And {12 - text.count('- note')} more.")
    assert len(text) < 2000
    assert "no notes yet" in said(await (await tools_of(tool_notes, Browser()))["recall"].execute({}))


async def test_both_ask_and_what_is_recalled_is_not_trusted() -> None:
    tools = await tools_of(tool_notes, Browser())
    remember, recall = tools["remember"].traits, tools["recall"].traits
    assert not remember.permission({}).free and not recall.permission({}).free
    assert remember.permission({}).sees == "Keeps this text until you delete it in Settings."
    assert recall.permission({}).sees == "Your notes, which Amplifier remembers for you."
    assert not recall.is_trusted


async def test_without_storage_both_say_so() -> None:
    tools = await tools_of(tool_notes, None)
    assert "nowhere" in refused(await tools["remember"].execute({"text": "x"}))
    assert "nowhere" in refused(await tools["recall"].execute({}))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Remember that my flight is on Monday", ("remember", {"text": "my flight is on Monday"})),
        ("please remember my wife's birthday is 3 May", ("remember", {"text": "my wife's birthday is 3 May"})),
        ("Remember: I take two sugars", ("remember", {"text": "I take two sugars"})),
        ("Can you remember this: swordfish", ("remember", {"text": "swordfish"})),
        ("Don't forget to buy milk", ("remember", {"text": "to buy milk"})),
        ("Make a note that the door is red", ("remember", {"text": "the door is red"})),
        ("remember this", ("remember", None)),
        ("/remember the door is red", ("remember", {"text": "the door is red"})),
        ("What do you remember about my flight?", ("recall", {"about": "my flight"})),
        ("what do you remember about me", ("recall", {})),
        ("What do you remember?", ("recall", {})),
        ("Do you remember my birthday?", ("recall", {"about": "my birthday"})),
        ("What did I tell you about the wifi?", ("recall", {"about": "the wifi"})),
        ("show me my notes", ("recall", {})),
        ("search my notes for wifi", ("recall", {"about": "wifi"})),
    ],
)
def test_asked_by(prompt: str, expected: tuple[str, Any]) -> None:
    assert asked(prompt) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "Do you remember the Titans?",
        "Remember the Titans is a film. Who directed it?",
        "Remember when we talked about owls?",
        "Why do people remember songs better than texts?",
        "What is worth remembering about the French Revolution?",
        "How do I take good notes in a lecture?",
        "I remember that summer well. Write a poem about it.",
    ],
)
def test_not_asked_by(prompt: str) -> None:
    assert asked(prompt) is None
