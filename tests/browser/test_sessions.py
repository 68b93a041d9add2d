"""Conversations in the real extension: kept in IndexedDB while they happen, found again by another panel and another window."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from panel_driver import ScriptedDriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

FORGET = """
return new Promise((resolve, reject) => {
  const opening = indexedDB.open("sessions");
  opening.onerror = opening.onblocked = () => reject(opening.error ?? new Error("blocked"));
  opening.onsuccess = () => {
    const database = opening.result;
    const transaction = database.transaction([...database.objectStoreNames], "readwrite");
    for (const name of database.objectStoreNames) transaction.objectStore(name).clear();
    transaction.oncomplete = () => { database.close(); resolve(); };
    transaction.onabort = () => reject(transaction.error);
  };
});
"""


class Conversations:
    """What a user does with the list of conversations."""

    def __init__(self, driver: ScriptedDriver) -> None:
        self.driver = driver

    def say(self, question: str, answer: str) -> None:
        """Asks, and waits for the scripted answer and for the disk."""
        self.driver.script(answer)
        self.driver.ask(question)
        self.driver.wait(lambda: self.driver.answer_text() == answer and not self.driver.is_busy(), 30, "it is answered")
        self.driver.wait(lambda: any(not each["answering"] for each in self.kept()), 10, "it is kept")

    def kept(self) -> list[dict[str, Any]]:
        """The records on the disk."""
        return self.driver.rows("sessions", "sessions")

    def open_list(self) -> None:
        """Opens the list and waits for it."""
        self.driver.click("sessions-button")
        self.driver.wait(lambda: self.driver.find("session-list").is_displayed(), 10, "the list is open")

    def titles(self) -> list[str]:
        """What the list shows."""
        return self.driver.texts("session-item", " .session-name")

    def shows(self, *titles: str) -> None:
        """Waits until the list shows these and no others."""
        self.driver.wait(lambda: self.titles() == list(titles), 10, f"the list shows {titles}")

    def item(self, title: str) -> WebElement:
        """One of the list, which may be drawn anew at any moment."""
        self.driver.wait(lambda: title in self.titles(), 10, f"{title} is there")
        return self.driver.find_all("session-item")[self.titles().index(title)]

    def open(self, title: str) -> None:
        """Opens one of the list."""
        self._press(title, "session-open")

    def menu(self, title: str, entry: str, suffix: str = "") -> None:
        """Chooses an entry of the menu of one of the list."""

        def chosen() -> bool:
            if found := self.driver.find_all(entry, suffix):
                found[0].click()
                return True
            self._press(title, "session-menu")  # a list that is drawn anew has closed it
            with contextlib.suppress(TimeoutException):
                self.driver.wait(lambda: self.driver.find_all(entry, suffix), 2, f"the menu has {entry}")
            return False

        self.driver.wait(chosen, 15, f"the menu has {entry}")

    def _press(self, title: str, testid: str) -> None:
        def pressed() -> bool:
            self.item(title).find_element("css selector", f'[data-testid="{testid}"]').click()
            return True

        self.driver.wait(pressed, 10, f"{title} has a {testid}")

    def shown(self) -> list[str]:
        """The texts of the conversation that is open."""
        return self.driver.texts("message-text")

    def wait_shown(self, *texts: str) -> None:
        """Waits until the conversation is this."""
        self.driver.wait(lambda: self.shown() == list(texts), 20, f"the conversation is {texts}")


@pytest.fixture
def talks(scripted: ScriptedDriver) -> Conversations:
    """A browser with no conversations."""
    scripted.to_panel()
    if scripted.driver.find_elements("css selector", "dialog[open] [data-testid=sessions-close]"):  # a test that failed
        scripted.click("sessions-close")
    scripted.new_session()
    scripted.driver.execute_script(FORGET)
    return Conversations(scripted)


def test_a_panel_that_is_closed_and_opened_again_goes_on(talks: Conversations, scripted: ScriptedDriver) -> None:
    talks.say("What do owls hunt?", "Mice.")
    scripted.close_panel()
    scripted.open_panel()
    scripted.wait_ready()
    talks.wait_shown("What do owls hunt?", "Mice.")
    talks.say("And by day?", "They sleep.")
    assert [each["content"] for each in scripted.requests()[-1]["messages"][1:]] == ["What do owls hunt?", "Mice.", "And by day?"]
    assert scripted.find("session-title").text == "What do owls hunt?"


def test_the_list_opens_searches_renames_and_deletes(talks: Conversations, scripted: ScriptedDriver) -> None:
    talks.say("What do owls hunt?", "Mice.")
    scripted.new_session()
    talks.say("How is bread made?", "Of flour.")
    talks.open_list()
    talks.shows("How is bread made?", "What do owls hunt?")
    scripted.find("session-search").send_keys("MICE")
    talks.shows("What do owls hunt?")
    assert "Mice." in talks.item("What do owls hunt?").text
    talks.menu("What do owls hunt?", "session-rename")
    name = scripted.find("session-name")
    name.send_keys(Keys.CONTROL, "a")
    name.send_keys("Owls", Keys.ENTER)
    talks.shows("Owls")
    scripted.picture_in_both("sessions-found")
    scripted.find("session-search").send_keys(Keys.CONTROL, "a", Keys.BACKSPACE)
    talks.shows("How is bread made?", "Owls")
    talks.menu("Owls", "session-delete")
    talks.shows("How is bread made?")
    scripted.click("session-undo")
    talks.shows("How is bread made?", "Owls")
    scripted.picture_in_both("sessions")
    talks.open("Owls")
    talks.wait_shown("What do owls hunt?", "Mice.")


def test_a_search_knows_new_words_new_names_and_what_is_gone(talks: Conversations, scripted: ScriptedDriver) -> None:
    talks.say("What do owls hunt?", "Mice.")
    talks.open_list()
    scripted.find("session-search").send_keys("mice")
    talks.shows("What do owls hunt?")
    talks.menu("What do owls hunt?", "session-rename")
    scripted.find("session-name").send_keys(Keys.CONTROL, "a")
    scripted.find("session-name").send_keys("Night birds", Keys.ENTER)
    talks.shows("Night birds")
    scripted.click("sessions-close")
    talks.say("And in winter?", "Voles, too.")
    for words in ("voles", "night", "night mice"):
        talks.open_list()
        scripted.find("session-search").send_keys(words)
        talks.shows("Night birds")
        scripted.click("sessions-close")
    talks.open_list()
    scripted.find("session-search").send_keys("voles")
    talks.menu("Night birds", "session-delete")
    talks.shows()


def test_a_fork_leaves_the_old_one_as_it_was(talks: Conversations, scripted: ScriptedDriver) -> None:
    talks.say("One?", "First.")
    talks.say("Two?", "Second.")
    scripted.click("fork", scripted.messages("assistant")[0])
    talks.wait_shown("One?", "First.")
    talks.say("Three?", "Third.")
    talks.open_list()
    talks.shows("One? (copy)", "One?")
    talks.open("One?")
    talks.wait_shown("One?", "First.", "Two?", "Second.")


def test_what_is_exported_comes_back(talks: Conversations, scripted: ScriptedDriver, tmp_path: Any) -> None:
    talks.say("What do owls hunt?", "Mice.")
    script = """
      const done = arguments[0];
      const make = URL.createObjectURL;
      URL.createObjectURL = (blob) => {
        URL.createObjectURL = make;
        blob.text().then((text) => { window.exported = text; });
        return make(blob);
      };
      done();
    """
    scripted.driver.execute_async_script(script)
    talks.open_list()
    talks.menu("What do owls hunt?", "session-export", '[data-format="json"]')
    text = scripted.wait(lambda: scripted.driver.execute_script("return window.exported"), 10, "it is exported")
    assert [each["text"] for each in json.loads(text)["messages"]] == ["What do owls hunt?", "Mice."]
    path = tmp_path / "owls.json"
    path.write_text(text)
    scripted.driver.find_element("css selector", "dialog[open] input[type=file]").send_keys(str(path))
    talks.shows("What do owls hunt?", "What do owls hunt?")
    scripted.click("sessions-close")


def test_a_temporary_conversation_is_nowhere_on_the_disk(talks: Conversations, scripted: ScriptedDriver) -> None:
    scripted.click("session-temporary")
    scripted.wait(lambda: scripted.find("session-title").get_attribute("data-state") == "temporary", 10, "it is temporary")
    scripted.script("It is safe.")
    scripted.ask("A secret?")
    scripted.wait(lambda: scripted.answer_text() == "It is safe." and not scripted.is_busy(), 30, "it is answered")
    scripted.picture_in_both("temporary")
    scripted.new_session()
    talks.say("No secret?", "No.")
    assert [each["title"] for each in talks.kept()] == ["No secret?"]


def test_nothing_was_said_in_any_console(scripted: ScriptedDriver) -> None:
    assert scripted.watch is not None
    assert [problem for problem in scripted.watch.seen.problems if not problem[0].startswith("page http")] == []
