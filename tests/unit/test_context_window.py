"""The context manager: what is sent when a conversation outgrows the model, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser.modules.context_window import MESSAGE_OVERHEAD, ContextWindow
from amplifier_core import ContextLengthError, HookResult, ProviderInfo
from amplifier_core.testing import MockCoordinator

SYSTEM = "Be brief."


class Window:
    """A provider whose model takes `tokens` and answers with at most `reply`."""

    def __init__(self, tokens: int, reply: int) -> None:
        self.info = ProviderInfo(id="w", display_name="W", defaults={"context_window": tokens, "max_output_tokens": reply})

    def get_info(self) -> ProviderInfo:
        return self.info


async def count(texts: list[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def make() -> tuple[ContextWindow, list[tuple[str, dict[str, Any]]]]:
    coordinator = MockCoordinator()
    coordinator.register_capability("browser.count_tokens", count)
    told: list[tuple[str, dict[str, Any]]] = []

    async def tell(event: str, data: dict[str, Any]) -> HookResult:
        told.append((event, data))
        return HookResult(action="continue")

    for event in ("context:pre_compact", "context:compaction", "context:post_compact"):
        coordinator.hooks.register(event, tell, name="recorder")
    return ContextWindow(coordinator, {"system": SYSTEM}), told


async def fill(context: ContextWindow, turns: int, words: int = 10) -> None:
    for number in range(turns):
        await context.add_message({"role": "user", "content": f"q{number} " + "w " * (words - 1)})
        await context.add_message({"role": "assistant", "content": f"a{number} " + "w " * (words - 1)})


def starts(messages: list[dict[str, Any]]) -> list[str]:
    return [message["content"].split()[0] for message in messages]


async def test_everything_is_sent_while_it_fits() -> None:
    context, told = make()
    await fill(context, 3)
    sent = await context.get_messages_for_request(provider=Window(500, 100))
    assert starts(sent) == ["Be", "q0", "a0", "q1", "a1", "q2", "a2"]
    assert told == []


async def test_what_fits_in_any_case_is_not_counted() -> None:
    context, _ = make()
    await fill(context, 1)
    asked: list[str] = []

    async def watched(texts: list[str]) -> list[int]:
        asked.extend(texts)
        return await count(texts)

    context._coordinator.register_capability("browser.count_tokens", watched)  # pyright: ignore[reportPrivateUsage]
    messages = await context.get_messages()
    most = sum(len(message["content"]) + MESSAGE_OVERHEAD for message in [*messages, {"content": SYSTEM}])
    assert len(await context.get_messages_for_request(token_budget=most)) == 3
    assert asked == []
    assert len(await context.get_messages_for_request(token_budget=most - 1)) == 3
    assert sorted(asked) == sorted([SYSTEM, *(message["content"] for message in messages)])


async def test_whole_turns_are_dropped_from_the_start_and_told() -> None:
    context, told = make()
    await fill(context, 6)
    turn = 2 * (10 + MESSAGE_OVERHEAD)
    sent = await context.get_messages_for_request(token_budget=4 * turn)
    assert starts(sent)[0] == "Be"
    assert sent[1]["role"] == "user"
    assert starts(sent)[-1] == "a5"
    dropped = next(data for event, data in told if event == "context:compaction")
    assert dropped["dropped_messages"] + dropped["kept_messages"] == 12
    assert dropped["dropped_messages"] == 12 - (len(sent) - 1)
    assert len(await context.get_messages()) == 12  # nothing is forgotten


async def test_dropping_leaves_room_so_that_the_next_turns_reuse_the_cache() -> None:
    context, told = make()
    await fill(context, 6)
    turn = 2 * (10 + MESSAGE_OVERHEAD)
    first = await context.get_messages_for_request(token_budget=4 * turn)
    await fill(context, 1)
    second = await context.get_messages_for_request(token_budget=4 * turn)
    assert second[: len(first)] == first
    assert len([event for event, _ in told if event == "context:compaction"]) == 1


async def test_a_latest_turn_too_long_is_an_error_that_says_how_long() -> None:
    context, _ = make()
    await fill(context, 2)
    await context.add_message({"role": "user", "content": "w " * 300})
    with pytest.raises(ContextLengthError, match="308 tokens"):
        await context.get_messages_for_request(token_budget=200)


async def test_the_budget_is_the_models_window_less_its_answer() -> None:
    context, _ = make()
    await context.add_message({"role": "user", "content": "w " * 80})
    await context.get_messages_for_request(provider=Window(150, 50))  # 100 for messages
    with pytest.raises(ContextLengthError):
        await context.get_messages_for_request(provider=Window(150, 80))


async def test_without_a_tokenizer_the_estimate_is_cautious() -> None:
    context = ContextWindow(MockCoordinator(), {})
    await context.add_message({"role": "user", "content": "word " * 100})
    with pytest.raises(ContextLengthError, match=r"\d{3} tokens"):
        await context.get_messages_for_request(token_budget=150)
