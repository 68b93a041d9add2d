"""Whatever goes away in the middle of an answer, nothing is lost and nothing hangs: panel, service worker, offscreen document,
graphics card."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from build_tools.drive import OFFSCREEN_PATH
from build_tools.environment import find_browser
from build_tools.paths import BUILD
from engine_watch import KEEP_DEVICES, EngineWatch, assert_chats, begin, stop
from panel_driver import PanelDriver

NO_WEBGPU = "delete WorkerNavigator.prototype.gpu; delete self.GPUAdapter;"

# From the engine itself, since the panel shows no state that lasts less than a frame.
FOLLOW_STATES = """
    const [done] = arguments;
    window.statesSeen = [];
    chrome.runtime.connect({ name: "engine" }).onMessage.addListener(({ type, engine }) => {
        if (type === "state" && window.statesSeen.at(-1) !== engine.state) window.statesSeen.push(engine.state);
        done();
    });
"""


@pytest.fixture(scope="module")
def engine(pages: str) -> Iterator[PanelDriver]:
    """A browser with the tiny model, whose engine Worker is watched."""
    with PanelDriver(BUILD / "extension-for-tests", find_browser()) as driver:
        driver.watch = EngineWatch(driver.driver)
        driver.start(f"{pages}/sample-article.html")
        yield driver


@pytest.fixture
def panel(engine: PanelDriver) -> PanelDriver:
    """The panel, empty and ready; the states that the engine goes through from here on are kept."""
    engine.open_panel()
    if engine.messages():
        engine.new_session()
    engine.wait_ready()
    engine.driver.execute_async_script(FOLLOW_STATES)
    return engine


def states(panel: PanelDriver) -> list[str]:
    """States of the engine since the test began."""
    return panel.driver.execute_script("return window.statesSeen")


def device_watch(panel: PanelDriver) -> EngineWatch:
    """The watch, which every panel of this module has."""
    assert isinstance(panel.watch, EngineWatch)
    return panel.watch


def assert_goes_on(panel: PanelDriver, before: str) -> None:
    """The one answer that was interrupted is written on by itself, and says that it was interrupted."""
    panel.wait_streaming(len(before) + 20, timeout=60)
    assert panel.answer_text().startswith(before)
    assert panel.texts("note") == [
        "The engine was lost in the middle of this answer. It was started again and the answer went on."
    ]
    assert len(panel.messages()) == 2
    assert panel.find_all("error") == []


# -- the panel


def assert_taken_up(panel: PanelDriver, before: str) -> None:
    """A panel that was opened again goes on with the answer that ended with the last one: the engine is free for it."""
    panel.wait_streaming(len(before) + 20, timeout=60)
    assert panel.answer_text().startswith(before[:20])  # what came in the last half second may be written anew
    assert len(panel.messages()) == 2
    stop(panel)
    panel.new_session()
    assert_chats(panel)


def test_closing_the_panel_frees_the_engine(panel: PanelDriver) -> None:
    before = begin(panel)
    panel.close_panel()
    panel.open_panel()
    assert_taken_up(panel, before)


def test_closing_and_opening_again_and_again(panel: PanelDriver) -> None:
    begin(panel, 5)
    for _ in range(3):
        panel.close_panel()
        panel.open_panel()
    panel.wait_ready()
    panel.new_session()
    assert_chats(panel)


def test_reloading_the_panel_in_the_middle(panel: PanelDriver) -> None:
    before = begin(panel)
    panel.driver.refresh()
    assert_taken_up(panel, before)


def test_what_is_typed_at_once_is_sent_when_all_is_ready(panel: PanelDriver) -> None:
    panel.close_panel()
    panel.driver.switch_to.window(panel.handles(OFFSCREEN_PATH)[0])
    panel.driver.close()
    panel.open_panel()  # Python and the model both start from nothing
    panel.ask("Typed early")
    assert panel.find("composer").get_attribute("value") == ""
    assert panel.messages("user")[0].text.startswith("Typed early")
    panel.wait_streaming(timeout=90)
    assert len(panel.messages("user")) == 1
    stop(panel)


def test_a_model_that_is_chosen_in_mid_answer_counts_from_the_next(panel: PanelDriver) -> None:
    before = begin(panel)
    panel.choose_model("starter")
    panel.wait(lambda: panel.find("model-picker").get_attribute("value") == "starter", 10, "the choice is shown")
    panel.wait_streaming(len(before) + 20)  # it goes on
    panel.choose_model("tiny")  # and so does the model
    stop(panel)
    assert panel.answer_text().startswith(before)
    assert panel.find_all("note") == []
    assert states(panel) == ["ready", "generating", "ready"]
    panel.new_session()
    assert_chats(panel)


def test_a_chosen_model_that_left_the_package_gives_way_to_the_default(panel: PanelDriver) -> None:
    panel.driver.execute_async_script("chrome.storage.local.set({ model: 'of-yesterday' }).then(arguments[0])")
    panel.driver.execute_async_script("chrome.offscreen.closeDocument().then(arguments[0])")
    panel.driver.refresh()
    panel.wait_ready()
    panel.wait(lambda: any("is not there any more" in text for text in panel.notices()), 20, "it says so")
    assert_chats(panel)
    panel.driver.execute_async_script("chrome.storage.local.remove('model').then(arguments[0])")


# -- the service worker


def test_a_stopped_service_worker_changes_nothing(panel: PanelDriver) -> None:
    begin(panel)
    panel.driver.execute_cdp_cmd("ServiceWorker.enable", {})
    panel.driver.execute_cdp_cmd("ServiceWorker.stopAllWorkers", {})
    panel.wait(lambda: not service_workers(panel), 20, "the service worker is gone")
    before = panel.answer_text()
    panel.wait_streaming(len(before) + 50)
    stop(panel)
    assert panel.find_all("note") == []
    assert states(panel) == ["ready", "generating", "ready"]
    pressed = last_press(panel)
    panel.open_panel()  # one press of the button, which starts the service worker anew
    panel.wait(lambda: last_press(panel) > pressed, 20, "the button is heard")


def service_workers(panel: PanelDriver) -> list[dict[str, Any]]:
    """The extension's running service workers."""
    targets = panel.cdp("Target.getTargets", {"filter": [{"type": "service_worker"}]})["targetInfos"]
    return [target for target in targets if panel.id in target["url"]]


def last_press(panel: PanelDriver) -> int:
    """When the toolbar button was last heard."""
    get = "const done = arguments[0]; chrome.storage.session.get('granted').then(({ granted }) => done(granted?.at ?? 0));"
    return panel.driver.execute_async_script(get)


# -- the offscreen document


def test_an_answer_goes_on_when_the_offscreen_document_was_closed(panel: PanelDriver) -> None:
    before = begin(panel)
    panel.driver.execute_async_script("chrome.offscreen.closeDocument().then(arguments[0])")
    assert_goes_on(panel, before)
    stop(panel)
    assert_chats(panel)


def test_the_offscreen_document_is_made_anew_when_it_closes_by_itself(panel: PanelDriver) -> None:
    panel.to_offscreen()
    panel.driver.close()
    panel.to_panel()
    panel.wait(lambda: panel.handles(OFFSCREEN_PATH), 60, "there is another")
    panel.wait_engine("ready")
    assert_chats(panel)


def test_stop_while_the_engine_is_coming_back(panel: PanelDriver) -> None:
    before = begin(panel)
    panel.driver.execute_async_script("chrome.offscreen.closeDocument().then(arguments[0])")
    panel.click("stop")
    assert panel.wait_answer(timeout=15) == "stopped"
    assert panel.answer_text().startswith(before)
    panel.wait_engine("ready")
    assert panel.answer_state() == "stopped"
    panel.click("continue", panel.answer())
    panel.wait_streaming(len(before) + 20)
    stop(panel)


# -- the graphics card


def test_a_device_lost_while_idle_is_replaced(panel: PanelDriver) -> None:
    device_watch(panel).lose_device()
    expected = ["ready", "lost", "loading", "ready"]
    panel.wait(lambda: states(panel) == expected, 60, "the engine is back")
    assert_chats(panel)


def test_an_answer_goes_on_when_the_device_was_lost(panel: PanelDriver) -> None:
    before = begin(panel)
    device_watch(panel).lose_device()
    assert_goes_on(panel, before)
    assert states(panel) == ["ready", "generating", "lost", "loading", "ready", "generating"]
    stop(panel)
    assert_chats(panel)


@pytest.mark.fault("GPU process crashed in mid-answer", expected="the engine comes back by itself and the answer goes on")
def test_an_answer_goes_on_when_the_gpu_process_crashed(panel: PanelDriver) -> None:
    before = begin(panel)
    panel.cdp("Browser.crashGpuProcess", {})
    assert_goes_on(panel, before)
    assert "lost" in states(panel)
    stop(panel)
    assert_chats(panel)


# -- no graphics card at all


def restart_engine(panel: PanelDriver) -> None:
    """Closes the offscreen document and waits until the engine runs in another."""
    panel.to_offscreen()
    panel.driver.close()
    panel.to_panel()
    panel.driver.execute_async_script(FOLLOW_STATES)
    panel.wait(lambda: "loading" in states(panel), 60, "the model is loaded anew")
    panel.wait_engine("ready", 60)


@pytest.mark.fault("WebGPU gone", expected="the CPU answers, and it says so, until WebGPU is there again")
def test_without_webgpu_the_cpu_answers_until_it_is_there(panel: PanelDriver) -> None:
    watch = device_watch(panel)
    watch.prepare = NO_WEBGPU
    restart_engine(panel)
    assert "on the CPU" in panel.find("engine-status").text
    assert panel.find_all("error") == []
    assert_chats(panel)
    watch.prepare = KEEP_DEVICES
    restart_engine(panel)
    assert "on the CPU" not in panel.find("engine-status").text
    assert_chats(panel)


@pytest.fixture
def without_cpu() -> Path:
    """The extension without llama.cpp, so that there is no engine at all where there is no adapter."""
    out = BUILD / "extension-without-cpu"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(BUILD / "extension-for-tests", out, copy_function=os.link, ignore=shutil.ignore_patterns("llama", "starter"))
    return out


@pytest.mark.fault("neither WebGPU nor an engine for the CPU", expected="said with the next step; what was typed is kept")
def test_without_any_engine_the_next_step_is_told_and_what_was_typed_is_kept(without_cpu: Path, pages: str) -> None:
    with PanelDriver(without_cpu, find_browser(), webgpu=False) as panel:
        panel.open(f"{pages}/sample-article.html")
        panel.open_panel()
        panel.type("Half a thought")
        panel.wait_engine("unavailable")
        panel.wait(lambda: panel.driver.execute_script("return document.body.dataset.python") == "ready", 60, "Python is ready")
        assert "no graphics card" in panel.error()
        assert "on the processor either" in panel.error()
        assert "chrome://gpu" in panel.error()
        assert_still(panel)
        panel.driver.execute_async_script(FOLLOW_STATES)
        panel.click("error-action")
        expected = ["unavailable", "loading", "unavailable"]
        panel.wait(lambda: states(panel) == expected, 60, "it is unavailable again")
        panel.wait_engine("unavailable")
        assert panel.find("error-action").text == "Try again"
        assert panel.find("composer").get_attribute("value") == "Half a thought"
        panel.ask(" and its end")
        assert panel.wait_answer(timeout=30) == "error"
        assert panel.messages("user")[0].text.startswith("Half a thought and its end")
        assert "Not answered" in panel.answer().text
        assert_still(panel)
        panel.picture("no-engine")


def assert_still(panel: PanelDriver) -> None:
    """Nothing moves that would promise an end."""
    moving = panel.driver.find_elements("css selector", '[data-testid="progress"], progress, .spinner, .dots')
    assert moving == []


# -- a model that nobody uses

KEEP = """
    const [minutes, done] = arguments;
    const port = chrome.runtime.connect({ name: "engine" });
    port.onMessage.addListener(() => { port.postMessage({ type: "keep", minutes }); done(); });
"""


def test_an_unused_model_sleeps_and_wakes_when_one_asks_or_opens_a_panel(panel: PanelDriver) -> None:
    panel.driver.execute_async_script(KEEP, 0.002)
    panel.wait_engine("asleep", 20)
    assert panel.find("engine-status").text == "Asleep"
    assert panel.find_all("error") == [] and panel.find_all("progress") == []
    panel.picture("asleep")
    panel.driver.execute_async_script(KEEP, None)
    panel.ask("Are you there?")
    panel.wait_streaming(5)
    assert states(panel) == ["ready", "asleep", "loading", "ready", "generating"]
    stop(panel)
    panel.driver.execute_async_script(KEEP, 0.002)
    panel.wait_engine("asleep", 20)
    panel.close_panel()
    panel.open_panel()
    panel.driver.execute_async_script(KEEP, 15)
    panel.wait_ready()
    assert_chats(panel)
