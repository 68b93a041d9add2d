"""Collections in the real extension: attached, searched, written to a file, deleted, put back, and made again from the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from panel_driver import ScriptedDriver
from selenium.webdriver.common.keys import Keys

Message = dict[str, Any]

# What the library holds, and its state, over a port of its own. It always ends: a document may be deleted between the list and
# the question for its passages, and the port and the library may be lost.
LOOK = """
const done = arguments[arguments.length - 1];
const port = chrome.runtime.connect({name: "engine"});
const look = {state: null, documents: {}, chunks: {}};
const wanted = new Set(["look"]);
port.onDisconnect.addListener(() => done({error: "nobody is there"}));
port.onMessage.addListener((message) => {
  if (message.type === "library") look.state = message.state;
  if (!wanted.delete(message.id)) return;
  if (message.type === "error" && message.code !== "unknown-document") done({error: message.message});
  if (message.type === "error") delete look.documents[message.id];
  if (message.type === "library.chunks") look.chunks[message.id] = message.chunks;
  for (const each of message.documents ?? []) {
    look.documents[each.id] = each;
    wanted.add(each.id);
    port.postMessage({type: "library.get", id: each.id, document: each.id});
  }
  if (wanted.size > 0) return;
  port.disconnect();
  done(look);
});
port.postMessage({type: "library.list", id: "look"});
"""

# As fast as the view can follow.
DELETE_UNDO_AND_CLOSE = """
const click = (testid) => document.querySelector(`[data-testid=${testid}]`).click();
click("collection-delete");
requestAnimationFrame(() => requestAnimationFrame(() => { click("document-undo"); click("settings-close"); }));
"""

NATURE = """# Cats

The kitten slept on the sofa all afternoon and purred when it was stroked.

# Stars

A telescope collects faint light from distant galaxies and focuses it with a curved mirror.
"""
MONEY = """# Rates

The central bank raised its lending rate by half a percentage point to slow inflation.
"""
MEANT = "monetary policy against rising prices"  # shares no word with the passage that it asks for


def look(driver: ScriptedDriver) -> Message:
    """What the library holds."""
    held = driver.driver.execute_async_script(LOOK)
    assert "error" not in held, held
    return held


def embedded(driver: ScriptedDriver) -> Message:
    """What it holds once all of it has its vectors."""

    def is_done() -> Message | None:
        held = look(driver)
        state = held["state"]
        return held if state["state"] == "idle" and state["embedded"] == state["chunks"] else None

    return driver.wait(is_done, 60, "all passages are embedded")


def kept(held: Message) -> Message:
    """Passages by their document, and what the user knows of it."""
    known = ("name", "title", "collection", "words", "added", "mime")
    return {id: ({name: about[name] for name in known}, held["chunks"][id]) for id, about in held["documents"].items()}


def names(driver: ScriptedDriver) -> list[str]:
    """Of the documents that the settings list."""
    return driver.texts("document", " .item-title")


def wait_listed(driver: ScriptedDriver, *wanted: str) -> None:
    """Waits until these are listed."""
    driver.wait(lambda: names(driver) == [*wanted], 20, f"{wanted} are listed")


def wait_notice(driver: ScriptedDriver, words: str) -> None:
    """Waits for a notice."""
    driver.wait(lambda: any(words in notice for notice in driver.notices()), 20, words)


def dismiss_notices(driver: ScriptedDriver) -> None:
    """What was told before is not taken for what is told next."""
    driver.driver.execute_script("for (const button of document.querySelectorAll('[data-testid=notice] button')) button.click()")
    driver.wait(lambda: not driver.notices(), 10, "no notice is left")


def search(driver: ScriptedDriver, query: str) -> str:
    """Types into the search; returns how it ended."""
    field = driver.find("document-search")
    field.clear()
    field.send_keys(query, Keys.ENTER)
    return driver.wait(lambda: _ended(driver), 30, "the search has ended")


def _ended(driver: ScriptedDriver) -> str | None:
    state = driver.find("found").get_attribute("data-state")
    return state if state != "searching" else None


@pytest.fixture
def shelf(scripted: ScriptedDriver, tmp_path: Path) -> ScriptedDriver:
    """The settings, opened at two documents that were attached, and what is saved goes to tmp_path."""
    scripted.to_panel()
    dismiss_notices(scripted)
    if scripted.is_settings_open():
        scripted.close_settings()
    allow = {"behavior": "allow", "downloadPath": str(tmp_path)}
    scripted.driver.execute_cdp_cmd("Browser.setDownloadBehavior", allow)
    for name, text in (("money.md", MONEY), ("nature.md", NATURE)):
        (tmp_path / name).write_text(text)
        scripted.find("attach-input").send_keys(str(tmp_path / name))
        scripted.wait(lambda name=name: is_ready(scripted, name), 60, f"{name} is ready")
    for chip in scripted.find_all("attachment-remove"):
        chip.click()
    scripted.open_settings("documents")
    wait_listed(scripted, "money.md", "nature.md")
    embedded(scripted)
    return scripted


def is_ready(driver: ScriptedDriver, name: str) -> bool:
    """Whether a file is attached and can be asked."""
    return any(name in chip for chip in driver.texts("attachment", '[data-state="ready"]'))


def test_a_collection_is_saved_deleted_and_comes_back_the_same(shelf: ScriptedDriver, tmp_path: Path) -> None:
    before = embedded(shelf)
    assert len(before["documents"]) == 2 and before["state"]["chunks"] == 3
    shelf.picture_in_both("documents")

    shelf.click("collection-export")
    [saved] = shelf.wait(lambda: list(tmp_path.glob("*.amplifier.json")), 20, "the collection is saved")
    whole = json.loads(saved.read_text())
    assert (saved.name, whole["format"], whole["version"]) == ("Documents.amplifier.json", "amplifier-collection", 1)
    said = {each["name"]: [passage["text"] for passage in each["passages"]] for each in whole["documents"]}
    assert said["money.md"] == [MONEY.splitlines()[2]] and said["nature.md"] == NATURE.splitlines()[2::4]

    assert search(shelf, MEANT) == "some"
    first = shelf.texts("found-passage")[0]
    assert "money.md" in first and "Rates" in first and MONEY.splitlines()[2] in first
    shelf.picture_in_both("documents-search")
    assert search(shelf, "zymurgy of quokkas") == "none"
    shelf.find("document-search").send_keys(Keys.ESCAPE)

    shelf.click("collection-delete")
    wait_listed(shelf)
    shelf.wait(lambda: not look(shelf)["documents"], 20, "the library is empty")
    shelf.picture_in_both("documents-deleted")
    shelf.find("collection-import").send_keys(str(saved))
    wait_notice(shelf, "2 documents came into “Documents”.")
    wait_listed(shelf, "money.md", "nature.md")
    after = embedded(shelf)
    assert kept(after) == kept(before)
    assert after["state"]["computed"] == before["state"]["computed"] + 3
    assert search(shelf, MEANT) == "some"
    assert MONEY.splitlines()[2] in shelf.texts("found-passage")[0]
    assert shelf.watch
    assert [problem for problem in shelf.watch.seen.problems if not problem[0].startswith("page http")] == []


def test_undo_puts_back_one_and_all(shelf: ScriptedDriver) -> None:
    before = embedded(shelf)
    for button, left in (("document-delete", ["money.md"]), ("collection-delete", [])):
        shelf.click(button)  # the last of them
        wait_listed(shelf, *left)
        shelf.wait(lambda left=left: len(look(shelf)["documents"]) == len(left), 20, "it is deleted")
        shelf.find("document-undo").click()
        wait_listed(shelf, "money.md", "nature.md")
        assert kept(embedded(shelf)) == kept(before)


def test_undo_that_is_clicked_at_once_waits_for_the_deletion_and_outlives_the_dialog(shelf: ScriptedDriver) -> None:
    before = embedded(shelf)
    shelf.driver.execute_script(DELETE_UNDO_AND_CLOSE)
    shelf.wait(lambda: not shelf.is_settings_open(), 10, "the settings are closed")
    shelf.open_settings("documents")
    wait_listed(shelf, "money.md", "nature.md")
    assert kept(embedded(shelf)) == kept(before)


def test_only_what_is_not_there_comes_from_a_file_and_is_embedded(shelf: ScriptedDriver, tmp_path: Path) -> None:
    shelf.click("collection-export")
    [saved] = shelf.wait(lambda: list(tmp_path.glob("*.amplifier.json")), 20, "the collection is saved")
    shelf.click("document-delete")
    wait_listed(shelf, "money.md")
    shelf.wait(lambda: len(look(shelf)["documents"]) == 1, 20, "it is deleted")
    before = embedded(shelf)
    shelf.find("collection-import").send_keys(str(saved))
    wait_notice(shelf, "1 document came into “Documents”; 1 document was there already.")
    after = embedded(shelf)
    assert after["state"]["computed"] == before["state"]["computed"] + 2
    shelf.find("collection-import").send_keys(str(saved))
    wait_notice(shelf, "Nothing new for “Documents”: 2 documents were there already.")
    assert embedded(shelf)["state"]["computed"] == after["state"]["computed"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text[: len(text) // 2], "This file is damaged"),
        (lambda text: text.replace('"version": 1', '"version": 9'), "another version (9, not 1)"),
        (lambda _text: '{"bookmarks": []}', "no exported collection"),
        (lambda _text: "\0\1\2" * 100, "no exported collection"),
    ],
)
def test_a_bad_file_is_refused_and_changes_nothing(shelf: ScriptedDriver, tmp_path: Path, change: Any, says: str) -> None:
    shelf.click("collection-export")
    [saved] = shelf.wait(lambda: list(tmp_path.glob("*.amplifier.json")), 20, "the collection is saved")
    before = look(shelf)
    bad = tmp_path / "bad.json"
    bad.write_text(change(saved.read_text()))
    shelf.find("collection-import").send_keys(str(bad))
    wait_notice(shelf, says)
    assert kept(look(shelf)) == kept(before)
