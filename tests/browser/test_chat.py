"""Chatting in the real panel with the tiny model, whose words mean nothing: what is tested is the way they take."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from build_tools.environment import find_browser
from build_tools.paths import TEST_EXTENSION
from panel_driver import PanelDriver
from selenium.webdriver.common.keys import Keys

LONG = "Tell me everything about " + "the history of glaciers and rivers and valleys " * 120  # over 900 tokens
# The tiny model reads fast: Stop is pressed from within the page, the moment the panel says that the prompt is being read.
STOP_WHILE_READING = """
new MutationObserver((_, observer) => {
  const reading = document.querySelector('[data-role=assistant] [data-testid=progress]');
  if (!reading || !reading.textContent.includes('Reading')) return;
  observer.disconnect();
  document.querySelector('[data-testid=stop]').click();
}).observe(document.body, {childList: true, subtree: true, characterData: true});
"""


@pytest.fixture(scope="module")
def tiny(pages: str) -> Iterator[PanelDriver]:
    """A browser as others have it, but that an answer ends after 120 tokens, and not where the model's window does."""
    with PanelDriver(TEST_EXTENSION, find_browser()) as driver:
        driver.start(f"{pages}/sample-article.html", longest_answer=120)
        yield driver


@pytest.fixture(autouse=True)
def fresh(tiny: PanelDriver) -> None:
    """Every test begins in an empty panel."""
    tiny.to_panel()
    if tiny.is_busy():
        tiny.find("composer").send_keys(Keys.ESCAPE)
    tiny.new_session()
    tiny.find("composer").clear()
    tiny.wait_ready()


def test_without_a_model_of_chrome_s_own_none_is_listed(tiny: PanelDriver) -> None:
    assert tiny.attributes("value", "model-picker", " option")
    assert "browser" not in tiny.attributes("value", "model-picker", " option")


def test_an_answer_streams_and_ends(tiny: PanelDriver) -> None:
    tiny.ask("Hello there")
    tiny.wait_streaming()
    assert tiny.find("engine-status").get_attribute("data-state") == "generating"
    assert tiny.wait_answer() in ("done", "stopped")
    assert tiny.messages("user")[0].text.startswith("Hello there")
    assert tiny.answer_text()
    tiny.wait_engine("ready")


def test_tokens_per_second_are_told_on_demand(tiny: PanelDriver) -> None:
    tiny.ask("Hi")
    tiny.wait_streaming(20)
    tiny.find("composer").send_keys(Keys.ESCAPE)
    tiny.wait_answer()
    tiny.click("usage-toggle", tiny.answer())
    usage = tiny.wait(lambda: tiny.find("usage").text, 10, "the usage is shown")
    assert any(character.isdigit() for character in usage)


def test_escape_stops_and_keeps_the_words(tiny: PanelDriver) -> None:
    tiny.ask("Hello")
    tiny.wait_streaming(10)
    tiny.find("composer").send_keys(Keys.ESCAPE)
    assert tiny.wait_answer(timeout=15) == "stopped"
    assert len(tiny.answer_text()) >= 10
    tiny.wait_engine("ready", 15)


def test_stop_while_the_prompt_is_still_read(tiny: PanelDriver) -> None:
    tiny.paste(LONG)
    tiny.driver.execute_script(STOP_WHILE_READING)
    tiny.find("send").click()
    assert tiny.wait_answer(timeout=15) == "stopped"
    assert tiny.answer_text() == ""
    tiny.ask("Short")
    tiny.wait_streaming()


def test_retry_replaces_the_answer(tiny: PanelDriver) -> None:
    tiny.ask("Hello")
    tiny.wait_streaming(5)
    tiny.click("stop")
    tiny.wait_answer()
    first = tiny.answer().get_attribute("data-id")
    tiny.click("retry", tiny.answer())
    tiny.wait(lambda: tiny.answer().get_attribute("data-id") != first, 20, "a new answer begins")
    tiny.wait_streaming()
    assert len(tiny.messages()) == 2


def test_continue_goes_on_where_it_was_stopped(tiny: PanelDriver) -> None:
    tiny.ask("Hello")
    tiny.wait_streaming(10)
    tiny.click("stop")
    tiny.wait_answer()
    before = tiny.answer_text()
    tiny.click("continue", tiny.answer())
    tiny.wait(lambda: len(tiny.answer_text()) > len(before) + 5, 30, "the answer grows")
    assert tiny.answer_text().startswith(before[:8])
    assert len(tiny.messages()) == 2


def test_edit_and_send_again(tiny: PanelDriver) -> None:
    tiny.ask("First words")
    tiny.wait_streaming()
    tiny.click("stop")
    tiny.wait_answer()
    tiny.click("edit", tiny.messages("user")[0])
    box = tiny.wait(lambda: tiny.find("edit-box"), 10, "the edit box is there")
    box.send_keys(Keys.CONTROL, "a", Keys.NULL, "Other words")
    tiny.click("edit-save")
    tiny.wait(lambda: tiny.messages("user")[0].text.startswith("Other words"), 10, "the question has changed")
    tiny.wait_streaming()
    assert len(tiny.messages()) == 2


def test_shift_enter_breaks_the_line(tiny: PanelDriver) -> None:
    tiny.type("one", Keys.SHIFT, Keys.ENTER, Keys.NULL, "two")
    assert tiny.find("composer").get_attribute("value") == "one\ntwo"
    assert tiny.messages() == []


def test_what_is_typed_while_an_answer_runs_waits_its_turn(tiny: PanelDriver) -> None:
    tiny.ask("First")
    tiny.wait_streaming()
    tiny.ask("Second")
    second = tiny.wait(lambda: tiny.messages("user")[1], 10, "the second question is shown")
    assert second.get_attribute("data-state") == "queued"
    tiny.wait(lambda: second.get_attribute("data-state") == "done", 60, "its turn has come")
    assert tiny.messages("assistant")[0].get_attribute("data-state") == "done"
    tiny.wait_streaming()
    tiny.click("stop")
    assert tiny.wait_answer(2, timeout=30) == "stopped"


def test_a_question_too_long_for_the_model_says_so_and_is_kept(tiny: PanelDriver) -> None:
    tiny.paste("word " * 2500)
    tiny.find("send").click()
    assert "too long" in tiny.error()
    assert tiny.messages("user")[0].text.count("word") > 100


def test_markup_is_shown_as_text(tiny: PanelDriver) -> None:
    tiny.ask('<img src=x onerror="document.title=1"><script>document.title=2</script>')
    tiny.wait_streaming()
    assert "<script>document.title=2</script>" in tiny.messages("user")[0].text
    inside = tiny.driver.execute_script("return document.querySelectorAll('[data-testid=transcript] :is(img,script)').length")
    assert inside == 0
    assert tiny.driver.title not in ("1", "2")
