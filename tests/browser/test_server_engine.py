"""A server of the user's own as the engine: a real one, llama.cpp's, with the starter model, and a stand-in for its faults."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from build_tools.environment import find_browser
from build_tools.paths import BUILD, DIST
from llama_server import CONTEXT, LlamaServer
from panel_driver import PanelDriver
from selenium.webdriver.common.keys import Keys
from stand_in_server import Reply, StandIn, events

Message = dict[str, Any]

LONG = "Tell me a long story about a ship in a storm, with many details."
STATE = """
const done = arguments[0];
const port = chrome.runtime.connect({name: "engine"});
port.onMessage.addListener((message) => { if (message.type === "state") { port.disconnect(); done(message.engine); } });
"""
# The engine's Worker by itself, in a page of the extension: what it says to one message after another.
TELL = """
const [messages, done] = arguments;
const worker = new Worker("/background/engines/server.js", { type: "module" });
const ENDS = ["loaded", "load-failed", "done", "error", "lost", "counted", "looked"];
const said = [];
worker.onerror = (event) => done([{ type: "failed", message: event.message }]);
worker.onmessage = ({ data }) => {
  if (data.alive) return;
  said.push(data);
  if (!ENDS.includes(data.type)) return;
  if (messages.length) return worker.postMessage(messages.shift());
  worker.terminate();
  done(said);
};
worker.postMessage(messages.shift());
"""


@pytest.fixture(scope="module")
def extension() -> Path:
    """The package as it ships, but that Chrome has granted what it would ask for: no test can answer its question."""
    out = BUILD / f"extension-server{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(DIST, out, copy_function=os.link)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["host_permissions"] = manifest.pop("optional_host_permissions")
    (out / "manifest.json").unlink()
    (out / "manifest.json").write_text(json.dumps(manifest))
    return out


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    """A server that runs."""
    found = LlamaServer()
    found.start()
    yield found
    found.kill()


@pytest.fixture(scope="module")
def browser(extension: Path, server: LlamaServer, pages: str) -> Iterator[PanelDriver]:
    """A browser whose panel has been connected to the server, and uses its model."""
    with PanelDriver(extension, find_browser()) as driver:
        driver.watch_all()
        driver.start(f"{pages}/short-article.html")
        connect(driver, server.host)
        use_model(driver, server.host)
        yield driver


@pytest.fixture
def panel(browser: PanelDriver, server: LlamaServer) -> PanelDriver:
    """A new conversation with the server's model."""
    browser.to_panel()
    if browser.is_settings_open():
        browser.close_settings()
    if model_id(server.host) != picked(browser):
        browser.choose_model(model_id(server.host))
    browser.wait_engine("ready")
    if browser.messages():
        browser.new_session()
    return browser


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    """A server that answers as it is told."""
    with StandIn() as found:
        yield found


@pytest.fixture(scope="module")
def engine(extension: Path) -> Iterator[Callable[..., list[Message]]]:
    """The engine's Worker without supervisor and panel: takes messages, returns what it said to all of them."""
    with PanelDriver(extension, find_browser()) as driver:
        driver.open(driver.url("manifest.json"))
        driver.driver.set_script_timeout(120)
        yield lambda *messages: driver.driver.execute_async_script(TELL, list(messages))


def model_id(host: str, name: str = "starter") -> str:
    """As python/amplifier_browser/models/servers.py makes it."""
    return f"http://{host}/v1#{name}"


def connect(panel: PanelDriver, host: str, key: str = "") -> None:
    """Connects a server in the settings; returns when it is in the list or something is wrong."""
    panel.open_settings("models")
    address = panel.wait(lambda: panel.find_all("server-address")[:1], 20, "the form is there")[0]
    address.clear()
    address.send_keys(host)
    if key:
        panel.find("server-key").send_keys(key)
    panel.wait(lambda: panel.find("server-connect").is_enabled(), 20, "the address is understood")
    panel.click("server-connect")
    panel.wait(lambda: panel.find("server-connect").text == "Connect", 30, "it has answered")


def use_model(panel: PanelDriver, host: str, name: str = "starter") -> None:
    """Chooses a server's model in the settings, and goes back."""
    use = f'[data-testid="server-model-use"][data-model="{model_id(host, name)}"]'
    panel.wait(lambda: panel.driver.find_elements("css selector", use), 20, "the model is listed")[0].click()
    panel.close_settings()
    panel.wait(lambda: picked(panel) == model_id(host, name), 20, "it is chosen")
    panel.wait_engine("ready")


def picked(panel: PanelDriver) -> str:
    """The id in the picker."""
    return panel.driver.execute_script("return document.querySelector('[data-testid=model-picker] option:checked').value")


def engine_state(panel: PanelDriver) -> Message:
    """What the engine tells everybody."""
    return panel.driver.execute_async_script(STATE)


def is_ready(panel: PanelDriver, model: str) -> bool:
    """Whether this very model is loaded; the head of the panel may still say so of the one before."""
    state = engine_state(panel)
    return state["model"] == model and state["state"] == "ready"


def leaves(panel: PanelDriver) -> str:
    """What the head of the panel says of where text goes."""
    return " ".join(" ".join(panel.texts("leaves")).split())


def sent_to(panel: PanelDriver) -> str:
    """What the foot of the last answer says of it."""
    return " ".join(
        " ".join(each.text for each in panel.answer().find_elements("css selector", '[data-testid="sent-to"]')).split()
    )


# -- the real server


def test_a_server_is_found_with_its_models_and_their_windows(panel: PanelDriver, server: LlamaServer) -> None:
    state = engine_state(panel)
    assert state["engine"] == "server" and state["model"] == model_id(server.host)
    model = next(each for each in state["models"] if each["id"] == state["model"])
    assert model["context_window"] == CONTEXT
    assert model["parameters"] == 135
    assert model["server"] == {"url": f"http://{server.host}/v1", "kind": "llama.cpp", "model": "starter"}
    panel.open_settings("models")
    item = panel.wait(lambda: panel.find_all("server")[:1], 20, "the server is listed")[0]
    assert "llama.cpp · 1 model" in item.text
    panel.click("server-check")
    panel.wait(lambda: "answers" in item.text, 20, "it was looked at again")
    assert f"{CONTEXT:,} tokens" in item.text
    panel.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", item)
    panel.picture_in_both("server-settings")


def test_it_answers_and_the_panel_says_that_text_leaves_the_browser(panel: PanelDriver, server: LlamaServer) -> None:
    assert leaves(panel) == f"Answered by {server.host}: text leaves this browser"
    panel.ask("What is the capital of France?")
    assert panel.wait_answer() == "done"
    assert panel.answer_text()
    assert sent_to(panel) == f"Answered by {server.host}: text left this browser"
    panel.click("usage-toggle", panel.answer())
    panel.wait(lambda: "tokens" in panel.answer().text.lower(), 10, "what it took is shown")
    panel.picture_in_both("server-answer")


def test_a_stopped_answer_is_gone_on_with(panel: PanelDriver) -> None:
    panel.ask(LONG)
    panel.wait_streaming(10)
    panel.type(Keys.ESCAPE)
    assert panel.wait_answer() == "stopped"
    begun = panel.answer_text()
    panel.click("continue")
    panel.wait(lambda: panel.is_busy() or len(panel.answer_text()) > len(begun), 20, "it goes on")
    panel.wait(lambda: len(panel.answer_text()) > len(begun), 60, "it goes on")
    assert panel.answer_text().startswith(begun[:20])
    panel.type(Keys.ESCAPE)
    panel.wait(lambda: not panel.is_busy(), 20, "it has ended")


def test_a_call_of_a_tool_is_written_in_its_form(panel: PanelDriver) -> None:
    """The starter model would not keep to it by itself: llama.cpp is held to a grammar."""
    panel.ask("Use python to multiply 6 by 7")
    panel.wait(lambda: panel.find_all("approval"), 120, "the panel asks")
    panel.deny()
    panel.wait(lambda: not panel.is_busy(), 120, "it has ended")
    assert panel.step("python").get_attribute("data-state") == "denied"


def test_the_session_goes_on_when_models_are_switched_in_the_middle_of_it(panel: PanelDriver, server: LlamaServer) -> None:
    panel.limit_answers("16")
    panel.ask("My name is Ada.")
    assert panel.wait_answer() == "done"
    assert sent_to(panel)
    panel.choose_model("starter")
    panel.wait(lambda: not leaves(panel), 30, "nothing leaves the browser")
    panel.wait_engine("ready")
    panel.ask("What is my name?")
    assert panel.wait_answer(2) == "done"
    assert sent_to(panel) == ""
    panel.choose_model(model_id(server.host))
    panel.wait(lambda: leaves(panel), 30, "the server answers")
    panel.wait_engine("ready")
    panel.ask("Say it again.")
    assert panel.wait_answer(3) == "done"
    assert sent_to(panel)
    panel.limit_answers("")


@pytest.mark.slow
@pytest.mark.fault("server killed in mid-answer, and started again", expected="the answer goes on by itself")
def test_an_answer_goes_on_when_the_server_is_back(panel: PanelDriver, server: LlamaServer, seen: Callable[[str], None]) -> None:
    panel.ask(LONG)
    panel.wait_streaming(10)
    begun = panel.answer_text()
    server.kill()
    panel.wait(lambda: panel.find("engine-status").get_attribute("data-state") in ("lost", "loading"), 20, "it is noticed")
    server.start()
    panel.wait(lambda: len(panel.answer_text()) > len(begun) + 20, 90, "the answer goes on")
    assert panel.answer_text().startswith(begun)
    seen(f"{len(begun)} characters before, {len(panel.answer_text())} after")
    panel.type(Keys.ESCAPE)
    panel.wait(lambda: not panel.is_busy(), 20, "it has ended")


@pytest.mark.slow
@pytest.mark.fault("server killed for good", expected="said so, with the next step; asked again once it runs")
def test_a_server_that_stays_away_is_named_and_found_again(
    panel: PanelDriver, server: LlamaServer, seen: Callable[[str], None]
) -> None:
    server.kill()
    panel.ask("What is the capital of France?")
    panel.wait_engine("unavailable", 60)
    assert panel.wait_answer() == "error"
    problem = panel.error()
    assert f"{server.host} does not answer" in " ".join(panel.texts("error"))
    panel.picture_in_both("server-gone")
    server.start()
    panel.click("error-action", panel.answer())  # of the question: the engine looks for the server by itself
    panel.wait(lambda: panel.answer_state() == "done", 90, "it is answered")
    seen(problem.splitlines()[0])


def test_a_key_is_asked_for_kept_and_never_told(panel: PanelDriver, server: LlamaServer) -> None:
    locked = LlamaServer(key="open-sesame")
    locked.start()
    try:
        connect(panel, locked.host)
        problem = panel.wait(
            lambda: panel.find("servers").find_elements("css selector", '[data-testid="error"]'), 20, "it says why"
        )
        assert f"{locked.host} does not take this key" in problem[0].text
        connect(panel, locked.host, "open-sesame")
        use_model(panel, locked.host)
        panel.ask("What is the capital of France?")
        assert panel.wait_answer() == "done"
        assert "open-sesame" not in json.dumps(engine_state(panel))
        panel.open_settings("models")
        item = f'[data-testid="server"][data-id="http://{locked.host}/v1"]'
        found = panel.wait(lambda: panel.driver.find_elements("css selector", item), 20, "it is listed")[0]
        assert "with a key" in found.text and "open-sesame" not in panel.driver.page_source
        panel.click("server-remove", found)
        panel.click("server-remove-confirm")
        panel.wait(lambda: not panel.driver.find_elements("css selector", item), 20, "it is gone")
        assert "open-sesame" not in json.dumps(panel.stored("servers"))
        panel.close_settings()
        panel.wait(lambda: picked(panel) == "starter", 20, "Amplifier's own model is in use again")
        panel.wait_engine("ready")
    finally:
        locked.kill()


def test_a_chosen_server_is_used_again_after_the_panel_was_closed(panel: PanelDriver, server: LlamaServer) -> None:
    panel.close_panel()
    panel.open_panel()
    panel.wait_ready()
    assert picked(panel) == model_id(server.host)
    assert leaves(panel)


def test_nothing_was_sent_to_any_other_host(panel: PanelDriver, server: LlamaServer, pages: str) -> None:
    """After all of the above; the page beside the panel is the tests' own."""
    assert panel.watch
    ports = {address.split("/")[2] for _, address in panel.watch.seen.outside(panel.url(""), pages)}
    assert all(port.startswith("127.0.0.1:") for port in ports), ports
    assert server.host in ports


# -- the engine's Worker by itself


def served(host: str, kind: str = "other", model: str = "some-7b", **more: Any) -> Message:
    """A message that has a server's model loaded."""
    return {"type": "load", "model": {"id": "m", "server": {"url": f"http://{host}/v1", "kind": kind, "model": model, **more}}}


def asking(text: str = "Hello", **options: Any) -> Message:
    """A message that asks."""
    return {"type": "complete", "key": 1, "request": {"messages": [{"role": "user", "content": text}], **options}}


def words(said: list[Message]) -> str:
    """What was answered."""
    return "".join(message["text"] for message in said if message["type"] == "delta")


def test_tokens_are_counted_by_the_server(engine: Callable[..., list[Message]], server: LlamaServer) -> None:
    texts = ["Hello world", "", "Ünïcödé, 中文 and 😀"]
    counts = engine(served(server.host, "llama.cpp", "starter"), {"type": "count", "key": 1, "texts": texts})[-1]["counts"]
    assert counts == [len(server.ask("/tokenize", {"content": text})["tokens"]) for text in texts]


def test_a_begun_answer_is_gone_on_with_and_its_usage_told(engine: Callable[..., list[Message]], server: LlamaServer) -> None:
    messages = [
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": "The capital of France is called"},
    ]
    ask = {"type": "complete", "key": 1, "request": {"messages": messages, "max_tokens": 8, "temperature": 0}}
    said = engine(served(server.host, "llama.cpp", "starter"), ask)
    assert said[0] == {"type": "loaded", "context_window": CONTEXT}
    assert words(said) == " Paris."
    end = said[-1]
    assert end["finish_reason"] == "stop"
    assert end["usage"]["output_tokens"] >= 2 and end["usage"]["input_tokens"] > 30 and end["usage"]["prefill_seconds"] > 0
    assert any(message["type"] == "prefill" for message in said)


def test_what_is_too_long_is_refused_with_its_size(engine: Callable[..., list[Message]], server: LlamaServer) -> None:
    end = engine(served(server.host, "llama.cpp", "starter"), asking("word " * 3000))[-1]
    assert (end["type"], end["code"]) == ("error", "context-length")
    assert str(CONTEXT) in end["message"]


def test_text_that_triggers_a_grammar_is_held_to_it_and_other_text_is_free(
    engine: Callable[..., list[Message]], server: LlamaServer
) -> None:
    tag = {"type": "tag", "begin": "Paris.", "content": {"type": "const_string", "value": " (the call)"}, "end": "!"}
    format_ = {"type": "triggered_tags", "triggers": ["Paris."], "tags": [tag], "stop_after_first": True}
    response_format = {"type": "structural_tag", "structural_tag": {"type": "structural_tag", "format": format_}}
    begun = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "The capital of France is called"}]
    ask = {"messages": begun, "max_tokens": 12, "temperature": 0, "response_format": response_format}
    said = engine(served(server.host, "llama.cpp", "starter"), {"type": "complete", "key": 1, "request": ask})
    assert words(said) == " Paris. (the call)!"


@pytest.mark.parametrize(
    ("replies", "kind", "code"),
    [
        ({"models": Reply(status=403)}, "ollama", "origin-refused"),
        ({"models": Reply({"error": {"message": "Incorrect API key provided"}}, 401)}, "other", "key-refused"),
        ({"models": Reply("<html>Welcome to nginx!</html>", type="text/html")}, "other", "not-a-server"),
        ({"models": Reply({"data": [{"id": "another"}]})}, "other", "no-such-model"),
        ({"models": Reply(status=302, location="https://example.com/v1/models")}, "other", "not-a-server"),
    ],
)
def test_a_server_that_cannot_be_used_says_why_when_it_is_loaded(
    engine: Callable[..., list[Message]], stand_in: StandIn, replies: dict[str, Reply], kind: str, code: str
) -> None:
    stand_in.serves(**replies)
    end = engine(served(stand_in.host, kind))[-1]
    assert (end["type"], end["code"]) == ("load-failed", code)


BROKEN = Reply('data: {"choices":[{"delta":{"content":"Half an"}}]}\n\n', type="text/event-stream", breaks=True)
CUT = events({"choices": [{"delta": {"content": "Half an"}}]})


@pytest.mark.parametrize(
    ("reply", "type_", "code"),
    [
        (Reply({"error": {"message": "This model's maximum context length is 4096 tokens"}}, 400), "error", "context-length"),
        (Reply({"error": "model 'some-7b' not found"}, 404), "error", "no-such-model"),
        (Reply({"error": {"message": "Rate limit"}}, 429), "error", "server-busy"),
        (Reply({"error": {"message": "CUDA error"}}, 500), "error", "failed"),
        (Reply("<html>Proxy error</html>", type="text/html"), "error", "not-a-server"),
        (Reply("data: no JSON\n\n", type="text/event-stream"), "error", "not-a-server"),
        (events({"error": {"code": 500, "message": "out of memory"}}), "error", "failed"),
        (BROKEN, "lost", None),
        (CUT, "lost", None),
    ],
)
def test_an_answer_that_fails_says_why(
    engine: Callable[..., list[Message]], stand_in: StandIn, reply: Reply, type_: str, code: str | None
) -> None:
    stand_in.serves(completions=reply)
    end = engine(served(stand_in.host), asking())[-1]
    assert (end["type"], end.get("code")) == (type_, code), end


def test_a_server_that_is_not_there_is_unreachable(engine: Callable[..., list[Message]]) -> None:
    with StandIn() as gone:
        host = gone.host
    end = engine(served(host))[-1]
    assert (end["type"], end["code"]) == ("load-failed", "server-unreachable")
    assert host in end["message"]


def test_what_is_asked_is_what_openai_knows_and_the_key_goes_along(
    engine: Callable[..., list[Message]], stand_in: StandIn
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
    done = {"choices": [{"delta": {}, "finish_reason": "length"}]}
    stand_in.serves(completions=events({"choices": [{"delta": {"content": "Good"}}]}, done, {"choices": [], "usage": usage}))
    said = engine(
        served(stand_in.host, api_key="k1"), asking(max_tokens=5, temperature=0.5, repetition_penalty=1.2, response_format={})
    )
    assert words(said) == "Good"
    assert said[-1]["finish_reason"] == "length"
    assert {name: said[-1]["usage"][name] for name in ("input_tokens", "cache_read_tokens", "output_tokens")} == {
        "input_tokens": 9,
        "cache_read_tokens": 4,
        "output_tokens": 2,
    }
    path, headers, body = stand_in.asked[-1]
    assert path == "/v1/chat/completions" and headers["Authorization"] == "Bearer k1"
    assert body == {
        "model": "some-7b",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "temperature": 0.5,
    }


def test_an_answer_that_comes_all_at_once_is_taken_too(engine: Callable[..., list[Message]], stand_in: StandIn) -> None:
    stand_in.serves(completions=Reply({"choices": [{"message": {"content": "All at once"}, "finish_reason": "stop"}]}))
    said = engine(served(stand_in.host), asking())
    assert words(said) == "All at once"
    assert said[-1] == {"type": "done", "key": 1, "finish_reason": "stop", "usage": None}


# -- nothing else may connect

TRY = """
(async () => {
  const channel = new BroadcastChannel("network");
  const outcome = await fetch("ADDRESS").then(() => "fetched", (error) => String(error));
  const closed = ["WebSocket", "EventSource", "WebTransport"].filter((name) => name in self && "importScripts" in self);
  let asked = "";
  if ("XMLHttpRequest" in self) try { new XMLHttpRequest().open("GET", "ADDRESS"); } catch (error) { asked = String(error); }
  channel.postMessage({ outcome, closed, asked });
})();
"""
LISTEN = """
window.heard = [];
window.channel = new BroadcastChannel("network");
window.channel.onmessage = ({data}) => heard.push(data);
"""


@pytest.mark.parametrize("file", ["python-worker.js", "engines/webllm.js", "library/worker.js", "models/worker.js"])
def test_no_other_worker_can_connect_to_a_host(panel: PanelDriver, stand_in: StandIn, file: str) -> None:
    stand_in.serves()
    if file == "engines/webllm.js":
        panel.choose_model("starter")
        panel.wait(lambda: is_ready(panel, "starter"), 90, "the model is loaded")
    panel.driver.execute_script(LISTEN)
    assert panel.watch
    panel.watch.run(file, TRY.replace("ADDRESS", f"http://{stand_in.host}/v1/models"))
    [said] = panel.wait(lambda: panel.driver.execute_script("return window.heard"), 20, "it has tried")
    panel.driver.execute_script("window.channel.close()")
    refused = f"TypeError: this extension must not connect to {stand_in.host}"
    assert said == {"outcome": refused, "closed": [], "asked": refused}
    assert stand_in.asked == []


@pytest.mark.parametrize("page", ["panel", "offscreen"])
def test_no_page_can_connect_to_a_host(panel: PanelDriver, stand_in: StandIn, page: str) -> None:
    stand_in.serves()
    if page == "offscreen":
        panel.to_offscreen()
    said = panel.driver.execute_async_script(
        "const [address, done] = arguments; fetch(address).then(() => done('fetched'), (error) => done(String(error)))",
        f"http://{stand_in.host}/v1/models",
    )
    assert said.startswith("TypeError: Failed to fetch")
    assert stand_in.asked == []
