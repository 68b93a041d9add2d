"""Answers, prompts, theme, memory and data in the settings dialog's views: what is sent, shown, asked once more, and kept."""

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
    """The gallery's page."""
    with open_panel() as panel:
        yield panel


def tell(panel: Panel, **changes: Any) -> None:
    """Python tells other preferences."""
    settings = panel.run("return gallery.store.getState().settings")
    told = {**settings, "preferences": {**settings["preferences"], **changes}}
    panel.dispatch({"type": "settings", "settings": told})


def value(panel: Panel, testid: str) -> str:
    """What stands in a field."""
    return panel.one(testid).get_property("value")


def chosen(panel: Panel) -> list[dict[str, Any]]:
    """The preferences that were set."""
    return [{each["name"]: each["value"]} for each in panel.sent() if each["type"] == "set-preference"]


# Numbers


def test_a_number_is_sent_when_it_is_entered_and_nothing_is_automatic(panel: Panel) -> None:
    panel.show("settings-answers")
    assert value(panel, "temperature") == "" == value(panel, "longest-answer")
    panel.one("temperature").send_keys("0.7", Keys.TAB)
    assert panel.focused() == "longest-answer"
    panel.press("400", Keys.ENTER)
    panel.one("temperature").clear()
    panel.press(Keys.TAB)
    assert chosen(panel) == [{"temperature": 0.7}, {"longest_answer": 400}, {"temperature": None}]


def test_news_of_other_settings_do_not_take_away_what_is_being_typed(panel: Panel) -> None:
    panel.show("settings-answers")
    panel.one("longest-answer").send_keys("40")
    tell(panel, temperature=0.7)
    assert value(panel, "temperature") == "0.7"
    panel.one("longest-answer").send_keys("0", Keys.TAB)
    assert chosen(panel) == [{"longest_answer": 400}]


def test_what_python_refuses_gives_way_to_what_holds(panel: Panel) -> None:
    panel.show("settings-answers-chosen")
    panel.one("temperature").clear()
    panel.one("temperature").send_keys("3", Keys.ENTER)
    assert {"temperature": 3} in chosen(panel)
    tell(panel, temperature=0.7)
    panel.dispatch({"type": "notice", "level": "error", "text": "The temperature can be 0 to 1.5, and not 3."})
    assert value(panel, "temperature") == "0.7"
    assert "0 to 1.5, and not 3" in panel.one("notice").text


# The system prompt


def test_a_system_prompt_is_kept_when_one_leaves_it(panel: Panel) -> None:
    panel.show("settings-answers")
    assert value(panel, "system-prompt") == "You are a helpful AI assistant."
    assert not panel.one("system-prompt-restore").is_enabled()
    panel.one("system-prompt").send_keys(Keys.END, " Be brief.")
    assert chosen(panel) == []
    panel.press(Keys.TAB)
    assert chosen(panel) == [{"system_prompt": "You are a helpful AI assistant. Be brief."}]


def test_a_system_prompt_is_kept_when_the_settings_are_closed_in_the_middle(panel: Panel) -> None:
    panel.show("settings-answers")
    panel.one("system-prompt").send_keys(" Be brief.")
    panel.press(Keys.ESCAPE)
    assert len(chosen(panel)) == 1 and "Be brief." in chosen(panel)[0]["system_prompt"]


def test_amplifier_s_own_system_prompt_is_restored(panel: Panel) -> None:
    panel.show("settings-answers-chosen")
    assert value(panel, "system-prompt").startswith("You are a patient teacher")
    panel.one("system-prompt").send_keys("And ")
    panel.click("system-prompt-restore")
    assert chosen(panel)[-1] == {"system_prompt": ""}
    assert value(panel, "system-prompt") == "You are a helpful AI assistant."
    assert not panel.one("system-prompt-restore").is_enabled()


# Saved prompts


def titles(panel: Panel) -> list[str]:
    """The prompts that are listed."""
    return [item.find_element(By.CSS_SELECTOR, ".item-title").text for item in panel.all("prompt-item")]


def test_a_new_prompt_stays_in_its_form_until_python_has_it(panel: Panel) -> None:
    panel.show("settings-prompts-empty")
    panel.click("prompt-new")
    assert panel.focused() == "prompt-title"
    assert not panel.one("prompt-save").is_enabled()
    panel.press("Haiku", Keys.TAB, "Write a haiku about this.")
    panel.click("prompt-save")
    assert panel.sent()[-1] == {"type": "save-prompt", "id": None, "title": "Haiku", "text": "Write a haiku about this."}
    tell(panel, theme="system")  # it was refused
    assert value(panel, "prompt-text") == "Write a haiku about this."
    tell(panel, saved_prompts=[{"id": "p9", "title": "Haiku", "text": "Write a haiku about this."}])
    assert panel.all("prompt-title") == []
    assert titles(panel) == ["Haiku"]


def test_a_prompt_is_edited_in_its_place_and_escape_gives_it_up(panel: Panel) -> None:
    panel.show("settings-prompts")
    panel.click("prompt-edit", 1)
    assert value(panel, "prompt-title") == "Polite reply"
    panel.press(" to a letter", Keys.ESCAPE)
    assert panel.run("return document.querySelector('[data-testid=settings-dialog]').open")
    assert titles(panel) == ["Explain to a child", "Polite reply"]
    panel.click("prompt-edit", 1)
    panel.press(Keys.END, " to a letter")
    panel.click("prompt-save")
    sent = panel.sent()[-1]
    assert (sent["id"], sent["title"]) == ("p2", "Polite reply to a letter")
    assert sent["text"].startswith("Write a polite answer")


def test_a_deleted_prompt_comes_back(panel: Panel) -> None:
    panel.show("settings-prompts")
    panel.click("prompt-delete")
    assert panel.sent()[-1] == {"type": "delete-prompt", "id": "p1"}
    assert titles(panel) == ["Polite reply"]
    assert panel.focused() == "prompt-undo"
    panel.press(Keys.ENTER)
    assert panel.sent()[-1] == {
        "type": "save-prompt",
        "id": "p1",
        "title": "Explain to a child",
        "text": "Explain this to a child of ten, in three sentences:",
    }
    assert panel.all("prompt-undo") == []


def offered(panel: Panel) -> list[str | None]:
    """The prompts that "/" offers."""
    return [each.get_dom_attribute("data-name") for each in panel.all("prompt-suggestion")]


def test_a_slash_offers_prompts_beside_the_tools_and_puts_their_text_into_the_message(panel: Panel) -> None:
    panel.show("suggestions")
    assert offered(panel) == ["Explain to a child", "Polite reply"]
    assert len(panel.all("tool-suggestion")) > 5
    panel.press("reply")
    assert offered(panel) == ["Polite reply"]
    assert panel.all("tool-suggestion") == []
    panel.press(Keys.ENTER)
    assert value(panel, "composer").startswith("Write a polite answer to this letter.\nThank for it first")
    assert panel.focused() == "composer"
    assert panel.all("tool-suggestions") == []
    assert panel.sent() == []


def test_a_prompt_s_title_is_found_with_its_spaces(panel: Panel) -> None:
    panel.show("suggestions")
    panel.press("explain to a")
    assert offered(panel) == ["Explain to a child"]
    panel.press(" dog")
    assert panel.all("prompt-suggestion") == []


# General


SURFACE = "return getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(31, 31, 31)"


@pytest.mark.parametrize("system", ["light", "dark"])
def test_a_theme_holds_at_once_whatever_the_system_has(panel: Panel, system: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": system}]
    panel.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        panel.show("settings-general")
        as_system = {"light": LIGHT, "dark": DARK}[system]
        seen = [panel.run(SURFACE)]
        for index in (2, 1, 0):
            panel.click("theme", index)
            seen.append(panel.run(SURFACE))
        assert seen == [as_system, DARK, LIGHT, as_system]
        assert chosen(panel) == [{"theme": "dark"}, {"theme": "light"}, {"theme": "system"}]
        assert panel.run("return localStorage.theme") == "system"
    finally:
        panel.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_how_long_the_model_stays_and_what_is_synchronized_is_sent(panel: Panel) -> None:
    panel.show("settings-general")
    choice = Select(panel.one("keep-minutes"))
    assert [each.text for each in choice.options] == ["5 minutes", "15 minutes", "1 hour", "Always"]
    assert choice.first_selected_option.text == "15 minutes"
    choice.select_by_visible_text("Always")
    choice.select_by_visible_text("5 minutes")
    panel.click("synchronize")
    assert chosen(panel) == [{"keep_minutes": None}, {"keep_minutes": 5}, {"synchronize": False}]


def test_a_reset_is_asked_once_more(panel: Panel) -> None:
    panel.show("settings-general")
    panel.click("reset-settings")
    panel.press(Keys.ESCAPE)
    assert panel.one("reset-settings").is_displayed()
    panel.click("reset-settings")
    assert panel.sent() == []
    panel.click("reset-settings-confirm")
    assert panel.sent() == [{"type": "reset-settings"}]
    assert panel.all("reset-settings-confirm") == []


# Data


def test_what_is_kept_is_asked_for_and_listed(panel: Panel) -> None:
    panel.show("settings-data")
    assert panel.sent() == [{"type": "show-data"}]
    lines = [line.text for line in panel.all("kept-line")]
    assert lines == [
        "Conversations 214 3 MB",
        "Documents 31 48 MB",
        "Downloaded models 2 2.9 GB",
        "Notes 2 under 1 kB",
        "My modules ?",
    ]


def test_everything_is_only_deleted_by_who_types_the_word(panel: Panel) -> None:
    panel.show("settings-data")
    panel.click("delete-everything")
    assert panel.focused() == "delete-everything-word"
    assert not panel.one("delete-everything-confirm").is_enabled()
    panel.press("delet")
    assert not panel.one("delete-everything-confirm").is_enabled()
    panel.press("e")
    panel.click("delete-everything-confirm")
    assert panel.sent()[1:] == [{"type": "delete-everything"}]


# The engine asleep


def test_an_engine_that_sleeps_says_how_it_wakes(panel: Panel) -> None:
    panel.show("asleep")
    status = panel.one("engine-status")
    assert status.text == "Asleep"
    assert "wakes when you ask" in status.get_dom_attribute("title")
    assert panel.all("progress") == [] and panel.all("error") == []
