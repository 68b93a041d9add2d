"""The settings dialog in the real panel: what it lists is what there is, and what it changes is changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from panel_driver import ScriptedDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

TOOLS = {
    "python",
    "calculate",
    "current_time",
    "remember",
    "recall",
    "read_page",
    "search_documents",
    "list_tabs",
    "find_in_page",
    "todo",
    "delegate",
}
SECRET = "sk-" + "a1B2c3D4" * 5
ADDRESS = "ada.lovelace@example.org"


@pytest.fixture(autouse=True)
def in_new_session(scripted: ScriptedDriver) -> None:
    """Every test begins in the panel with a new session, the settings closed, and nothing kept."""
    scripted.to_panel()
    if scripted.is_settings_open():
        scripted.close_settings()
    for section, button, item in (("notes", "note-delete", "note-item"), ("permissions", "revoke", "grant")):
        scripted.open_settings(section)

        def is_empty(button: str = button, item: str = item) -> bool:
            for each in scripted.find_all(button):
                each.click()
            return not scripted.find_all(item)

        scripted.wait(is_empty, 20, f"no {item} is left")
    scripted.wait(lambda: not scripted.stored("notes") and not scripted.stored("grants"), 10, "nothing is kept")
    scripted.close_settings()
    scripted.new_session()
    scripted.script()


def press(driver: ScriptedDriver, *keys: str) -> None:
    """Presses keys, wherever the focus is."""
    ActionChains(driver.driver).send_keys(*keys).perform()


def press_until(driver: ScriptedDriver, key: str, testid: str, most: int = 20) -> None:
    """Presses a key until a control has the focus."""
    for _ in range(most):
        if focused(driver) == testid:
            return
        press(driver, key)
    assert focused(driver) == testid


def focused(driver: ScriptedDriver) -> str:
    """The control that has the focus."""
    return driver.driver.execute_script("return document.activeElement.dataset.testid ?? ''")


def wait_focus(driver: ScriptedDriver, testid: str) -> None:
    """Waits until a control has the focus."""
    driver.wait(lambda: focused(driver) == testid, 10, f"{testid} has the focus")


def notes(driver: ScriptedDriver) -> list[str]:
    """The notes that are shown."""
    return [note.text for note in driver.driver.find_elements("css selector", ".note-text")]


# -- notes


def test_a_note_is_kept_and_comes_back_when_its_deletion_is_undone(scripted: ScriptedDriver) -> None:
    scripted.open_settings("notes")
    for text in ("I live in Oslo.", "My bike is red."):
        scripted.find("note-text").send_keys(text, Keys.ENTER)
        scripted.wait(lambda text=text: text in notes(scripted), 10, "the note is listed")
    assert notes(scripted) == ["My bike is red.", "I live in Oslo."]
    scripted.picture_in_both("settings-notes")
    scripted.click("note-delete", scripted.find_all("note-item")[1])
    wait_focus(scripted, "note-undo")
    scripted.wait(lambda: [note["text"] for note in scripted.stored("notes")] == ["My bike is red."], 10, "it is deleted")
    press(scripted, Keys.ENTER)
    scripted.wait(lambda: "I live in Oslo." in notes(scripted), 10, "it is back")
    assert len(scripted.stored("notes")) == 2
    scripted.close_settings()
    scripted.script('```json\n{"about": "where I live"}\n```', "You live in Oslo.")
    scripted.ask("/recall where I live")
    scripted.approve()
    assert scripted.wait_answer() == "done"
    assert "I live in Oslo." in scripted.step_output("recall")


def test_what_the_model_remembers_is_listed(scripted: ScriptedDriver) -> None:
    scripted.ask("Remember that my cat is called Ada")
    scripted.approve()
    assert scripted.wait_answer() == "done"
    scripted.open_settings("notes")
    scripted.wait(lambda: any("my cat is called Ada" in note for note in notes(scripted)), 10, "the note is listed")


# -- tools and permissions


def test_all_tools_are_listed_with_what_they_do(scripted: ScriptedDriver) -> None:
    scripted.open_settings("tools")
    items = scripted.find_all("tool-item")
    assert {item.get_attribute("data-name") for item in items} == TOOLS
    for item in items:
        title, about = item.text.split("\n")
        assert title.endswith(f"/{item.get_attribute('data-name')}") and about
    scripted.picture_in_both("settings-tools")


def test_what_is_always_allowed_is_not_asked_again_until_it_is_revoked(scripted: ScriptedDriver) -> None:
    scripted.ask("/python print(6 * 7)")
    scripted.approve("always")
    assert scripted.wait_answer() == "done"
    scripted.new_session()
    scripted.ask("/python print(7 * 7)")
    assert scripted.wait_answer() == "done"
    assert scripted.step_output("python") == "49"
    scripted.open_settings("permissions")
    [grant] = scripted.wait(lambda: scripted.find_all("grant"), 10, "it is listed")
    assert "python" in grant.text.lower() and "Always" in grant.text
    scripted.picture_in_both("settings-permissions")
    scripted.click("revoke")
    scripted.wait(lambda: not scripted.stored("grants"), 10, "it is revoked")
    scripted.close_settings()
    scripted.new_session()
    scripted.ask("/python print(8 * 8)")
    scripted.deny()
    assert scripted.wait_answer() == "done"
    assert scripted.step("python").get_attribute("data-state") == "denied"


# -- the keyboard


def test_the_dialog_is_used_with_the_keyboard_alone(scripted: ScriptedDriver) -> None:
    scripted.find("composer").click()
    press_until(scripted, Keys.TAB, "settings")
    press(scripted, Keys.ENTER)
    scripted.wait(scripted.is_settings_open, 10, "the settings are open")
    wait_focus(scripted, scripted.driver.execute_script("return document.querySelector('[aria-selected=true]').dataset.testid"))
    press(scripted, Keys.HOME)
    press_until(scripted, Keys.ARROW_RIGHT, "settings-knowledge")
    press_until(scripted, Keys.TAB, "settings-notes")
    press(scripted, Keys.ENTER)
    press_until(scripted, Keys.TAB, "note-text")
    press(scripted, "Tea, no milk.", Keys.ENTER)
    scripted.wait(lambda: notes(scripted) == ["Tea, no milk."], 10, "the note is listed")
    press_until(scripted, Keys.TAB, "note-delete")
    press(scripted, Keys.ENTER)
    wait_focus(scripted, "note-undo")
    press(scripted, Keys.ENTER)
    scripted.wait(lambda: notes(scripted) == ["Tea, no milk."], 10, "the note is back")
    press(scripted, Keys.ESCAPE)
    scripted.wait(lambda: not scripted.is_settings_open(), 10, "the settings are closed")
    wait_focus(scripted, "settings")


# -- the event log


def test_the_exported_log_tells_all_that_happened_and_no_secret(scripted: ScriptedDriver, tmp_path: Path) -> None:
    allow = {"behavior": "allow", "downloadPath": str(tmp_path)}
    scripted.driver.execute_cdp_cmd("Browser.setDownloadBehavior", allow)  # it lasts as long as the connection
    scripted.script(f"```python\nprint('{SECRET[:8]}' + '{SECRET[8:]}', '{ADDRESS}')\n```", f" {SECRET}, and {ADDRESS}.")
    scripted.ask(f"Use python to print my key {SECRET} and write to {ADDRESS}")
    scripted.approve()
    assert scripted.wait_answer() == "done"
    assert SECRET in scripted.answer_text()  # the user may see it
    assert SECRET in scripted.prompts()  # and so may the model
    scripted.open_settings("log")
    scripted.click("export-log")
    saved = scripted.wait(lambda: list(tmp_path.glob("*.jsonl")), 20, "the log is saved")[0]
    text = saved.read_text()
    events = [json.loads(line) for line in text.splitlines()]
    assert saved.name.startswith("amplifier-session-")
    assert len({event["session_id"] for event in events}) == 1
    names = [event["event"] for event in events]
    wanted = ["execution:start", "prompt:submit", "provider:request", "tool:pre", "tool:post", "llm:response", "execution:end"]
    first = [names.index(name) for name in wanted]
    assert first[:5] == sorted(first[:5]) and max(first) == first[-1]
    [tool] = [event for event in events if event["event"] == "tool:post"]
    assert tool["data"]["tool_name"] == "python"
    assert SECRET not in text and ADDRESS not in text
    assert "[REDACTED:SECRET]" in text and "[REDACTED:PII]" in text
