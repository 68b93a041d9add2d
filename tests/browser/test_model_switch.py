"""A conversation goes on with another model, and on the processor, in the middle of it."""

from __future__ import annotations

import pytest
from panel_driver import PanelDriver

pytestmark = pytest.mark.slow


def test_a_conversation_goes_on_with_another_model_and_then_on_the_processor(tiny: PanelDriver) -> None:
    tiny.ask("My cat is called Oskar.")
    tiny.wait_streaming(20)
    tiny.click("stop")
    tiny.wait_answer(timeout=30)
    first = tiny.answer_text()
    try:
        tiny.choose_model("starter")
        tiny.wait_engine("ready", 240)
        tiny.ask("Hello")
        assert tiny.wait_answer(2, timeout=240) == "done"
        second = tiny.answer_text()
        tiny.open_settings("models")
        tiny.wait(lambda: tiny.find_all("run-on"), 10, "where models run can be chosen")
        tiny.find("run-on").find_element("css selector", 'option[value="cpu"]').click()
        tiny.wait(lambda: "on the CPU" in tiny.find("engine-status").text, 240, "it runs on the processor")
        tiny.picture_in_both("run-on")
        tiny.close_settings()
        assert (tiny.stored("preferences") or {})["run_on"] == "cpu"
        tiny.ask("What is my cat called?")
        assert tiny.wait_answer(3, timeout=240) == "done"
        assert "on the CPU" in tiny.find("engine-status").text
        said = tiny.texts("message", '[data-role="assistant"]')
        assert first[:30] in said[0] and second[:30] in said[1]
    finally:
        tiny.driver.execute_async_script("chrome.storage.local.remove(['preferences', 'model']).then(arguments[0])")
