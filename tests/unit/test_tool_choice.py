"""Which tools a request offers: small models must call what the user's words ask for, larger ones choose themselves."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser.asking import asks_for_summary
from amplifier_browser.loader import BUNDLED
from amplifier_browser.tool_choice import Offer, Round, asked_for, is_small, offer
from amplifier_core.testing import MockCoordinator

FORCED_PYTHON = Offer(tools=("python",), choice={"type": "function", "function": {"name": "python"}})


@pytest.fixture
async def tools() -> dict[str, Any]:
    """Every tool that ships, in the order of the mount plan."""
    import importlib

    from amplifier_browser.sessions import TOOLS

    coordinator = MockCoordinator()
    for name in TOOLS:
        await importlib.import_module(BUNDLED[name]).mount(coordinator, {})
    return coordinator.mount_points["tools"]


@pytest.mark.parametrize(
    ("message", "tool", "arguments"),
    [
        ("Use python to compute the 20th Fibonacci number", "python", None),
        ("/python 2 ** 10", "python", {"code": "2 ** 10"}),
        ("/python print('a')\nprint('b')", "python", {"code": "print('a')\nprint('b')"}),
        ("/python add the primes below 100", "python", None),
        ("/python fibonacci", "python", None),
        ("What is 17.5% of 2340?", "calculate", {"expression": "17.5% of 2340"}),
        ("/calculate 3 * (4 + 5)", "calculate", {"expression": "3 * (4 + 5)"}),
        ("What time is it?", "current_time", {}),
        ("Remember that the dentist is on Friday", "remember", None),
        ("/remember the dentist is on Friday", "remember", {"text": "the dentist is on Friday"}),
        ("Read this page", "read_page", {}),
        ("Which tabs are open?", "list_tabs", {}),
        ("/delegate find three rhymes for moon", "delegate", {"task": "find three rhymes for moon"}),
    ],
)
async def test_words_that_ask_for_a_tool(tools: dict[str, Any], message: str, tool: str, arguments: Any) -> None:
    found = asked_for(message, tools)
    assert found is not None and found[0] == tool
    if arguments is not None:
        assert found[1] == arguments
    if tool == "python" and arguments is None:
        assert found[1] is None  # the model writes it


@pytest.mark.parametrize(
    "message",
    [
        "What is the capital of France?",
        "How do lists work in Python?",
        "I am afraid of pythons.",
        "Which snake is larger, a python or a boa?",
        "Who wrote Remembrance of Things Past?",
        "What did people do before they could tell the time?",
        "Explain photosynthesis in one sentence.",
        "/nosuchtool x",
        "Hello!",
        "",
    ],
)
async def test_words_that_ask_for_none(tools: dict[str, Any], message: str) -> None:
    assert asked_for(message, tools) is None
    assert offer(message, tools, [], small=True) == Offer(tools=())
    assert offer(message, tools, [], small=False) == Offer(choice="auto")


async def test_a_small_model_must_call_what_was_asked_for_and_then_answer(tools: dict[str, Any]) -> None:
    ask = "Use python to add 1 and 1"
    assert offer(ask, tools, [], small=True) == FORCED_PYTHON
    assert offer(ask, tools, [Round("python", is_ok=True)], small=True) == Offer(tools=(), answer_prefix="The result is")


async def test_a_small_model_may_mend_its_call_once_it_failed_but_not_what_the_user_denied(tools: dict[str, Any]) -> None:
    ask = "Use python to add 1 and 1"
    assert offer(ask, tools, [Round("python", is_ok=False)], small=True) == FORCED_PYTHON
    assert offer(ask, tools, [Round("python", is_ok=False, is_final=True)], small=True) == Offer(tools=())


async def test_what_the_user_spelled_out_is_called_without_the_model(tools: dict[str, Any]) -> None:
    for small in (True, False):
        assert offer("/calculate 1 + 1", tools, [], small).call == ("calculate", {"expression": "1 + 1"})


async def test_a_larger_model_chooses_unless_a_command_names_the_tool(tools: dict[str, Any]) -> None:
    assert offer("Use python to add 1 and 1", tools, [], small=False) == Offer(choice="auto")
    assert offer("/python add one and one", tools, [], small=False) == FORCED_PYTHON
    assert offer("/python add one and one", tools, [Round("python", is_ok=True)], small=False) == Offer(choice="auto")
    assert offer("Hello", {}, [], small=False) == Offer(choice=None)


@pytest.mark.parametrize(
    ("model", "small"), [(None, True), ({}, True), ({"parameters": 135}, True), ({"parameters": 1500}, False)]
)
def test_sizes(model: Any, small: bool) -> None:
    assert is_small(model) is small


@pytest.mark.parametrize(
    ("message", "is_summary"),
    [
        ("Summarize this page", True),
        ("Please summarise the article.", True),
        ("Sum up this page", True),
        ("Summarize the theory of relativity", False),
        ("Summarize this page in French and then translate it", False),
    ],
)
def test_the_typed_wish_for_a_summary_is_the_buttons(message: str, is_summary: bool) -> None:
    assert asks_for_summary(message) is is_summary


async def test_a_text_that_was_pasted_asks_for_nothing(tools: dict[str, Any]) -> None:
    assert asked_for("Use python to add. " + "word " * 1000, tools) is None
