"""Preferences in the real extension: what is chosen reaches the model and the page and is kept, until everything is deleted."""

from __future__ import annotations

from typing import Any

import pytest
from panel_driver import ScriptedDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

THEME = "return document.documentElement.dataset.theme"
SURFACE = "return getComputedStyle(document.body).backgroundColor"
DARK = "rgb(31, 31, 31)"
FORGET = """
const [done] = arguments;
chrome.storage.sync.clear().then(() => chrome.storage.local.set({ preferences: { synchronize: true } })).then(done);
"""
EARLY = "addEventListener('DOMContentLoaded', () => { window.first = document.documentElement.dataset.theme }, { once: true })"
PIRATE = "Answer like a pirate."


@pytest.fixture(autouse=True)
def as_it_came(scripted: ScriptedDriver) -> None:
    """Every test begins with a new conversation and nothing chosen but that Chrome may carry what is small."""
    scripted.to_panel()
    if scripted.is_settings_open():
        scripted.close_settings()
    scripted.driver.execute_async_script(FORGET)
    if scripted.messages():
        scripted.new_session()
    scripted.script()


def press(driver: ScriptedDriver, *keys: str) -> None:
    """Presses keys, wherever the focus is."""
    ActionChains(driver.driver).send_keys(*keys).perform()


def synced(driver: ScriptedDriver) -> dict[str, Any]:
    """What Chrome would carry to other computers."""
    return driver.driver.execute_async_script("chrome.storage.sync.get(null).then(arguments[0])")


def preference(driver: ScriptedDriver, name: str) -> Any:
    """What this computer keeps."""
    return (driver.stored("preferences") or {}).get(name)


def wait_focus(driver: ScriptedDriver, testid: str) -> None:
    """Waits until a control has the focus."""
    focused = "return document.activeElement.dataset.testid"
    driver.wait(lambda: driver.driver.execute_script(focused) == testid, 10, f"{testid} has the focus")


def enter(driver: ScriptedDriver, testid: str, text: str) -> None:
    """Puts a text into a field, in the place of what is there, and leaves it."""
    driver.find(testid).send_keys(Keys.CONTROL, "a", Keys.NULL, text, Keys.TAB)


def test_what_is_chosen_reaches_the_model_and_outlasts_the_panel(scripted: ScriptedDriver) -> None:
    scripted.open_settings("answers")
    enter(scripted, "temperature", "0.7")
    enter(scripted, "longest-answer", "200")
    enter(scripted, "system-prompt", PIRATE)
    scripted.wait(lambda: preference(scripted, "system_prompt") == PIRATE, 10, "the system prompt is kept")
    enter(scripted, "temperature", "2")
    scripted.wait(lambda: any("0 to 1.5" in text for text in scripted.notices()), 10, "it is refused")
    scripted.wait(lambda: scripted.find("temperature").get_property("value") == "0.7", 10, "what holds is shown")
    assert preference(scripted, "temperature") == 0.7
    scripted.close_settings()
    scripted.driver.refresh()
    scripted.wait_ready()
    scripted.script("Arr.")
    scripted.ask("Who are you?")
    assert scripted.wait_answer() == "done"
    [request] = scripted.requests()
    assert (request["temperature"], request["max_tokens"]) == (0.7, 200)
    assert request["messages"][0]["role"] == "system" and request["messages"][0]["content"].startswith(PIRATE)
    assert synced(scripted) == {"preferences.temperature": 0.7}


def test_a_saved_prompt_is_asked_by_a_slash(scripted: ScriptedDriver) -> None:
    scripted.open_settings("prompts")
    scripted.click("prompt-new")
    wait_focus(scripted, "prompt-title")
    press(scripted, "Two lines", Keys.TAB, "Say it in two lines:")
    scripted.click("prompt-save")
    scripted.wait(lambda: len(scripted.find_all("prompt-item")) == 1, 10, "it is listed")
    assert [prompt["title"] for prompt in synced(scripted)["preferences.saved_prompts"]] == ["Two lines"]
    scripted.close_settings()
    scripted.type("/two")
    scripted.wait(lambda: scripted.find_all("prompt-suggestion"), 10, "it is offered")
    scripted.type("", Keys.ENTER)
    scripted.type(" the sea is large", Keys.ENTER)
    assert scripted.wait_answer() == "done"
    assert "Say it in two lines: the sea is large" in scripted.prompts()


def test_a_theme_is_there_before_anything_else_and_follows_other_windows(scripted: ScriptedDriver) -> None:
    scripted.open_settings("general")
    scripted.driver.find_element("css selector", '[data-testid="theme"][value="dark"]').click()
    scripted.wait(lambda: scripted.driver.execute_script(SURFACE) == DARK, 10, "the panel is dark")
    scripted.wait(lambda: synced(scripted).get("preferences.theme") == "dark", 10, "it is kept")
    scripted.picture("theme-dark")
    added = scripted.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": EARLY})
    scripted.driver.refresh()
    scripted.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert scripted.driver.execute_script("return window.first") == "dark"
    scripted.wait_ready()
    # as if another computer had sent it
    scripted.driver.execute_async_script("chrome.storage.sync.set({ 'preferences.theme': 'light' }).then(arguments[0])")
    scripted.wait(lambda: scripted.driver.execute_script(THEME) == "light", 10, "the panel is light")
    assert scripted.driver.execute_script(SURFACE) != DARK


def test_a_reset_takes_all_back_but_what_the_user_wrote(scripted: ScriptedDriver) -> None:
    scripted.open_settings("notes")
    scripted.find("note-text").send_keys("I live in Oslo.", Keys.ENTER)
    scripted.open_settings("general")
    scripted.driver.find_element("css selector", '[data-testid="theme"][value="dark"]').click()
    scripted.wait(lambda: preference(scripted, "theme") == "dark", 10, "it is kept")
    scripted.click("reset-settings")
    scripted.click("reset-settings-confirm")
    scripted.wait(lambda: scripted.driver.execute_script(THEME) == "system", 10, "the theme is the system's")
    assert preference(scripted, "theme") is None
    assert [note["text"] for note in scripted.stored("notes")] == ["I live in Oslo."]


def everything(driver: ScriptedDriver) -> dict[str, Any]:
    """All that the extension keeps: storages, and how many records each database has."""
    return driver.driver.execute_async_script(EVERYTHING)


EVERYTHING = """
const done = arguments[0];
const open = (name) => new Promise((resolve, reject) => {
  const request = indexedDB.open(name);
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const count = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
(async () => {
  const records = {};
  for (const { name } of await indexedDB.databases()) {
    const database = await open(name);
    for (const table of database.objectStoreNames)
      records[`${name}.${table}`] = await count(database.transaction(table).objectStore(table).count());
    database.close();
  }
  done({
    local: await chrome.storage.local.get(null),
    synced: await chrome.storage.sync.get(null),
    caches: await caches.keys(),
    records,
  });
})();
"""


def test_everything_is_deleted_and_the_panel_works_as_on_the_first_day(scripted: ScriptedDriver) -> None:
    scripted.ask("What is the secret?")
    assert scripted.wait_answer() == "done"
    scripted.wait(lambda: everything(scripted)["records"]["sessions.messages"] >= 2, 10, "the conversation is kept")
    scripted.open_settings("prompts")
    scripted.click("prompt-new")
    wait_focus(scripted, "prompt-title")
    press(scripted, "Mine", Keys.TAB, "A secret too")
    scripted.click("prompt-save")
    scripted.wait(lambda: scripted.find_all("prompt-item"), 10, "the prompt is kept")
    scripted.open_settings("notes")
    scripted.find("note-text").send_keys("My secret.", Keys.ENTER)
    scripted.wait(lambda: scripted.stored("notes"), 10, "the note is kept")
    scripted.open_settings("data")
    line = scripted.wait(lambda: scripted.find_all("kept-line", '[data-name="conversations"]'), 10, "it is counted")[0]
    assert int(line.text.split()[1]) == everything(scripted)["records"]["sessions.sessions"] > 0
    scripted.picture_in_both("settings-data")
    scripted.driver.execute_script("window.isOld = true")
    scripted.click("delete-everything")
    wait_focus(scripted, "delete-everything-word")
    press(scripted, "delete")
    scripted.click("delete-everything-confirm")
    scripted.wait(lambda: not scripted.driver.execute_script("return window.isOld ?? false"), 20, "the panel starts anew")
    scripted.wait_ready()
    assert scripted.messages() == [] and scripted.notices() == []
    left = everything(scripted)
    assert "secret" not in str(left).lower()
    assert left["synced"] == {} and not {"notes", "preferences", "deleting"} & set(left["local"])
    assert sum(left["records"].values()) == 0
    scripted.script("Here I am.")
    scripted.ask("Are you there?")
    assert scripted.wait_answer() == "done"
    assert scripted.answer_text() == "Here I am."
