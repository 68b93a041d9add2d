"""The library of documents in the browser: it embeds by itself, survives whatever goes away, never does a chunk twice, and finds
passages by their words and by their meaning."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import statistics
from collections.abc import Iterator
from typing import Any

import pytest
from build_tools.drive import PANEL_PATH
from build_tools.environment import find_browser
from build_tools.paths import BUILD, TEST_EXTENSION
from panel_driver import PanelDriver

Message = dict[str, Any]

# One request over a port of its own; gives the answer, and the library's state as it is told before and after it.
ASK = """
const [request, done] = arguments;
const port = chrome.runtime.connect({name: "engine"});
let state = null;
const end = (answer) => { port.disconnect(); done(answer && {...answer, state}); };
port.onMessage.addListener((message) => {
  if (message.type === "library") state = message.state;
  if (message.id === request.id) end(message);
});
port.onDisconnect.addListener(() => { chrome.runtime.lastError; end(null); });
port.postMessage(request);
"""
# Runs in any page of the extension: what lies in the database.
IN_STORE = """
const done = arguments[arguments.length - 1];
const opening = indexedDB.open("library");
opening.onerror = () => done(null);
opening.onsuccess = () => {
  const database = opening.result;
  const table = database.transaction(arguments[0]).objectStore(arguments[0]);
  const keys = table.getAllKeys();
  keys.onsuccess = () => { database.close(); done(keys.result); };
};
"""
DEVELOPER_MODE = "chrome.developerPrivate.updateProfileConfiguration({inDeveloperMode: true}, arguments[0])"
CLOSE_OFFSCREEN = "chrome.offscreen.closeDocument().then(arguments[0])"

SUBJECTS = {
    "cats": "The kitten slept on the sofa all afternoon and purred when it was stroked.",
    "rates": "The central bank raised its lending rate by half a percentage point to slow inflation.",
    "ovens": "Knead the dough for ten minutes, let it rise in a warm place, then bake it until the crust is golden.",
    "stars": "A telescope collects faint light from distant galaxies and focuses it with a curved mirror.",
}
# Each shares no word with the passage it asks for.
QUESTIONS = {
    "cats": "pets resting upon furniture",
    "rates": "monetary policy against rising prices",
    "ovens": "how do I make bread?",
    "stars": "instruments for astronomy",
}


class LibraryDriver(PanelDriver):
    """Asks the library from the panel."""

    ids = itertools.count(1)

    def library(self, kind: str, **request: Any) -> Message:
        """The answer to one request."""
        return self.wait(lambda: self._ask({"type": f"library.{kind}", "id": f"test-{next(self.ids)}", **request}), 60, kind)

    def _ask(self, request: Message) -> Message | None:
        """None if the offscreen document is not there, or goes before it has answered."""
        return self.driver.execute_async_script(ASK, request)

    def put(self, name: str, texts: list[str], collection: str = "Documents") -> str:
        """Puts a document whose chunks are `texts`; returns its id."""
        document = document_id(name, texts)
        chunks = [chunk(document, ordinal, text) for ordinal, text in enumerate(texts)]
        about = {"id": document, "name": name, "title": name, "mime": "text/plain", "bytes": 1, "added": 1, "words": 1}
        answer = self.library("put", document={**about, "collection": collection, "chunk_ids": []}, chunks=chunks)
        assert answer["type"] == "library.done", answer
        return document

    def search(self, query: str, **more: Any) -> Message:
        """What is found."""
        found = self.library("search", query=query, **more)
        assert found["type"] == "library.found", found
        return found

    def library_state(self) -> Message:
        """The state that panels are told."""
        return self.library("list")["state"]

    def wait_embedded(self, timeout: float = 120) -> Message:
        """Waits until every chunk has its vector; returns the state."""

        def is_done() -> Message | None:
            state = self.library_state()
            assert state["error"] is None
            return state if state["state"] == "idle" and state["embedded"] == state["chunks"] else None

        return self.wait(is_done, timeout, "all chunks are embedded")

    def wait_half(self, before: Message, count: int) -> None:
        """Waits until some of `count` new chunks have their vectors, and checks that it is not all."""
        embedded = self.wait(
            lambda: (now := self.library_state()["computed"] - before["computed"]) > 0 and now, 60, "a batch is embedded"
        )
        assert embedded < count

    def in_store(self, table: str) -> list[Any]:
        """Keys of a table of the database."""
        return self.driver.execute_async_script(IN_STORE, table)

    def clear(self) -> Message:
        """Deletes all documents; returns the state."""
        for document in self.library("list")["documents"]:
            self.library("delete", document=document["id"])
        return self.library_state()


def document_id(name: str, texts: list[str]) -> str:
    return hashlib.sha256("\0".join([name, *texts]).encode()).hexdigest()[:32]


def chunk(document: str, ordinal: int, text: str) -> Message:
    identity = hashlib.sha256(f"\0{text}".encode()).hexdigest()[:24]
    return {"id": identity, "document": document, "ordinal": ordinal, "text": text, "heading": "", "page": ordinal + 1}


def notes(subject: str, count: int) -> list[str]:
    """Passages that are all different."""
    return [f"Note {number} of the {subject}: on day {number * 7} the {subject} was measured again." for number in range(count)]


def texts(hits: list[Message]) -> list[str]:
    return [hit["chunk"]["text"] for hit in hits]


@pytest.fixture(scope="module")
def browser(pages: str) -> Iterator[LibraryDriver]:
    """A browser with the panel open, which is watched from the start."""
    if not (TEST_EXTENSION / "manifest.json").exists():
        pytest.fail(f"{TEST_EXTENSION} is missing: run the tests with python3 build.py test")
    with LibraryDriver(TEST_EXTENSION, find_browser()) as driver:
        driver.watch_all()
        driver.open("chrome://extensions")  # without developer mode an unpacked extension that is reloaded is switched off
        driver.driver.execute_async_script(DEVELOPER_MODE)
        driver.open(f"{pages}/short-article.html")
        driver.open_panel()
        yield driver


@pytest.fixture
def panel(browser: LibraryDriver) -> LibraryDriver:
    """The panel, with an empty library."""
    browser.open_panel()
    browser.clear()
    return browser


# -- finding


def test_passages_are_found_by_their_meaning(panel: LibraryDriver) -> None:
    panel.put("subjects.txt", list(SUBJECTS.values()))
    assert panel.wait_embedded()["device"] == "cpu"  # WebGPU in software is not taken for a graphics card
    for subject, question in QUESTIONS.items():
        found = panel.search(question, limit=4)
        assert SUBJECTS[subject] not in texts(found["keywords"])
        assert texts(found["vectors"])[0] == SUBJECTS[subject]
        assert found["vectors"][0]["score"] > found["vectors"][1]["score"] + 0.1
        assert (found["total"], found["pending"]) == (4, 0)
    same = panel.search(SUBJECTS["cats"])["vectors"][0]
    assert same["score"] == pytest.approx(1, abs=0.01)


def test_passages_are_found_by_their_words_before_they_are_embedded(panel: LibraryDriver) -> None:
    before = panel.library_state()
    panel.put("notes.txt", [*notes("harbour", 40), "The zymurgist counted 4711 barrels.", "東京都の図書館は静かです。"])
    found = panel.search("zymurgist 4711")
    assert texts(found["keywords"]) == ["The zymurgist counted 4711 barrels."]
    assert found["keywords"][0]["chunk"]["page"] == 41
    assert found["pending"] > 0
    assert texts(panel.search("図書館")["keywords"]) == ["東京都の図書館は静かです。"]
    assert panel.wait_embedded()["computed"] == before["computed"] + 42


def test_a_search_keeps_to_collections_and_documents(panel: LibraryDriver) -> None:
    at_home = panel.put("cats.txt", [SUBJECTS["cats"], SUBJECTS["ovens"]], "Home")
    at_work = panel.put("rates.txt", [SUBJECTS["rates"], SUBJECTS["ovens"]], "Work")
    panel.wait_embedded()
    for scope in ({"collections": ["Work"]}, {"documents": [at_work]}):
        found = panel.search("kitten on the sofa", **scope)
        assert SUBJECTS["cats"] not in texts(found["keywords"] + found["vectors"])
        assert {hit["chunk"]["document"] for hit in found["vectors"]} == {at_work}
        assert found["total"] == 2
    assert panel.search("kitten", collections=["Nowhere"])["vectors"] == []
    panel.library("rename", **{"from": "Home", "to": "Garden"})
    assert texts(panel.search("kitten", collections=["Garden"])["keywords"]) == [SUBJECTS["cats"]]
    assert {each["id"]: each["collection"] for each in panel.library("list")["documents"]} == {
        at_home: "Garden",
        at_work: "Work",
    }


def test_chunks_are_given_back_as_they_were_put(panel: LibraryDriver) -> None:
    document = panel.put("notes.txt", notes("well", 5))
    assert panel.library("get", document=document)["chunks"] == [
        chunk(document, ordinal, text) for ordinal, text in enumerate(notes("well", 5))
    ]
    some = panel.library("get", document=document, ordinals=[3, 1, 99])["chunks"]
    assert [each["ordinal"] for each in some] == [3, 1]
    listed = panel.library("list")["documents"][0]
    assert listed["chunks"] == 5
    assert len(listed["chunk_ids"]) == 5
    assert panel.library("get", document="nothing")["code"] == "unknown-document"


# -- never twice


def test_a_deleted_document_leaves_nothing(panel: LibraryDriver) -> None:
    kept = panel.put("kept.txt", [SUBJECTS["stars"], SUBJECTS["ovens"]])
    gone = panel.put("gone.txt", [SUBJECTS["cats"], SUBJECTS["ovens"]])
    assert panel.wait_embedded()["chunks"] == 3
    panel.library("delete", document=gone)
    found = panel.search("the kitten slept on the sofa")
    assert SUBJECTS["cats"] not in texts(found["keywords"] + found["vectors"])
    assert SUBJECTS["ovens"] in texts(found["vectors"])  # the other document has it too
    assert panel.in_store("documents") == [kept]
    assert panel.in_store("chunks") == [[kept, 0], [kept, 1]]
    assert len(panel.in_store("vectors")) == 2
    assert panel.library("delete", document=gone)["code"] == "unknown-document"


def test_a_changed_document_takes_the_place_of_the_old_one_and_embeds_only_what_changed(panel: LibraryDriver) -> None:
    old = panel.put("report.txt", [*notes("river", 10), SUBJECTS["cats"]])
    before = panel.wait_embedded()
    new = panel.put("report.txt", [SUBJECTS["rates"], *notes("river", 9), notes("bridge", 1)[0]])
    after = panel.wait_embedded()
    assert after["computed"] == before["computed"] + 2
    assert (after["documents"], after["chunks"]) == (1, 11)
    assert [each["id"] for each in panel.library("list")["documents"]] == [new] != [old]
    assert {key[0] for key in panel.in_store("chunks")} == {new}
    assert len(panel.in_store("vectors")) == 11
    assert SUBJECTS["cats"] not in texts(panel.search("kitten sofa")["vectors"] + panel.search("kitten sofa")["keywords"])


def test_the_same_passages_again_are_not_embedded_again(panel: LibraryDriver) -> None:
    panel.put("one.txt", notes("forest", 12))
    before = panel.wait_embedded()
    panel.put("one.txt", notes("forest", 12))
    panel.put("two.txt", notes("forest", 12))
    panel.put("three.txt", [SUBJECTS["cats"]] * 3)
    after = panel.wait_embedded()
    assert after["computed"] == before["computed"] + 1
    assert (after["documents"], after["chunks"]) == (3, 13)


# -- going away in the middle


def test_embedding_goes_on_when_no_panel_is_open(panel: LibraryDriver) -> None:
    before = panel.library_state()
    panel.put("long.txt", notes("mill", 64))
    panel.wait_half(before, 64)
    panel.close_panel()
    assert panel.handles(PANEL_PATH) == []
    panel.to_offscreen()
    panel.wait(lambda: len(panel.in_store("vectors")) == 64, 120, "all chunks have a vector")
    panel.driver.switch_to.window(panel.page)
    panel.open_panel()
    assert panel.wait_embedded()["computed"] == before["computed"] + 64


def test_embedding_goes_on_in_another_offscreen_document(panel: LibraryDriver) -> None:
    before = panel.library_state()
    panel.put("long.txt", [*notes("tower", 63), SUBJECTS["stars"]])
    panel.wait_half(before, 64)
    panel.driver.execute_async_script(CLOSE_OFFSCREEN)
    after = panel.wait_embedded()
    assert after["computed"] == before["computed"] + 64
    assert len(panel.in_store("vectors")) == after["embedded"] == 64
    assert texts(panel.search(QUESTIONS["stars"])["vectors"])[0] == SUBJECTS["stars"]


def test_embedding_goes_on_after_the_extension_was_reloaded(panel: LibraryDriver, pages: str) -> None:
    before = panel.library_state()
    panel.put("long.txt", [*notes("castle", 63), SUBJECTS["stars"]], "Old things")
    panel.wait_half(before, 64)
    panel.driver.execute_script("setTimeout(() => chrome.runtime.reload())")
    panel.wait(lambda: panel.handles(PANEL_PATH) == [], 30, "the panel is gone")
    panel.open("chrome://extensions")
    panel.wait(lambda: is_enabled(panel), 30, "the extension is back")
    panel.open(f"{pages}/short-article.html")
    panel.open_panel()
    after = panel.wait_embedded()
    assert after["computed"] == before["computed"] + 64
    assert len(panel.in_store("vectors")) == after["embedded"] == 64
    assert [each["collection"] for each in panel.library("list")["documents"]] == ["Old things"]
    assert texts(panel.search(QUESTIONS["stars"])["vectors"])[0] == SUBJECTS["stars"]
    assert panel.search("castle")["keywords"]


def is_enabled(panel: LibraryDriver) -> bool:
    """Whether the extension is there; must be at chrome://extensions. The browser dies of a press of a button that is not."""
    script = """
        const [id, done] = arguments;
        chrome.developerPrivate.getExtensionInfo(id, (info) => { chrome.runtime.lastError; done(info?.state ?? ""); });
    """
    return panel.driver.execute_async_script(script, panel.id) == "ENABLED"


# -- ten thousand

# Documents of a hundred chunks each with words of a made-up language, and vectors that mean nothing; straight into the database.
FILL = """
const [count, done] = arguments;
const opening = indexedDB.open("library");
opening.onsuccess = () => {
  const database = opening.result;
  const change = database.transaction(["documents", "chunks", "vectors"], "readwrite");
  const word = () => "w" + Math.floor(20000 ** Math.random()).toString(36);
  const words = (count) => Array.from({length: count}, word).join(" ");
  for (let start = 0; start < count; start += 100) {
    const document = `synthetic-${start}`;
    const chunk_ids = Array.from({length: 100}, (_, i) => `synthetic-${start + i}`);
    change.objectStore("documents").put({id: document, name: document, collection: "Synthetic", chunk_ids});
    chunk_ids.forEach((id, ordinal) => {
      change.objectStore("chunks").put({id, document, ordinal, text: words(150), heading: words(3)});
      change.objectStore("vectors").put(Int8Array.from({length: 384}, () => Math.random() * 254 - 127), id);
    });
  }
  change.oncomplete = () => { database.close(); done(true); };
  change.onabort = () => done(String(change.error));
};
"""


@pytest.mark.slow
def test_ten_thousand_chunks_are_searched_in_less_than_50_milliseconds(panel: LibraryDriver) -> None:
    assert panel.driver.execute_async_script(FILL, 10_000) is True
    panel.driver.execute_async_script(CLOSE_OFFSCREEN)
    queries = ["w1 w2 w3 w4 wa wb what is the w5", *(f"w{n} w1 w2 w{n * 31} and wz{n}" for n in range(1, 31))]
    found = [panel.search(query, limit=30) for query in queries]
    times = [each["seconds"]["search"] * 1000 for each in found[1:]]
    middle, worst = statistics.median(times), max(times)
    print(f"\n10,000 chunks, 30 searches of the Worker: median {middle:.0f} ms, slowest {worst:.0f} ms")
    assert {(each["total"], each["pending"]) for each in found} == {(10_000, 0)}
    assert all(len(each["vectors"]) == 30 for each in found)
    assert sum(len(each["keywords"]) == 30 for each in found) > 15
    assert middle < 50
    panel.driver.execute_async_script("indexedDB.deleteDatabase('library').onsuccess = () => arguments[0]()")


# -- what may fail


def test_a_database_that_cannot_be_opened_is_named_and_a_later_request_tries_again(panel: LibraryDriver) -> None:
    newer = "const o = indexedDB.open('library', 99); o.onsuccess = () => { o.result.close(); arguments[0](); };"
    panel.driver.execute_async_script(newer)
    refused = panel.wait(lambda: (answer := panel.library("list"))["type"] == "error" and answer, 20, "an error")
    assert refused["code"] == "library-blocked"
    assert refused["state"]["error"]["code"] == "library-blocked"
    panel.driver.execute_async_script("indexedDB.deleteDatabase('library').onsuccess = () => arguments[0]()")
    assert panel.library("list")["documents"] == []
    assert panel.library_state()["error"] is None


# In the library's Worker: the third thing that is put has no room any more.
FILL_DISK = """
    const { put } = IDBObjectStore.prototype;
    let room = 3;
    IDBObjectStore.prototype.put = function (...all) {
      if (--room <= 0) throw new DOMException("no room", "QuotaExceededError");
      return put.apply(this, all);
    };
    self.makeRoom = () => { IDBObjectStore.prototype.put = put; };
"""
TELL = "new BroadcastChannel('test').postMessage('done');"
LISTEN = "window.told = false; new BroadcastChannel('test').onmessage = () => { window.told = true; };"


def run_in_worker(panel: LibraryDriver, script: str) -> None:
    """Runs a script in the library's Worker, and waits until it has."""
    assert panel.watch is not None
    panel.driver.execute_script(LISTEN)
    panel.watch.run("library/worker.js", f"{script};{TELL}")
    panel.wait(lambda: panel.driver.execute_script("return window.told"), 20, "the script ran")


def test_a_full_disk_is_named_and_loses_nothing(panel: LibraryDriver) -> None:
    kept = panel.put("kept.txt", [SUBJECTS["cats"]])
    panel.wait_embedded()
    run_in_worker(panel, FILL_DISK)
    about = {"id": "changed", "name": "kept.txt", "collection": "Documents", "chunk_ids": []}
    refused = panel.library("put", document=about, chunks=[chunk("changed", i, text) for i, text in enumerate(notes("sea", 9))])
    assert (refused["type"], refused["code"]) == ("error", "library-full")
    assert panel.library_state()["error"]["code"] == "library-full"
    assert [each["id"] for each in panel.library("list")["documents"]] == panel.in_store("documents") == [kept]
    assert panel.in_store("chunks") == [[kept, 0]]
    assert len(panel.in_store("vectors")) == 1
    assert texts(panel.search("kitten")["keywords"]) == [SUBJECTS["cats"]]
    run_in_worker(panel, "makeRoom()")
    panel.put("small.txt", [SUBJECTS["stars"]])
    assert panel.wait_embedded()["documents"] == 2


def test_without_its_model_the_library_says_so_and_finds_words(pages: str) -> None:
    extension = BUILD / "extension-without-embedding"
    shutil.rmtree(extension, ignore_errors=True)
    ignored = shutil.ignore_patterns("minilm", "starter")
    shutil.copytree(TEST_EXTENSION, extension, copy_function=os.link, ignore=ignored)
    try:
        with LibraryDriver(extension, find_browser()) as driver:
            driver.open(f"{pages}/short-article.html")
            driver.open_panel()
            driver.put("cats.txt", [SUBJECTS["cats"]])
            state = driver.wait(lambda: (now := driver.library_state())["error"] and now, 30, "an error is told")
            assert state["error"]["code"] == "embedding-model"
            assert state["state"] == "idle"
            found = driver.search("kitten")
            assert texts(found["keywords"]) == [SUBJECTS["cats"]]
            assert (found["vectors"], found["pending"]) == ([], 1)
    finally:
        shutil.rmtree(extension)


# -- at last


def test_nothing_went_out_and_nothing_went_wrong(browser: LibraryDriver, pages: str) -> None:
    assert browser.watch is not None
    seen = browser.watch.seen
    inside = (browser.url(""), pages)
    assert any("library/worker.js" in context for context in seen.contexts), seen.contexts
    assert any("embedding/minilm" in url for _, url in seen.requests)
    assert seen.outside(*inside) == []
    assert [problem for context, problem in seen.problems if "library/worker.js" in context] == []
