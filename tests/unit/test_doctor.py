"""The model doctor through the application: what it measures, keeps and says; the engine and the card are scripted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from amplifier_browser.models import trial
from amplifier_browser.models.doctor import page_words, rounded
from amplifier_browser.models.speed import Rates
from panel_harness import MODEL, Panel
from test_models import CATALOGUE, GOOD, item, opened, told

Message = dict[str, Any]

QUICK = {"input_tokens": 500, "cache_read_tokens": 0, "output_tokens": 8, "prefill_seconds": 0.1, "decode_seconds": 0.07}
CARD: Message = {"sync_seconds": 3e-4, "kernel_seconds": 1e-5, "weight_bytes_per_second": 60e9, "flops": 1e12}


@pytest.fixture
async def stored() -> Message:
    return {}


@pytest.fixture
async def panel(stored: Message) -> AsyncIterator[Panel]:
    panel = Panel()
    panel.calls["settings.get"] = lambda asked: {name: stored[name] for name in asked["names"] if name in stored}
    panel.calls["settings.set"] = stored.update
    panel.calls["models.catalogue"] = CATALOGUE
    panel.calls["gpu.adapter"] = GOOD
    panel.probe = CARD
    connect(panel)
    await panel.until(lambda: any(event["type"] == "ready" for event in panel.events))
    yield panel
    await panel.close()


def connect(panel: Panel, state: str = "ready", engine: str = "webllm") -> None:
    models = [{**MODEL, "parameters": 135, "layers": 30}]
    told = {"state": state, "model": "scripted", "engine": engine, "models": models, "progress": None, "text": "", "error": None}
    panel.app.receive({"type": "from-engine", "message": {"type": "state", "engine": {**told, "load_seconds": 1.5}}})


def doctor(panel: Panel) -> Message:
    return told(panel)["doctor"]


async def measured(panel: Panel) -> Message:
    """The doctor's result, after it was asked to measure."""
    await opened(panel)
    panel.send(type="measure")
    await panel.until(lambda: doctor(panel)["result"] and not doctor(panel)["running"])
    return doctor(panel)["result"]


def lines(result: Message) -> dict[str, str]:
    return {line["label"]: line["text"] for line in result["lines"]}


async def test_before_it_has_measured_it_says_nothing(panel: Panel) -> None:
    await opened(panel)
    assert doctor(panel) == {"running": None, "problem": None, "result": None, "seconds": 20}
    assert {each["speed"] + each["page"] for each in told(panel)["models"]} == {""}


async def test_what_was_measured_is_told(panel: Panel) -> None:
    found = lines(await measured(panel))
    assert found["Measured with"] == "Scripted, on the graphics card"
    assert found["Writes"] == "20 tokens a second" and found["Loads in"] == "1.5 s"
    assert "60.0 GB/s" in found["Graphics card"] and "1,000 GFLOPS" in found["Graphics card"]
    assert found["Its limits"] == "16-bit shaders · buffers of 2.1 GB · 8 GB of memory or more"


async def test_all_models_are_predicted_and_the_measured_one_is_not(panel: Panel) -> None:
    await measured(panel)
    assert item(panel, "scripted")["speed"] == "20 tokens a second, measured"
    others = [each["speed"] for each in told(panel)["models"] if not each["is_bundled"]]
    assert len(others) == len(CATALOGUE["models"])
    assert all(speed.startswith("about ") and speed.endswith(" tokens a second, predicted") for speed in others)


async def test_its_progress_is_shown_on_the_way(panel: Panel) -> None:
    await measured(panel)
    shown = [event["doctor"]["running"] for event in panel.events if event["type"] == "models" and event["doctor"]["running"]]
    texts = list(dict.fromkeys(each["text"] for each in shown))
    assert texts[0] == "Waking the model" and "Measuring the graphics card" in texts and "Reading 256 tokens" in texts
    assert [each["progress"] for each in shown] == sorted(each["progress"] for each in shown)


async def test_prompts_of_some_lengths_are_read_as_far_as_there_is_room(panel: Panel) -> None:
    await measured(panel)
    asked = [request["messages"][0]["content"] for request in panel.requests]
    assert len(set(asked)) == len(asked), "the engine would go on from what it has read"
    assert [len(text.split()) > 200 for text in asked] == [False, False, False, True]  # of 64 and 256 tokens; 1,024 do not fit
    assert [request["max_tokens"] for request in panel.requests] == [8, 60, 1, 1]


async def test_a_slow_model_is_not_measured_at_length(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 1)
    await measured(panel)  # at 30 tokens a second, 64 would take more than the second that there is
    assert len(panel.requests) == 2


async def test_the_result_is_kept_for_the_next_time(panel: Panel, stored: Message) -> None:
    before = await measured(panel)
    again = Panel()
    again.calls.update(panel.calls)
    connect(again)
    await opened(again)
    assert doctor(again)["result"] == before and item(again, "scripted")["speed"] == "20 tokens a second, measured"
    await again.close()


async def test_on_another_graphics_card_it_counts_no_more(panel: Panel) -> None:
    await measured(panel)
    panel.calls["gpu.adapter"] = {**GOOD, "description": "Another GPU"}
    panel.send(type="show-models")
    await panel.until(lambda: doctor(panel)["result"] is None)
    assert item(panel, "scripted")["speed"] == ""


async def test_stop_ends_it_and_keeps_what_was_found(panel: Panel) -> None:
    before = await measured(panel)
    panel.answer = lambda _request: ["..."]
    panel.send(type="measure")
    await panel.until(lambda: doctor(panel)["running"] and doctor(panel)["running"]["text"] == "Writing")
    panel.send(type="stop-measuring")
    await panel.until(lambda: not doctor(panel)["running"])
    assert doctor(panel)["result"] == before and doctor(panel)["problem"] is None
    posted = [event["message"]["type"] for event in panel.events if event["type"] == "to-engine"]
    assert "abort" in posted


async def test_a_question_comes_first(panel: Panel) -> None:
    await opened(panel)
    panel.answer = lambda request: ["..."] if "max_tokens" in request and request["max_tokens"] == 8 else ["Hello."]
    panel.send(type="measure")
    await panel.until(lambda: doctor(panel)["running"])
    panel.send(type="prompt", id="q1", text="Hi")
    assert (await panel.settled())["text"] == "Hello."
    await panel.until(lambda: not doctor(panel)["running"])
    assert "stopped" in doctor(panel)["problem"]["title"] and doctor(panel)["result"] is None


@pytest.mark.parametrize(("state", "words"), [("generating", "answering"), ("unavailable", "No model is running")])
async def test_it_says_why_it_cannot_measure(panel: Panel, state: str, words: str) -> None:
    await opened(panel)
    connect(panel, state)
    panel.send(type="measure")
    await panel.until(lambda: doctor(panel)["problem"])
    assert words in doctor(panel)["problem"]["title"] and doctor(panel)["problem"]["detail"].endswith(".")
    assert panel.requests == []


async def test_a_failure_is_told_and_another_try_succeeds(panel: Panel) -> None:
    await opened(panel)
    answer, panel.answer = panel.answer, lambda _request: ["!failed"]
    panel.send(type="measure")
    await panel.until(lambda: doctor(panel)["problem"])
    assert "failed" in doctor(panel)["problem"]["technical"] and doctor(panel)["running"] is None
    panel.answer = answer
    assert (await measured(panel))["lines"] and doctor(panel)["problem"] is None


async def test_a_card_that_cannot_be_measured_is_told(panel: Panel) -> None:
    panel.probe = None
    await opened(panel)
    panel.send(type="measure")
    await panel.until(lambda: doctor(panel)["problem"])
    assert "graphics card" in doctor(panel)["problem"]["technical"]


async def test_without_a_graphics_card_the_processor_is_measured(panel: Panel) -> None:
    panel.calls["gpu.adapter"] = None
    connect(panel, engine="wllama")
    found = await measured(panel)
    assert lines(found)["Measured with"] == "Scripted, on the processor" and "Graphics card" not in lines(found)
    assert found["advice"] == ["No model of the list is quick enough here: stay with the one that comes with Amplifier."]
    assert item(panel, "scripted")["speed"] == "20 tokens a second, measured"


# -- the advice


async def test_the_best_that_is_quick_enough_is_advised(panel: Panel) -> None:
    panel.usage = QUICK
    found = await measured(panel)
    best = next(each for each in told(panel)["models"] if each["is_recommended"])
    assert found["advice"][0] == f"Best for this computer: {best['name']}, {best['speed']}."


async def test_what_would_be_too_slow_is_not_suggested_but_named(panel: Panel) -> None:
    panel.usage = {**QUICK, "prefill_seconds": 1, "decode_seconds": 0.14}
    panel.probe = {**CARD, "weight_bytes_per_second": 5e9, "flops": 3e11}
    found = await measured(panel)
    best = next(each for each in told(panel)["models"] if each["is_recommended"])
    assert best["name"] == "Middle 1B"
    assert len(found["advice"]) == 2
    assert "would answer better, but take about" in found["advice"][1] and "summary of a page" in found["advice"][1]


async def test_where_all_are_too_slow_it_says_so(panel: Panel) -> None:
    panel.probe = {**CARD, "weight_bytes_per_second": 1e8, "flops": 1e9}
    found = await measured(panel)
    assert "No model of the list is quick enough" in found["advice"][0]
    assert not any(each["is_recommended"] for each in told(panel)["models"])


# -- in words


@pytest.mark.parametrize(
    ("rate", "words"), [(0.04, "0.04"), (0.43, "0.4"), (3.0, "3"), (11.6, "12"), (99.7, "100"), (1234, "1,230")]
)
def test_rates_are_told_as_exactly_as_they_are_known(rate: float, words: str) -> None:
    assert rounded(rate) == words


@pytest.mark.parametrize(
    ("rates", "words"),
    [
        (Rates(1e6, 1e6), "less than a second"),
        (Rates(500, 30), "about 8 s"),
        (Rates(100, 5), "about 45 s"),
        (Rates(10, 2), "about 4 min"),
    ],
)
def test_the_summary_of_a_page_takes_so_long(rates: Rates, words: str) -> None:
    assert page_words(rates) == words
