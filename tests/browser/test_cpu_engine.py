"""The engine for machines without a graphics card: llama.cpp in wasm, with the same weights and the same messages as WebLLM's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from build_tools.environment import find_browser
from build_tools.paths import DIST, TEST_EXTENSION
from panel_driver import PanelDriver
from starter_model.chat_config import SYSTEM_MESSAGE

Message = dict[str, Any]

# An engine's Worker in a page of the extension, without supervisor and panel.
HARNESS = """
const done = arguments[0];
const workers = {};
let next = 1;

const begin = async (engine, model) => {
  const { models } = await (await fetch("/models/index.json")).json();
  const worker = workers[engine] = new Worker(`/background/engines/${engine}.js`, { type: "module" });
  const send = { type: "load", model: models.find(({ id }) => id === model) };
  const end = await until(worker, "loaded", "load-failed", "lost", { send });
  if (end.at(-1).type !== "loaded") throw new Error(JSON.stringify(end.at(-1)));
  return end;
};

// Sends a message, and collects all that comes up to one of some types; `stopAfter` has it aborted after so many of a type.
const until = (worker, ...wanted) => {
  const { send, stopAfter } = wanted.pop();
  return new Promise((resolve, reject) => {
    const got = [];
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }) => {
      if (data.alive) return; // background/worker-life.js
      got.push(data);
      const [type, count] = stopAfter ?? [];
      const isEnough = data.type === type && got.filter((each) => each.type === type).length === count;
      if (isEnough) worker.postMessage({ type: "abort", key: send.key });
      if (wanted.includes(data.type)) resolve(got);
    };
    worker.postMessage(send);
  });
};

window.engines = {
  begin,
  end: async (engine) => workers[engine].terminate(),
  count: (engine, texts) => until(workers[engine], "counted", { send: { type: "count", key: next++, texts } }),
  complete: (engine, request, stopAfter) =>
    until(workers[engine], "done", "error", "lost", { send: { type: "complete", key: next++, request }, stopAfter }),
};
done();
"""
CALL = """
const [name, args, done] = arguments;
window.engines[name](...args).then((value) => done({ value }), (error) => done({ error: String(error) }));
"""
FRANCE = [{"role": "user", "content": "What is the capital of France?"}]
TEXTS = [
    "Hello world",
    "",
    "  two  spaces\n\n\tand tabs 12345 3.14",
    "Ünïcödé, 中文, العربية and 😀👩‍👩‍👧",
    "<|im_start|>user\nSpecial<|im_end|>\n",
    "def f(x):\n    return x ** 2  # it's don't we'll",
    "word " * 700,
]


class Answer:
    """What an engine said to one request."""

    def __init__(self, said: list[Message]) -> None:
        self.said = said
        self.end = said[-1]
        self.text = "".join(message["text"] for message in said if message["type"] == "delta")
        self.prefill = [(message["done"], message["total"]) for message in said if message["type"] == "prefill"]

    @property
    def usage(self) -> Message:
        """Of an answer that came to its end."""
        assert self.end["type"] == "done", self.end
        return self.end["usage"]


class Engines:
    """Engine Workers in a page of the extension."""

    def __init__(self, browser: PanelDriver) -> None:
        self._driver = browser.driver
        browser.open(browser.url("manifest.json"))
        self._driver.execute_async_script(HARNESS)

    def _call(self, name: str, *args: object) -> Any:
        outcome = self._driver.execute_async_script(CALL, name, args)
        assert "error" not in outcome, outcome["error"]
        return outcome["value"]

    def begin(self, engine: str, model: str) -> list[Message]:
        """Starts an engine with a model; what it said meanwhile."""
        return self._call("begin", engine, model)

    def end(self, engine: str) -> None:
        """Ends an engine."""
        self._call("end", engine)

    def count(self, engine: str, texts: list[str]) -> list[int]:
        """Tokens of each text."""
        return self._call("count", engine, texts)[-1]["counts"]

    def complete(self, messages: list[dict[str, str]], stop_after: tuple[str, int] | None = None, **options: Any) -> Answer:
        """Asks the CPU engine; `stop_after` aborts after so many messages of a type."""
        request = {"messages": messages, "temperature": 0, **options}
        return Answer(self._call("complete", "wllama", request, stop_after))


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    """A browser with WebGPU, for the comparison; the CPU engine makes no use of it."""
    with PanelDriver(TEST_EXTENSION, find_browser()) as browser:
        browser.driver.set_script_timeout(300)
        yield Engines(browser)


@pytest.fixture(scope="module")
def starter_model(engines: Engines) -> Iterator[Engines]:
    """The CPU engine with the starter model."""
    engines.begin("wllama", "starter")
    yield engines
    engines.end("wllama")


@pytest.fixture(scope="module")
def tiny_model(engines: Engines) -> Iterator[Engines]:
    """The CPU engine with the tiny model, which is fast."""
    said = engines.begin("wllama", "tiny")
    shares = [message["progress"] for message in said if message["type"] == "progress"]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] > 0.5
    yield engines
    engines.end("wllama")


# -- what the words mean: the starter model


def user(text: str) -> dict[str, str]:
    """A message of the user."""
    return {"role": "user", "content": text}


def structural(format_: Message) -> Message:
    """A response_format as Python sends it."""
    return {"type": "structural_tag", "structural_tag": {"type": "structural_tag", "format": format_}}


def test_it_knows_the_capital_of_france_and_reuses_the_cache_for_the_next_turn(starter_model: Engines) -> None:
    first = starter_model.complete(FRANCE, max_tokens=30)
    assert first.text == "The capital of France is Paris."  # as on the graphics card
    assert first.end["finish_reason"] == "stop"
    prompt = (
        f"<|im_start|>system\n{SYSTEM_MESSAGE}<|im_end|>\n<|im_start|>user\n{FRANCE[0]['content']}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert first.usage["input_tokens"] == starter_model.count("wllama", [prompt])[0]
    assert first.usage["output_tokens"] == starter_model.count("wllama", [first.text])[0] + 1
    assert first.usage["prefill_seconds"] > 0 and first.usage["decode_seconds"] > 0

    history = [*FRANCE, {"role": "assistant", "content": first.text}, user("Which country is that city in?")]
    second = starter_model.complete(history, max_tokens=30)
    assert "France" in second.text
    assert second.usage["cache_read_tokens"] >= first.usage["input_tokens"]
    assert second.prefill[-1] == (second.usage["input_tokens"] - second.usage["cache_read_tokens"],) * 2


def test_it_goes_on_with_an_unfinished_answer(starter_model: Engines) -> None:
    answer = starter_model.complete([*FRANCE, {"role": "assistant", "content": "The capital of France is"}], max_tokens=8)
    assert answer.text.strip().startswith("Paris")


def test_it_writes_json_by_a_schema(starter_model: Engines) -> None:
    properties = {"city": {"type": "string", "maxLength": 12}, "is_capital": {"type": "boolean"}}
    schema = {"type": "object", "properties": properties, "required": ["city", "is_capital"]}
    content = {"type": "json_schema", "json_schema": schema}
    wanted = structural({"type": "tag", "begin": "```json\n", "content": content, "end": "\n```"})
    answer = starter_model.complete([user("Name the capital of Italy.")], max_tokens=80, response_format=wanted)
    assert answer.text.startswith("```json\n") and answer.text.endswith("\n```")
    written = json.loads(answer.text[8:-4])
    assert list(written) == ["city", "is_capital"] and isinstance(written["is_capital"], bool)
    assert answer.end["finish_reason"] == "stop"


# -- how it behaves: the tiny model, whose words are random


def test_its_counts_are_those_of_webllm(tiny_model: Engines) -> None:
    tiny_model.begin("webllm", "tiny")
    expected = tiny_model.count("webllm", TEXTS)
    tiny_model.end("webllm")
    assert tiny_model.count("wllama", TEXTS) == expected
    assert expected[1] == 0 and expected[-1] > 700


def test_the_same_seed_says_the_same_and_another_does_not(tiny_model: Engines) -> None:
    def sample(seed: int) -> str:
        return tiny_model.complete([user("Hi")], temperature=1, top_p=1, seed=seed, max_tokens=12).text

    assert sample(1) == sample(1) != sample(2)


def test_it_ends_where_it_is_told_to(tiny_model: Engines) -> None:
    whole = tiny_model.complete([user("Hi")], max_tokens=12)
    assert whole.end["finish_reason"] == "length" and whole.usage["output_tokens"] == 12
    middle = whole.text[4:7]
    cut = tiny_model.complete([user("Hi")], max_tokens=12, stop=[middle])
    assert cut.text == whole.text[: whole.text.index(middle)]
    assert cut.end["finish_reason"] == "stop"


def test_a_repetition_penalty_makes_a_difference(tiny_model: Engines) -> None:
    plain = tiny_model.complete([user("Hi")], max_tokens=20)
    assert tiny_model.complete([user("Hi")], max_tokens=20, repetition_penalty=1.5).text != plain.text


def test_stop_while_it_reads(tiny_model: Engines) -> None:
    answer = tiny_model.complete([user("other " * 1500)], stop_after=("prefill", 3), max_tokens=5)
    assert (answer.end["type"], answer.end["finish_reason"]) == ("done", "abort")
    assert answer.text == ""
    read, total = answer.prefill[-1]
    assert total > 1500 and read < total / 4
    assert_answers(tiny_model)


def test_stop_while_it_writes(tiny_model: Engines) -> None:
    answer = tiny_model.complete([user("Hello")], stop_after=("delta", 3), max_tokens=1500)
    assert (answer.end["type"], answer.end["finish_reason"]) == ("done", "abort")
    assert answer.text
    assert_answers(tiny_model)


def assert_answers(engines: Engines) -> None:
    """Another question is answered."""
    assert engines.complete([user("Hi")], max_tokens=3).usage["output_tokens"] == 3


def test_what_is_too_long_is_refused(tiny_model: Engines) -> None:
    answer = tiny_model.complete([user("word " * 2500)], max_tokens=5)
    assert answer.end["type"] == "error" and answer.end["code"] == "context-length"
    assert "the model takes 2048" in answer.end["message"]
    assert_answers(tiny_model)


def test_an_answer_ends_with_the_context(tiny_model: Engines) -> None:
    answer = tiny_model.complete([user("word " * 1990)], temperature=1, max_tokens=500)
    assert answer.end["finish_reason"] == "length"
    assert answer.usage["input_tokens"] + answer.usage["output_tokens"] <= 2048


def test_a_format_that_it_cannot_write_is_refused(tiny_model: Engines) -> None:
    answer = tiny_model.complete([user("Hi")], max_tokens=5, response_format=structural({"type": "regex", "pattern": "a+"}))
    assert (answer.end["type"], answer.end["code"]) == ("error", "bad-request")
    assert_answers(tiny_model)


def test_even_random_words_are_a_call_where_one_must_be(tiny_model: Engines) -> None:
    schema = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}, "n": {"type": "integer"}}}
    content = {"type": "json_schema", "json_schema": {**schema, "required": ["city", "n"]}}
    begin = '<tool_call>\n{"name": "look", "arguments": '
    tag = {"type": "tag", "begin": begin, "content": content, "end": "}\n</tool_call>"}
    wanted = {"type": "triggered_tags", "triggers": ["<tool_call>"], "tags": [tag], "stop_after_first": True}
    for seed in range(3):
        options = {"temperature": 1, "seed": seed, "max_tokens": 200}
        answer = tiny_model.complete([user("Hi")], **options, response_format=structural({**wanted, "at_least_one": True}))
        assert answer.text.startswith(begin)
        call = json.loads(answer.text.removeprefix("<tool_call>").removesuffix("</tool_call>"))
        assert call["arguments"]["city"] in ("Paris", "Rome") and isinstance(call["arguments"]["n"], int)
    free = tiny_model.complete([user("Hi")], max_tokens=10, response_format=structural(wanted))
    assert free.text == tiny_model.complete([user("Hi")], max_tokens=10).text


# -- the panel


def test_without_an_adapter_the_panel_answers_and_summarizes_on_the_cpu_and_says_so(pages: str) -> None:
    with PanelDriver(DIST, find_browser(), webgpu=False) as panel:
        panel.watch_all()
        panel.start(f"{pages}/short-article.html")
        assert "on the CPU" in panel.find("engine-status").text
        assert panel.find_all("error") == []
        panel.ask("What is the capital of France?")
        assert panel.wait_answer(timeout=180) == "done"
        assert "Paris" in panel.answer_text()
        panel.picture("on-the-cpu")
        panel.new_session()
        panel.click("summarize-tab")
        assert panel.wait_answer(timeout=240) == "done"
        assert "owl" in panel.answer_text().lower()
        [read], [all_words] = panel.attributes("value", "coverage"), panel.attributes("max", "coverage")
        assert read == all_words != "0"
        assert "read all" in panel.find("source").text
        assert panel.find_all("citation")
        panel.picture("summary-on-the-cpu")
        assert panel.watch
        seen = panel.watch.seen
        assert any("background/engines/wllama.js" in context for context in seen.contexts)
        assert seen.outside(panel.url(""), pages) == []
        favicon = f"{pages}/favicon.ico"  # the test's own server has none
        assert [problem for problem in seen.problems if favicon not in problem[1]] == []
