"""A database of conversations that version 1 made, in the real extension: all of it is there after the upgrade, or all of it as
it was. tests/kept/database-1.json is what version 1 wrote in a browser."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from build_tools.drive import PANEL_PATH
from build_tools.environment import find_browser
from build_tools.paths import ROOT
from panel_driver import ScriptedDriver
from test_sessions import Conversations

STORES: dict[str, list[Any]] = json.loads((ROOT / "tests" / "kept" / "database-1.json").read_text())["stores"]
TITLES = sorted(session["title"] for _, session in STORES["sessions"])
OWL = "The Barn Owl, a Quiet Hunter"
CUT_OFF = "What are owls?"

# Has no other path to the database than the panel, which is closed.
PUT = """
const [stores, done] = arguments;
const opening = indexedDB.open('sessions', 1);
opening.onupgradeneeded = () => {
  const database = opening.result;
  database.createObjectStore('sessions', {keyPath: 'id'});
  database.createObjectStore('messages', {keyPath: ['session', 'id']});
  database.createObjectStore('memories', {keyPath: 'session'});
  database.createObjectStore('texts');
};
opening.onsuccess = () => {
  const database = opening.result;
  const transaction = database.transaction([...database.objectStoreNames], 'readwrite');
  for (const [name, rows] of Object.entries(stores))
    for (const [key, value] of rows) transaction.objectStore(name).put(value, ...(name === 'texts' ? [key] : []));
  transaction.oncomplete = () => { database.close(); done(); };
};
"""
DUMP = """
const done = arguments[0];
const opening = indexedDB.open('sessions');
opening.onsuccess = async () => {
  const database = opening.result, stores = {};
  const transaction = database.transaction([...database.objectStoreNames]);
  const asked = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  for (const name of database.objectStoreNames) {
    const store = transaction.objectStore(name);
    const [keys, values] = await Promise.all([asked(store.getAllKeys()), asked(store.getAll())]);
    stores[name] = keys.map((key, at) => [key, values[at]]);
  }
  database.close();
  done({version: database.version, stores});
};
"""
# At the fifth record of the upgrade: it fails, or goes on for ever.
FAILS = """
let puts = 0;
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...given) {
  if (this.transaction.mode !== 'versionchange' || ++puts < 5) return put.apply(this, given);
  throw new DOMException('The disk is full', 'QuotaExceededError');
};
"""
HANGS = """
let puts = 0;
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (...given) {
  if (this.transaction.mode !== 'versionchange' || ++puts < 5) return put.apply(this, given);
  const again = () => { this.count().onsuccess = again; };
  again();
  window.isMidway = true;
  return new Promise(() => {});
};
"""


class Upgraded(ScriptedDriver):
    """A browser with a database of version 1, and no panel yet."""

    def put(self) -> None:
        """Writes the database."""
        self.open(self.url("manifest.json"))
        self.driver.execute_async_script(PUT, STORES)

    def dump(self) -> dict[str, Any]:
        """All that is in the database."""
        self.open(self.url("manifest.json"))
        return self.driver.execute_async_script(DUMP)

    def open_with(self, fault: str) -> None:
        """Opens the panel's page, as a tab, with a fault in it."""
        self.driver.switch_to.window(self.page)
        added = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": fault})
        self.driver.get(self.url(PANEL_PATH))
        self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)


@pytest.fixture
def make(scripted_extension: Path) -> Iterator[Callable[[], Upgraded]]:
    """Starts a browser on one profile, which outlives it."""
    profile = Path(tempfile.mkdtemp(prefix="amplifier-upgrade-"))
    yield lambda: Upgraded(scripted_extension, find_browser(), profile=profile)
    shutil.rmtree(profile, ignore_errors=True)


def is_all_there(driver: Upgraded, pages: str) -> Conversations:
    """The panel lists what version 1 kept, and goes on with the answer that was cut off."""
    driver.start(f"{pages}/table.html")
    talks = Conversations(driver)
    driver.wait(lambda: driver.answer_state() == "done" and not driver.is_busy(), 30, "the answer is gone on with")
    assert driver.find("session-title").text == CUT_OFF
    assert driver.answer_text() == "Owls are biFine."
    talks.open_list()
    driver.wait(lambda: sorted(talks.titles()) == TITLES, 10, f"all are listed, not {talks.titles()}")
    return talks


def test_all_is_there_and_pages_once(make: Callable[[], Upgraded], pages: str) -> None:
    with make() as driver:
        driver.put()
        talks = is_all_there(driver, pages)
        for title in TITLES:
            if title != CUT_OFF:
                talks.open(title)
                is_shown(talks, [row["message"]["text"] for row in rows_of(title)])
                talks.open_list()
        talks.open(OWL)
        driver.wait(lambda: driver.find("session-title").text == OWL, 10, "the owl's is open")
        driver.script("Once more.")
        driver.click("retry", driver.answer())
        driver.wait(lambda: driver.answer_text() == "Once more." and not driver.is_busy(), 30, "it is answered anew")
        assert "barn owl hunts" in driver.prompts().lower()
        dump = driver.dump()
        assert {session["version"] for _, session in dump["stores"]["sessions"]} == {2}
        owl = next(session["id"] for _, session in STORES["sessions"] if session["title"] == OWL)
        kept = [page["value"]["title"] for (session, _), page in dump["stores"]["pages"] if session == owl]
        assert kept == [OWL], "the page that two turns are about is kept once"
        assert '"markdown"' not in json.dumps([dump["stores"][name] for name in ("memories", "turns")])


def test_one_that_fails_leaves_the_old_data(make: Callable[[], Upgraded], pages: str) -> None:
    with make() as driver:
        driver.put()
        driver.open_with(FAILS)
        driver.wait(lambda: any("could not be opened" in notice for notice in driver.notices()), 60, "it is said")
        assert driver.dump() == {"version": 1, "stores": STORES}
        is_all_there(driver, pages)


def test_one_that_is_cut_off_leaves_the_old_data(make: Callable[[], Upgraded], pages: str) -> None:
    first = make()
    try:
        first.put()
        first.open_with(HANGS)
        first.wait(lambda: first.driver.execute_script("return window.isMidway"), 60, "it is under way")
        processes = first.cdp("SystemInfo.getProcessInfo", {})["processInfo"]
        os.kill(next(each["id"] for each in processes if each["type"] == "browser"), signal.SIGKILL)
    finally:
        first.driver.service.stop()
    with make() as second:
        assert second.dump() == {"version": 1, "stores": STORES}
        is_all_there(second, pages)


def is_shown(talks: Conversations, texts: list[str]) -> None:
    """Each message of the open conversation begins with the first line of these."""
    wanted = firsts(texts)
    talks.driver.wait(lambda: firsts(talks.shown()) == wanted, 20, f"{wanted} is shown")


def firsts(texts: list[str]) -> list[str]:
    """The first line of each that is not empty."""
    return [text.split("\n")[0] for text in texts if text]


def rows_of(title: str) -> list[dict[str, Any]]:
    """A conversation's messages, in order."""
    session = next(each["id"] for _, each in STORES["sessions"] if each["title"] == title)
    order = next(row["order"] for name, row in STORES["memories"] if name == session)
    found = {row["id"]: row for (owner, _), row in STORES["messages"] if owner == session}
    return [found[each] for each in order]
