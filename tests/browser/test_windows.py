"""Two windows, two panels, one engine: their answers take turns and never mix."""

from __future__ import annotations

import pytest
from panel_driver import PanelDriver
from selenium.webdriver.common.keys import Keys


class Windows:
    """The panels of two windows."""

    def __init__(self, driver: PanelDriver, pages: str) -> None:
        self.driver = driver
        driver.to_panel()
        self.first = driver.driver.current_window_handle
        self._address = f"{pages}/sample-article.html?window=2"
        driver.driver.switch_to.new_window("window")
        self._page = driver.driver.current_window_handle
        driver.driver.get(self._address)
        self.second = ""
        self.open_second()

    def to(self, panel: str) -> PanelDriver:
        """Switches to a panel."""
        self.driver.driver.switch_to.window(panel)
        return self.driver

    def open_second(self) -> None:
        """Opens the second window's panel and waits until it is ready."""
        self.second = self.driver.open_another_panel(self._address)
        self.driver.wait_ready()

    def close_second(self) -> None:
        """Closes the second window's panel."""
        self.driver.close_panel(self.second)

    def ask_both(self, characters: int = 60) -> None:
        """Asks in the first panel, and while that is answered in the second."""
        self.to(self.first).ask("Question of the first")
        self.driver.wait_streaming(characters)
        self.to(self.second).ask("Question of the second")
        self.driver.wait(lambda: self.driver.answer_state() == "streaming", 20, "the second question waits")

    def conversation(self, panel: str) -> list[tuple[str, ...]]:
        """Role and state of all that a panel shows."""
        told = (self.to(panel).attributes(name, "message") for name in ("data-role", "data-state"))
        return list(zip(*told, strict=True))


@pytest.fixture(scope="module")
def windows(tiny: PanelDriver, pages: str) -> Windows:
    """The module's browser with a second window and its panel."""
    return Windows(tiny, pages)


@pytest.fixture(autouse=True)
def fresh(windows: Windows) -> None:
    """Both panels begin empty, and the engine idle."""
    for panel in (windows.first, windows.second):
        if windows.to(panel).messages():
            windows.driver.new_session()
    windows.driver.wait_engine("ready")


def test_the_second_waits_for_the_first_and_neither_shows_the_others_words(windows: Windows, tiny: PanelDriver) -> None:
    windows.to(windows.first).limit_answers("250")
    windows.ask_both()
    tiny.wait(lambda: "the other window" in tiny.find("progress").text, 10, "the second says what it waits for")
    assert tiny.answer_text() == ""
    assert tiny.find("engine-status").get_attribute("data-state") == "generating"
    assert windows.conversation(windows.first)[1] == ("assistant", "streaming")
    assert tiny.wait_answer(timeout=180) == "done"
    first = tiny.answer_text()
    windows.to(windows.second).wait_streaming(60, timeout=60)  # its turn has come
    tiny.click("stop")
    assert tiny.wait_answer(timeout=30) == "stopped"
    second = tiny.answer_text()
    assert windows.to(windows.first).answer_text() == first  # nothing was added once its own answer had ended
    for panel, question, state in (
        (windows.first, "Question of the first", "done"),
        (windows.second, "Question of the second", "stopped"),
    ):
        assert windows.conversation(panel) == [("user", "done"), ("assistant", state)]
        assert tiny.messages("user")[0].text.startswith(question)
    assert not first.startswith(second[:40])
    assert not second.startswith(first[:40])
    windows.to(windows.first).limit_answers("")


def test_stop_in_one_does_not_stop_the_other(windows: Windows, tiny: PanelDriver) -> None:
    windows.ask_both()
    windows.to(windows.first).click("stop")
    assert tiny.wait_answer(timeout=30) == "stopped"
    windows.to(windows.second).wait_streaming(20)
    assert windows.conversation(windows.first)[1] == ("assistant", "stopped")
    windows.to(windows.second).click("stop")
    assert tiny.wait_answer(timeout=30) == "stopped"


def test_stop_of_what_waits_leaves_what_runs(windows: Windows, tiny: PanelDriver) -> None:
    windows.ask_both(10)
    windows.to(windows.second).click("stop")
    assert tiny.wait_answer(timeout=15) == "stopped"
    assert tiny.answer_text() == ""
    before = len(windows.to(windows.first).answer_text())
    tiny.wait_streaming(before + 20)
    tiny.find("composer").send_keys(Keys.ESCAPE)
    assert tiny.wait_answer(timeout=30) == "stopped"


def test_a_closed_panel_frees_the_engine_for_the_other(windows: Windows, tiny: PanelDriver) -> None:
    windows.to(windows.second).ask("Question of the second")
    tiny.wait_streaming(20)
    windows.to(windows.first).ask("Question of the first")
    windows.close_second()
    windows.to(windows.first).wait_streaming(20, timeout=10)  # a full answer of the second would take longer
    tiny.click("stop")
    tiny.wait_answer(timeout=30)
    windows.open_second()
    tiny.ask("Here again")
    tiny.wait_streaming(10)


def test_windows_that_want_different_models_take_turns_and_say_what_they_wait_for(windows: Windows, tiny: PanelDriver) -> None:
    windows.to(windows.first).limit_answers("250")
    tiny.ask("Question of the first")
    tiny.wait_streaming(20)
    try:
        windows.to(windows.second).choose_model("starter")
        tiny.ask("What is the capital of France?")
        tiny.wait(lambda: "the other window’s answer comes first" in tiny.find("progress").text, 20, "the second says why")
        tiny.wait_engine("waiting", 10)
        tiny.picture_in_both("waits-for-other-model")
        assert model_of(windows.to(windows.first)) == "tiny"
        assert tiny.wait_answer(timeout=180) == "done"  # nothing cut it off
        first = tiny.answer_text()
        windows.to(windows.second).wait_streaming(5, timeout=240)  # its model took the place of the other
        windows.to(windows.first)
        tiny.ask("And now?")
        tiny.wait(lambda: "comes first" in tiny.find("progress").text, 20, "now the first one waits")
        windows.to(windows.second).click("stop")
        assert tiny.wait_answer(timeout=60) == "stopped"
        windows.to(windows.first)
        tiny.wait(lambda: "again: the other window used" in tiny.find("progress").text, 60, "it says what it loads again")
        tiny.wait_streaming(20, timeout=120)
        assert tiny.find_all("note") == []
        assert tiny.messages("assistant")[0].text.startswith(first[:40])
        tiny.click("stop")
        assert tiny.wait_answer(2, timeout=60) == "stopped"
        windows.to(windows.second)
        tiny.wait(lambda: "other window uses" in (tiny.find("engine-status").get_attribute("title") or ""), 20, "it says so")
        assert tiny.find("engine-status").get_attribute("data-state") == "asleep"
        assert model_of(tiny) == "starter"
    finally:
        windows.to(windows.second).choose_model("tiny")
        tiny.wait_engine("ready")


def model_of(driver: PanelDriver) -> str | None:
    """The model that the panel shows as chosen."""
    return driver.find("model-picker").get_attribute("value")
