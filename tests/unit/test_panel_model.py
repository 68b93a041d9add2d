"""Which model a panel wants, what it shows while another window's is loaded, and a model that is chosen in mid-conversation."""

from __future__ import annotations

from typing import Any

import pytest
from panel_harness import Panel

SMALL = {"id": "small", "name": "Small", "context_window": 400}
LARGE = {"id": "large", "name": "Large", "context_window": 4000}
BUILT_IN = {"id": "browser", "name": "Chrome’s", "origin": "browser", "context_window": 4000}


class WindowPanel(Panel):
    """A panel that chose the small model, in a browser with two of them."""

    def tell(self, model: str, state: str = "ready", *others: dict[str, Any]) -> None:
        """The engine says what is loaded."""
        engine = {"state": state, "model": model, "engine": "webllm", "models": [SMALL, LARGE, *others], "progress": None}
        self.say({"type": "state", "engine": {**engine, "text": "", "error": None}})

    def say(self, message: dict[str, Any]) -> None:
        """Any word of the engine."""
        self.app.receive({"type": "from-engine", "message": message})

    def shown(self) -> dict[str, Any]:
        """The engine as the view shows it."""
        return next(event["engine"] for event in reversed(self.events) if event["type"] == "engine")

    def sent(self, kind: str) -> list[dict[str, Any]]:
        """What the engine was asked."""
        posted = [event["message"] for event in self.events if event["type"] == "to-engine"]
        return [message for message in posted if message["type"] == kind]


@pytest.fixture
async def panel() -> Any:
    """It wants the small model, which is loaded."""
    panel = WindowPanel()
    panel.tell("small")
    panel.say({"type": "loaded", "id": "warm-up", "model": "small"})
    await panel.until(lambda: any(event["type"] == "ready" for event in panel.events))
    yield panel
    await panel.close()


def label(panel: Panel) -> str:
    """What the last answer says that it waits for."""
    return (panel.answers()[-1].get("progress") or {}).get("label", "") if panel.answers() else ""


async def test_requests_say_for_which_model_they_are_and_when_the_turn_is_over(panel: WindowPanel) -> None:
    panel.send(type="prompt", id="q1", text="Hello")
    await panel.settled()
    asked = [*panel.sent("count"), *panel.sent("complete")]
    assert {(message["model"], message["in_turn"]) for message in asked} == {("small", True)}
    assert len(panel.sent("turn-over")) == 1


async def test_while_another_windows_model_is_loaded_its_own_sleeps(panel: WindowPanel) -> None:
    panel.tell("large", "generating")
    shown = panel.shown()
    assert (shown["state"], shown["model"]["id"], shown["error"]) == ("asleep", "small", None)
    assert "the other window uses Large" in shown["text"]
    panel.tell("small")
    assert panel.shown()["state"] == "ready"


async def test_another_windows_failure_is_not_this_ones(panel: WindowPanel) -> None:
    panel.say(
        {
            "type": "state",
            "engine": {
                "state": "unavailable",
                "model": "large",
                "engine": "webllm",
                "models": [SMALL, LARGE],
                "progress": None,
                "text": "",
                "error": {"code": "out-of-memory", "message": "no room"},
            },
        }
    )
    assert (panel.shown()["state"], panel.shown()["error"]) == ("asleep", None)


async def test_a_question_says_that_it_waits_and_then_what_is_loaded_again(panel: WindowPanel) -> None:
    panel.tell("large", "generating")
    panel.answer = lambda _request: ["..."]
    panel.send(type="prompt", id="q1", text="Hello")
    await panel.until(lambda: label(panel) == "Waiting: the other window’s answer comes first")
    await panel.until(lambda: panel.shown()["state"] in ("waiting", "asleep"))
    await panel.until(lambda: panel.sent("complete"))
    assert panel.shown()["state"] == "waiting"
    panel.tell("small", "loading")
    again = "Loading Small again: the other window used Large"
    assert (panel.shown()["state"], panel.shown()["text"], label(panel)) == ("loading", again, again)
    panel.tell("small", "generating")
    assert panel.shown()["text"] == ""
    panel.send(type="stop")
    await panel.settled()


async def test_a_first_loading_is_nobodys_fault(panel: WindowPanel) -> None:
    panel.answer = lambda _request: ["..."]
    panel.send(type="prompt", id="q1", text="Hello")
    await panel.until(lambda: panel.sent("complete"))
    panel.tell("small", "loading")
    assert "again" not in panel.shown()["text"]
    panel.send(type="stop")
    await panel.settled()


async def test_a_model_chosen_in_mid_answer_counts_from_the_next_and_knows_what_was_said(panel: WindowPanel) -> None:
    panel.answer = lambda _request: ["Half of it", "..."]
    panel.send(type="prompt", id="q1", text="My cat is called Oskar")
    await panel.until(lambda: panel.answers() and panel.answers()[-1]["text"])
    panel.send(type="choose-model", model="large")
    assert panel.shown()["model"]["id"] == "large"
    assert panel.sent("load") == []
    panel.send(type="stop")
    await panel.settled()
    assert [(load["model"], "engine" in load) for load in panel.sent("load")] == [("large", False)]
    panel.tell("large")
    panel.answer = lambda _request: ["Oskar."]
    panel.send(type="prompt", id="q2", text="What is my cat called?")
    await panel.settled(2)
    request, sent = panel.requests[-1], panel.sent("complete")[-1]
    assert sent["model"] == "large"
    said = [message["content"] for message in request["messages"]]
    assert "My cat is called Oskar" in said and "Half of it" in said
    assert request["max_tokens"] == 1000  # a quarter of the new model's context


async def test_a_smaller_context_is_sent_what_fits(panel: WindowPanel) -> None:
    panel.send(type="choose-model", model="large")
    panel.tell("large")
    panel.send(type="prompt", id="q1", text="first " * 500)
    await panel.settled(1)
    panel.send(type="prompt", id="q2", text="second")
    await panel.settled(2)
    assert any("first" in message["content"] for message in panel.requests[-1]["messages"])
    panel.send(type="choose-model", model="small")
    panel.tell("small")
    panel.send(type="prompt", id="q3", text="third")
    await panel.settled(3)
    said = " ".join(message["content"] for message in panel.requests[-1]["messages"])
    assert "first" not in said and "second" in said and "third" in said
    panel.send(type="choose-model", model="large")
    panel.tell("large")


async def test_choosing_the_same_again_in_mid_answer_changes_nothing(panel: WindowPanel) -> None:
    panel.answer = lambda _request: ["Half", "..."]
    panel.send(type="prompt", id="q1", text="Go")
    await panel.until(lambda: panel.answers() and panel.answers()[-1]["text"])
    panel.send(type="choose-model", model="large")
    panel.send(type="choose-model", model="small")
    panel.send(type="stop")
    await panel.settled()
    assert panel.sent("load") == []


async def test_what_models_run_on_is_a_preference_that_every_load_carries(panel: WindowPanel) -> None:
    panel.send(type="set-preference", name="run_on", value="cpu")
    await panel.until(lambda: panel.sent("load"))
    panel.send(type="choose-model", model="large")
    panel.send(type="set-preference", name="run_on", value="auto")
    await panel.until(lambda: len(panel.sent("load")) == 3)
    panel.send(type="choose-model", model="small")
    loads = [(load["model"], load.get("engine")) for load in panel.sent("load")]
    assert loads == [("small", "cpu"), ("large", "cpu"), ("large", "auto"), ("small", None)]


async def test_what_models_run_on_changes_after_the_answer_and_without_losing_it(panel: WindowPanel) -> None:
    panel.answer = lambda _request: ["Half", "..."]
    panel.send(type="prompt", id="q1", text="Go")
    await panel.until(lambda: panel.answers() and panel.answers()[-1]["text"])
    panel.send(type="set-preference", name="run_on", value="cpu")
    await panel.until(lambda: panel.sent("load"))  # the engine takes it when the answer is done
    assert panel.answers()[-1]["state"] == "streaming"
    panel.send(type="stop")
    await panel.settled()


async def test_a_chosen_model_that_is_gone_is_told(panel: WindowPanel) -> None:
    panel.say({"type": "error", "id": "warm-up", "code": "unknown-model", "message": "browser"})
    notices = [event["text"] for event in panel.events if event["type"] == "notice"]
    assert "Chrome’s built-in model is not there any more" in notices[-1]


async def test_chromes_own_model_is_to_choose_once_it_is_downloaded(panel: WindowPanel) -> None:
    panel.tell("small", "ready", {**BUILT_IN, "availability": "downloadable"})
    assert "browser" not in [model["id"] for model in panel.shown()["models"]]
    panel.tell("small", "ready", {**BUILT_IN, "availability": "available"})
    assert "browser" in [model["id"] for model in panel.shown()["models"]]


async def test_chromes_own_model_is_downloaded_by_the_page(panel: WindowPanel) -> None:
    panel.calls["models.catalogue"] = {"models": [], "libraries": []}
    panel.tell("small", "ready", {**BUILT_IN, "availability": "downloadable"})
    panel.calls["built-in.download"] = {"error": "NetworkError", "detail": "cut"}
    panel.send(type="show-models")
    await panel.until(lambda: row(panel).get("state") == "absent")
    panel.send(type="download-model", model="browser")
    problem = await panel.until(lambda: row(panel).get("problem"))
    assert (problem["title"], problem["technical"]) == ("Chrome did not download its model", "cut")
    panel.calls["built-in.download"] = None
    panel.send(type="download-model", model="browser")
    await panel.until(lambda: row(panel).get("state") == "downloading")
    panel.send(type="built-in-progress", progress=0.5)
    await panel.until(lambda: len(panel.sent("look-for-built-in")) == 2)
    panel.tell("small", "ready", {**BUILT_IN, "availability": "available"})
    assert (await panel.until(lambda: row(panel).get("state") == "complete" and row(panel))).get("problem") is None


def row(panel: Panel) -> dict[str, Any]:
    """Chrome's own model as it is listed."""
    told = [event for event in panel.events if event["type"] == "models"]
    return next((each for each in told[-1]["models"] if each["id"] == "browser"), {}) if told else {}


async def test_nothing_is_said_to_be_ready_of_a_model_that_was_just_chosen(panel: WindowPanel) -> None:
    panel.send(type="choose-model", model="large")
    assert_loading(panel, "large")
    panel.say({"type": "loaded", "id": panel.sent("load")[-1]["id"], "model": "large"})
    assert_loading(panel, "large")
    panel.tell("small")  # a late word of the model before
    assert_loading(panel, "large")
    panel.tell("large", "loading")
    assert panel.shown()["state"] == "loading"
    panel.tell("large")
    assert (panel.shown()["state"], panel.shown()["model"]["id"]) == ("ready", "large")


def assert_loading(panel: WindowPanel, model: str) -> None:
    shown = panel.shown()
    told = (shown["state"], shown["model"]["id"], shown["asked"], shown["text"], shown["error"])
    assert told == ("loading", model, model, "Loading Large", None)


async def test_a_model_chosen_in_mid_answer_is_never_ready_by_the_word_of_the_one_that_answers(panel: WindowPanel) -> None:
    panel.answer = lambda _request: ["Half of it", "..."]
    panel.send(type="prompt", id="q1", text="Go")
    await panel.until(lambda: panel.answers() and panel.answers()[-1]["text"])
    panel.tell("small", "generating")
    panel.send(type="choose-model", model="large")
    assert panel.shown()["state"] == "generating"
    panel.tell("small")  # between two requests of the turn
    assert_loading(panel, "large")
    panel.send(type="stop")
    await panel.settled()
    assert_loading(panel, "large")


async def test_a_model_that_waits_for_the_other_windows_answer_says_so(panel: WindowPanel) -> None:
    panel.tell("small", "generating")
    panel.send(type="choose-model", model="large")
    assert (panel.shown()["state"], panel.shown()["text"]) == ("waiting", "Waiting: the other window’s answer comes first")


async def test_a_model_that_is_gone_when_it_is_chosen_leaves_the_one_there_is(panel: WindowPanel) -> None:
    panel.send(type="choose-model", model="large")
    load = panel.sent("load")[-1]["id"]
    panel.say({"type": "error", "id": load, "code": "unknown-model", "message": "large"})
    assert (panel.shown()["state"], panel.shown()["model"]["id"]) == ("ready", "small")
    assert "not there any more" in next(event["text"] for event in reversed(panel.events) if event["type"] == "notice")
