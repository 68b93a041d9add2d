"""The settings dialog in the panel's views: the keyboard, what it lists and sends, the editor of the user's modules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from selenium.webdriver.common.keys import Keys


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def value(panel: Panel, testid: str) -> str:
    return panel.one(testid).get_property("value")


def caret(panel: Panel) -> list[int]:
    return panel.run("const box = document.getElementById('module-source'); return [box.selectionStart, box.selectionEnd]")


def changed_settings(panel: Panel, **changes: Any) -> None:
    """Python tells the settings with these changes."""
    settings = panel.run("return gallery.store.getState().settings")
    panel.dispatch({"type": "settings", "settings": {**settings, **changes}})


# The dialog


def test_the_gear_opens_it_and_escape_gives_the_keyboard_back(panel: Panel) -> None:
    panel.show("streaming")
    panel.run("document.querySelector('[data-testid=settings]').focus()")
    panel.press(Keys.ENTER)
    assert panel.sent() == [{"type": "show-settings"}]
    dialog = panel.one("settings-dialog")
    assert dialog.aria_role == "dialog" and dialog.accessible_name == "Settings"
    assert panel.run("return arguments[0].matches(':modal')", dialog)
    assert panel.focused() == "settings-general"
    panel.press(Keys.ESCAPE)
    assert not panel.run("return arguments[0].open", dialog)
    assert panel.focused() == "settings"
    assert panel.sent() == [{"type": "show-settings"}, {"type": "hide-settings"}]  # and Escape stopped nothing


def test_tab_stays_within_the_dialog(panel: Panel) -> None:
    panel.show("settings-notes")
    seen = set()
    for _ in range(10):
        panel.press(Keys.TAB)
        seen.add(panel.focused())
        assert panel.run("return document.querySelector('.composer').contains(document.activeElement)") is False
    assert {"settings-close", "settings-knowledge", "settings-notes", "note-text", "note-delete"} <= seen


def test_arrows_go_through_the_tabs(panel: Panel) -> None:
    panel.show("settings-permissions")
    tabs = panel.run("return [...document.querySelectorAll('[role=tab]')].map((tab) => tab.dataset.testid)")
    at = tabs.index("settings-tools") + 1
    assert len(tabs) == 6 and {"settings-models", "settings-answers", "settings-knowledge", "settings-data"} <= set(tabs)
    visited = []
    for _ in tabs:
        panel.press(Keys.ARROW_RIGHT)
        visited.append(panel.focused())
        shown = panel.run("return document.getElementById('settings-panel').getAttribute('aria-labelledby')")
        assert shown == panel.run("return document.activeElement.id")
    assert visited == [*tabs[at:], *tabs[:at]]
    panel.press(Keys.ARROW_LEFT)
    assert panel.focused() == tabs[at - 2]


def test_all_tabs_are_in_one_row(panel: Panel) -> None:
    panel.show("settings-general")
    assert panel.run("return new Set([...document.querySelectorAll('[role=tab]')].map((tab) => tab.offsetTop)).size") == 1


def open_sections(panel: Panel) -> list[str]:
    """Which sections of the tab are open."""
    return panel.run(
        "return [...document.querySelectorAll('.section-toggle[aria-expanded=true]')].map((each) => each.dataset.testid)"
    )


def test_one_section_of_a_tab_is_open_and_folds(panel: Panel) -> None:
    panel.show("settings-general")
    panel.click("settings-knowledge")
    assert open_sections(panel) == ["settings-documents"] and panel.all("note-text") == []
    panel.click("settings-notes")
    assert open_sections(panel) == ["settings-notes"] and panel.one("note-text")
    assert panel.focused() == "settings-notes"
    panel.press(Keys.ENTER)
    assert open_sections(panel) == [] and panel.all("note-text") == []
    panel.press(Keys.ENTER)
    assert open_sections(panel) == ["settings-notes"]


def test_an_opened_section_is_scrolled_to(panel: Panel) -> None:
    panel.show("settings-tools")
    many = [{"name": f"t{at}", "title": "T", "description": "D", "module": ""} for at in range(40)]
    changed_settings(panel, tools=many)
    panel.run("document.getElementById('settings-panel').scrollTop = 1e6")
    panel.open_section("permissions")
    box = panel.run("return document.querySelector('[data-testid=settings-permissions]').getBoundingClientRect().toJSON()")
    assert box["top"] > 0 and box["bottom"] <= 720
    assert panel.one("settings-permissions").get_dom_attribute("aria-expanded") == "true"


def test_a_question_that_comes_meanwhile_is_said_and_waits_behind(panel: Panel) -> None:
    panel.show("settings-notes")
    panel.run("performance.now = () => 1e9")
    approval = {"id": "p1", "tool": "python", "title": "", "question": "Run Python code?", "arguments": [], "sees": ""}
    panel.dispatch({"type": "approval", "approval": {**approval, "scopes": ["once"], "expires": 4102444800000}})
    assert panel.focused() == "settings-knowledge"
    assert "Run Python code?" in panel.one("settings-announcer").get_property("textContent")
    panel.click("settings-approval")
    assert panel.focused() == "approval"
    panel.click("deny")
    assert panel.sent() == [{"type": "hide-settings"}]  # it has only now come into sight
    panel.press(Keys.ESCAPE)
    assert panel.sent()[1:] == [{"type": "deny", "id": "p1"}]


def test_notices_show_over_the_dialog(panel: Panel) -> None:
    panel.show("settings-log")
    panel.click("export-log")
    assert panel.sent() == [{"type": "export-log"}]
    panel.dispatch({"type": "notice", "level": "info", "text": "The log is saved."})
    assert panel.run("return arguments[0].closest('dialog') !== null", panel.one("notice"))


def test_nothing_of_a_tool_or_module_becomes_markup(panel: Panel) -> None:
    panel.show("settings-hostile")
    for section in ("permissions", "notes", "tools", "modules"):
        panel.open_section(section)
        assert "<img src=x onerror=" in panel.run("return document.getElementById('settings-panel').textContent"), section
        assert panel.run("return document.querySelectorAll('#app :is(img, b)').length") == 0
    panel.click("module-open")
    assert panel.run("return document.getElementById('settings-panel').textContent").count("<img src=x onerror=") >= 3
    assert panel.run("return document.querySelectorAll('#app :is(img, b)').length") == 0
    assert not panel.run("return 'hacked' in document.body.dataset")


# Permissions and notes


def test_a_permission_can_be_taken_back(panel: Panel) -> None:
    panel.show("settings-permissions")
    assert len(panel.all("grant")) == 2
    assert panel.all("revoke")[0].accessible_name == "Revoke: Run Python code"
    panel.click("revoke")
    panel.click("revoke")
    assert [command["id"] for command in panel.sent()] == ["g1", "g2"]
    assert panel.all("grant") == []
    assert panel.run("return document.activeElement.id") == "settings-panel"


def test_a_deleted_note_comes_back_with_undo(panel: Panel) -> None:
    panel.show("settings-notes")
    panel.click("note-delete")
    assert len(panel.all("note-item")) == 1
    assert panel.focused() == "note-undo"
    panel.press(Keys.ENTER)
    text = "My name is Ada; I write in British English."
    assert panel.sent() == [{"type": "delete-note", "id": "n1"}, {"type": "add-note", "text": text}]
    assert panel.all("note-undo") == []


def test_a_note_can_be_written(panel: Panel) -> None:
    panel.show("settings-notes-empty")
    assert panel.one("note-add").get_property("disabled")
    panel.one("note-text").click()
    panel.press(" metric ", Keys.ENTER)
    assert panel.sent() == [{"type": "add-note", "text": "metric"}]
    assert value(panel, "note-text") == ""


# Modules


@pytest.mark.parametrize(
    ("testid", "command"),
    [
        ("module-enable", {"type": "enable-module", "id": "m1", "enabled": False}),
        ("module-reload", {"type": "reload-module", "id": "m1"}),
        ("module-remove", {"type": "remove-module", "id": "m1"}),
    ],
)
def test_the_list_switches_reloads_and_removes(panel: Panel, testid: str, command: dict[str, Any]) -> None:
    panel.show("settings-modules")
    states = [item.get_dom_attribute("data-state") for item in panel.all("module-item")]
    assert states == ["valid", "invalid", "failed"]
    panel.click(testid)
    assert panel.sent() == [command]


def test_a_module_with_problems_cannot_be_switched_on(panel: Panel) -> None:
    panel.show("settings-modules")
    assert [switch.get_property("disabled") for switch in panel.all("module-enable")] == [False, True, False]
    assert panel.all("module-enable")[0].aria_role == "switch"


def test_a_removed_module_comes_back_with_undo(panel: Panel) -> None:
    panel.show("settings-modules")
    panel.click("module-remove", 2)
    assert panel.focused() == "module-undo"
    panel.press(Keys.ENTER)
    assert panel.sent()[1]["type"] == "save-module" and panel.sent()[1]["name"] == "quiet-hours"


def test_a_new_module_begins_with_a_starting_point(panel: Panel) -> None:
    panel.show("settings-modules-empty")
    panel.click("module-new")
    assert panel.focused() == "module-start"
    assert [start.text for start in panel.all("module-start")][:2] == ["Empty", "A tool that counts words"]
    panel.click("module-start", 1)
    assert value(panel, "module-name") == "A tool that counts words"
    source = value(panel, "module-source")
    assert "class CountWords" in source
    panel.click("module-save")
    assert panel.sent() == [{"type": "save-module", "id": None, "name": "A tool that counts words", "source": source}]


def test_a_file_can_be_imported(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "word_count.py"
    file.write_bytes(b"a = 1\r\nb = '\xc3\xa9'\r\n")
    panel.show("settings-modules")
    panel.one("module-import").send_keys(str(file))
    panel.until(lambda: panel.all("module-source"))
    assert value(panel, "module-name") == "word_count"
    assert value(panel, "module-source") == "a = 1\nb = 'é'\n"


def test_a_file_that_is_no_module_is_refused(panel: Panel, tmp_path: Path) -> None:
    file = tmp_path / "large.py"
    file.write_bytes(b"#" * 300_000)
    panel.show("settings-modules")
    panel.one("module-import").send_keys(str(file))
    panel.until(lambda: panel.all("notice"))
    assert panel.one("notice").text == "large.py is too large for a module."
    assert panel.all("module-source") == []


def test_unsaved_changes_outlive_the_dialog(panel: Panel) -> None:
    panel.show("settings-module")
    panel.press("# mine")
    panel.press(Keys.ENTER)
    panel.click("settings-close")
    panel.click("settings")
    assert value(panel, "module-source").startswith("# mine\n")
    panel.click("module-back")
    assert "changes that are not saved" in panel.all("module-item")[0].text
    panel.click("module-open")
    assert value(panel, "module-source").startswith("# mine\n")


def test_an_unsaved_new_module_waits_in_the_list(panel: Panel) -> None:
    panel.show("settings-module-new")
    panel.press("draft of mine")
    panel.click("module-back")
    item = panel.all("module-item")[0]
    assert item.get_dom_attribute("data-state") == "unsaved" and "draft of mine" in item.text
    panel.click("module-discard")
    assert len(panel.all("module-item")) == 3
    assert panel.run("return document.activeElement.id") == "settings-panel"


def test_saving_goes_on_with_the_module_and_its_problems(panel: Panel) -> None:
    panel.show("settings-module-new")
    assert panel.focused() == "module-name"
    panel.press("mine")
    assert panel.one("module-save").get_property("disabled")
    panel.one("module-source").click()
    panel.press("def mount(:")
    panel.chord(Keys.CONTROL, "s")
    [command] = panel.sent()
    assert command == {"type": "save-module", "id": None, "name": "mine", "source": "def mount(:"}
    assert panel.one("module-save").get_property("disabled")
    settings = panel.run("return gallery.store.getState().settings")
    module = {**settings["modules"][0], "id": "m9", "name": "mine", "source": "def mount(:", "state": "checking"}
    changed_settings(panel, modules=[*settings["modules"], module])
    assert value(panel, "module-source") == "def mount(:" and panel.focused() == "module-source"
    problems = [{"line": 1, "message": "invalid syntax"}]
    changed_settings(panel, modules=[*settings["modules"], {**module, "state": "invalid", "problems": problems}])
    assert panel.one("module-problem").text == "Line 1: invalid syntax"
    assert "mine is saved: 1 problem" in panel.one("settings-announcer").get_property("textContent")
    assert panel.focused() == "module-source"


def test_a_problem_leads_to_its_line(panel: Panel) -> None:
    panel.show("settings-module-problems")
    first, second = panel.all("module-problem")
    assert first.get_dom_attribute("data-line") == "15" and second.get_dom_attribute("data-line") == ""
    assert second.tag_name == "p"
    marked = "return [...document.querySelectorAll('.gutter .wrong')].map((line) => line.textContent)"
    assert panel.run(marked) == ["15"]
    first.send_keys(Keys.ENTER)
    panel.settle()
    assert panel.focused() == "module-source"
    start = value(panel, "module-source").index("        return ToolResult")
    assert caret(panel) == [start, start]
    box = "const box = document.querySelector('.source-scroller').getBoundingClientRect();"
    line = "const line = document.querySelector('.gutter .wrong').getBoundingClientRect();"
    assert panel.run(f"{box} {line} return line.top >= box.top && line.bottom <= box.bottom")


def test_every_line_stands_beside_its_number(panel: Panel) -> None:
    panel.show("settings-module")
    numbers = panel.run("return document.querySelectorAll('.gutter span').length")
    assert numbers == value(panel, "module-source").count("\n") + 1
    heights = panel.run("""
        const [gutter, box] = [".gutter", ".source-text"].map((name) => document.querySelector(name).getBoundingClientRect());
        return [gutter.top - box.top, gutter.height - box.height];
    """)
    assert heights == [0, 0]


def test_tab_indents_and_escape_then_tab_leaves(panel: Panel) -> None:
    panel.show("settings-module-new")
    panel.one("module-source").click()
    panel.press("if True:", Keys.ENTER, "pass", Keys.ENTER, Keys.TAB, "x")
    assert value(panel, "module-source") == "if True:\n    pass\n        x"
    panel.chord(Keys.CONTROL, "z")
    assert value(panel, "module-source") != "if True:\n    pass\n        x"
    assert "Escape, then Tab" in panel.run(
        "return document.getElementById('module-source').ariaDescribedByElements[0].textContent"
    )
    panel.press(Keys.ESCAPE)
    assert panel.focused() == "module-source"
    panel.press(Keys.TAB)
    assert panel.focused() != "module-source"
    panel.one("module-source").click()
    panel.press(Keys.ESCAPE, Keys.ESCAPE)
    assert panel.all("module-source") == []
    assert not panel.run("return document.querySelector('dialog').open")


def test_a_capability_has_words_and_is_granted_by_a_tick(panel: Panel) -> None:
    panel.show("settings-module")
    page, notes = panel.all("module-grant")
    assert [page.accessible_name, notes.accessible_name] == ["Read the page you look at", "Read and write your notes"]
    assert [page.is_selected(), notes.is_selected()] == [True, False]
    notes.click()
    panel.settle()
    assert panel.sent() == [{"type": "grant-module", "id": "m1", "capability": "notes", "granted": True}]
    assert panel.all("module-grant")[1].is_selected()


def test_the_log_of_a_module_says_what_failed(panel: Panel) -> None:
    panel.show("settings-module-problems")
    assert "Error: KeyError: 'text'" in panel.one("module-log").text
