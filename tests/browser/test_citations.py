"""A summary's citations: shown behind its sentences, and marked in the page by a click. The engine is scripted."""

from __future__ import annotations

import pytest
from panel_driver import ScriptedDriver

HIGHLIGHTED = """
const found = CSS.highlights.get('amplifier-citation');
if (!found) return null;
const [range] = found;
const box = range.getBoundingClientRect();
return {text: range.toString().replace(/\\s+/g, ' '), seen: box.top >= 0 && box.bottom <= innerHeight};
"""
SENTENCES = "return [...document.querySelectorAll('article p')].at(-1).innerText.match(/[^.]+\\.(?=\\s|$)/)[0].trim()"


@pytest.fixture(autouse=True)
def in_new_session(scripted: ScriptedDriver, pages: str) -> None:
    """Every test begins beside the sample article with a new session."""
    scripted.open(f"{pages}/sample-article.html")
    scripted.to_panel()
    scripted.new_session()


def last_sentence(scripted: ScriptedDriver) -> str:
    scripted.driver.switch_to.window(scripted.page)
    sentence = scripted.driver.execute_script(SENTENCES)
    scripted.to_panel()
    return sentence


def summarize(scripted: ScriptedDriver, *answers: str) -> None:
    scripted.script(*answers)
    scripted.click("summarize-tab")
    assert scripted.wait_answer() == "done"


def test_a_click_marks_the_passage_in_the_page(scripted: ScriptedDriver) -> None:
    sentence = last_sentence(scripted)
    summarize(scripted, f"{sentence} The president of Mars likes jazz music.")
    supported, unsupported = scripted.find_all("citation")
    assert (supported.tag_name, supported.text) == ("button", "1")
    assert sentence in (supported.get_attribute("aria-label") or "")
    assert (unsupported.tag_name, unsupported.text) == ("span", "?")
    supported.click()
    scripted.driver.switch_to.window(scripted.page)
    marked = scripted.wait(lambda: scripted.driver.execute_script(HIGHLIGHTED), 10, "the passage is marked")
    assert marked == {"text": " ".join(sentence.split()), "seen": True}


def test_the_panel_says_how_much_was_read(scripted: ScriptedDriver) -> None:
    summarize(scripted, "The grey seal is back in the Baltic Sea.")
    coverage = scripted.find("coverage")
    assert coverage.get_attribute("value") == coverage.get_attribute("max") != "0"
    assert "read all" in scripted.find("source").text


def test_a_passage_that_has_gone_is_told(scripted: ScriptedDriver) -> None:
    sentence = last_sentence(scripted)
    summarize(scripted, sentence)
    scripted.driver.switch_to.window(scripted.page)
    scripted.driver.execute_script("document.body.innerHTML = '<p>Another text altogether.</p>'")
    scripted.to_panel()
    scripted.find("citation").click()
    notice = scripted.wait(lambda: scripted.find_all("notice")[-1:], 10, "the panel says so")[0]
    assert "not on the page any more" in notice.text


def test_a_tab_that_shows_another_page_is_told(scripted: ScriptedDriver, pages: str) -> None:
    sentence = last_sentence(scripted)
    summarize(scripted, sentence)
    scripted.open(f"{pages}/table.html")
    scripted.to_panel()
    scripted.find("citation").click()
    notice = scripted.wait(lambda: [n for n in scripted.find_all("notice") if "another page by now" in n.text], 10, "it is said")
    assert notice
