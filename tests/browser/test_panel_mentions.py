"""Mentions in the panel's views: the list, chips of tabs, following the tab in front, and what Chrome grants for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from selenium.webdriver.common.keys import Keys

FOLLOWED = {"id": "followed-tab", "kind": "tab", "detail": "example.org", "state": "ready", "progress": None, "follows": True}
ALL_SITES = ["http://*/*", "https://*/*"]
FOLLOWING_NEEDS = {"permissions": ["tabs"], "origins": ALL_SITES}


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def options(panel: Panel) -> list[str | None]:
    return [option.get_dom_attribute("data-name") for option in panel.all("mention-option")]


def pick(panel: Panel, name: str) -> None:
    panel.click("mention-option", options(panel).index(name))


def active(panel: Panel) -> str | None:
    """What the list marks, as the composer tells it to screen readers."""
    marked = panel.one("composer").get_dom_attribute("aria-activedescendant")
    if not marked:
        return None
    assert panel.run("return document.getElementById(arguments[0]).ariaSelected", marked) == "true"
    return panel.run("return document.getElementById(arguments[0]).dataset.name", marked)


def draft(panel: Panel) -> str:
    return str(panel.one("composer").get_property("value"))


def refuse(panel: Panel) -> None:
    panel.run("gallery.chrome.grants = false")


def asked(panel: Panel) -> list[dict[str, Any]]:
    return panel.run("return gallery.chrome.asked")


def grant(panel: Panel, **granted: list[str]) -> None:
    given = {"permissions": [], "origins": [], **granted}
    panel.dispatch({"type": "permissions-changed", "permissions": {**given, "revocable": given}})


# The list


def test_an_at_offers_tabs_and_documents_and_letters_narrow_them(panel: Panel) -> None:
    panel.show("mentions")
    composer = panel.one("composer")
    assert composer.aria_role == "combobox" and composer.get_dom_attribute("aria-controls") == "mention-list"
    assert panel.one("mention-list").aria_role == "listbox"
    assert len(options(panel)) == 13 and "New Tab" not in options(panel)
    assert active(panel) == "This page"
    panel.press("rain")
    assert options(panel) == ["Rainfall 2026"]
    panel.press("bow")
    assert options(panel) == [] and panel.one("mention-list").text == "Nothing called “rainbow”."
    assert composer.get_dom_attribute("role") is None and composer.get_dom_attribute("aria-activedescendant") is None


def test_what_is_not_there_stays_text_and_is_sent(panel: Panel) -> None:
    panel.show("mentions-nothing")
    panel.one("composer").click()
    panel.press(Keys.ENTER)
    assert [command["text"] for command in panel.sent()] == ["Compare @zebra"]


def test_enter_does_not_ask_for_tabs_when_a_name_was_typed_but_arrows_do(panel: Panel) -> None:
    panel.show("mentions-shy")
    assert options(panel) == ["Show my open tabs…"] and active(panel) is None
    panel.press(Keys.ARROW_DOWN)
    assert active(panel) == "Show my open tabs…"
    panel.show("mentions-shy")
    panel.press(Keys.ENTER)
    assert [command["text"] for command in panel.sent()] == ["Ask @zebra"]


@pytest.mark.parametrize("key", [Keys.ENTER, Keys.TAB])
def test_arrows_and_enter_choose_and_the_word_becomes_a_chip(panel: Panel, key: str) -> None:
    panel.show("mentions")
    panel.press(" now?")
    assert panel.all("mention-list") == []
    panel.press(*[Keys.ARROW_LEFT] * 5)
    assert active(panel) == "This page"
    panel.press(Keys.ARROW_UP)
    assert active(panel) == "All documents"
    panel.press(*[Keys.ARROW_DOWN] * 5)
    assert active(panel) == "Rainfall 2026"
    panel.press(key)
    panel.until(panel.sent)
    (mention,) = panel.sent()
    about = {"tab": 3, "title": "Rainfall 2026", "url": "https://weather.example.org/rain"}
    assert mention == {"type": "mention-tab", "id": panel.one("attachment").get_dom_attribute("data-id"), **about}
    assert draft(panel) == "Compare now?" and panel.all("mention-list") == []
    panel.press("them ")
    assert draft(panel) == "Compare them now?"


def test_several_are_mentioned_in_one_message_each_once(panel: Panel) -> None:
    panel.show("mentions")
    pick(panel, "This page")
    panel.until(lambda: len(panel.all("attachment")) == 1)
    panel.press("@")
    assert "This page" not in options(panel)
    pick(panel, "Annual report 2025.pdf")
    panel.press("@")
    assert "Annual report 2025.pdf" not in options(panel)
    pick(panel, "Ice")
    panel.press("@all", Keys.ENTER)
    panel.press("please", Keys.ENTER)
    tab, document, collection, everything, prompt = panel.sent()
    assert (tab["type"], tab["tab"]) == ("mention-tab", 1)
    assert (document["type"], document["document"]) == ("mention-document", "d1")
    assert collection == {"type": "ask-documents", "collection": "Ice"}
    assert everything == {"type": "ask-documents", "collection": None}
    assert prompt["text"] == "Compare please" and prompt["attachments"] == [tab["id"], document["id"]]


def test_escape_closes_the_list_until_the_next_mention_and_does_not_stop(panel: Panel) -> None:
    panel.show("mentions")
    panel.dispatch({"type": "busy", "value": True})
    panel.press(Keys.ESCAPE)
    assert panel.all("mention-list") == [] and panel.sent() == []
    panel.press("ra")
    assert panel.all("mention-list") == []
    panel.press(" @rainf")
    assert options(panel) == ["Rainfall 2026"]


def test_tabs_are_watched_while_the_list_is_open_and_the_mark_stays_where_it_was(panel: Panel) -> None:
    panel.show("mentions")
    watching = "return gallery.chrome.watching"
    assert panel.run(watching) == 1
    panel.press(*[Keys.ARROW_DOWN] * 4)
    assert active(panel) == "Rainfall 2026"
    more = """gallery.chrome.tell([{id: 9, title: "Just opened", url: "https://new.example/", isCurrent: false, isPage: true},
        ...gallery.store.getState().tabs])"""
    panel.run(more)
    panel.settle()
    assert "Just opened" in options(panel) and active(panel) == "Rainfall 2026"
    panel.press(Keys.ESCAPE)
    assert panel.run(watching) == 0


# Asking Chrome


def test_a_tab_that_chrome_does_not_let_be_read_is_not_attached_and_the_next_step_is_said(panel: Panel) -> None:
    panel.show("mentions")
    refuse(panel)
    pick(panel, "Rainfall 2026")
    panel.until(lambda: panel.all("notice"))
    assert asked(panel) == [{"tab": 3}] and panel.sent() == [] and panel.all("attachment") == []
    notice = panel.one("notice").text
    assert "“Rainfall 2026” is not attached" in notice and "weather.example.org" in notice and "toolbar" in notice


def test_tabs_are_asked_for_after_an_explanation_and_then_listed(panel: Panel) -> None:
    panel.show("mentions-hidden-tabs")
    assert "Rainfall 2026" not in options(panel)
    pick(panel, "Show my open tabs…")
    card = panel.one("tabs-explain")
    assert panel.focused() == "tabs-explain" and card.accessible_name == "List your open tabs?"
    for words in ("Read your browsing history", "only when you choose it", "Settings, under Permissions"):
        assert words in card.text
    assert asked(panel) == [] and panel.all("mention-list") == []
    panel.click("tabs-allow")
    panel.until(lambda: panel.all("tabs-explain") == [])
    assert asked(panel) == [{"permissions": ["tabs"]}]
    grant(panel, permissions=["tabs"])
    assert panel.focused() == "composer" and draft(panel) == "@"
    assert "Show my open tabs…" not in options(panel) and "This page" in options(panel)
    assert panel.sent() == []


def test_refused_tabs_stay_an_entry_and_the_next_step_is_said(panel: Panel) -> None:
    panel.show("mentions-hidden-tabs")
    refuse(panel)
    pick(panel, "Show my open tabs…")
    panel.click("tabs-allow")
    panel.until(lambda: panel.all("notice"))
    assert "You can still mention this page" in panel.one("notice").text
    assert "Show my open tabs…" in options(panel)


# Following


def test_following_is_explained_before_chrome_asks(panel: Panel) -> None:
    panel.show("mentions")
    pick(panel, "Follow the tab in front")
    assert draft(panel) == "Compare "
    card = panel.one("follow-explain")
    for words in ("Read and change all your data on all websites", "when you ask something, never before", "Permissions"):
        assert words in card.text
    assert asked(panel) == [] and panel.sent() == []
    panel.click("follow-allow")
    panel.until(panel.sent)
    assert asked(panel) == [FOLLOWING_NEEDS]
    assert panel.sent() == [{"type": "follow-tab", "value": True}]
    assert panel.all("follow-explain") == [] and panel.focused() == "composer"


@pytest.mark.parametrize("way", ["button", "escape"])
def test_not_now_asks_nothing_and_goes_back_to_the_composer(panel: Panel, way: str) -> None:
    panel.show("mentions")
    panel.dispatch({"type": "busy", "value": True})
    pick(panel, "Follow the tab in front")
    if way == "button":
        panel.click("follow-cancel")
    else:
        panel.press(Keys.ESCAPE)
    panel.settle()
    assert panel.all("follow-explain") == [] and panel.focused() == "composer"
    assert asked(panel) == [] and panel.sent() == []


def test_refused_following_is_said(panel: Panel) -> None:
    panel.show("mentions")
    refuse(panel)
    pick(panel, "Follow the tab in front")
    panel.click("follow-allow")
    panel.until(lambda: panel.all("notice"))
    assert "Not following" in panel.one("notice").text and panel.sent() == []


def test_what_is_granted_is_not_asked_again(panel: Panel) -> None:
    panel.show("mentions")
    grant(panel, permissions=["tabs"], origins=ALL_SITES)
    pick(panel, "Follow the tab in front")
    assert panel.sent() == [{"type": "follow-tab", "value": True}]
    assert panel.all("follow-explain") == [] and asked(panel) == []


def test_the_chip_that_follows_says_so_stays_after_sending_and_is_removed_by_its_button(panel: Panel) -> None:
    panel.show("tab-chips")
    assert "Follows the tab in front · www.example.org" in panel.all("attachment")[0].text
    panel.one("composer").click()
    panel.press(Keys.ENTER)
    assert panel.sent()[0]["attachments"] == ["followed-tab", "t1", "t2"]
    assert len(panel.all("message-attachment")) == 3
    panel.dispatch({"type": "attachment", "attachment": {**FOLLOWED, "name": "The next page"}})
    assert "The next page" in panel.one("attachment").text
    assert "How glaciers move" in panel.all("message-attachment")[0].text
    remove = panel.one("attachment-remove")
    assert remove.accessible_name == "Stop following The next page"
    remove.click()
    panel.settle()
    assert panel.sent()[-1] == {"type": "detach", "id": "followed-tab"}
    assert panel.all("attachment") == []
    panel.press("@fol", Keys.ENTER)
    assert panel.one("follow-explain")


def test_while_following_it_is_not_offered(panel: Panel) -> None:
    panel.show("following")
    panel.press("@")
    assert "Follow the tab in front" not in options(panel)


# Chips


def test_a_tabs_chip_tells_title_site_state_and_problem(panel: Panel) -> None:
    panel.show("tab-chips")
    _, ready, reading, failed = panel.all("attachment")
    assert [chip.get_dom_attribute("data-kind") for chip in (ready, reading, failed)] == ["tab"] * 3
    assert ready.text.split("\n") == ["Rainfall 2026", "weather.example.org"]
    assert "Reading · journal.alpine-research" in reading.text
    assert "Chrome does not let Amplifier read this page. Go to that tab" in failed.text


def test_nothing_of_a_tab_becomes_markup(panel: Panel) -> None:
    panel.show("mentions-hostile")
    panel.press("img")
    shown = panel.run("return document.getElementById('app').textContent")
    assert shown.count("<img src=x onerror=") >= 5
    assert panel.run("return document.querySelectorAll('#app :is(img, b)').length") == 0
    assert not panel.run("return 'hacked' in document.body.dataset")


# What Chrome granted


def test_what_chrome_granted_is_listed_and_can_be_revoked(panel: Panel) -> None:
    panel.show("browser-permissions")
    names = [item.get_dom_attribute("data-name") for item in panel.all("browser-permission")]
    assert names == ["tabs", "all-sites", "https://weather.example.org/*"]
    assert "Read weather.example.org" in panel.all("browser-permission")[2].text
    for index in range(3):
        panel.click("browser-permission-revoke", index)
    needs = [{"permissions": ["tabs"]}, {"origins": ALL_SITES}, {"origins": ["https://weather.example.org/*"]}]
    assert panel.run("return gallery.chrome.removed") == needs
    grant(panel, permissions=["tabs"])
    assert len(panel.all("browser-permission")) == 1
    grant(panel)
    assert panel.all("browser-permission") == [] and "Chrome asks you first" in panel.one("settings-dialog").text
    assert panel.sent() == []


def test_a_permission_that_chrome_keeps_is_said(panel: Panel) -> None:
    panel.show("browser-permissions")
    refuse(panel)
    panel.click("browser-permission-revoke")
    panel.until(lambda: panel.all("notice"))
    assert "See your open tabs" in panel.one("notice").text
