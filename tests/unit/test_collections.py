"""Collections in the settings: listed, moved, deleted with undo, written to a file and read from it, searched."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from amplifier_browser.documents import collection_file
from amplifier_browser.documents.chunks import Block, chunks
from amplifier_browser.documents.collection_file import UnreadableCollection
from amplifier_browser.documents.library import LibraryClient
from amplifier_browser.documents.listing import Listing
from panel_harness import Message, Panel

LIGHTHOUSE = "The new lighthouse at Skagen cost four million crowns."
COUNCIL = "Marta Lind has been the chair of the harbour council since 2019."
SEALS = "Grey seals rest on the outer rocks in winter."
TEXTS = {"report.pdf": [LIGHTHOUSE, COUNCIL], "seals.md": [SEALS]}


def document(name: str, collection: str, texts: list[str]) -> tuple[Message, list[Message]]:
    """As the desk puts it."""
    id = f"{name}-{'-'.join(texts)}".encode().hex()[:32]
    blocks = [block for n, text in enumerate(texts, 1) for block in (Block(f"## Part {n}", n, 2), Block(text, n))]
    about = {"id": id, "name": name, "title": name.partition(".")[0].title(), "mime": "text/plain", "bytes": 9, "added": 17}
    return {**about, "collection": collection, "words": 20, "pages": len(texts), "chunk_ids": []}, [
        chunk.message() for chunk in chunks(blocks, id)
    ]


@pytest.fixture
async def shelf(panel: Panel) -> Panel:
    """Two documents in the collection Sea, one in Land, and the dialog open."""
    for name, texts in TEXTS.items():
        keep(panel, *document(name, "Sea", texts))
    keep(panel, *document("owls.md", "Land", ["Owls hunt at night."]))
    panel.send(type="show-settings")
    await panel.until(lambda: len(listed(panel)) == 3 and {"type": "ready"} in panel.events)
    return panel


def keep(panel: Panel, about: Message, passages: list[Message]) -> None:
    panel.library.documents[about["id"]] = about
    panel.library.chunks[about["id"]] = passages


def settings(panel: Panel) -> Message:
    """The settings as they were told last."""
    told = [event["settings"] for event in panel.events if event["type"] == "settings"]
    return told[-1] if told else {}


def listed(panel: Panel) -> list[str]:
    return [f"{each['collection']}: {each['name']}" for each in settings(panel).get("documents", [])]


def notices(panel: Panel, level: str = "info") -> list[str]:
    return [event["text"] for event in panel.events if event["type"] == "notice" and event["level"] == level]


def id_of(panel: Panel, name: str) -> str:
    return next(id for id, about in panel.library.documents.items() if about["name"] == name)


def kept(panel: Panel) -> dict[str, Any]:
    """All that the library holds."""
    return {id: (about, panel.library.chunks[id]) for id, about in panel.library.documents.items()}


async def saved(panel: Panel, collection: str) -> str:
    """The text of an exported collection."""
    before = len(saves(panel))
    panel.send(type="export-collection", collection=collection)
    await panel.until(lambda: len(saves(panel)) > before)
    return saves(panel)[-1]["text"]


def saves(panel: Panel) -> list[Message]:
    return [event["args"] for event in panel.events if event["type"] == "call" and event["name"] == "file.save"]


async def done(panel: Panel, **command: Any) -> None:
    """Sends a command and waits until it is done and the settings were told after it."""
    panel.send(**command)
    await quiet(panel)


async def quiet(panel: Panel) -> None:
    """Waits until nothing is under way any more."""
    await panel.app._listing.settled()
    while tasks := [*panel.app._tasks]:
        await asyncio.gather(*tasks)
        await panel.app._listing.settled()


# -- the list


async def test_documents_are_listed_by_name_and_pages_of_tabs_are_not(panel: Panel) -> None:
    about, passages = document("a page", "Sea", ["Sand moves."])
    keep(panel, {**about, "temporary": True}, passages)
    for name in ("b.md", "A.md", "c.md"):
        keep(panel, *document(name, "Sea", [name]))
    panel.send(type="show-settings")
    await panel.until(lambda: listed(panel))
    assert listed(panel) == ["Sea: A.md", "Sea: b.md", "Sea: c.md"]
    assert settings(panel)["documents"][0]["embedded"] == settings(panel)["documents"][0]["chunks"] == 1


async def test_a_document_is_moved_and_a_collection_renamed(shelf: Panel) -> None:
    before = shelf.library.chunks[id_of(shelf, "owls.md")]
    await done(shelf, type="move-document", id=id_of(shelf, "owls.md"), collection="Sea")
    assert listed(shelf) == ["Sea: owls.md", "Sea: report.pdf", "Sea: seals.md"]
    assert shelf.library.chunks[id_of(shelf, "owls.md")] == before
    await done(shelf, type="rename-collection", **{"from": "Sea", "to": "All"})
    assert listed(shelf) == ["All: owls.md", "All: report.pdf", "All: seals.md"]


async def test_moving_beside_one_of_its_name_loses_neither(shelf: Panel) -> None:
    keep(shelf, *document("seals.md", "Land", ["Seals on land."]))
    await done(shelf, type="move-document", id=id_of(shelf, "seals.md"), collection="Land")
    assert listed(shelf) == ["Land: owls.md", "Sea: report.pdf", "Land: seals (2).md", "Land: seals.md"]


@pytest.mark.parametrize("code", ["library-blocked", "library-lost", "failed"])
async def test_a_library_in_trouble_is_told_and_keeps_nothing_else_from_the_view(panel: Panel, code: str) -> None:
    panel.library.fails = code
    panel.send(type="show-settings")
    await panel.until(lambda: settings(panel).get("trouble"))
    assert settings(panel)["trouble"]["title"] and settings(panel)["trouble"]["detail"]
    assert "documents" not in settings(panel) and "grants" in settings(panel)
    panel.library.fails = None
    panel.tell_library()
    await panel.until(lambda: settings(panel).get("documents") == [])
    assert settings(panel)["trouble"] is None


async def test_what_the_library_says_of_itself_is_told(shelf: Panel) -> None:
    shelf.tell_library(error={"code": "embedding-model", "message": "no file"})
    await shelf.until(lambda: settings(shelf)["trouble"])
    assert "words only" in settings(shelf)["trouble"]["detail"]
    assert len(listed(shelf)) == 3


async def test_where_search_by_meaning_runs_is_told_once_it_is_known(shelf: Panel) -> None:
    assert settings(shelf)["search_device"] is None
    shelf.tell_library(device="cpu")
    await shelf.until(lambda: settings(shelf)["search_device"] == "cpu")


# -- deleting


@pytest.mark.parametrize(
    ("command", "left", "gone"),
    [
        ({"type": "delete-collection", "collection": "Sea"}, ["Land: owls.md"], ["report.pdf", "seals.md"]),
        ({"type": "delete-document", "name": "seals.md"}, ["Land: owls.md", "Sea: report.pdf"], ["seals.md"]),
    ],
)
async def test_what_is_deleted_comes_back_as_it_was(shelf: Panel, command: Message, left: list[str], gone: list[str]) -> None:
    before, ids = kept(shelf), [id_of(shelf, name) for name in gone]
    if name := command.get("name"):
        command = {"type": command["type"], "id": id_of(shelf, name)}
    await done(shelf, **command)
    assert listed(shelf) == left and shelf.library.documents.keys() == before.keys() - ids
    await done(shelf, type="restore-documents", ids=ids)
    assert kept(shelf) == before
    assert len(listed(shelf)) == 3


async def test_nothing_that_is_being_deleted_comes_into_sight_again(shelf: Panel) -> None:
    first = len(shelf.events)
    shelf.send(type="delete-collection", collection="Sea")
    await done(shelf, type="revoke", id="none")  # which is done meanwhile, and after which all is told
    told = [event["settings"]["documents"] for event in shelf.events[first:] if event["type"] == "settings"]
    assert [[each["name"] for each in documents] for documents in told] == [["owls.md"]] * len(told)


async def test_undo_waits_for_the_deletion_even_if_the_dialog_is_closed_at_once(shelf: Panel) -> None:
    before, ids = kept(shelf), [id_of(shelf, name) for name in TEXTS]
    shelf.send(type="delete-collection", collection="Sea")
    shelf.send(type="restore-documents", ids=ids)
    shelf.send(type="hide-settings")
    await shelf.until(lambda: not shelf.app._settings.is_open)
    await done(shelf, type="show-settings")
    assert kept(shelf) == before


async def test_what_is_deleted_right_after_it_was_exported_is_in_the_file(shelf: Panel) -> None:
    shelf.send(type="export-collection", collection="Sea")
    await done(shelf, type="delete-collection", collection="Sea")
    assert [each["name"] for each in json.loads(saves(shelf)[0]["text"])["documents"]] == [*TEXTS]
    assert listed(shelf) == ["Land: owls.md"] and notices(shelf, "error") == []


async def test_a_deletion_whose_answer_was_lost_can_be_undone(shelf: Panel) -> None:
    before, answer, seals = kept(shelf), shelf.library.answer, id_of(shelf, "seals.md")

    def lost_once(request: Message) -> Message:
        if request["type"] == "library.delete" and seals not in shelf.library.documents:
            return {"type": "error", "code": "unknown-document", "message": ""}
        told = answer(request)
        return {"type": "error", "code": "library-lost", "message": ""} if request["type"] == "library.delete" else told

    shelf.library.answer = lost_once  # type: ignore[method-assign]
    await done(shelf, type="delete-document", id=seals)
    assert seals not in shelf.library.documents and notices(shelf, "error") == []
    await done(shelf, type="restore-documents", ids=[seals])
    assert kept(shelf) == before


@pytest.mark.parametrize(
    "then", [[{"type": "hide-settings"}, {"type": "show-settings"}], [{"type": "delete-collection", "collection": "Land"}]]
)
async def test_only_the_last_deletion_can_be_undone_and_only_while_the_dialog_is_open(shelf: Panel, then: list[Message]) -> None:
    seals = id_of(shelf, "seals.md")
    await done(shelf, type="delete-document", id=seals)
    for command in then:
        shelf.send(**command)
    await done(shelf, type="restore-documents", ids=[seals])
    assert seals not in shelf.library.documents


async def test_undo_replaces_nothing_that_came_meanwhile(shelf: Panel) -> None:
    report = id_of(shelf, "report.pdf")
    await done(shelf, type="delete-document", id=report)
    keep(shelf, *document("report.pdf", "Sea", ["Another report."]))
    await done(shelf, type="restore-documents", ids=[report])
    assert listed(shelf) == ["Land: owls.md", "Sea: report (2).pdf", "Sea: report.pdf", "Sea: seals.md"]


async def test_a_deletion_that_fails_is_told_and_shows_what_is_left(shelf: Panel) -> None:
    shelf.library.fails = "library-blocked"
    await done(shelf, type="delete-collection", collection="Sea")
    assert "Chrome lets the extension store nothing. Allow it" in notices(shelf, "error")[0]
    assert len(listed(shelf)) == 3


# -- export and import


async def test_an_exported_collection_is_readable_and_comes_back_the_same(shelf: Panel) -> None:
    before, sea = kept(shelf), [id_of(shelf, name) for name in TEXTS]
    text = await saved(shelf, "Sea")
    assert (saves(shelf)[0]["name"], saves(shelf)[0]["mime"]) == ("Sea.amplifier.json", "application/json")
    whole = json.loads(text)
    assert {name: whole[name] for name in ("format", "version", "collection")} == {
        "format": "amplifier-collection",
        "version": 1,
        "collection": "Sea",
    }
    report = whole["documents"][0]
    assert {**report, "passages": None} == {
        "id": sea[0],
        "name": "report.pdf",
        "title": "Report",
        "mime": "text/plain",
        "words": 20,
        "pages": 2,
        "added": 17,
        "passages": None,
    }
    assert report["passages"][1] == {"text": COUNCIL, "heading": "Part 2", "page": 2}
    await done(shelf, type="delete-collection", collection="Sea")
    await done(shelf, type="import-collection", text=text)
    assert notices(shelf) == ["2 documents came into “Sea”."]
    assert [passages for _, passages in kept(shelf).values()] == [before[id][1] for id in kept(shelf)]  # with the same ids
    assert len(listed(shelf)) == 3 and shelf.library.documents[sea[0]] == {**before[sea[0]][0], "bytes": 0}


async def test_what_is_there_already_is_not_doubled_nor_changed(shelf: Panel) -> None:
    text = await saved(shelf, "Sea")
    await done(shelf, type="delete-document", id=id_of(shelf, "seals.md"))
    await done(shelf, type="move-document", id=id_of(shelf, "report.pdf"), collection="Land")
    before = kept(shelf)
    await done(shelf, type="import-collection", text=text)
    assert notices(shelf) == ["1 document came into “Sea”; 1 document was there already."]
    assert listed(shelf) == ["Land: owls.md", "Land: report.pdf", "Sea: seals.md"]
    assert all(kept(shelf)[id] == each for id, each in before.items())
    await done(shelf, type="import-collection", text=text)
    assert notices(shelf)[-1] == "Nothing new for “Sea”: 2 documents were there already."


async def test_another_document_of_the_same_name_stays(shelf: Panel) -> None:
    text = await saved(shelf, "Sea")
    for name in TEXTS:
        await done(shelf, type="delete-document", id=id_of(shelf, name))
    keep(shelf, *document("seals.md", "Sea", ["Other seals."]))
    await done(shelf, type="import-collection", text=text)
    assert [name for name in listed(shelf) if "Sea" in name] == ["Sea: report.pdf", "Sea: seals (2).md", "Sea: seals.md"]


def changed(change: Callable[[Message], object]) -> str:
    """An exported file, changed."""
    passages = [{"text": SEALS, "heading": "Part 1", "page": 1}]
    about = {"id": "ab12", "name": "seals.md", "title": "Seals", "mime": "", "words": 8, "added": 17, "passages": passages}
    whole: Message = {"format": "amplifier-collection", "version": 1, "collection": "Sea", "documents": [about]}
    change(whole)
    return json.dumps(whole)


NO_EXPORT, DAMAGED = "no exported collection", "is damaged"
BAD = {
    "nothing": ("", NO_EXPORT),
    "no JSON": ("Dear reader", NO_EXPORT),
    "other JSON": ("[1, 2]", NO_EXPORT),
    "another format": (changed(lambda whole: whole.update(format="bookmarks")), NO_EXPORT),
    "too deep": ("[" * 100_000, NO_EXPORT),
    "a later version": (changed(lambda whole: whole.update(version=2)), "another version (2, not 1). Update Amplifier"),
    "no version": (changed(lambda whole: whole.pop("version")), "another version"),
    "cut off": (changed(lambda _whole: None)[:-30], DAMAGED),
    "no name": (changed(lambda whole: whole.update(collection=" ")), DAMAGED),
    "no documents": (changed(lambda whole: whole.pop("documents")), DAMAGED),
    "a document that is none": (changed(lambda whole: whole["documents"].append("seals")), "document 2"),
    "no id": (changed(lambda whole: whole["documents"][0].update(id="../x")), "“id” of document 1"),
    "words that are no number": (changed(lambda whole: whole["documents"][0].update(words="8")), "“words” of document 1"),
    "yes for a number": (changed(lambda whole: whole["documents"][0].update(pages=True)), "“pages”"),
    "a number below zero": (changed(lambda whole: whole["documents"][0].update(added=-1)), "“added”"),
    "no passages": (changed(lambda whole: whole["documents"][0].update(passages=[])), "“passages” of document 1"),
    "an empty passage": (
        changed(lambda whole: whole["documents"][0]["passages"].append({"text": " "})),
        "“text” of passage 2 of document 1",
    ),
    "half of a page": (changed(lambda whole: whole["documents"][0]["passages"][0].update(page=1.5)), "“page” of passage 1"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_file_that_is_not_as_it_should_be_changes_nothing_and_says_why(shelf: Panel, kind: str) -> None:
    text, says = BAD[kind]
    before = kept(shelf)
    await done(shelf, type="import-collection", text=text)
    assert kept(shelf) == before and not notices(shelf)
    (told,) = notices(shelf, "error")
    assert says in told and told.endswith(".")


def test_a_file_is_read_as_it_is_meant() -> None:
    twice = [{"text": SEALS, "heading": "A > B", "page": 3}, {"text": SEALS, "heading": "A > B"}, {"text": SEALS}]
    collection = collection_file.read("\ufeff" + changed(lambda whole: whole["documents"][0].update(passages=twice)))
    (stored,) = collection.documents
    assert [(chunk.ordinal, chunk.heading, chunk.page) for chunk in stored.chunks] == [(0, "A > B", 3), (1, "", None)]
    assert {chunk.document for chunk in stored.chunks} == {"ab12"}
    assert (stored.document.pages, stored.document.collection) == (None, "Sea")
    lines = changed(lambda whole: whole.update(collection="  Sea\n and   land  "))
    assert collection_file.read(lines).name == "Sea and land"


def test_bad_files_raise_of_themselves() -> None:
    for text, says in BAD.values():
        with pytest.raises(UnreadableCollection) as raised:
            collection_file.read(text)
        assert says in str(raised.value)


@pytest.mark.parametrize(
    ("collection", "name"),
    [
        ("Ice", "Ice.amplifier.json"),
        ("../../etc/passwd", "------etc-passwd.amplifier.json"),
        ('a:b*c?"<>|', "a-b-c-----.amplifier.json"),
        ("  ", "collection.amplifier.json"),
        ("論文 2026", "論文 2026.amplifier.json"),
        ("x" * 300, "x" * 80 + ".amplifier.json"),
    ],
)
def test_every_system_takes_the_files_name(collection: str, name: str) -> None:
    assert collection_file.file_name(collection) == name


async def test_a_collection_that_is_gone_cannot_be_exported(shelf: Panel) -> None:
    await done(shelf, type="export-collection", collection="Moon")
    assert notices(shelf, "error") == ["There is no collection “Moon” any more."]
    assert not saves(shelf)


async def test_what_could_not_be_imported_again_is_not_exported(shelf: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection_file, "MOST_BYTES", 100)
    await done(shelf, type="export-collection", collection="Sea")
    assert "too large for one file" in notices(shelf, "error")[0] and not saves(shelf)


def test_the_page_reads_files_as_large_as_are_written() -> None:
    limits = (Path(__file__).parents[2] / "sidepanel" / "limits.js").read_text()
    assert "LARGEST_COLLECTION = 64 * MB" in limits and collection_file.MOST_BYTES == 64 << 20


async def test_an_import_that_stops_in_the_middle_says_how_far_it_came(shelf: Panel) -> None:
    text = await saved(shelf, "Sea")
    await done(shelf, type="delete-collection", collection="Sea")
    answer, puts = shelf.library.answer, 0

    def full_after_one(request: Message) -> Message:
        nonlocal puts
        puts += request["type"] == "library.put"
        return {"type": "error", "code": "library-full", "message": ""} if puts > 1 else answer(request)

    shelf.library.answer = full_after_one  # type: ignore[method-assign]
    await done(shelf, type="import-collection", text=text)
    assert notices(shelf, "error")[0].startswith("Only 1 of 2 documents came into “Sea”. The disk is full.")
    shelf.library.answer = answer  # type: ignore[method-assign]
    await done(shelf, type="import-collection", text=text)
    assert notices(shelf) == ["1 document came into “Sea”; 1 document was there already."]


# -- searching


async def search(panel: Panel, query: str, collection: str | None = None) -> Message | None:
    await done(panel, type="search-documents", query=query, collection=collection)
    return settings(panel)["found"]


async def test_a_search_shows_passages_with_where_they_stand(shelf: Panel) -> None:
    found = await search(shelf, "lighthouse at Skagen")
    assert found and (found["query"], found["collection"], found["total"], found["pending"]) == (
        "lighthouse at Skagen",
        None,
        4,
        0,
    )
    report = {"document": id_of(shelf, "report.pdf"), "name": "report.pdf", "heading": "Part 1", "page": 1}
    assert found["passages"] == [{**report, "text": LIGHTHOUSE}]
    assert (await search(shelf, "chess openings") or {})["passages"] == []
    assert await search(shelf, " ") is None


async def test_a_search_keeps_to_its_collection_and_to_what_lasts(shelf: Panel) -> None:
    about, passages = document("a page", "Land", ["Grey seals live on this page."])
    keep(shelf, {**about, "temporary": True}, passages)
    found = await search(shelf, "grey seals")
    assert found and [each["name"] for each in found["passages"]] == ["seals.md"]
    found = await search(shelf, "grey seals", "Land")
    assert found and found["passages"] == [] and found["total"] == 1


async def test_a_search_that_fails_says_why_in_its_place(shelf: Panel) -> None:
    shelf.library.fails = "library-blocked"
    found = await search(shelf, "seals")
    assert found and found["passages"] == [] and found["problem"]["title"] == "Chrome lets the extension store nothing"
    assert notices(shelf, "error") == []


async def test_only_the_last_search_is_shown(shelf: Panel) -> None:
    shelf.send(type="search-documents", query="lighthouse", collection=None)
    shelf.send(type="search-documents", query="seals", collection=None)
    await shelf.until(lambda: settings(shelf)["found"])
    told = [event["settings"]["found"] for event in shelf.events if event["type"] == "settings"]
    assert {found["query"] for found in told if found} == {"seals"}


# -- what is sent when


def settings_told(panel: Panel) -> int:
    return len([event for event in panel.events if event["type"] == "settings"])


def lists_asked(panel: Panel) -> int:
    asked = [event["message"]["type"] for event in panel.events if event["type"] == "to-engine"]
    return asked.count("library.list")


async def test_a_closed_dialog_is_sent_only_what_is_needed_outside_of_it(shelf: Panel) -> None:
    shelf.send(type="hide-settings")
    await shelf.until(lambda: not shelf.app._settings.is_open)
    await quiet(shelf)
    before = settings_told(shelf)
    shelf.tell_library(error={"code": "embedding-model", "message": ""})
    await quiet(shelf)
    assert settings_told(shelf) == before
    keep(shelf, *document("new.md", "Sea", ["New."]))
    shelf.tell_library()
    await quiet(shelf)
    assert settings_told(shelf) == before + 1 and "Sea: new.md" in listed(shelf)


async def test_how_far_the_embedding_is_is_asked_only_while_somebody_looks(shelf: Panel) -> None:
    await quiet(shelf)
    asked, told = lists_asked(shelf), settings_told(shelf)
    for computed in (100, 101):
        shelf.tell_library(computed=computed)
        await quiet(shelf)
    assert (lists_asked(shelf), settings_told(shelf)) == (asked + 2, told + 2)
    shelf.send(type="hide-settings")
    await quiet(shelf)
    shelf.tell_library(computed=102)
    await quiet(shelf)
    assert lists_asked(shelf) == asked + 2
    panel_settings = settings_told(shelf)
    await done(shelf, type="show-settings")
    assert lists_asked(shelf) == asked + 3 and settings_told(shelf) > panel_settings


async def test_the_library_is_listed_once_for_all(shelf: Panel) -> None:
    await quiet(shelf)
    parsed = {"title": "Ice", "blocks": [{"text": "Ice flows."}], "words": 2, "notes": []}
    file = {"name": "ice.md", "mime": "", "bytes": 9, "hash": "ice"}
    shelf.library.embedded = False
    shelf.send(type="attach-document", id="a1", parsed=parsed, **file)
    await shelf.until(lambda: "ice" in shelf.library.documents)
    await quiet(shelf)
    asked = lists_asked(shelf)
    shelf.library.embedded = True
    shelf.tell_library()
    await quiet(shelf)
    assert lists_asked(shelf) == asked + 1  # for the attachment and the dialog
    attached = [event["attachment"]["state"] for event in shelf.events if event["type"] == "attachment"]
    assert attached[-1] == "ready" and all(each["embedded"] for each in settings(shelf)["documents"])


class SlowLibrary:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.answers: list[asyncio.Future[Message]] = []

    async def request(self, message: Message) -> Message:
        assert message["type"] == "library.list"
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


async def test_what_changes_while_the_library_is_asked_is_asked_for_once_more() -> None:
    library, told = SlowLibrary(), list[int]()
    listing = Listing(LibraryClient(library.request))
    listing.tell(lambda documents: told.append(len(documents)), wants_progress=lambda: True)
    state = {"state": "idle", "documents": 0, "chunks": 0, "computed": 0, "error": None}
    for documents in range(3):
        listing.library_changed({**state, "documents": documents})
    await asyncio.sleep(0)
    assert len(library.answers) == 1
    for documents in range(3, 6):
        listing.library_changed({**state, "documents": documents})
    library.answers[0].set_result({"documents": []})
    while len(library.answers) < 2:
        await asyncio.sleep(0)
    shown = {"id": "d", "name": "ice.md"}
    library.answers[1].set_result({"documents": [shown]})
    await listing.settled()
    assert told == [0, 1] and len(library.answers) == 2
