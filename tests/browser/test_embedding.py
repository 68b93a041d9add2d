"""The embedding model in its Worker, on the processor and on WebGPU in software, which computes as a graphics card does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from build_tools.drive import Browser
from build_tools.environment import find_browser
from build_tools.paths import TEST_EXTENSION

LOADING = 240  # seconds: WebGPU in software compiles for long
# Runs in a page of the extension: what a Worker on this device answers to each of some requests, sent all at once.
ASK_WORKER = """
const [device, requests, done] = arguments;
const worker = new Worker(chrome.runtime.getURL("background/library/embedding-worker.js"), {type: "module"});
const answers = [];
const told = () => { worker.terminate(); done(answers); };
worker.onerror = (event) => { answers.push({type: "failed", message: event.message}); told(); };
worker.onmessage = ({data}) => {
  if (data.key === 0 && data.type === "done") {
    for (const [at, texts] of requests.entries()) worker.postMessage({type: "embed", key: at + 1, texts});
    if (requests.length) return;
  }
  if (data.key !== 0 || data.type !== "done") answers.push({...data, vectors: data.vectors?.map((vector) => [...vector])});
  if (data.type !== "done" || answers.length === requests.length) told();
};
worker.postMessage({type: "load", key: 0, device});
"""
SHORT = "Which birds rest here?"
LONG = "The harbour is calm in the morning, and the gulls sleep on the wall until the first boats leave for the open sea. " * 2
OTHER = "Prices rose by two per cent."


@pytest.fixture(scope="module")
def page() -> Iterator[Browser]:
    """A page of the extension in which nothing runs."""
    with Browser(TEST_EXTENSION, find_browser()) as browser:
        browser.driver.set_script_timeout(LOADING)
        browser.open(browser.url("manifest.json"))
        yield browser


def ask(page: Browser, device: str, *requests: list[str]) -> list[dict[str, Any]]:
    """The answers in the order in which they came."""
    return page.driver.execute_async_script(ASK_WORKER, device, list(requests))


def directions(answer: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The vectors, of length 1."""
    assert answer["type"] == "done", answer
    rows = np.array(answer["vectors"], float)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.slow
def test_a_graphics_card_gives_the_processor_s_vectors(page: Browser) -> None:
    on_processor, on_card = (directions(ask(page, device, [LONG, SHORT])[0]) for device in ("cpu", "gpu"))
    assert on_processor.shape == (2, 384)
    assert (on_processor * on_card).sum(axis=1).min() > 0.99
    assert abs(on_processor[0] @ on_card[1]) < 0.6


def test_what_stands_beside_a_text_changes_nothing(page: Browser) -> None:
    answers = {answer["key"]: directions(answer) for answer in ask(page, "cpu", [LONG, SHORT, OTHER], [SHORT])}
    assert answers[1][1] @ answers[2][0] > 0.9999


def test_a_question_does_not_wait_for_a_batch(page: Browser) -> None:
    batch = [f"{number} {LONG}" for number in range(24)]
    assert [answer["key"] for answer in ask(page, "cpu", batch, [SHORT])] == [2, 1]
