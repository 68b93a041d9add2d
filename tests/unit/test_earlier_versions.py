"""Conversations that earlier versions kept. tests/kept has what version 1 wrote in a browser: a database, and a file."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from amplifier_browser.history.export import from_json
from amplifier_browser.history.parts import TABLES, Parts
from amplifier_browser.history.records import VERSION, BadRecord, Kept
from kept_sessions import KeptSessions
from panel_harness import Panel

Message = dict[str, Any]
HERE = Path(__file__).parent
KEPT = HERE.parent / "kept"
FILE = (KEPT / "conversation-1.json").read_text()
STORES = json.loads((KEPT / "database-1.json").read_text())["stores"]
MEMORIES = {session: row["memory"] for session, row in STORES["memories"]}
SESSIONS = dict(STORES["sessions"])


def of_database(session: str) -> Message:
    """What version 1 read of its database."""
    messages = {row["id"]: row["message"] for (owner, _), row in STORES["messages"] if owner == session}
    order = next(row["order"] for name, row in STORES["memories"] if name == session)
    return {"session": SESSIONS[session], "messages": [messages[each] for each in order], "memory": MEMORIES[session]}


def test_the_fixture_is_of_version_1() -> None:
    assert {each["version"] for each in [*SESSIONS.values(), json.loads(FILE)["session"]]} == {1}
    assert sum(bool(turn["page"]) for memory in MEMORIES.values() for turn in memory["turns"]) == 3


def test_a_file_has_the_text_of_a_page_once() -> None:
    before, kept = json.loads(FILE), from_json(FILE)
    assert (kept.record.version, kept.stored()["version"]) == (VERSION, VERSION)
    assert kept.messages == before["messages"]
    first, _, last = kept.memory["turns"]
    assert first["page"] == last["page"] and list(kept.pages) == [first["page"]]
    whole = before["memory"]["turns"][0]["page"]
    assert kept.pages[first["page"]] == {name: value for name, value in whole.items() if name != "sections"}
    assert first["sections"] == whole["sections"]
    assert from_json(json.dumps(kept.stored())) == kept


def test_the_page_of_an_attachment_is_apart_too() -> None:
    (session,) = (name for name, memory in MEMORIES.items() if any(each.get("page") for each in memory["attachments"]))
    kept = Kept.of(of_database(session))
    (attachment,) = kept.memory["attachments"]
    assert kept.pages[attachment["page"]]["markdown"] == MEMORIES[session]["attachments"][0]["page"]["markdown"]
    assert "sections" not in attachment


@pytest.mark.parametrize("damage", [{"turns": 7}, {"turns": ["?"]}, {"attachments": 7}, {"waiting": {"page": 1}}])
def test_a_damaged_one_is_refused(damage: Message) -> None:
    stored = json.loads(FILE)
    stored["memory"] |= damage
    with pytest.raises(BadRecord, match="cannot be read"):
        from_json(json.dumps(stored))


def test_the_database_makes_the_same_of_it_as_a_file() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.fail("node is missing")
    command = [node, HERE / "take_apart.mjs"]
    done = subprocess.run(command, input=json.dumps(list(MEMORIES.values())), text=True, capture_output=True, check=True)
    for session, upgraded in zip(MEMORIES, json.loads(done.stdout), strict=True):
        written = Parts().change(Kept.of(of_database(session)))
        assert upgraded["memory"] == written["memory"]
        assert {name: upgraded["parts"][name] for name in TABLES} == written["parts"]


async def test_an_old_file_is_gone_on_with() -> None:
    """Imported and opened: the model knows what was said, and the page is summarized again from its kept text."""
    panel = Panel(lambda _request: ["And so on."], KeptSessions())
    panel.calls["page.read"] = {"error": "no-tab"}
    panel.connect(context_window=8000)
    panel.send(type="import-session", name="owl.json", text=FILE)
    listed = await panel.until(lambda: [e for e in panel.events if e["type"] == "sessions" and e["sessions"]])
    (item,) = listed[-1]["sessions"]
    panel.send(type="open-session", id=item["id"])
    await panel.until(lambda: len(panel.messages()) == 6)
    answer = panel.answers()[-1]
    assert answer["text"] == "Another one of the same page."
    panel.send(type="retry", id=answer["id"])
    await panel.until(lambda: panel.answers()[-1]["state"] == "done" and panel.answers()[-1]["text"] == "And so on.")
    assert "barn owl" in panel.requests[-1]["messages"][-1]["content"].lower()
    await panel.close()
