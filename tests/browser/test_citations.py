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


EVERY_SENTENCE = """
const texts = [...document.querySelectorAll('p')].map((paragraph) => paragraph.innerText.replace(/\\s+/g, ' ').trim());
return texts.flatMap((text) => text.match(/[A-Z][^.?!]{40,200}[.?!](?=\\s|$)/g) ?? []);
"""


def test_every_citation_of_a_long_page_is_really_there(scripted: ScriptedDriver, pages: str) -> None:
    scripted.open(f"{pages}/long-article.html")
    every = scripted.driver.execute_script(EVERY_SENTENCE)
    said = list(dict.fromkeys(every))[:: max(1, len(every) // 14)]
    assert len(said) >= 10
    scripted.to_panel()
    scripted.open_panel()  # the button again: this is another page
    summarize(scripted)
    requests = len(scripted.requests())
    assert requests > 2  # section by section, then the whole
    scripted.new_session()
    summarize(scripted, *["It is about many things."] * (requests - 1), " ".join(said))
    marks = [mark for mark in scripted.find_all("citation") if mark.tag_name == "button"]
    assert len(marks) == len(said)
    for mark in marks:
        quote = (mark.get_attribute("title") or "")[1:-1]
        mark.click()
        scripted.driver.switch_to.window(scripted.page)
        marked = scripted.wait(
            lambda wanted=quote: (found := scripted.driver.execute_script(HIGHLIGHTED)) and found["text"] == wanted and found,
            10,
            f"{quote} is marked",
        )
        assert marked["seen"], quote
        scripted.to_panel()
