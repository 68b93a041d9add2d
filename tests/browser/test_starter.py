"""The package as it ships, with the starter model, through the real side panel: what the words mean is tested here.

What takes minutes in a graphics card that is made of software, summaries and code, is slow: a summary by the same model on the
processor, which is several times as fast as that card, is in test_cpu_engine.py.

Every context is watched from before its first instruction: the page, the panel and its Python Worker, the offscreen document
and its engine Worker, the service worker.
"""

from __future__ import annotations

import pytest
from panel_driver import PanelDriver

CONTEXTS = (
    "sidepanel/index.html",
    "sidepanel/python-worker.js",
    "background/offscreen.html",
    "background/engines/webllm.js",
    "background/service-worker.js",
)


@pytest.fixture(autouse=True)
def in_panel(starter: PanelDriver) -> None:
    """Every test begins in the panel."""
    starter.to_panel()


def test_it_knows_the_capital_of_france(starter: PanelDriver) -> None:
    starter.ask("What is the capital of France?")
    assert starter.wait_answer(timeout=180) == "done"
    assert "Paris" in starter.answer_text()


def test_a_second_turn_knows_the_first_and_reuses_the_cache(starter: PanelDriver) -> None:
    starter.ask("Which country is that city in?")
    assert starter.wait_answer(2, timeout=180) == "done"
    assert "France" in starter.answer_text()
    starter.click("usage-toggle", starter.answer())
    usage = starter.wait(lambda: starter.find("usage").text, 10, "the usage is shown")
    assert "remembered" in usage


@pytest.mark.slow
def test_the_summary_names_the_subject(starter: PanelDriver) -> None:
    starter.new_session()
    starter.click("summarize-tab")
    assert starter.wait_answer(timeout=420) == "done"
    assert "owl" in starter.answer_text().lower()
    assert starter.answer().find_element("css selector", '[data-testid="source"]').text
    starter.picture("starter-summary")


@pytest.mark.slow
def test_key_points_are_a_list_and_stay_the_choice(starter: PanelDriver) -> None:
    starter.new_session()
    starter.click("summary-ways")
    starter.driver.find_element("css selector", '[data-testid="summary-style"][data-style="points"]').click()
    assert starter.wait_answer(timeout=420) == "done"
    assert starter.messages("user")[0].text.startswith("Summarize this page: key points")
    points = starter.answer().find_elements("css selector", '[data-testid="message-text"] li')
    assert len({point.text for point in points}) == len(points) >= 2
    assert any("owl" in point.text.lower() for point in points)
    starter.picture("starter-key-points")
    starter.new_session()
    starter.wait(lambda: "Key points" in starter.find("summarize-tab").text, 20, "the button says what it will do")


@pytest.mark.slow
def test_it_writes_code_under_grammar_that_runs_once_it_is_allowed(starter: PanelDriver) -> None:
    starter.new_session()
    starter.ask("Use python to compute the 20th Fibonacci number")
    starter.wait(lambda: starter.find_all("approval"), 240, "the panel asks")
    starter.approve()
    assert starter.wait_answer(timeout=240) == "done"
    assert starter.step("python").get_attribute("data-state") == "done"
    assert starter.step_output("python") == "6765"
    assert "6765" in starter.answer_text()


def test_the_weights_lie_on_the_disk_once(starter: PanelDriver) -> None:
    """They are read from the package itself: nothing of their 98 MB is stored a second time."""
    ask = "const done = arguments[0]; navigator.storage.estimate().then(({usage}) => done(usage))"
    assert starter.driver.execute_async_script(ask) < 60_000_000  # databases, and Python's memory of some 30 MB


def test_nothing_went_wrong_and_nothing_left_the_extension(starter: PanelDriver, pages: str) -> None:
    """After all of the above: no error, no CSP violation, no request to anyone else, in any context."""
    assert starter.watch
    seen = starter.watch.seen
    for path in CONTEXTS:
        assert any(path in context for context in seen.contexts), f"{path} was not watched: {seen.contexts}"
    assert any("models/starter" in url for _, url in seen.requests)
    assert seen.outside(starter.url(""), pages) == []
    favicon = f"{pages}/favicon.ico"  # the test's own server has none
    assert [problem for problem in seen.problems if favicon not in problem[1]] == []
