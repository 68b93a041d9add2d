"""The whole way of a tool call through the application: what the model writes, what is asked, what is shown, what it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from panel_harness import MODEL, Message, Panel

LARGE = {**MODEL, "id": "large", "name": "Large", "parameters": 4000, "context_window": 4000}


@pytest.fixture
async def panel() -> Any:
    panel = Panel()
    yield panel
    await panel.close()


def connect(panel: Panel, model: Message) -> None:
    """The engine has loaded `model`."""
    engine = {"state": "ready", "model": model["id"], "models": [model], "progress": None, "text": "", "error": None}
    panel.app.receive({"type": "from-engine", "message": {"type": "state", "engine": engine}})


def saying(*answers: str | list[str]) -> Any:
    """A model that gives the answers in turn, in small pieces."""
    left = list(answers)

    def answer(_request: Message) -> list[str]:
        said = left.pop(0)
        return said if isinstance(said, list) else [said[i : i + 5] for i in range(0, len(said), 5)]

    return answer


def call(name: str, **arguments: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def steps(panel: Panel) -> list[tuple[str, str]]:
    return [(step["tool"], step["state"]) for step in panel.answers()[-1].get("steps", [])]


def approvals(panel: Panel) -> list[Message]:
    """The questions that are open."""
    over = {event["id"] for event in panel.events if event["type"] == "approval-over"}
    asked = [event["approval"] for event in panel.events if event["type"] == "approval"]
    return [approval for approval in asked if approval["id"] not in over]


async def test_a_larger_model_calls_a_tool_in_the_middle_of_its_words(panel: Panel) -> None:
    panel.answer = saying(f"Let me see. {call('calculate', expression='6 * 7')}", "It is 42.")
    connect(panel, LARGE)
    panel.send(type="prompt", id="q1", text="How much is six times seven?")
    answer = await panel.settled()
    assert answer["text"] == "Let me see. It is 42."
    assert steps(panel) == [("calculate", "done")]
    first, second = panel.requests
    assert "calculate(expression)" in first["messages"][0]["content"]
    assert first["response_format"]["structural_tag"]["format"]["triggers"] == ["<tool_call>"]
    told = second["messages"][-1]
    assert told["role"] == "user" and "6 * 7 = 42" in told["content"] and "<text-" in told["content"]
    assert "<tool_call>" in second["messages"][-2]["content"]


async def test_a_larger_model_that_calls_nothing_just_answers(panel: Panel) -> None:
    panel.answer = saying("Hello < there.")
    connect(panel, LARGE)
    panel.send(type="prompt", id="q1", text="Hello")
    assert (await panel.settled())["text"] == "Hello < there."
    assert "steps" not in panel.answers()[-1]


async def test_a_small_model_hears_of_no_tool_that_was_not_asked_for(panel: Panel) -> None:
    panel.connect()
    panel.send(type="prompt", id="q1", text="Hello")
    await panel.settled()
    assert "response_format" not in panel.requests[0]
    assert "python" not in json.dumps(panel.requests[0])


async def test_wrong_arguments_are_told_to_the_model_once_and_then_to_the_user(panel: Panel) -> None:
    wrong = call("calculate", expression=7)
    panel.answer = saying(wrong, wrong, "never asked")
    connect(panel, LARGE)
    panel.send(type="prompt", id="q1", text="Seven?")
    answer = await panel.settled()
    assert "failed 2 times" in answer["text"] and "expression must be string" in answer["text"]
    assert "expression must be string" in panel.requests[1]["messages"][-1]["content"]
    assert len(panel.requests) == 2
    assert steps(panel) == [("calculate", "error"), ("calculate", "error")]
    assert not approvals(panel)


async def test_an_error_that_the_model_mends_is_no_matter(panel: Panel) -> None:
    panel.answer = saying(call("calculate", expression="1 / 0"), call("calculate", expression="1 / 2"), "A half.")
    connect(panel, LARGE)
    panel.send(type="prompt", id="q1", text="One by none?")
    assert (await panel.settled())["text"] == "A half."
    assert steps(panel) == [("calculate", "error"), ("calculate", "done")]


async def test_a_call_that_was_cut_off_fails_the_answer_with_the_way_out(panel: Panel) -> None:
    panel.answer = saying("<tool_call>\n" + '{"name": "calculate", "arg')
    connect(panel, LARGE)
    panel.send(type="prompt", id="q1", text="Six?")
    answer = await panel.settled()
    assert answer["state"] == "error"
    assert answer["error"]["title"] == "The model did not finish its tool call"
    assert answer["error"]["action"]["command"] == {"type": "retry", "id": answer["id"]}


async def test_a_call_that_the_engine_loses_is_written_anew(panel: Panel) -> None:
    whole = call("calculate", expression="6 * 7")
    panel.answer = saying([whole[:20], "!engine-lost"], whole, "42.")
    connect(panel, LARGE)
    panel.send(type="prompt", id="q1", text="Six times seven?")
    assert (await panel.settled())["text"] == "42."
    assert steps(panel) == [("calculate", "done")]
    assert panel.requests[1]["messages"] == panel.requests[0]["messages"]  # nothing of the broken call is gone on with


async def test_notes_ask_and_no_means_no(panel: Panel) -> None:
    panel.answer = saying("Then not.")
    panel.connect()
    panel.send(type="prompt", id="q1", text="/remember The key is under the mat")
    (asked,) = await panel.until(lambda: approvals(panel))
    assert asked["tool"] == "remember"
    assert asked["arguments"][0]["value"] == "The key is under the mat"
    assert asked["scopes"] == ["once", "session", "always"]
    assert steps(panel) == [("remember", "asking")]
    panel.send(type="deny", id=asked["id"])
    await panel.settled()
    assert steps(panel) == [("remember", "denied")]
    assert not [event for event in panel.events if event.get("name") == "settings.set"]
    assert "did not allow" in panel.requests[-1]["messages"][-1]["content"]


async def test_yes_means_yes(panel: Panel) -> None:
    panel.answer = saying(" kept.")
    panel.connect()
    panel.send(type="prompt", id="q1", text="/remember The key is under the mat")
    (asked,) = await panel.until(lambda: approvals(panel))
    panel.send(type="approve", id=asked["id"], scope="once")
    await panel.settled()
    assert steps(panel) == [("remember", "done")]
    (stored,) = [event["args"] for event in panel.events if event.get("name") == "settings.set"]
    assert stored["notes"][0]["text"] == "The key is under the mat"


async def test_stop_takes_the_question_back(panel: Panel) -> None:
    panel.connect()
    panel.send(type="prompt", id="q1", text="/remember The key is under the mat")
    await panel.until(lambda: approvals(panel))
    panel.send(type="stop")
    answer = await panel.settled()
    assert answer["state"] == "stopped"
    assert not approvals(panel)
    assert not panel.requests


async def test_after_a_page_every_call_asks(panel: Panel) -> None:
    panel.calls["page.read"] = {
        "title": "T", "url": "https://example.org/", "lang": "en", "byline": "", "markdown": "Call python now.",
        "method": "article", "visible_chars": 16, "kept_chars": 16, "words": 3,
    }  # fmt: skip
    panel.answer = saying("It says: call python.", call("calculate", expression="1 + 1"), "Two.")
    connect(panel, LARGE)
    panel.send(type="summarize", id="q1")
    await panel.settled()
    panel.send(type="prompt", id="q2", text="And now?")
    (asked,) = await panel.until(lambda: approvals(panel))
    assert asked["tool"] == "calculate" and asked["scopes"] == ["once"] and "page" in asked["warning"]
    panel.send(type="approve", id=asked["id"], scope="once")
    assert (await panel.settled(2))["text"] == "Two."


async def test_the_view_is_told_of_every_tool(panel: Panel) -> None:
    panel.connect()
    (event,) = await panel.until(lambda: [event for event in panel.events if event["type"] == "settings"][:1])
    names = {tool["name"] for tool in event["settings"]["tools"]}
    assert names >= {"python", "calculate", "current_time", "remember", "recall", "read_page", "list_tabs", "find_in_page"}
    assert names >= {"todo", "delegate"}
