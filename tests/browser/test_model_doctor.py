"""The model doctor and the watch over the memory, with real engines in the real panel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from build_tools.environment import find_browser
from build_tools.paths import TEST_EXTENSION
from build_tools.run_doctor import READ, READ_MODELS
from panel_driver import PanelDriver

LONGEST = 60  # seconds, on cores that others use as well

# Stands in for the number that Chrome tells, and for nothing else.
SET_FREE = """
const [available] = arguments;
chrome.system.memory.getInfo = async () => ({ availableCapacity: available, capacity: 16e9 });
"""


@pytest.fixture
def panel(tiny: PanelDriver) -> PanelDriver:
    """The panel with the tiny model, ready; nothing is kept of what was measured."""
    tiny.open_panel()
    tiny.wait_ready()
    tiny.driver.execute_async_script("chrome.storage.local.remove('doctor').then(arguments[0])")
    return tiny


@pytest.fixture(scope="module")
def on_cpu(pages: str) -> Iterator[PanelDriver]:
    with PanelDriver(TEST_EXTENSION, find_browser(), webgpu=False) as driver:
        driver.start(f"{pages}/sample-article.html")
        yield driver


def shown(panel: PanelDriver) -> dict[str, Any]:
    return panel.driver.execute_script(READ)


def lines(panel: PanelDriver) -> str:
    return "\n".join(shown(panel)["lines"])


def speeds(panel: PanelDriver) -> dict[str, str]:
    return {name: speed for name, _fits, speed, _page in panel.driver.execute_script(READ_MODELS)}


def start(panel: PanelDriver) -> None:
    panel.open_settings("models")
    panel.click("doctor-start")
    panel.wait(lambda: shown(panel)["state"] == "running", 10, "it measures")


def measure(panel: PanelDriver) -> None:
    start(panel)
    panel.wait(lambda: shown(panel)["state"] == "idle", LONGEST, "it has measured")
    assert shown(panel)["problem"] == ""


def number(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    assert found, text
    return float(found[1].replace(",", ""))


def test_it_measures_the_model_and_the_card_predicts_the_others_and_keeps_what_it_found(panel: PanelDriver) -> None:
    measure(panel)
    panel.picture_in_both("model-doctor")
    said = lines(panel)
    assert "Tiny random model (for tests), on the graphics card" in said
    assert number(said, r"Writes ([\d,.]+) tokens a second") > 0
    assert number(said, r"starts a kernel in ([\d,]+) µs") < 10_000
    assert "weights at" in said and "GFLOPS" in said and "buffers of" in said and "Loads in" in said
    rows = speeds(panel)
    assert rows["Tiny random model (for tests)"].endswith("tokens a second, measured")
    predicted = number(rows["SmolLM2 135M (starter)"], r"^about ([\d.,]+) tokens a second, predicted$")
    assert 0 < predicted < number(rows["Tiny random model (for tests)"], r"^([\d,.]+) ")
    panel.driver.refresh()
    panel.wait_ready()
    panel.open_settings("models")
    panel.wait(lambda: lines(panel) == said, 20, "the result is shown again")
    panel.close_settings()


def test_stop_ends_it_at_once_and_the_engine_is_free(panel: PanelDriver) -> None:
    start(panel)
    panel.click("doctor-stop")
    panel.wait(lambda: shown(panel)["state"] == "idle", 10, "it has stopped")
    assert shown(panel)["lines"] == [] and shown(panel)["problem"] == ""
    panel.close_settings()
    panel.new_session()
    panel.ask("Hello")
    panel.wait_streaming(timeout=60)
    panel.click("stop")
    panel.wait_answer()


@pytest.mark.slow
def test_the_starter_is_predicted_within_a_factor(panel: PanelDriver) -> None:
    """From the tiny model; these cores are shared, so that what is measured moves by itself."""
    measure(panel)
    predicted = number(speeds(panel)["SmolLM2 135M (starter)"], r"^about ([\d.,]+)")
    panel.close_settings()
    panel.choose_model("starter")
    panel.wait(lambda: panel.find("model-picker").get_attribute("value") == "starter", 60, "the starter is chosen")
    panel.wait_engine("ready", 120)
    measure(panel)
    measured = number(speeds(panel)["SmolLM2 135M (starter)"], r"^([\d.,]+) tokens a second, measured")
    panel.close_settings()
    panel.choose_model("tiny")
    panel.wait_engine("ready", 60)
    assert 1 / 4 < predicted / measured < 4


@pytest.mark.slow
def test_on_the_processor_it_measures_the_model_alone(on_cpu: PanelDriver) -> None:
    measure(on_cpu)
    said = lines(on_cpu)
    assert "Tiny random model (for tests), on the processor" in said and "Graphics card" not in said
    rows = speeds(on_cpu)
    assert rows["Tiny random model (for tests)"].endswith("measured")
    assert rows["SmolLM2 135M (starter)"].endswith("predicted")


# -- memory


def test_an_idle_model_gives_its_memory_back_when_it_is_short_and_wakes_for_a_question(panel: PanelDriver) -> None:
    panel.new_session()
    panel.driver.execute_script(SET_FREE, 300_000_000)
    panel.wait_engine("asleep", 90)
    assert "to free memory" in panel.find("engine-status").text
    panel.driver.execute_script(SET_FREE, 9_000_000_000)
    panel.ask("Hello")
    panel.wait_streaming(timeout=90)
    panel.click("stop")
    panel.wait_answer()
    panel.open_settings("log")
    assert "gave its memory back" in panel.driver.execute_script("return document.getElementById('settings-panel').innerText")
    panel.close_settings()


def test_chrome_tells_the_memory(panel: PanelDriver) -> None:
    told = panel.driver.execute_async_script("chrome.system.memory.getInfo().then(arguments[0])")
    assert 0 < told["availableCapacity"] <= told["capacity"]
