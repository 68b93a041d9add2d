"""The starter model's library in real Chromium on software WebGPU: WebLLM must compute what numpy computes."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import numpy as np
import pytest
from build_tools.bench.gpu.browser import IN_HARDWARE, IN_SOFTWARE
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait
from starter_model.chat_config import EOS, SYSTEM_MESSAGE
from starter_model.library import FOLDER as LIBRARIES
from starter_model.packing import Floats
from starter_model.reference import Reference
from starter_model.shape import SHAPES

ROOT = Path(__file__).parents[2]
PAGE = Path(__file__).parent / "model_page"
WEB_LLM = ROOT / "node_modules/@mlc-ai/web-llm/lib"
MODELS = Path(os.environ.get("AMPLIFIER_MODELS", ROOT / "build/models"))
ACTION_SECONDS = 120  # only a hang takes so long
CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--enable-unsafe-webgpu",
    *(IN_HARDWARE if os.environ.get("AMPLIFIER_GRAPHICS_CARD") == "1" else IN_SOFTWARE),
)
# The kernels for real graphics cards take SwiftShader minutes to compile: they are tested where there is a card.
GRAPHICS_CARD = os.environ.get("AMPLIFIER_GRAPHICS_CARD") == "1"
LIBRARIES_UNDER_TEST = ["{model}", *(["{model}-gpu"] if GRAPHICS_CARD else [])]
ROUNDING = 1e-5  # sums of float32 in another order: 1e-6 is seen
TRIGONOMETRY = 2.0**-11  # WGSL's sin and cos, in RoPE, may be off by so much: 1e-4 is seen
CHUNK = SHAPES["tiny"].prefill_chunk
FRANCE = {"role": "user", "content": "What is the capital of France?"}


def some_tokens(count: int) -> list[int]:
    random = np.random.default_rng(count)
    return random.integers(0, SHAPES["tiny"].vocab, size=count).tolist()


PARTED = some_tokens(37)


def file_of(path: str) -> Path:
    """The file a URL path stands for."""
    match path.strip("/").split("/"):
        case ["web-llm", name]:
            return WEB_LLM / name
        case ["libraries", name]:
            return LIBRARIES / name
        case ["models", model, "resolve", "main", name]:
            return MODELS / model / name
        case [name]:
            return PAGE / (name or "index.html")
        case _:
            return PAGE / "missing"


class Handler(SimpleHTTPRequestHandler):
    """Serves the page, WebLLM, the libraries and the models."""

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        types = {".js": "text/javascript", ".wasm": "application/wasm"}  # whatever the system's own list says
        return types.get(Path(path).suffix) or super().guess_type(path)

    def translate_path(self, path: str) -> str:
        return str(file_of(urlsplit(path).path))

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class Page:
    """The open page; every method is an action of page.js."""

    def __init__(self, driver: webdriver.Chrome, library: str) -> None:
        self.driver = driver
        self.library = library
        self.model = ""

    def _run(self, action: str, *args: object) -> Any:
        script = "const [action, args, done] = arguments; window.run(action, args).then(done);"
        outcome = cast(dict[str, Any], self.driver.execute_async_script(script, action, list(args)))
        assert "error" not in outcome, outcome["error"]
        return outcome["value"]

    def use(self, model: str) -> None:
        """Have `model` loaded, with an empty cache."""
        if self.model != model:
            self._run("load", model, self.library.format(model=model))
            self.model = model
        self._run("reset")

    def ask(self, *messages: dict[str, str], max_tokens: int) -> Answer:
        return Answer(**self._run("ask", list(messages), max_tokens))

    def logits(self, *parts: list[int]) -> Floats:
        return np.array(self._run("logits", list(parts)), dtype=np.float32)


class Answer:
    """A greedy answer and the tokens that WebLLM fed the model for it."""

    def __init__(self, text: str, finish: str, prefills: list[list[int]], decoded: list[int]) -> None:
        self.text = text
        self.finish = finish
        self.chunks = [len(chunk) for chunk in prefills]
        self.prompt = [token for chunk in prefills for token in chunk]
        self.fed = [*self.prompt, *decoded]
        self.decoded = decoded


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    for model in SHAPES:
        if not (MODELS / model / "tensor-cache.json").exists():
            pytest.fail(f"no {model} model in {MODELS}: python -m starter_model.weights --out {MODELS}")
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/"
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture(scope="module", params=LIBRARIES_UNDER_TEST)
def page(server: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    options = webdriver.ChromeOptions()
    for flag in CHROMIUM_FLAGS:
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.set_script_timeout(ACTION_SECONDS)
        driver.get(server)
        WebDriverWait(driver, 30).until(lambda driver: driver.execute_script("return 'run' in window"))
        yield Page(driver, request.param)
    finally:
        driver.quit()


@cache
def reference(model: str) -> Reference:
    return Reference.from_folder(MODELS / model)


@cache
def vocabulary() -> dict[int, str]:
    tokenizer = json.loads((MODELS / "starter/tokenizer.json").read_text(encoding="utf-8"))
    return {index: token for token, index in tokenizer["model"]["vocab"].items()}


def text_of(tokens: list[int]) -> str:
    """ASCII text of tokens, in byte-level BPE's spelling of space and newline."""
    return "".join(vocabulary()[token] for token in tokens).replace("Ġ", " ").replace("Ċ", "\n")


def split(tokens: list[int], *lengths: int) -> list[list[int]]:
    assert sum(lengths) == len(tokens)
    ends = np.cumsum(lengths).tolist()
    return [tokens[end - length : end] for length, end in zip(lengths, ends, strict=True)]


def difference(found: Floats, expected: Floats) -> float:
    """The largest difference between two logits, relative to the largest logit."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


@pytest.fixture(scope="module")
def whole(page: Page) -> Floats:
    """The logits after PARTED as one prefill."""
    page.use("tiny")
    return page.logits(PARTED)


def test_prefill_gives_the_reference_logits(whole: Floats) -> None:
    model = reference("tiny")
    model.reset()
    assert difference(whole, model.prefill(PARTED)) < TRIGONOMETRY


@pytest.mark.parametrize("lengths", [(37,), (32, 5), (1, 36), (35, 2), (16, 16, 5)], ids=str)
def test_prefill_in_parts_gives_the_logits_of_the_whole(page: Page, whole: Floats, lengths: tuple[int, ...]) -> None:
    page.use("tiny")
    assert difference(page.logits(*split(PARTED, *lengths)), whole) < ROUNDING


def test_decode_after_prefill_gives_the_reference_logits(page: Page) -> None:
    tokens = some_tokens(20)
    page.use("tiny")
    model = reference("tiny")
    model.reset()
    model.prefill(tokens[:18])
    model.decode(tokens[18])
    assert difference(page.logits(*split(tokens, 18, 1, 1)), model.decode(tokens[19])) < TRIGONOMETRY


def test_prompt_of_several_chunks_gives_the_reference_logits(page: Page) -> None:
    tokens = some_tokens(CHUNK + 150)
    page.use("tiny")
    model = reference("tiny")
    model.reset()
    assert difference(page.logits(*split(tokens, CHUNK, 150)), model.prefill(tokens)) < TRIGONOMETRY


def test_long_message_is_answered_as_by_the_reference(page: Page) -> None:
    page.use("tiny")
    answer = page.ask({"role": "user", "content": "word " * 600}, max_tokens=4)
    assert answer.chunks[0] == CHUNK and len(answer.chunks) == 2
    expected = reference("tiny").greedy(answer.prompt, 4, EOS)
    assert answer.decoded == expected[:-1]


def test_starter_answers_as_the_reference(page: Page) -> None:
    page.use("starter")
    answer = page.ask(FRANCE, max_tokens=16)
    assert text_of(answer.prompt) == (
        f"<|im_start|>system\n{SYSTEM_MESSAGE}<|im_end|>\n"
        f"<|im_start|>user\n{FRANCE['content']}<|im_end|>\n<|im_start|>assistant\n"
    )
    expected = reference("starter").greedy(answer.prompt, 16, EOS)
    assert [*answer.decoded, EOS] == expected
    assert answer.text == text_of(expected[:-1])
    assert "Paris" in answer.text
    assert answer.finish == "stop"


@pytest.mark.slow
def test_second_turn_is_fed_the_tokens_of_a_fresh_prompt(page: Page) -> None:
    page.use("starter")
    first = page.ask(FRANCE, max_tokens=16)
    history = [FRANCE, {"role": "assistant", "content": first.text}, {"role": "user", "content": "And of Italy?"}]
    reused = page.ask(*history, max_tokens=16)
    page.use("starter")
    fresh = page.ask(*history, max_tokens=16)
    assert len(reused.prompt) < len(fresh.prompt), "the cache was not reused"
    assert [*first.fed, *reused.prompt] == fresh.prompt
    assert (reused.text, reused.decoded) == (fresh.text, fresh.decoded)
