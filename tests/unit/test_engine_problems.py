"""What Python makes of an engine that goes, and of Stop at awkward moments."""

from __future__ import annotations

from typing import Any

from amplifier_browser.problems import engine_problem
from panel_harness import Panel


def test_problems_on_the_processor_do_not_blame_the_graphics_card() -> None:
    for code in ("out-of-memory", "engine-lost", "load-failed"):
        error = {"code": code, "message": "details"}
        on_cpu, on_gpu = engine_problem(error, "unavailable", "wllama"), engine_problem(error, "unavailable", "webllm")
        assert on_cpu and on_gpu
        assert on_cpu["detail"] != on_gpu["detail"]
        assert "graphics card ran" not in on_cpu["title"] and "graphics card stopped" not in on_cpu["title"]
        assert (on_cpu["technical"], on_cpu["action"]) == ("details", on_gpu["action"])


async def test_the_panel_is_told_what_the_model_runs_on(panel: Panel) -> None:
    engine = {"state": "ready", "model": None, "models": [], "progress": None, "text": "", "error": None}
    for name in ("webllm", "wllama"):
        panel.app.receive({"type": "from-engine", "message": {"type": "state", "engine": {**engine, "engine": name}}})
    shown = [event["engine"]["engine"] for event in panel.events if event["type"] == "engine"]
    assert shown[-2:] == ["webllm", "wllama"]


class LoadingPanel(Panel):
    """A panel whose engine holds token counts back, as it does until a model is loaded."""

    loaded = False

    def finish_loading(self) -> None:
        """From now on the engine answers."""
        self.loaded = True
        self.connect()

    def _serve(self, request: dict[str, Any]) -> None:
        if self.loaded or request["type"] != "count":
            super()._serve(request)


def sent(panel: Panel, kind: str) -> list[dict[str, Any]]:
    """What was posted to the engine so far, of one kind."""
    posted = [event["message"] for event in panel.events if event["type"] == "to-engine"]
    return [message for message in posted if message["type"] == kind]


def notes(panel: Panel) -> list[str]:
    """Notes of the last answer."""
    return panel.answers()[-1].get("notes", [])


async def test_an_answer_goes_on_when_the_engine_comes_back(panel: Panel) -> None:
    panel.answer = lambda _request: ["Half, ", "..."]
    panel.send(type="prompt", id="q1", text="Go")
    await panel.until(lambda: panel.answers() and panel.answers()[0]["text"])
    panel.lose_engine()
    panel.answer = lambda _request: ["whole."]
    panel.connect()
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("Half, whole.", "done")
    assert panel.requests[1]["messages"][-1] == {"role": "assistant", "content": "Half, "}
    assert len(notes(panel)) == 1


async def test_a_stopped_answer_does_not_go_on_when_the_engine_goes(panel: Panel) -> None:
    panel.answer = lambda _request: ["Half, ", "..."]
    panel.send(type="prompt", id="q1", text="Go")
    await panel.until(lambda: panel.answers() and panel.answers()[0]["text"])
    panel.send(type="stop")
    panel.lose_engine()  # before it could say that it had stopped
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("Half, ", "stopped")
    assert notes(panel) == []
    panel.connect()
    assert len(panel.requests) == 1


COUNTED = "Early " * 60  # long enough that it might not fit


async def test_stop_ends_a_turn_that_waits_for_a_model() -> None:
    panel = LoadingPanel()
    panel.connect("loading")
    panel.send(type="prompt", id="q1", text=COUNTED)
    await panel.until(lambda: sent(panel, "count"))
    panel.send(type="stop")
    assert (await panel.settled())["state"] == "stopped"
    panel.finish_loading()
    panel.send(type="prompt", id="q2", text="Late")
    assert (await panel.settled(2))["text"] == "All is well."
    await panel.close()


async def test_stop_while_the_engine_is_gone(panel: Panel) -> None:
    panel.answer = lambda _request: ["Half, ", "..."]
    panel.send(type="prompt", id="q1", text="Go")
    await panel.until(lambda: panel.answers() and panel.answers()[0]["text"])
    panel.lose_engine()
    await panel.until(lambda: notes(panel))
    panel.send(type="stop")
    answer = await panel.settled()
    assert (answer["text"], answer["state"]) == ("Half, ", "stopped")
    panel.connect()
    assert len(panel.requests) == 1


async def test_a_count_is_asked_again_when_the_engine_goes() -> None:
    panel = LoadingPanel()
    panel.connect("loading")
    panel.send(type="prompt", id="q1", text=COUNTED)
    await panel.until(lambda: sent(panel, "count"))
    panel.lose_engine()
    panel.finish_loading()
    assert (await panel.settled())["text"] == "All is well."
    await panel.close()
