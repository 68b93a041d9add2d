"""The list of conversations in the panel's views: the keyboard, search, the menu of an item, undo, and which one is open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def titles(panel: Panel) -> list[str]:
    return [name.text for name in panel.browser.find_elements(By.CSS_SELECTOR, ".session-name")]


def is_open(panel: Panel) -> bool:
    return panel.run("return document.querySelector('[data-testid=session-list]').open")


def said(panel: Panel) -> str:
    return panel.one("sessions-announcer").get_property("textContent")


def focused_item(panel: Panel) -> str:
    return panel.run("return document.activeElement.closest('[data-id]')?.dataset.id")


def focus(panel: Panel, testid: str, index: int = 0) -> None:
    panel.run("arguments[0].focus()", panel.all(testid)[index])


def told(panel: Panel, items: list[dict[str, Any]], query: str = "") -> None:
    """Python tells this list."""
    panel.dispatch({"type": "sessions", "query": query, "sessions": items, "error": None})


def listed(panel: Panel) -> list[dict[str, Any]]:
    return panel.run("return gallery.store.getState().sessions.items")


def choose(panel: Panel, item: int, testid: str, index: int = 0) -> None:
    """Opens an item's menu and chooses from it, by the keyboard alone."""
    focus(panel, "session-menu", item)
    panel.press(Keys.ENTER)
    way = panel.all(testid)[index]
    for _ in range(6):
        if panel.run("return document.activeElement === arguments[0]", way):
            break
        panel.press(Keys.ARROW_DOWN)
    panel.press(Keys.ENTER)


# The dialog


def test_the_button_opens_it_and_escape_gives_the_keyboard_back(panel: Panel) -> None:
    panel.show("streaming")
    focus(panel, "sessions-button")
    panel.press(Keys.ENTER)
    assert panel.sent() == [{"type": "list-sessions"}]
    dialog = panel.one("session-list")
    assert dialog.aria_role == "dialog" and dialog.accessible_name == "Conversations"
    assert panel.run("return arguments[0].matches(':modal')", dialog)
    assert panel.focused() == "session-search"
    assert len(panel.all("session-waiting")) == 1 and panel.all("session-none") == []
    panel.press(Keys.ESCAPE)
    assert not is_open(panel)
    assert panel.focused() == "sessions-button"
    assert len(panel.sent()) == 1  # and Escape stopped nothing


def test_conversations_are_in_groups_with_what_one_must_know(panel: Panel) -> None:
    panel.show("sessions")
    groups = [group.text for group in panel.browser.find_elements(By.CSS_SELECTOR, ".session-group h3")]
    assert groups[:3] == ["Pinned", "Today", "Yesterday"] and len(groups) == 5
    assert [item.get_dom_attribute("data-open") for item in panel.all("session-item")].count("true") == 1
    current = panel.browser.find_element(By.CSS_SELECTOR, "[data-open=true]")
    assert current.find_element(By.TAG_NAME, "button").get_dom_attribute("aria-current") == "true"
    assert "Open" in current.text and "6 messages" in current.text
    assert panel.run("return document.querySelectorAll('.session-name[dir=auto]').length") == 7


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        ("sessions-empty", "No conversations yet: what you ask is kept here, on this machine only."),
        ("sessions-nothing", "No conversation holds “zeppelin”."),
    ],
)
def test_an_empty_list_says_why(panel: Panel, scene: str, words: str) -> None:
    panel.show(scene)
    assert panel.one("session-none").text == words
    assert panel.all("session-item") == []


def test_a_list_that_cannot_be_read_can_be_tried_again(panel: Panel) -> None:
    panel.show("sessions-error")
    assert "cannot be read" in panel.one("error").text
    assert panel.all("session-none") == []
    panel.click("error-action")
    assert panel.sent() == [{"type": "list-sessions"}]
    told(panel, [])
    assert panel.all("error") == []


def test_nothing_of_a_conversation_becomes_markup(panel: Panel) -> None:
    panel.show("sessions-hostile")
    assert "<img src=x onerror=" in panel.one("session-list").text
    assert [mark.text for mark in panel.all("session-item")[0].find_elements(By.TAG_NAME, "mark")][:2] == ["<img", "onerror"]
    assert panel.run("return document.querySelectorAll('#app :is(img, b)').length") == 0
    assert not panel.run("return 'hacked' in document.body.dataset")


# Opening


def test_enter_opens_one_and_goes_on_in_the_composer(panel: Panel) -> None:
    panel.show("sessions")
    panel.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert focused_item(panel) == "s3"
    panel.press(Keys.ENTER)
    assert panel.sent() == [{"type": "open-session", "id": "s3"}]
    assert not is_open(panel) and panel.focused() == "composer"
    panel.dispatch({"type": "session", "session": {"id": "s3", "title": "Ice", "state": "kept"}})
    assert panel.one("announcer").get_property("textContent") == "Ice is open"
    assert panel.one("session-title").text == "Ice"


def test_a_click_on_the_open_one_only_goes_back_to_it(panel: Panel) -> None:
    panel.show("sessions")
    panel.click("session-open", 1)
    assert panel.sent() == [] and not is_open(panel)


def test_arrows_go_through_the_list_and_back_to_the_search(panel: Panel) -> None:
    panel.show("sessions")
    panel.press(Keys.ARROW_DOWN, Keys.END)
    assert focused_item(panel) == "s7"
    panel.press(Keys.ARROW_DOWN)
    assert focused_item(panel) == "s7"
    panel.press(Keys.HOME, Keys.ARROW_UP)
    assert panel.focused() == "session-search"


def test_one_that_is_open_elsewhere_can_be_taken_over(panel: Panel) -> None:
    panel.show("session-elsewhere")
    action = panel.one("notice-action")
    assert action.text == "Take it over"
    action.click()
    panel.settle()
    assert panel.sent() == [{"type": "open-session", "id": "s4", "take": True}]
    assert panel.all("notice") == []


# Searching


def test_typing_searches_once_when_one_pauses_and_emptying_lists_all(panel: Panel) -> None:
    panel.show("sessions")
    panel.press("gla", "cier ")
    panel.until(lambda: panel.sent())
    assert panel.sent() == [{"type": "search-sessions", "query": "glacier"}]
    busy = "return document.getElementById('sessions-panel').ariaBusy"
    assert panel.run(busy) == "true"
    item = {**listed(panel)[1], "snippet": "…a Glacier is slow…"}
    told(panel, [item], "glacier")
    assert panel.run(busy) == "false"
    assert said(panel) == "1 conversation found"
    assert [mark.text for mark in panel.browser.find_elements(By.TAG_NAME, "mark")] == ["glacier", "Glacier"]
    assert panel.one("session-delete-all").get_property("disabled")
    panel.press(Keys.ESCAPE)
    assert is_open(panel) and panel.one("session-search").get_property("value") == ""
    panel.until(lambda: len(panel.sent()) == 2)
    assert panel.sent()[1] == {"type": "list-sessions"}
    panel.press(Keys.ESCAPE)
    assert not is_open(panel)


# What can be done with one


def test_the_menu_is_a_menu(panel: Panel) -> None:
    panel.show("sessions")
    focus(panel, "session-menu", 1)
    panel.press(Keys.ENTER)
    menu = panel.browser.find_element(By.CSS_SELECTOR, "[role=menu]")
    ways = menu.find_elements(By.CSS_SELECTOR, "[role=menuitem]")
    assert [way.text for way in ways] == ["Rename", "Pin", "Export as JSON", "Export as Markdown", "Delete"]
    assert [way.get_property("tabIndex") for way in ways] == [0, -1, -1, -1, -1]
    assert panel.all("session-menu")[1].get_dom_attribute("aria-expanded") == "true"
    panel.press(Keys.ARROW_UP)
    assert panel.focused() == "session-delete"
    panel.press(Keys.HOME)
    assert panel.focused() == "session-rename"
    panel.press(Keys.ESCAPE)
    assert is_open(panel) and panel.all("session-rename") == []
    assert panel.focused() == "session-menu" and focused_item(panel) == "s2"


def test_the_menu_goes_when_the_keyboard_leaves_it_or_the_list_scrolls(panel: Panel) -> None:
    panel.show("sessions-many")
    panel.click("session-menu", 2)
    panel.press(Keys.TAB)
    panel.until(lambda: panel.all("session-rename") == [])
    panel.click("session-menu", 2)
    panel.run("document.getElementById('sessions-panel').scrollTop = 40")
    panel.until(lambda: panel.all("session-rename") == [])
    assert is_open(panel)


def test_the_menu_of_the_last_one_is_in_sight(panel: Panel) -> None:
    panel.show("sessions-many")
    panel.until(lambda: len(panel.all("session-item")) == 500)
    panel.press(Keys.ARROW_DOWN, Keys.END)
    assert focused_item(panel) == "s500"
    focus(panel, "session-menu", 499)
    panel.settle()
    panel.press(Keys.ENTER)
    box = panel.browser.find_element(By.CSS_SELECTOR, "[role=menu]").rect
    assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    assert box["y"] >= 0 and box["y"] + box["height"] <= 720


def test_renaming_happens_in_place(panel: Panel) -> None:
    panel.show("sessions")
    choose(panel, 3, "session-rename")
    assert panel.focused() == "session-name"
    assert panel.one("session-name").get_property("value") == "Draft a short, friendly reply to the landlord"
    panel.press("  The landlord ", Keys.ENTER)
    assert panel.sent() == [{"type": "rename-session", "id": "s4", "title": "The landlord"}]
    assert titles(panel)[3] == "The landlord"
    assert panel.focused() == "session-open" and focused_item(panel) == "s4"
    choose(panel, 3, "session-rename")
    panel.press("Never mind", Keys.ESCAPE)
    assert is_open(panel) and titles(panel)[3] == "The landlord"
    choose(panel, 3, "session-rename")
    panel.press("Left", Keys.TAB)
    assert panel.sent()[1:] == [{"type": "rename-session", "id": "s4", "title": "Left"}]


def test_a_pinned_one_goes_to_the_top_and_keeps_the_keyboard(panel: Panel) -> None:
    panel.show("sessions")
    choose(panel, 3, "session-pin")
    assert panel.sent() == [{"type": "pin-session", "id": "s4", "pinned": True}]
    assert titles(panel)[0] == "Draft a short, friendly reply to the landlord"
    panel.until(lambda: focused_item(panel) == "s4")
    assert said(panel) == "Pinned"
    choose(panel, 0, "session-pin")
    assert panel.sent()[1] == {"type": "pin-session", "id": "s4", "pinned": False}


@pytest.mark.parametrize(("index", "form"), [(0, "json"), (1, "markdown")])
def test_one_can_be_exported(panel: Panel, index: int, form: str) -> None:
    panel.show("sessions")
    choose(panel, 1, "session-export", index)
    assert panel.sent() == [{"type": "export-session", "id": "s2", "format": form}]
    assert panel.focused() == "session-menu"


def test_a_deleted_one_comes_back_with_undo(panel: Panel) -> None:
    panel.show("sessions")
    before = titles(panel)
    choose(panel, 3, "session-delete")
    assert titles(panel) == [*before[:3], *before[4:]]
    panel.until(lambda: panel.focused() == "session-undo")
    assert "deleted" in said(panel)
    panel.press(Keys.ENTER)
    assert panel.sent() == [{"type": "delete-session", "id": "s4"}, {"type": "restore-sessions", "ids": ["s4"]}]
    assert titles(panel) == before and panel.all("session-undo") == []
    panel.until(lambda: focused_item(panel) == "s4")


# All of them


def test_deleting_all_but_pinned_asks_first(panel: Panel) -> None:
    panel.show("sessions")
    focus(panel, "session-delete-all")
    panel.press(Keys.ENTER)
    assert "Delete 6 conversations, the open one too?" in panel.one("session-list").text
    assert panel.focused() == "session-delete-all-cancel"
    panel.press(Keys.ESCAPE)
    assert is_open(panel) and panel.focused() == "session-delete-all" and panel.sent() == []
    panel.press(Keys.ENTER)
    panel.click("session-delete-all-confirm")
    assert panel.sent() == [{"type": "delete-all-sessions"}]
    assert titles(panel) == ["Words for the garden club’s letter"]
    assert panel.one("session-delete-all").get_property("disabled")
    assert said(panel) == "6 conversations deleted. Undo brings them back."


def test_all_that_were_deleted_come_back_with_undo(panel: Panel) -> None:
    panel.show("sessions")
    before = titles(panel)
    panel.click("session-delete-all")
    panel.click("session-delete-all-confirm")
    panel.until(lambda: panel.focused() == "session-undo")
    panel.press(Keys.ENTER)
    command = panel.sent()[-1]
    assert command["type"] == "restore-sessions" and len(command["ids"]) == 6
    assert titles(panel) == before and panel.all("session-undo") == []


def test_a_file_can_be_imported(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "Glaciers.json"
    file.write_text('{"format": "amplifier-session"}')
    panel.show("sessions")
    panel.one("session-import").send_keys(str(file))
    panel.until(lambda: panel.sent())
    assert panel.sent() == [{"type": "import-session", "text": '{"format": "amplifier-session"}', "name": "Glaciers.json"}]
    panel.dispatch({"type": "notice", "level": "info", "text": "“Glaciers” was imported."})
    assert panel.run("return arguments[0].closest('dialog') !== null", panel.one("notice"))


def test_five_hundred_are_all_there(panel: Panel) -> None:
    panel.show("sessions-many")
    panel.until(lambda: len(panel.all("session-item")) == 500)


# Which one is open, and whether it is kept


def test_the_header_names_the_open_one_as_soon_as_it_has_begun(panel: Panel) -> None:
    panel.show("session-kept")
    line = panel.one("session-title")
    assert line.text == "How glaciers move and why it matters for coastlines"
    assert line.get_dom_attribute("data-state") == "kept"
    panel.dispatch({"type": "cleared"}, {"type": "session", "session": {"id": "n", "title": "New conversation", "state": "kept"}})
    assert panel.all("session-title") == []


def test_a_temporary_one_can_be_begun_from_the_start_and_left(panel: Panel) -> None:
    panel.show("empty")
    panel.click("session-temporary")
    assert panel.sent() == [{"type": "new-session", "temporary": True}]
    assert panel.focused() == "composer"
    panel.dispatch({"type": "session", "session": {"id": "t", "title": "New conversation", "state": "temporary"}})
    assert panel.one("session-title").text == "Temporary: nothing is kept"
    assert panel.all("session-temporary") == []
    assert panel.one("new-session").is_enabled()
    panel.click("session-kept")
    assert panel.sent()[1] == {"type": "new-session", "temporary": False}


def test_a_temporary_one_can_be_begun_from_the_list(panel: Panel) -> None:
    panel.show("sessions")
    panel.click("session-temporary")
    assert panel.sent() == [{"type": "new-session", "temporary": True}]
    assert not is_open(panel) and panel.focused() == "composer"
    assert panel.one("announcer").get_property("textContent") == "Temporary conversation: nothing is kept"


def test_one_that_is_not_saved_says_why(panel: Panel) -> None:
    panel.show("session-unsaved")
    line = panel.one("session-title")
    assert line.text.startswith("Not saved: How glaciers move") and panel.all("error") == []
    line.click()
    panel.settle()
    assert "Free some space on the disk" in panel.one("error").text
    panel.dispatch({"type": "session", "session": {"id": "s2", "title": "Glaciers", "state": "kept"}})
    assert panel.all("error") == [] and panel.one("session-title").text == "Glaciers"


def test_an_answer_can_be_forked(panel: Panel) -> None:
    panel.show("conversation")
    assert panel.one("fork").accessible_name.startswith("Fork from here")
    panel.click("fork")
    assert panel.sent() == [{"type": "fork-session", "message": "a1"}]
    panel.show("thinking")
    assert panel.all("fork") == []


def test_a_question_that_comes_meanwhile_waits_behind_the_list(panel: Panel) -> None:
    panel.show("sessions")
    approval = {"id": "p1", "tool": "python", "title": "", "question": "Run Python code?", "arguments": [], "sees": ""}
    panel.dispatch({"type": "approval", "approval": {**approval, "scopes": ["once"], "expires": 4102444800000}})
    assert panel.focused() == "session-search"
    assert "Run Python code?" in said(panel)
    panel.click("sessions-approval")
    assert panel.focused() == "approval"
