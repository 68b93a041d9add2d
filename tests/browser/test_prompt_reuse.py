"""Whatever the engine keeps in its cache of what it read and wrote: its answer is that of one that reads the whole prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from panel_driver import PanelDriver

Message = dict[str, str]

ASK = """
const [request, done] = arguments;
const port = chrome.runtime.connect({ name: "engine" });
let text = "";
port.onMessage.addListener((message) => {
    if (message.id !== "reuse") return;
    if (message.type === "delta") text += message.text;
    if (message.type === "done") { port.disconnect(); done({ ...message, text }); }
    if (message.type === "error") { port.disconnect(); done({ text: message.message, finish_reason: "error" }); }
});
port.postMessage({ type: "complete", id: "reuse", request });
"""
SYSTEM = {"role": "system", "content": "Be brief, be kind, and say what you know."}
QUESTION = {"role": "user", "content": "What is the capital of France?"}
TOKENS = 24


@dataclass
class Answer:
    """What came of a prompt."""

    text: str
    finish: str
    read: int  # tokens of the prompt
    kept: int  # of them, those that were in the cache

    def as_message(self) -> Message:
        """For the next prompt."""
        return {"role": "assistant", "content": self.text}


def ask(panel: PanelDriver, *messages: Message, **options: Any) -> Answer:
    request = {"messages": messages, "max_tokens": TOKENS, "temperature": 0, "repetition_penalty": 1.05, **options}
    said = panel.driver.execute_async_script(ASK, request)
    assert said["finish_reason"] in ("stop", "length"), said["text"]
    return Answer(said["text"], said["finish_reason"], said["usage"]["input_tokens"], said["usage"]["cache_read_tokens"])


def forget(panel: PanelDriver) -> None:
    """Leaves nothing of any prompt of these tests in the cache."""
    ask(panel, {"role": "system", "content": "Other"}, {"role": "user", "content": "Words"}, max_tokens=1)


def assert_as_fresh(panel: PanelDriver, *messages: Message, at_least: int, **options: Any) -> Answer:
    """The prompt is answered from what is in the cache, at least so many tokens, as it is by an engine that read nothing."""
    reused = ask(panel, *messages, **options)
    assert reused.kept >= at_least
    forget(panel)
    fresh = ask(panel, *messages, **options)
    assert fresh.kept < 6 <= at_least
    assert (reused.read, reused.text) == (fresh.read, fresh.text)
    return reused


@pytest.fixture
def first(tiny: PanelDriver) -> Answer:
    """The first answer of a conversation, cut short; it is in the cache."""
    tiny.to_panel()
    forget(tiny)
    answer = ask(tiny, SYSTEM, QUESTION)
    assert answer.finish == "length"
    return answer


FOLLOWING = {"role": "user", "content": "And of Italy?"}


def test_a_turn_after_an_answer_that_was_cut_short(tiny: PanelDriver, first: Answer) -> None:
    assert_as_fresh(tiny, SYSTEM, QUESTION, first.as_message(), FOLLOWING, at_least=first.read)


def test_a_turn_after_an_answer_that_ended_by_itself(tiny: PanelDriver, first: Answer) -> None:
    word = first.text.split()[3]
    ended = ask(tiny, SYSTEM, QUESTION, stop=[word])
    assert ended.finish == "stop" and first.text.startswith(ended.text)
    assert_as_fresh(tiny, SYSTEM, QUESTION, ended.as_message(), FOLLOWING, at_least=first.read)


def test_several_turns_read_only_what_is_new(tiny: PanelDriver, first: Answer) -> None:
    messages = [SYSTEM, QUESTION]
    answer = first
    for _ in range(4):
        before = answer.read
        messages += [answer.as_message(), FOLLOWING]
        answer = ask(tiny, *messages)
        assert answer.kept >= before  # all but the last answer and the new question
    forget(tiny)
    assert ask(tiny, *messages).text == answer.text


def test_the_same_question_once_more(tiny: PanelDriver, first: Answer) -> None:
    again = assert_as_fresh(tiny, SYSTEM, QUESTION, at_least=first.read - 1)
    assert again.text == first.text


def test_another_question_in_its_place(tiny: PanelDriver, first: Answer) -> None:
    assert_as_fresh(tiny, SYSTEM, {"role": "user", "content": "What is the capital of Spain?"}, at_least=first.read - 12)


def test_an_answer_that_is_gone_on_with(tiny: PanelDriver, first: Answer) -> None:
    begun = {"role": "assistant", "content": first.text}
    assert_as_fresh(tiny, SYSTEM, QUESTION, begun, at_least=first.read - 1)


def test_a_prompt_that_is_a_part_of_the_one_before(tiny: PanelDriver, first: Answer) -> None:
    ask(tiny, SYSTEM, QUESTION, first.as_message(), FOLLOWING)
    assert assert_as_fresh(tiny, SYSTEM, QUESTION, at_least=first.read - 1).text == first.text


def test_another_system_message_keeps_nothing(tiny: PanelDriver, first: Answer) -> None:
    other = ask(tiny, {"role": "system", "content": "Say no."}, QUESTION)
    assert other.kept < 6
    assert other.text != first.text


def test_a_prompt_that_does_not_fit_spoils_nothing(tiny: PanelDriver, first: Answer) -> None:
    long = {"role": "user", "content": "word " * 3000}
    refused = tiny.driver.execute_async_script(ASK, {"messages": [SYSTEM, long], "max_tokens": 1})
    assert refused["finish_reason"] == "error"
    assert_as_fresh(tiny, SYSTEM, QUESTION, first.as_message(), FOLLOWING, at_least=first.read)
