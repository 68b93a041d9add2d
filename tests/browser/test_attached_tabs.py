"""Tabs that go along with a question: an answer's citations are marked in their pages, and a long page is searched for as long
as the conversation is about it. The engine is scripted, the library and its embeddings are real."""

from __future__ import annotations

import pytest
from panel_driver import ScriptedDriver
from selenium.webdriver.remote.webelement import WebElement
from test_mentions import mention, ready

HIGHLIGHTED = """
const found = CSS.highlights.get('amplifier-citation');
return found ? [...found][0].toString().replace(/\\s+/g, ' ') : null;
"""
SENTENCE = "return [...document.querySelectorAll('p')].at(-1).innerText.match(/[^.]+\\.(?=\\s|$)/)[0].trim()"


@pytest.fixture(autouse=True)
def in_new_session(scripted: ScriptedDriver, pages: str) -> None:
    """Every test begins beside the short article with a new session."""
    scripted.open(f"{pages}/short-article.html")
    scripted.to_panel()
    scripted.new_session()


def last_sentence(scripted: ScriptedDriver) -> str:
    """Of the page's last paragraph the first."""
    scripted.driver.switch_to.window(scripted.page)
    sentence = scripted.driver.execute_script(SENTENCE)
    scripted.to_panel()
    return sentence


def is_marked(scripted: ScriptedDriver, mark: WebElement, sentence: str) -> None:
    """A click on the citation marks the sentence in its page."""
    mark.click()
    scripted.driver.switch_to.window(scripted.page)
    wanted = " ".join(sentence.split())
    scripted.wait(lambda: scripted.driver.execute_script(HIGHLIGHTED) == wanted, 10, f"{wanted} is marked")
    scripted.to_panel()


def kept(scripted: ScriptedDriver) -> list[list[object]]:
    """Titles of the library's documents, and whether they are temporary."""
    return scripted.rows("library", "documents", "({title, temporary}) => [title, temporary]")


def test_an_answer_from_two_tabs_is_marked_in_each(scripted: ScriptedDriver, pages: str) -> None:
    own = last_sentence(scripted)
    tab = scripted.open_tab(f"{pages}/table.html")
    scripted.script(f"{own} The president of Mars likes jazz music.")
    mention(scripted, "", "This page")
    mention(scripted, "ferry", "Ferry timetable")
    ready(scripted, 2)
    scripted.ask("What do they say?")
    assert scripted.wait_answer() == "done"
    (mark,) = scripted.find_all("citation")
    is_marked(scripted, mark, own)
    scripted.driver.execute_async_script("chrome.tabs.remove(arguments[0]).then(arguments[1])", tab)


def test_a_long_page_is_searched_and_forgotten(scripted: ScriptedDriver, pages: str) -> None:
    scripted.open(f"{pages}/long-article.html")
    sentence = last_sentence(scripted)
    scripted.to_panel()
    mention(scripted, "", "This page")
    ready(scripted, 1)
    assert [temporary for _, temporary in kept(scripted)] == [True]
    scripted.script(sentence)
    scripted.ask(f"What is said of this: {sentence}")
    assert scripted.wait_answer() == "done"
    assert sentence in scripted.prompts() and len(scripted.prompts().split()) < 1500
    scripted.click("seen-toggle")
    assert len(scripted.find_all("seen-passage")) > 1
    is_marked(scripted, scripted.find("citation"), sentence)
    scripted.open_settings("documents")
    assert scripted.find_all("document") == []
    scripted.close_settings()
    scripted.new_session()
    scripted.wait(lambda: kept(scripted) == [], 10, "the page has left the library")


def test_what_a_closed_panel_leaves_behind_goes_with_it(scripted: ScriptedDriver, pages: str) -> None:
    scripted.open(f"{pages}/long-article.html")
    scripted.to_panel()
    mention(scripted, "", "This page")
    ready(scripted, 1)
    assert len(kept(scripted)) == 1
    scripted.close_panel()
    scripted.to_offscreen()
    scripted.wait(lambda: kept(scripted) == [], 10, "the page has left the library")
    scripted.open_panel()
    scripted.wait_ready()
