"""The ways to summarize in the panel, by mouse, keyboard and for screen readers; and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def checked(panel: Panel) -> list[str | None]:
    """The styles that the open menu marks as chosen."""
    return [
        item.get_dom_attribute("data-style")
        for item in panel.all("summary-style")
        if item.get_dom_attribute("aria-checked") == "true"
    ]


def progress(panel: Panel, **changes: Any) -> None:
    """Python tells how far the answer is."""
    told = {"label": "Reading section 1 of 3", "done": 0, "total": 300, **changes}
    message = {"id": "a1", "role": "assistant", "state": "streaming", "text": "", "progress": told}
    panel.dispatch({"type": "message", "message": message})


def said(panel: Panel) -> str:
    return panel.one("announcer").get_property("textContent").strip()


@pytest.mark.parametrize("scene", ["empty-preferred", "conversation-preferred"])
def test_choosing_a_style_summarizes_at_once_and_is_kept(panel: Panel, scene: str) -> None:
    panel.show(scene)
    assert "Key points · Danish · How glaciers move" in panel.one("summarize-tab").text
    panel.click("summary-ways")
    assert checked(panel) == ["points"]
    panel.click("summary-style", 2)
    kept, asked = panel.sent()
    assert kept == {"type": "set-preference", "name": "summary_style", "value": "detailed"}
    assert asked == {"type": "summarize", "id": asked["id"], "style": "detailed", "language": "Danish"}
    assert panel.all("summary-menu") == []
    assert panel.all("message")[-1].find_element(By.CSS_SELECTOR, ".bubble").text == "Summarize this page: detailed, in Danish"
    assert "Detailed · Danish" in panel.one("summarize-tab").text
    assert panel.focused() == ("composer" if scene == "empty-preferred" else "summary-ways")


def test_the_button_itself_says_what_it_will_do(panel: Panel) -> None:
    panel.show("conversation-preferred")
    panel.click("summarize-tab")
    (asked,) = panel.sent()
    assert asked == {"type": "summarize", "id": asked["id"]}  # Python knows what is preferred
    assert panel.all("message")[-1].find_element(By.CSS_SELECTOR, ".bubble").text == "Summarize this page: key points, in Danish"


def test_without_preferences_it_is_one_button(panel: Panel) -> None:
    panel.show("conversation")
    assert panel.all("summary-ways") == []
    assert "·" not in panel.one("summarize-tab").text


def test_the_menu_goes_by_keyboard(panel: Panel) -> None:
    panel.show("conversation-preferred")
    button = panel.one("summary-ways")
    assert (button.get_dom_attribute("aria-haspopup"), button.get_dom_attribute("aria-expanded")) == ("menu", "false")
    button.send_keys(Keys.ARROW_DOWN)
    panel.settle()
    assert button.get_dom_attribute("aria-expanded") == "true"
    at = lambda: panel.browser.switch_to.active_element.get_dom_attribute("data-style")  # noqa: E731
    assert at() == "points"
    seen = []
    for key in (Keys.ARROW_DOWN, Keys.END, Keys.ARROW_DOWN, Keys.ARROW_UP, Keys.HOME):
        panel.press(key)
        seen.append(at())
    assert seen == ["detailed", "simple", "short", "simple", "short"]
    panel.press(Keys.ENTER)
    assert panel.sent()[-1]["style"] == "short"


def test_escape_closes_the_menu_and_nothing_else(panel: Panel) -> None:
    panel.show("summary-time-left")
    panel.one("summary-ways").send_keys(Keys.ENTER)
    panel.settle()
    panel.press(Keys.ESCAPE)
    assert panel.all("summary-menu") == []
    assert panel.focused() == "summary-ways"
    assert panel.sent() == []  # the running answer was not stopped


def test_the_language_is_kept_without_summarizing(panel: Panel) -> None:
    panel.show("conversation-preferred")
    panel.one("summary-ways").send_keys(Keys.ENTER)
    panel.settle()
    panel.press(Keys.TAB)
    assert panel.focused() == "answer-language"
    select = Select(panel.one("answer-language"))
    assert select.first_selected_option.text == "Danish · Dansk"
    select.select_by_visible_text("Chinese · 中文")
    panel.settle()
    assert panel.sent() == [{"type": "set-preference", "name": "language", "value": "Chinese"}]
    assert Select(panel.one("answer-language")).first_selected_option.text == "Chinese · 中文"
    select.select_by_visible_text("The page's language")
    panel.settle()
    assert panel.sent()[-1]["value"] == ""


def test_going_elsewhere_closes_the_menu(panel: Panel) -> None:
    panel.show("conversation-preferred")
    panel.click("summary-ways")
    panel.one("summary-menu").find_element(By.CSS_SELECTOR, ".label").click()
    panel.settle()
    panel.one("summary-menu")
    panel.one("composer").click()
    panel.settle()
    assert panel.all("summary-menu") == []
    assert panel.focused() == "composer"


@pytest.mark.parametrize("scene", ["empty-preferred", "conversation-preferred"])
def test_the_menu_is_in_the_window(panel: Panel, scene: str) -> None:
    panel.show(scene)
    panel.click("summary-ways")
    box = panel.run(
        "const {left, right, top, bottom} = arguments[0].getBoundingClientRect(); return [left, right, top, bottom]",
        panel.one("summary-menu"),
    )
    width, height = panel.run("return [innerWidth, innerHeight]")
    assert 0 <= box[0] < box[1] <= width and 0 <= box[2] < box[3] <= height
    roles = panel.run("return [...document.querySelectorAll('[role=menu] > *')].map((item) => item.role)")
    assert roles == ["menuitemradio"] * 5


def test_settings_show_and_change_what_is_preferred(panel: Panel) -> None:
    panel.show("settings-answers")
    radios = panel.all("default-style")
    assert [radio.get_property("checked") for radio in radios] == [True, False, False, False, False]
    radios[4].click()
    Select(panel.one("answer-language")).select_by_visible_text("Arabic · العربية")
    panel.settle()
    assert panel.sent() == [
        {"type": "set-preference", "name": "summary_style", "value": "simple"},
        {"type": "set-preference", "name": "language", "value": "Arabic"},
    ]


def test_the_time_left_is_shown_and_said_once(panel: Panel) -> None:
    panel.show("conversation")
    progress(panel)
    assert panel.all("time-left") == []
    progress(panel, done=50, seconds_left=180)
    assert panel.one("time-left").text == "about 3 min left"
    assert said(panel) == "Reading section 1 of 3, about 3 min left"
    progress(panel, done=100, seconds_left=100)
    assert panel.one("time-left").text == "about 100 s left"
    assert said(panel) == "Reading section 1 of 3, about 3 min left"
    bar = panel.run("return document.querySelector('.work progress').getAttribute('aria-label')")
    assert bar == "Reading section 1 of 3"


def test_a_short_wait_is_not_said(panel: Panel) -> None:
    panel.show("conversation")
    progress(panel)
    before = said(panel)
    progress(panel, done=50, seconds_left=10)
    assert panel.one("time-left").text == "about 10 s left"
    assert said(panel) == before
