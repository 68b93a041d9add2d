"""Documents in the panel's views: attaching, the tray, what a message was sent with, passages, the library in the settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gallery.page import Panel, open_panel
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

PARSED = {"id": "abc123", "title": "Notes", "blocks": [{"text": "Ice."}], "words": 1, "notes": []}
DRAG = """
const [type, names, items] = arguments;
const carried = new DataTransfer();
for (const name of names) carried.items.add(new File(["x"], name));
for (const [kind, text] of Object.entries(items)) carried.items.add(text, kind);
const named = type === "paste" ? {clipboardData: carried} : {dataTransfer: carried};
const Kind = type === "paste" ? ClipboardEvent : DragEvent;
const event = new Kind(type, {...named, bubbles: true, cancelable: true});
document.getElementById("composer").dispatchEvent(event);
return event.defaultPrevented;
"""


@pytest.fixture(scope="module")
def panel() -> Iterator[Panel]:
    with open_panel() as panel:
        yield panel


def carry(panel: Panel, event: str, *names: str, **items: str) -> bool:
    """A drag or paste event that carries files, and texts by their type; whether the panel took it."""
    taken = panel.run(DRAG, event, list(names), {kind.replace("_", "/"): text for kind, text in items.items()})
    panel.settle()
    return taken


def tray(panel: Panel) -> list[tuple[str | None, str]]:
    return [
        (chip.get_dom_attribute("data-state"), chip.find_element("class name", "attachment-name").text)
        for chip in panel.all("attachment")
    ]


def sent(panel: Panel, kind: str) -> list[dict[str, Any]]:
    return [command for command in panel.sent() if command["type"] == kind]


def said(panel: Panel) -> str:
    return str(panel.one("announcer").get_property("textContent"))


# Ways in


def test_the_button_attaches_files_and_gives_the_keyboard_back(panel: Panel, tmp_path: Path) -> None:
    panel.show("conversation")
    assert panel.one("attach").accessible_name == "Attach files"
    panel.run("""gallery.picked = 0; HTMLInputElement.prototype.click = () => { gallery.picked += 1 }""")
    panel.click("attach")
    assert panel.run("return gallery.picked") == 1
    for name in ("notes.md", "report.pdf"):
        (tmp_path / name).write_text("x")
    panel.one("attach-input").send_keys(f"{tmp_path / 'notes.md'}\n{tmp_path / 'report.pdf'}")
    panel.settle()
    assert tray(panel) == [("reading", "notes.md"), ("reading", "report.pdf")]
    assert panel.focused() == "composer"
    assert [command["name"] for command in sent(panel, "attach-started")] == ["notes.md", "report.pdf"]
    assert "Attaching report.pdf" in said(panel)


def test_files_can_be_dropped_anywhere(panel: Panel) -> None:
    panel.show("conversation")
    assert carry(panel, "dragover", "notes.md")
    assert "Drop to attach" in panel.one("drop-zone").text
    carry(panel, "dragleave", "notes.md")
    assert panel.all("drop-zone") == []
    carry(panel, "dragenter", "notes.md")
    assert carry(panel, "drop", "notes.md")
    assert panel.all("drop-zone") == []
    assert tray(panel) == [("reading", "notes.md")]


def test_dropped_words_are_left_to_the_text_box(panel: Panel) -> None:
    panel.show("conversation")
    assert not carry(panel, "dragover", text_plain="words")
    assert panel.all("drop-zone") == []
    assert not carry(panel, "drop", text_plain="words")


def test_files_can_be_pasted_and_words_with_a_picture_of_them_stay_words(panel: Panel) -> None:
    panel.show("conversation")
    assert carry(panel, "paste", "notes.md")
    assert tray(panel) == [("reading", "notes.md")]
    assert not carry(panel, "paste", "picture.png", text_plain="words")
    assert len(panel.all("attachment")) == 1


def test_nothing_is_dropped_behind_the_settings_nor_opened_in_their_place(panel: Panel) -> None:
    panel.show("settings-documents")
    assert carry(panel, "dragover", "notes.md") and carry(panel, "drop", "notes.md")
    assert panel.all("drop-zone") == [] and panel.all("attachment") == []


# Reading


def test_what_was_read_goes_to_python(panel: Panel) -> None:
    panel.show("conversation")
    carry(panel, "drop", "notes.md")
    assert panel.run("return document.querySelector('.tray progress').position") == -1
    panel.run("gallery.parsing[0].onProgress(0.25)")
    panel.settle()
    assert panel.run("return document.querySelector('.tray progress').value") == 0.25
    panel.run("gallery.parsing[0].resolve(arguments[0])", PARSED)
    panel.until(lambda: sent(panel, "attach-document"))
    (started,), (read,) = sent(panel, "attach-started"), sent(panel, "attach-document")
    about = {"id": started["id"], "name": "notes.md", "mime": "", "bytes": 1, "hash": "abc123"}
    assert read == {"type": "attach-document", **about, "parsed": PARSED}


@pytest.mark.parametrize(
    ("ends", "refusal"),
    [
        ("resolve({error: 'encrypted', detail: 'locked'})", {"error": "encrypted", "detail": "locked"}),
        ("reject(new Error('broken'))", {"error": "damaged", "detail": "broken"}),
    ],
)
def test_so_does_why_nothing_was(panel: Panel, ends: str, refusal: dict[str, str]) -> None:
    panel.show("conversation")
    carry(panel, "drop", "notes.md")
    panel.run(f"gallery.parsing[0].{ends}")
    panel.until(lambda: sent(panel, "attach-document"))
    (read,) = sent(panel, "attach-document")
    assert (read["hash"], read["parsed"]) == ("", refusal)


def test_removing_a_file_ends_its_reading(panel: Panel) -> None:
    panel.show("conversation")
    carry(panel, "drop", "notes.md", "report.pdf")
    panel.click("attachment-remove")
    assert panel.run("return gallery.parsing.map(({signal}) => signal.aborted)") == [True, False]
    assert sent(panel, "detach") == [{"type": "detach", "id": sent(panel, "attach-started")[0]["id"]}]
    panel.run("gallery.parsing[0].onProgress(0.5); gallery.parsing[1].resolve(arguments[0])", PARSED)
    panel.until(lambda: sent(panel, "attach-document"))
    assert [read["name"] for read in sent(panel, "attach-document")] == ["report.pdf"]
    assert tray(panel) == [("reading", "report.pdf")]


# The tray


def test_a_chip_says_what_it_is_and_how_far_or_what_is_wrong(panel: Panel) -> None:
    panel.show("tray")
    ready, reading, indexing, failed, selection = panel.all("attachment")
    assert "12 pages · 4,300 words" in ready.text
    assert "Reading" in reading.text and "Indexing · 310 pages" in indexing.text
    assert "It is locked with a password. Save a copy without one" in failed.text
    assert "Selected on www.example.org" in selection.text
    labels = panel.run("return [...document.querySelectorAll('.tray progress')].map((bar) => bar.getAttribute('aria-label'))")
    assert [label.split(" ")[0] for label in labels] == ["Reading", "Indexing"]
    assert panel.run("return document.querySelector('.tray').scrollWidth <= document.querySelector('.tray').clientWidth")


def test_chips_are_removed_by_the_keyboard_which_stays_near(panel: Panel) -> None:
    panel.show("tray")
    panel.run("document.querySelectorAll('[data-testid=attachment-remove]')[3].focus()")
    assert panel.run("return document.activeElement.getAttribute('aria-label')") == "Remove contract.pdf"
    removed = []
    for _ in range(5):
        removed.append(panel.run("return document.activeElement.closest('[data-testid=attachment]').dataset.id"))
        panel.press(Keys.ENTER)
        assert removed[-1] not in [chip.get_dom_attribute("data-id") for chip in panel.all("attachment")]
    assert removed == ["d4", "s1", "d3", "d2", "d1"]
    assert panel.focused() == "composer"
    assert [command["id"] for command in sent(panel, "detach")] == removed
    assert "removed" in said(panel)


def test_a_message_takes_along_all_but_what_failed(panel: Panel) -> None:
    panel.show("tray")
    panel.one("composer").click()
    panel.press(Keys.ENTER)
    (prompt,) = sent(panel, "prompt")
    assert prompt["attachments"] == ["d1", "d2", "d3", "s1"]
    assert panel.all("attachment") == []
    assert len(panel.all("message-attachment")) == 4
    panel.dispatch({"type": "attachment-removed", "id": "d1"})
    assert len(panel.all("message-attachment")) == 4


def test_without_attachments_a_prompt_names_none(panel: Panel) -> None:
    panel.show("conversation")
    panel.one("composer").click()
    panel.press("hello", Keys.ENTER)
    assert set(panel.sent()[-1]) == {"type", "id", "text"}


def test_a_sent_attachment_tells_how_far_it_is_and_what_became_of_it(panel: Panel) -> None:
    panel.show("sent-indexing")
    _, indexing = panel.all("message-attachment")
    assert "Indexing" in indexing.text
    about = {"id": "d3", "kind": "document", "name": "glaciers.epub", "detail": "", "progress": None}
    problem = {"title": "It is damaged.", "detail": "Attach another copy."}
    panel.dispatch({"type": "attachment", "attachment": {**about, "state": "error", "problem": problem}})
    assert "It is damaged. Attach another copy." in panel.all("message-attachment")[1].text
    assert panel.all("attachment") == []
    panel.dispatch({"type": "attachment", "attachment": {**about, "state": "ready"}})
    assert panel.all("message-attachment")[1].text == "glaciers.epub"


# Passages


def test_a_documents_citation_opens_its_passage(panel: Panel) -> None:
    panel.show("cited")
    panel.click("citation", 0)
    card = panel.one("citation-card")
    assert panel.focused() == "citation-card" and card.accessible_name == "Passage 1"
    assert panel.one("citation-name").text == "Annual report 2025.pdf"
    assert panel.one("citation-page").text == "Page 12"
    assert panel.one("citation-quote").text.startswith("In 2025 the board spent 4.2 million euros")
    panel.click("citation", 1)
    assert panel.one("citation-page").text == "Page 3"
    panel.press(Keys.ESCAPE)
    assert panel.all("citation-card") == []
    assert panel.run("return document.activeElement.textContent") == "2"
    assert panel.sent() == []


def test_the_mark_closes_what_it_opened(panel: Panel) -> None:
    panel.show("cited")
    panel.click("citation", 0)
    panel.click("citation", 0)
    assert panel.all("citation-card") == []
    panel.click("citation", 0)
    panel.click("citation-close")
    assert panel.all("citation-card") == []
    assert panel.run("return document.activeElement.textContent") == "1"


def test_a_pages_citation_is_still_shown_in_the_page(panel: Panel) -> None:
    panel.show("conversation")
    page = {"number": 1, "quote": "Ice flows.", "url": "https://example.org", "tab": 1}
    answer = {"id": "a9", "role": "assistant", "state": "done", "text": "It flows. [1]", "citations": [page]}
    panel.dispatch({"type": "message", "message": answer})
    panel.click("citation")
    assert panel.sent() == [{"type": "show-citation", "id": "a9", "number": 1}]
    assert panel.all("citation-card") == []


def test_what_the_model_saw_is_told_on_demand(panel: Panel) -> None:
    panel.show("cited")
    assert "3 passages" in panel.one("seen").text and panel.all("seen-passage") == []
    panel.click("seen-toggle")
    first, _, last = panel.all("seen-passage")
    for words in ("1", "Annual report 2025.pdf", "Page 12", "Finances > Spending", "4.2 million euros"):
        assert words in first.text
    assert "Page" not in last.text
    panel.click("seen-toggle")
    assert panel.all("seen-passage") == []


# The library


def test_documents_are_listed_by_collection_with_how_far_they_are(panel: Panel) -> None:
    panel.show("settings-documents")
    first, second = panel.all("collection")
    assert (first.accessible_name, second.accessible_name) == ("Documents", "Ice")
    documents = panel.all("document")
    assert [document.get_dom_attribute("data-id") for document in documents] == ["d1", "d2", "d3"]
    assert "12 pages · 4,300 words · Nov 20, 2026" in documents[0].text
    assert "1 page · 1 word · " in documents[2].text
    assert "Embedded 420 of 1,140" in panel.one("document-progress").text


@pytest.mark.parametrize(
    ("testid", "index", "command", "left", "said_of_it"),
    [
        ("document-delete", 0, {"type": "delete-document", "id": "d1"}, ["d2", "d3"], "Annual report 2025.pdf deleted"),
        ("collection-delete", 0, {"type": "delete-collection", "collection": "Documents"}, ["d3"], "with 2 documents"),
    ],
)
def test_what_is_deleted_comes_back_with_undo(
    panel: Panel, testid: str, index: int, command: dict[str, Any], left: list[str], said_of_it: str
) -> None:
    panel.show("settings-documents")
    panel.click(testid, index)
    assert panel.sent() == [command] and ids(panel) == left
    assert panel.focused() == "document-undo" and said_of_it in panel.run("return document.querySelector('.undo').textContent")
    assert said_of_it in panel.one("settings-announcer").get_property("textContent")
    panel.press(Keys.ENTER)
    gone = [id for id in ("d1", "d2", "d3") if id not in left]
    assert panel.sent()[1:] == [{"type": "restore-documents", "ids": gone}]
    assert panel.all("document-undo") == []


def test_the_last_document_can_be_put_back_too(panel: Panel) -> None:
    panel.show("settings-documents-undo-last")
    assert panel.focused() == "document-undo" and "No documents yet" in panel.run(
        "return document.getElementById('settings-panel').textContent"
    )
    panel.show("settings-documents-undo")
    panel.click("settings-notes")
    panel.click("settings-documents")
    assert panel.all("document-undo") == []


def test_where_search_by_meaning_runs_is_said(panel: Panel) -> None:
    panel.show("settings-documents")
    assert panel.one("search-device").text == "Search by meaning runs on the graphics card."
    panel.show("settings-documents-empty")
    assert panel.all("search-device") == []


def test_closing_the_settings_is_told_whatever_closes_them(panel: Panel) -> None:
    for close in (lambda: panel.press(Keys.ESCAPE), lambda: panel.click("settings-close"), lambda: panel.click("ask-collection")):
        panel.show("settings-documents")
        close()
        panel.until(lambda: not panel.run("return gallery.store.getState().settingsOpen"))
        assert [command["type"] for command in panel.sent() if command["type"] != "ask-documents"] == ["hide-settings"]


def test_a_collection_is_exported(panel: Panel) -> None:
    panel.show("settings-documents")
    button = panel.all("collection-export")[1]
    assert button.accessible_name == "Export Ice to a file"
    panel.click("collection-export", 1)
    assert panel.sent() == [{"type": "export-collection", "collection": "Ice"}]


@pytest.mark.parametrize("scene", ["settings-documents", "settings-documents-empty"])
def test_a_collection_is_imported_from_a_file(panel: Panel, scene: str, tmp_path: Path) -> None:
    (tmp_path / "ice.json").write_text('{"format": "… é"}', encoding="utf-8")
    panel.show(scene)
    panel.one("collection-import").send_keys(str(tmp_path / "ice.json"))
    panel.until(panel.sent)
    assert panel.sent() == [{"type": "import-collection", "text": '{"format": "… é"}'}]


def test_a_file_that_is_too_large_to_be_a_collection_is_not_read(panel: Panel, tmp_path: Path) -> None:
    with (tmp_path / "film.json").open("wb") as file:
        file.truncate((64 << 20) + 1)
    panel.show("settings-documents")
    panel.one("collection-import").send_keys(str(tmp_path / "film.json"))
    panel.until(lambda: panel.all("notice"))
    assert panel.one("notice").text == "film.json is too large for a collection." and panel.sent() == []


# Searching the library


def ids(panel: Panel) -> list[str | None]:
    """Of the documents that are listed."""
    return [document.get_dom_attribute("data-id") for document in panel.all("document")]


def type_query(panel: Panel, query: str) -> None:
    panel.one("document-search").click()
    panel.press(query)


def searches(panel: Panel) -> list[tuple[str, str | None]]:
    return [(command["query"], command["collection"]) for command in panel.sent() if command["type"] == "search-documents"]


QUERY = "the board and its dikes"


def test_the_list_is_filtered_by_names_as_one_types(panel: Panel) -> None:
    panel.show("settings-documents")
    type_query(panel, "REPORT")
    assert ids(panel) == ["d1"]
    head = panel.one("collection")
    assert "1 of 2" in head.text and panel.all("collection-delete") == [] and panel.all("collection-export") == []
    panel.press(Keys.ESCAPE)
    assert ids(panel) == ["d1", "d2", "d3"] and panel.one("document-search").get_property("value") == ""
    assert panel.run("return document.querySelector('dialog').open")
    type_query(panel, "zebra")
    assert ids(panel) == [] and panel.one("no-name").is_displayed()


# Pauses in typing are over when a test says so, which it does by `pause`.
HOLD_PAUSES = """
const [set, clear, pauses] = [window.setTimeout, window.clearTimeout, new Map()];
let last = 1e9;
window.setTimeout = (work, time) => (time === 400 ? pauses.set(++last, work) && last : set(work, time));
window.clearTimeout = (id) => pauses.delete(id) || clear(id);
gallery.pause = () => {
  const works = [...pauses.values()];
  pauses.clear();
  for (const work of works) work();
  return works.length;
};
"""


def pause(panel: Panel) -> int:
    """One stops typing; returns how much was waiting for it."""
    waiting = panel.run("return gallery.pause()")
    panel.settle()
    return waiting


def test_the_texts_are_searched_when_one_pauses_or_on_enter_and_only_once(panel: Panel) -> None:
    panel.show("settings-documents")
    panel.run(HOLD_PAUSES)
    type_query(panel, "dik")
    assert panel.one("found").get_dom_attribute("data-state") == "searching" and searches(panel) == []
    assert pause(panel) == 1 and searches(panel) == [("dik", None)]
    panel.press("es", Keys.ENTER)
    assert searches(panel)[1:] == [("dikes", None)]
    pause(panel)
    assert len(searches(panel)) == 2


def test_one_letter_is_searched_only_on_enter(panel: Panel) -> None:
    panel.show("settings-documents")
    panel.run(HOLD_PAUSES)
    type_query(panel, " q ")
    assert pause(panel) == 0 and searches(panel) == [] and panel.all("found") == []
    panel.press(Keys.ENTER)
    assert searches(panel) == [("q", None)]


def test_a_collection_can_be_searched_alone(panel: Panel) -> None:
    panel.show("settings-documents")
    scope = Select(panel.one("search-scope"))
    assert [option.text for option in scope.options] == ["All", "Documents", "Ice"]
    scope.select_by_visible_text("Ice")
    panel.settle()
    assert ids(panel) == ["d3"]
    type_query(panel, "ice\ue007")
    assert searches(panel) == [("ice", "Ice")]
    panel.press(Keys.ESCAPE)
    panel.click("collection-delete")
    assert ids(panel) == ["d1", "d2"] and panel.all("search-scope") == []


def test_passages_are_shown_with_where_they_stand_and_the_words_marked(panel: Panel) -> None:
    panel.show("documents-found")
    type_query(panel, QUERY)
    assert panel.one("found").get_dom_attribute("data-state") == "some"
    first, second = panel.all("found-passage")  # that of a deleted document is not shown
    for words in ("Annual report 2025.pdf", "Page 12", "Finances > Spending", "4.2 million euros"):
        assert words in first.text
    marks = "return [...arguments[0].querySelectorAll('mark')].map((mark) => mark.textContent)"
    assert panel.run(marks, first) == ["board", "dikes"]
    assert "Page" not in second.text and "the board wants it higher" not in second.text
    panel.click("found-more")
    assert "the board wants it higher" in panel.all("found-passage")[1].text
    assert panel.one("found-pending").text.startswith("461 of 1,181 passages embedded.")
    type_query(panel, "!")
    assert panel.one("found").get_dom_attribute("data-state") == "searching"  # those were found by another question


def test_nothing_found_and_a_library_in_trouble_are_said(panel: Panel) -> None:
    panel.show("documents-found-nothing")
    type_query(panel, QUERY)
    assert panel.one("found").get_dom_attribute("data-state") == "none"
    assert "Nothing in your documents speaks of that." in panel.one("found").text
    panel.show("documents-found-trouble")
    type_query(panel, QUERY)
    assert "Chrome lets the extension store nothing" in panel.one("found").text
    panel.show("settings-documents-blocked")
    assert "Allow it to store data" in panel.one("error").text and panel.all("document-search") == []
    panel.show("settings-documents-trouble")
    assert "words only" in panel.one("error").text and len(panel.all("document")) == 3
    panel.show("settings-documents-opening")
    assert "Opening the library" in panel.run("return document.getElementById('settings-panel').textContent")


def test_it_is_searched_again_when_the_documents_have_changed(panel: Panel) -> None:
    panel.show("documents-found")
    type_query(panel, QUERY + "\ue007")
    settings = panel.run("return gallery.store.getState().settings")
    documents = [{**each, "embedded": each["chunks"]} for each in settings["documents"]]
    panel.dispatch({"type": "settings", "settings": {**settings, "documents": documents}})
    panel.until(lambda: searches(panel) == [(QUERY, None)] * 2)


# Collections


def test_a_document_moves_to_another_collection(panel: Panel) -> None:
    panel.show("settings-documents")
    panel.click("document-move", 0)
    assert panel.focused() == "name-field"
    assert panel.one("name-save").get_property("disabled")
    assert panel.run("return [...document.querySelectorAll('datalist option')].map(({value}) => value)") == ["Ice"]
    panel.press(" Ice ", Keys.ENTER)
    assert panel.sent() == [{"type": "move-document", "id": "d1", "collection": "Ice"}]
    assert len(panel.all("collection")[1].find_elements("css selector", "[data-testid=document]")) == 2


def test_a_collection_is_renamed_and_joining_two_is_said_before(panel: Panel) -> None:
    panel.show("settings-documents")
    panel.click("collection-rename", 0)
    panel.press("Ice")
    assert "both become one" in panel.all("collection")[0].text
    panel.press(" age")
    assert "both become one" not in panel.all("collection")[0].text
    panel.click("name-save")
    assert panel.sent() == [{"type": "rename-collection", "from": "Documents", "to": "Ice age"}]
    assert [section.accessible_name for section in panel.all("collection")] == ["Ice", "Ice age"]


@pytest.mark.parametrize(("testid", "index", "collection"), [("ask-collection", 1, "Ice"), ("ask-all", 0, None)])
def test_asking_a_collection_leads_to_the_composer(panel: Panel, testid: str, index: int, collection: str | None) -> None:
    panel.show("settings-documents")
    panel.click(testid, index)
    assert panel.sent()[0] == {"type": "ask-documents", "collection": collection}
    panel.until(lambda: not panel.run("return gallery.store.getState().settingsOpen"))
    panel.settle()
    assert panel.focused() == "composer"


def test_nothing_of_a_document_becomes_markup(panel: Panel) -> None:
    panel.show("documents-hostile")
    panel.click("citation")
    panel.click("seen-toggle")
    panel.run("gallery.dispatch({type: 'settings-open'})")
    panel.settle()
    type_query(panel, "onerror bold")
    assert "<img src=x onerror=" in panel.one("found-passage").text and panel.all("found-passage")[0].text.count("<b>") == 3
    panel.press(Keys.ESCAPE)
    panel.click("document-delete")
    assert panel.run("return document.getElementById('app').textContent").count("<img src=x onerror=") >= 10
    assert panel.run("return document.querySelectorAll('#app :is(img, b)').length") == 0
    assert not panel.run("return 'hacked' in document.body.dataset")
