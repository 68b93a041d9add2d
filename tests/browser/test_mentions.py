"""Mentioned tabs, following the tab in front, and Chrome's permissions for both, through the real extension.

The engine is scripted. Chrome's own question cannot be answered by a test, but what an extension had to have in an earlier
run it keeps: the profile is made with a manifest that requires what ours only offers.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_tools.drive import PANEL_PATH, Browser
from build_tools.environment import find_browser
from build_tools.paths import BUILD, ROOT
from panel_driver import ScriptedDriver
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

OWLS, SEALS = "three thousand mice", "grey seal"
ACTIVATE = "chrome.tabs.update(arguments[0], {active: true}).then(() => arguments[1]())"
FRONT = "chrome.tabs.query({active: true, currentWindow: true}).then(([tab]) => arguments[0](tab.id))"
CLOSE = "chrome.tabs.remove(arguments[0]).then(arguments[1])"
WARNINGS = "chrome.management.getPermissionWarningsByManifest(arguments[0]).then(arguments[1])"
ALL_SITES = ["http://*/*", "https://*/*"]


@pytest.fixture(scope="module")
def driver(scripted_extension: Path, tmp_path_factory: pytest.TempPathFactory, pages: str) -> Iterator[ScriptedDriver]:
    """The panel beside a page on owls; what our manifest offers is granted, and can be taken back."""
    extension = BUILD / f"{scripted_extension.name}-granted"
    shutil.rmtree(extension, ignore_errors=True)
    shutil.copytree(scripted_extension, extension, copy_function=os.link)
    profile = tmp_path_factory.mktemp("profile")
    with Browser(extension, find_browser(), profile=profile, webgpu=False) as browser:
        browser.open(browser.url(PANEL_PATH))
    (extension / "manifest.json").unlink()
    shutil.copy(ROOT / "manifest.json", extension)
    with ScriptedDriver(extension, find_browser(), profile=profile) as driver:
        driver.watch_all()
        driver.start(f"{pages}/short-article.html")
        yield driver


@pytest.fixture(autouse=True)
def in_new_session(driver: ScriptedDriver) -> None:
    driver.to_panel()
    driver.new_session()
    while chips(driver):
        driver.click("attachment-remove")
    driver.find("composer").send_keys(Keys.CONTROL, "a", Keys.NULL, Keys.DELETE)
    driver.script()


@pytest.fixture
def seals(driver: ScriptedDriver, pages: str) -> Iterator[int]:
    """A tab behind the one in front, of another site, with a page on seals."""
    owls = driver.driver.execute_async_script(FRONT)
    tab = driver.open_tab(f"{pages.replace('127.0.0.1', 'localhost')}/sample-article.html")
    yield tab
    driver.to_panel()
    driver.driver.execute_async_script(ACTIVATE, owls)
    driver.driver.execute_async_script(CLOSE, tab)


def chips(driver: ScriptedDriver) -> list[WebElement]:
    return driver.find_all("attachment")


def options(driver: ScriptedDriver) -> list[str]:
    return driver.attributes("data-name", "mention-option")


def mention(driver: ScriptedDriver, typed: str, name: str) -> None:
    """Types an "@" and some letters, and chooses the entry of this name."""
    driver.type(f"@{typed}")
    found = f'[data-name="{name}"]'
    driver.wait(lambda: driver.find_all("mention-option", found), 10, f"{name} is offered")[-1].click()


def ready(driver: ScriptedDriver, count: int) -> None:
    ready = '[data-state="ready"]'
    driver.wait(lambda: len(driver.find_all("attachment", ready)) == count, 120, f"{count} attachments are ready")


def follow(driver: ScriptedDriver) -> None:
    mention(driver, "follow", "Follow the tab in front")


def chrome_asks(driver: ScriptedDriver, origins: list[str]) -> str:
    """Chrome's own words for seeing the tabs, and reading some sites."""
    manifest = {"name": "x", "version": "1", "manifest_version": 3, "permissions": ["tabs"], "host_permissions": origins}
    (warning,) = driver.driver.execute_async_script(WARNINGS, json.dumps(manifest))
    return warning


def is_followed(driver: ScriptedDriver, name: str) -> None:
    driver.wait(lambda: name in driver.find("attachment").text, 10, f"the chip says {name}")
    assert "Follows the tab in front" in driver.find("attachment").text


def test_two_mentioned_tabs_both_reach_the_model(driver: ScriptedDriver, seals: int) -> None:
    driver.type("Compare ")
    mention(driver, "", "This page")
    mention(driver, "GREY", "The Grey Seal Returns to the Baltic Sea")
    ready(driver, 2)
    assert driver.attributes("data-kind", "attachment") == ["tab", "tab"]
    driver.picture_in_both("mentioned-tabs")
    driver.ask("them")
    assert driver.wait_answer() == "done"
    assert OWLS in driver.prompts() and SEALS in driver.prompts()
    assert driver.texts("message", '[data-role="user"] [data-testid="message-text"]') == ["Compare them"]
    assert len(driver.find_all("message-attachment")) == 2 and chips(driver) == []


def test_the_list_is_fresh_while_it_is_open(driver: ScriptedDriver, pages: str) -> None:
    driver.type("@")
    name = "The Grey Seal Returns to the Baltic Sea"
    driver.wait(lambda: "This page" in options(driver), 10, "this page is offered")
    assert name not in options(driver)
    tab = driver.open_tab(f"{pages}/sample-article.html")
    driver.wait(lambda: name in options(driver), 10, "the new tab is offered")
    driver.picture_in_both("mentions")
    driver.driver.execute_async_script(CLOSE, tab)
    driver.wait(lambda: name not in options(driver), 10, "the closed tab is not")


def test_following_answers_from_the_tab_that_is_in_front(driver: ScriptedDriver, seals: int) -> None:
    follow(driver)
    is_followed(driver, "Barn Owl")
    driver.ask("What is this about?")
    assert driver.wait_answer() == "done"
    assert OWLS in driver.prompts() and SEALS not in driver.prompts().lower()
    driver.driver.execute_async_script(ACTIVATE, seals)
    is_followed(driver, "Grey Seal")
    driver.picture_in_both("following")
    driver.script()
    driver.ask("And what is this about?")
    assert driver.wait_answer(2) == "done"
    assert SEALS in driver.prompts().lower()
    sent = driver.texts("message-attachment")
    assert "Barn Owl" in sent[0] and "Grey Seal" in sent[1]


def test_what_chrome_grants_is_revoked_in_the_settings_and_explained_again(driver: ScriptedDriver, seals: int) -> None:
    follow(driver)
    is_followed(driver, "Barn Owl")
    driver.open_settings("permissions")
    granted = ["tabs", "all-sites"]
    driver.wait(lambda: driver.attributes("data-name", "browser-permission") == granted, 10, "what is granted is listed")
    driver.picture_in_both("browser-permissions")
    for left in (granted[:1], []):
        driver.click("browser-permission-revoke")  # the last of them
        driver.wait(lambda left=left: driver.attributes("data-name", "browser-permission") == left, 10, "it is revoked")
    assert driver.driver.execute_async_script("chrome.permissions.getAll().then(arguments[0])")["origins"] == []
    driver.close_settings()
    driver.wait(lambda: not chips(driver), 10, "following has ended")
    assert any("ollow" in notice for notice in driver.notices())

    driver.type("@grey")
    driver.wait(lambda: options(driver) == ["Show my open tabs…"], 10, "the tabs are hidden")
    driver.find("mention-option").click()
    assert chrome_asks(driver, []) in driver.find("tabs-explain").text
    driver.click("tabs-cancel")
    driver.find("composer").send_keys(Keys.BACKSPACE * 5)
    follow(driver)
    assert chrome_asks(driver, ALL_SITES) in driver.find("follow-explain").text
    driver.picture_in_both("explain-follow")
    driver.click("follow-cancel")
    assert chips(driver) == []


def test_nothing_was_said_in_any_console(driver: ScriptedDriver) -> None:
    assert driver.watch
    assert [problem for problem in driver.watch.seen.problems if not problem[0].startswith("page http")] == []
