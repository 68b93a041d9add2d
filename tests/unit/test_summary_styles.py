"""Styles and languages of summaries through the whole Python application: what is asked, what comes of it, what is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import panel_harness
import pytest
import pytest_asyncio
from amplifier_browser.asking import Said, asks_for_summary, said_of_summary
from amplifier_browser.languages import LANGUAGES, is_language_of
from amplifier_browser.other_language import cite_names, is_foreign
from amplifier_browser.summary_styles import STYLES, Choice, tidied
from panel_harness import Message, Panel
from test_summary import FENCED, answering, asked, data, is_section, long_page, part_of, show, states, summarize

SEALS = "# Seals\n\nThe grey seal was hunted in the Baltic Sea until 1974. Today about 60,000 grey seals live there."
LARGE = {**panel_harness.MODEL, "parameters": 4000}


def task(request: Message) -> str:
    """What the model is told to do with the text."""
    return FENCED.sub("", asked(request)).strip().partition("\n\n\n\n")[2]


def settings(panel: Panel) -> Message:
    """What the view was last told."""
    return next(
        (event["settings"] for event in reversed(panel.events) if event["type"] == "settings"),
        {"preferences": {"language": None}},
    )


def store(panel: Panel, **stored: Any) -> None:
    """What an earlier session left in the extension's storage."""
    panel.calls["settings.get"] = stored


@pytest_asyncio.fixture
async def large(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Panel]:
    """A panel whose model is large."""
    monkeypatch.setattr(panel_harness, "MODEL", LARGE)
    made = Panel()
    made.connect()
    yield made
    await made.close()


# ---- what is asked


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
async def test_each_style_asks_in_its_own_words(panel: Panel, style: Any) -> None:
    show(panel, SEALS)
    panel.send(type="summarize", id="s1", style=style.id)
    await panel.settled()
    (request,) = panel.requests
    assert task(request) == style.page
    assert data(request) == SEALS
    assert request["max_tokens"] == style.tokens
    assert request["repetition_penalty"] == style.penalty


async def test_without_a_choice_it_is_what_it_always_was(panel: Panel) -> None:
    show(panel, SEALS)
    await summarize(panel)
    (request,) = panel.requests
    assert task(request) == "Write a short summary of this article. What is it about, and what are its main points?"
    assert (request["temperature"], request["repetition_penalty"], request["max_tokens"]) == (0.0, 1.03, 200)
    assert request["messages"][-1]["role"] == "user"


async def test_the_language_is_asked_for_in_every_prompt(panel: Panel) -> None:
    show(panel, long_page(3))
    panel.send(type="summarize", id="s1", language="Danish")
    await panel.settled()
    assert len(panel.requests) == 4
    assert all(task(request).endswith(" Write in Danish.") for request in panel.requests)


@pytest.mark.parametrize(("language", "begun"), [("", True), ("Danish", True), ("English", True)])
async def test_a_list_is_begun_for_the_model(panel: Panel, language: str, begun: bool) -> None:
    panel.answer = lambda _request: [" One.\n- Two."]
    show(panel, SEALS)
    panel.send(type="summarize", id="s1", style="points", language=language)
    answer = await panel.settled()
    assert (panel.requests[0]["messages"][-1] == {"role": "assistant", "content": "-"}) is begun
    assert answer["text"] == "- One.\n- Two."


@pytest.mark.parametrize(("language", "begun"), [("", True), ("English", True), ("Danish", False)])
async def test_english_words_are_begun_in_english_alone(panel: Panel, language: str, begun: bool) -> None:
    show(panel, SEALS)
    panel.send(type="summarize", id="s1", style="questions", language=language)
    await panel.settled()
    assert (panel.requests[0]["messages"][-1]["role"] == "assistant") is begun


async def test_the_sections_of_a_list_are_lists(panel: Panel) -> None:
    panel.answer = answering(lambda text: [f" Point {part_of(text)}."], [" The whole."])
    show(panel, long_page(3))
    panel.send(type="summarize", id="s1", style="points")
    answer = await panel.settled()
    assert [section["text"] for section in answer["sections"]] == [f"- Point {part}." for part in (1, 2, 3)]
    assert answer["text"] == "- The whole."


# ---- styles that keep the sections


@pytest.mark.parametrize("style", ["detailed", "questions"])
async def test_the_sections_under_their_headings_are_the_summary(panel: Panel, style: str) -> None:
    panel.answer = answering(lambda text: [f"All of {part_of(text)}."], ["never"])
    show(panel, long_page(3))
    panel.send(type="summarize", id="s1", style=style)
    answer = await panel.settled()
    assert [is_section(request) for request in panel.requests] == [True] * 3
    begun = STYLES[style].begins
    assert answer["text"] == "\n\n".join(f"## Part {part}\n\n{begun}All of {part}." for part in (1, 2, 3))
    assert "sections" not in answer and "progress" not in answer
    assert answer["source"]["read"] == answer["source"]["words"]
    panel.answer = lambda _request: ["Fine."]
    panel.send(type="prompt", id="q1", text="Why?")
    await panel.settled(2)
    said = [message["content"] for message in panel.requests[-1]["messages"]]
    assert "All of 2." in said[-2] and said[-1] == "Why?"


async def test_of_a_long_detailed_summary_the_beginning_is_remembered_and_the_user_told(panel: Panel) -> None:
    panel.answer = answering(lambda _text: ["word " * 90], ["never"])
    show(panel, long_page(4))
    panel.send(type="summarize", id="s1", style="detailed")
    answer = await panel.settled()
    assert answer["text"].count("word") == 360
    assert any("answered from its beginning" in note for note in answer["notes"])
    messages = await panel.app._runner.session.coordinator.get("context").get_messages()
    assert 0 < messages[-1]["content"].count("word") < 360


async def test_a_detailed_summary_grows_with_the_page_whatever_the_model_can_read(large: Panel) -> None:
    wide = {**LARGE, "context_window": 32_000}
    state = {"state": "ready", "model": "scripted", "models": [wide], "progress": None, "text": "", "error": None}
    large.app.receive({"type": "from-engine", "message": {"type": "state", "engine": state}})
    show(large, long_page(12))
    await summarize(large)
    assert len(large.requests) == 1
    large.send(type="summarize", id="s2", style="detailed")
    await large.settled(2)
    assert len(large.requests) == 1 + 4  # 1,800 words, 600 at a time at most, cut where a part ends


async def test_stopped_in_the_middle_the_sections_stay(panel: Panel) -> None:
    panel.answer = answering(lambda text: ["All of 1."] if part_of(text) == "1" else ["Half", "..."], ["never"])
    show(panel, long_page(3))
    panel.send(type="summarize", id="s1", style="detailed")
    await panel.until(lambda: states(panel) == ["done", "streaming", "waiting"] and "Half" in str(panel.answers()[-1]))
    panel.send(type="stop")
    stopped = await panel.settled()
    assert stopped["state"] == "stopped"
    assert [section["text"] for section in stopped["sections"]] == ["All of 1.", "Half", ""]
    panel.answer = answering(lambda text: [f"New {part_of(text)}."], ["never"])
    panel.send(type="continue", id=stopped["id"])
    await panel.until(lambda: panel.answers()[-1]["state"] == "done")
    answer = await panel.settled()
    assert answer["text"] == "## Part 1\n\nAll of 1.\n\n## Part 2\n\nNew 2.\n\n## Part 3\n\nNew 3."
    assert "sections" not in answer


def test_an_item_that_repeats_another_goes_and_an_answer_stands_by_itself() -> None:
    assert tidied("- One.\n- Two.\n- one.\n* Three.\n\n- Two.") == "- One.\n- Two.\n* Three.\n"
    assert tidied("**Question:** Why?\n**Answer:** So.") == "**Question:** Why?\n\n**Answer:** So."
    assert tidied("Why.\n\nWhy.\nWhy.") == "Why.\n\nWhy.\nWhy."


async def test_questions_carry_no_marks_and_their_answers_do(panel: Panel) -> None:
    panel.answer = lambda _request: [
        " Where are grey seals hunted?\n**Answer:** The grey seal was hunted in the Baltic Sea until 1974.\n\n"
        "**Question:** Does the president of Mars like jazz?\n**Answer:** The president of Mars likes jazz."
    ]
    show(panel, SEALS)
    panel.send(type="summarize", id="s1", style="questions")
    answer = await panel.settled()
    assert answer["text"].split("\n\n") == [
        "**Question:** Where are grey seals hunted?",
        "**Answer:** The grey seal was hunted in the Baltic Sea until 1974. [1]",
        "**Question:** Does the president of Mars like jazz?",
        "**Answer:** The president of Mars likes jazz. [?]",
    ]


# ---- the user's line, and words that say how


async def test_the_line_says_what_was_chosen(panel: Panel) -> None:
    show(panel, SEALS)
    panel.send(type="summarize", id="s1", style="points", language="Danish")
    answer = await panel.settled()
    assert panel.messages()[0]["text"] == "Summarize this page: key points, in Danish"
    panel.send(type="retry", id=answer["id"])
    await panel.until(lambda: len(panel.requests) == 2)
    await panel.settled()
    assert task(panel.requests[1]) == task(panel.requests[0])


@pytest.mark.parametrize(
    "choice", [Choice(STYLES[style], language) for style in STYLES for language in ("", "Danish", "Chinese")]
)
def test_a_line_can_be_read_again(choice: Choice) -> None:
    said = said_of_summary(choice.line)
    assert asks_for_summary(choice.line)
    assert (said.style or "short", said.language or "") == (choice.style.id, choice.language)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Summarize this page in three bullet points", Said("points")),
        ("Please summarise the article as a list.", Said("points")),
        ("Give me the key points of this page", Said("points")),
        ("summarize this page in Danish", Said(None, "Danish")),
        ("Summarize this page in dansk, please", Said(None, "Danish")),
        ("Could you summarize this page in detail, in German?", Said("detailed", "German")),
        ("Write a detailed summary of this article in Français", Said("detailed", "French")),
        ("Summarize this page in simple words and in Spanish", Said("simple", "Spanish")),
        ("Summarize this page in plain English", Said("simple")),
        ("Summarize this page as questions and answers", Said("questions")),
        ("Summarize this page briefly", Said("short")),
        ("Summarize this page", Said()),
    ],
)
def test_words_choose_style_and_language(message: str, said: Said) -> None:
    assert asks_for_summary(message)
    assert said_of_summary(message) == said


@pytest.mark.parametrize(
    "message",
    [
        "Summarize this page and mail it to Ann",
        "Summarize this page in Danish and mail it",
        "Summarize this page in Klingon",
        "Summarize this pageshort",
        "What are the key points?",
        "How do I summarize this page in Word?",
    ],
)
def test_other_words_ask_for_something_else(message: str) -> None:
    assert not asks_for_summary(message)


async def test_what_the_user_types_is_done(panel: Panel) -> None:
    show(panel, SEALS)
    panel.send(type="prompt", id="q1", text="Summarize this page in simple words, in Danish")
    await panel.settled()
    assert task(panel.requests[0]) == f"{STYLES['simple'].page} Write in Danish."
    assert panel.messages()[0]["text"] == "Summarize this page in simple words, in Danish"


# ---- preferences


async def test_what_is_preferred_is_done_told_and_kept(panel: Panel) -> None:
    show(panel, SEALS)
    panel.send(type="set-preference", name="summary_style", value="points")
    await panel.until(lambda: settings(panel)["preferences"].get("summary_style") == "points")
    store(panel, preferences={"summary_style": "points"})
    panel.send(type="set-preference", name="language", value="Danish")
    await panel.until(lambda: settings(panel)["preferences"]["language"] == "Danish")
    assert settings(panel)["preferences"]["summary_style"] == "points"
    stored = [event["args"] for event in panel.events if event.get("name") == "settings.set"]
    assert stored == [
        {"preferences": {"summary_style": "points"}},
        {"preferences": {"summary_style": "points", "language": "Danish"}},
    ]
    await summarize(panel)
    assert panel.messages()[0]["text"] == "Summarize this page: key points, in Danish"
    assert task(panel.requests[0]) == f"{STYLES['points'].page} Write in Danish."
    panel.send(type="summarize", id="s2", style="short", language="")
    await panel.settled(2)
    assert task(panel.requests[1]) == STYLES["short"].page


async def test_what_an_earlier_session_left_counts_even_before_python_is_up() -> None:
    panel = Panel()
    store(panel, preferences={"summary_style": "simple", "language": "German"})
    show(panel, SEALS)
    panel.send(type="summarize", id="s1")
    panel.connect()
    await panel.settled()
    assert panel.messages()[0]["text"] == "Summarize this page: simpler words, in German"
    assert task(panel.requests[0]) == f"{STYLES['simple'].page} Write in German."
    await panel.close()


@pytest.mark.parametrize(
    "stored", ["x", {"summary_style": "loud"}, {"summary_style": ["x"], "language": 7}, {"language": "Klingon"}]
)
async def test_what_makes_no_sense_counts_as_not_chosen(stored: Any) -> None:
    panel = Panel()
    store(panel, preferences=stored)
    panel.connect()
    await panel.until(lambda: any(event["type"] == "settings" for event in panel.events))
    shown = settings(panel)["preferences"]
    assert (shown["summary_style"], shown["language"]) == ("short", "")
    assert {"name": "Danish", "native": "Dansk"} in shown["languages"]
    assert [style["id"] for style in shown["styles"]] == list(STYLES)
    await panel.close()


@pytest.mark.parametrize(("name", "value"), [("summary_style", "loud"), ("language", "Dansk"), ("colour", "red")])
async def test_a_preference_that_there_is_not_is_refused(panel: Panel, name: str, value: str) -> None:
    await panel.until(lambda: any(event["type"] == "ready" for event in panel.events))
    panel.send(type="set-preference", name=name, value=value)
    notice = await panel.until(lambda: [event for event in panel.events if event["type"] == "notice"])
    assert value in notice[0]["text"]
    assert not [event for event in panel.events if event.get("name") == "settings.set"]


async def test_a_selection_is_translated_into_the_preferred_language(panel: Panel) -> None:
    panel.send(type="set-preference", name="language", value="Danish")
    await panel.until(lambda: settings(panel)["preferences"]["language"] == "Danish")
    panel.send(type="wish", id="w1", action="translate", text="Seals sleep.", url="", title="", language="German")
    await panel.settled()
    assert panel.messages()[0]["text"] == "Translate into Danish: “Seals sleep.”"


def test_languages_are_told_apart_by_their_tags() -> None:
    assert len({language.code for language in LANGUAGES}) == len(LANGUAGES) >= 25
    assert is_language_of("English", "en-GB") and is_language_of("Norwegian", "nb") and is_language_of("Chinese", "zh_TW")
    assert not is_language_of("Danish", "en") and not is_language_of("Danish", "") and not is_language_of("Klingon", "tlh")


# ---- another language than the page's

DANISH = "Gråsælen blev jaget i Østersøen indtil 1974. I dag lever omkring 60.000 gråsæler der. Det er en god nyhed."


async def test_a_summary_in_another_language_has_no_marks_of_doubt(large: Panel) -> None:
    large.answer = lambda _request: [DANISH]
    show(large, SEALS)
    large.send(type="summarize", id="s1", language="Danish")
    answer = await large.settled()
    assert answer["text"] == DANISH
    assert len(answer["notes"]) == 1 and "cannot be matched word for word" in answer["notes"][0]
    assert "citations" not in answer


async def test_names_and_numbers_are_found_in_another_language_too(large: Panel) -> None:
    large.answer = lambda _request: ["I 1974 var der 60.000 sæler. Det er en god nyhed."]
    show(large, "# Seals\n\nIn 1974 there were 60,000 seals. Nobody knew why.")
    large.send(type="summarize", id="s1", language="Danish")
    answer = await large.settled()
    assert answer["text"] == "I 1974 var der 60.000 sæler. [1] Det er en god nyhed."
    assert answer["citations"][0]["quote"] == "In 1974 there were 60,000 seals."


async def test_a_model_that_kept_to_the_page_s_language_is_found_out(large: Panel) -> None:
    large.answer = lambda _request: ["The grey seal was hunted until 1974. Mars has a merry president."]
    show(large, SEALS)
    large.send(type="summarize", id="s1", language="Danish")
    answer = await large.settled()
    assert answer["text"] == "The grey seal was hunted until 1974. [1] Mars has a merry president. [?]"
    assert answer["notes"] == [
        "This was to be in Danish, but the model kept to the page's language. A larger model may do better."
    ]


async def test_a_small_model_s_language_is_warned_of_once(panel: Panel) -> None:
    show(panel, long_page(3))
    panel.send(type="summarize", id="s1", language="Danish")
    answer = await panel.settled()
    assert len([note for note in answer["notes"] if "small model" in note]) == 1
    panel.send(type="summarize", id="s2", language="English")
    assert not any("small model" in note for note in (await panel.settled(2)).get("notes", []))


async def test_a_page_in_the_chosen_language_is_cited_as_ever(large: Panel) -> None:
    large.answer = lambda _request: ["Gråsælen blev jaget i Østersøen. Kongen af Mars elsker jazz."]
    show(large, "Gråsælen blev jaget i Østersøen indtil 1974.", lang="da")
    large.send(type="summarize", id="s1", language="Danish")
    answer = await large.settled()
    assert answer["text"] == "Gråsælen blev jaget i Østersøen. [1] Kongen af Mars elsker jazz. [?]"
    assert "notes" not in answer


def test_a_language_is_told_by_its_small_words() -> None:
    page = ["The grey seal was hunted in the Baltic Sea until 1974.", "Today about 60,000 grey seals live there."]
    assert is_foreign(DANISH, page)
    assert not is_foreign("The seal lives in the Baltic Sea, and it was hunted there.", page)
    assert not is_foreign("", page)


def test_headings_and_single_names_are_no_evidence() -> None:
    page = ["Ann Lee met Bo Ek in Rome.", "Ann slept."]
    assert cite_names("## Ann Lee i Rom\n\nAnn sov længe. Ann Lee mødte Bo Ek.", page)[0] == (
        "## Ann Lee i Rom\n\nAnn sov længe. Ann Lee mødte Bo Ek. [1]"
    )


# ---- time left

SLOW = {"input_tokens": 200, "cache_read_tokens": 0, "output_tokens": 40, "prefill_seconds": 20.0, "decode_seconds": 39.0}


def told(panel: Panel) -> list[float]:
    """Each number of seconds that the view was told."""
    events = [event["message"].get("progress", {}) for event in panel.events if event["type"] == "message"]
    return list(dict.fromkeys(progress["seconds_left"] for progress in events if "seconds_left" in progress))


async def test_the_time_left_is_known_once_a_section_was_measured(panel: Panel) -> None:
    panel.usage = SLOW  # 10 tokens a second read, 1 written
    show(panel, long_page(3))
    await summarize(panel)
    progress = [e["message"]["progress"] for e in panel.events if e["type"] == "message" and "progress" in e["message"]]
    first = [each for each in progress if each["label"] == "Reading section 1 of 3"]
    second = [each for each in progress if each["label"] == "Reading section 2 of 3"]
    assert first and not any("seconds_left" in each for each in first)
    assert second and all(each["seconds_left"] > 60 for each in second)
    assert told(panel) == sorted(told(panel), reverse=True)


async def test_the_pace_of_an_earlier_session_tells_from_the_start(panel: Panel) -> None:
    store(panel, paces={"scripted": {"reads": 10.0, "writes": 1.0}})
    show(panel, long_page(3))
    await summarize(panel)
    # 3 x (150 + prompt) tokens to read, 3 x 72 + 120 to write, at least
    assert told(panel)[0] > 45 + 336


async def test_what_a_chat_measured_is_kept_for_the_next_page(panel: Panel) -> None:
    panel.usage = SLOW
    panel.send(type="prompt", id="q1", text="Hello")
    await panel.settled()
    stored = [event["args"] for event in panel.events if event.get("name") == "settings.set"]
    assert stored == [{"paces": {"scripted": {"reads": 10.0, "writes": 1.0}}}]
