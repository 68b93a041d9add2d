"""Files and selections that go along with a message: kept, waited for, answered from, cited."""

from __future__ import annotations

from typing import Any

import pytest
from panel_harness import Message, Panel

REPORT = [
    {"text": "## Costs", "page": 3, "heading_level": 2},
    {"text": "The new lighthouse at Skagen cost four million crowns.", "page": 3},
    {"text": "## Council", "page": 5, "heading_level": 2},
    {"text": "Marta Lind has been the chair of the harbour council since 2019.", "page": 5},
]


def attach(panel: Panel, blocks: list[Message] | None = None, attachment_id: str = "a1", **more: Any) -> None:
    """The page has read a file."""
    parsed = {"title": "Harbour report", "blocks": blocks or REPORT, "pages": 6, "words": 18, "notes": []} | more
    panel.send(type="attach-started", id=attachment_id, name="report.pdf")
    file = {"name": "report.pdf", "mime": "application/pdf", "bytes": 9000, "hash": f"{attachment_id}-hash"}
    panel.send(type="attach-document", id=attachment_id, parsed=parsed, **file)


def shown(panel: Panel, attachment_id: str = "a1") -> Message:
    events = [event["attachment"] for event in panel.events if event["type"] == "attachment"]
    return [each for each in events if each["id"] == attachment_id][-1]


def ask(panel: Panel, text: str, *attachments: str, question_id: str = "q1") -> None:
    sent = {"attachments": list(attachments)} if attachments else {}
    panel.send(type="prompt", id=question_id, text=text, **sent)


async def test_a_file_is_kept_and_ready(panel: Panel) -> None:
    attach(panel)
    await panel.until(lambda: shown(panel)["state"] == "ready")
    assert shown(panel)["detail"] == "6 pages · 18 words"
    (document,) = panel.library.documents.values()
    assert (document["name"], document["collection"], document["pages"]) == ("report.pdf", "Documents", 6)
    assert [chunk["page"] for chunk in panel.library.chunks["a1-hash"]] == [3, 5]


async def test_an_answer_cites_the_page(panel: Panel) -> None:
    panel.answer = lambda _request: ["The lighthouse at Skagen cost four million crowns."]
    attach(panel)
    ask(panel, "what did the lighthouse at skagen cost", "a1")
    answer = await panel.settled()
    assert panel.messages()[0]["attachments"] == [{"id": "a1", "kind": "document", "name": "report.pdf"}]
    assert answer["text"] == "The lighthouse at Skagen cost four million crowns. [1]"
    (citation,) = answer["citations"]
    assert (citation["number"], citation["page"], citation["name"]) == (1, 3, "Harbour report")
    assert answer["seen"][0]["page"] == 3
    asked = panel.requests[0]["messages"][-1]["content"]
    assert "four million crowns" in asked and "<text-" in asked and "response_format" not in panel.requests[0]


async def test_a_message_that_is_sent_while_a_file_is_read_waits_for_it(panel: Panel) -> None:
    panel.send(type="attach-started", id="a1", name="report.pdf")
    ask(panel, "what did the lighthouse at skagen cost", "a1")
    await panel.until(lambda: panel.answers() and "Preparing" in str(panel.answers()[-1].get("progress")))
    assert not panel.requests
    attach(panel)
    answer = await panel.settled()
    assert answer["state"] == "done" and answer["seen"]


async def test_stop_ends_the_wait(panel: Panel) -> None:
    panel.send(type="attach-started", id="a1", name="report.pdf")
    ask(panel, "what did the lighthouse cost", "a1")
    await panel.until(lambda: panel.answers() and panel.answers()[-1].get("progress"))
    panel.send(type="stop")
    assert (await panel.settled())["state"] == "stopped"


async def test_what_is_not_in_the_documents_is_said_and_no_model_is_asked(panel: Panel) -> None:
    attach(panel)
    ask(panel, "who wrote hamlet", "a1")
    answer = await panel.settled()
    assert answer["text"] == "That is not in your documents."
    assert not panel.requests


async def test_the_conversation_goes_on_about_them_and_about_other_things(panel: Panel) -> None:
    attach(panel)
    ask(panel, "what did the lighthouse at skagen cost", "a1")
    await panel.settled()
    ask(panel, "marta lind has been chair of the harbour council since", question_id="q2")
    answer = await panel.settled(2)
    assert answer["seen"][0]["page"] == 5
    ask(panel, "who wrote hamlet", question_id="q3")
    answer = await panel.settled(3)
    assert (answer["text"], "seen" in answer) == ("All is well.", False)


async def test_passages_do_not_stay_in_the_conversation(panel: Panel) -> None:
    attach(panel)
    ask(panel, "what did the lighthouse at skagen cost", "a1")
    await panel.settled()
    messages = await panel.app._runner.session.coordinator.get("context").get_messages()
    assert [message["content"] for message in messages] == ["what did the lighthouse at skagen cost", "All is well."]
    assert all(message["metadata"]["untrusted"] for message in messages)


async def test_a_new_session_is_about_nothing(panel: Panel) -> None:
    attach(panel)
    ask(panel, "what did the lighthouse at skagen cost", "a1")
    await panel.settled()
    panel.send(type="new-session")
    ask(panel, "what did the lighthouse at skagen cost", question_id="q2")
    answer = await panel.settled()
    assert "seen" not in answer


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("encrypted", "locked"),
        ("damaged", "damaged"),
        ("empty", "no text"),
        ("scanned", "pictures of pages"),
        ("too-big", "too large"),
        ("unsupported", "cannot be read"),
        ("anything", "damaged"),
    ],
)
async def test_a_file_that_cannot_be_read_says_why(panel: Panel, error: str, words: str) -> None:
    panel.send(type="attach-document", id="a1", name="x.pdf", mime="", bytes=1, hash="", parsed={"error": error, "detail": "d"})
    await panel.until(lambda: shown(panel)["state"] == "error")
    assert words in shown(panel)["problem"]["title"] and shown(panel)["problem"]["detail"]
    ask(panel, "what does it say", "a1")
    answer = await panel.settled()
    assert answer["state"] == "error" and "x.pdf" in answer["error"]["title"]


@pytest.mark.parametrize("code", ["library-full", "library-blocked", "failed"])
async def test_a_document_that_cannot_be_kept_says_why(panel: Panel, code: str) -> None:
    panel.library.fails = code
    attach(panel)
    await panel.until(lambda: shown(panel)["state"] == "error")
    assert shown(panel)["problem"]["detail"]


async def test_a_selection_is_asked_about(panel: Panel) -> None:
    wish = {"action": "ask", "text": "Seals sleep on rocks.", "url": "https://a.example/", "title": "Seals", "language": "German"}
    panel.send(type="wish", id="s1", **wish)
    await panel.until(lambda: shown(panel, "s1")["state"] == "ready")
    assert shown(panel, "s1")["kind"] == "selection"
    ask(panel, "where do they sleep", "s1")
    await panel.settled()
    assert "Seals sleep on rocks." in panel.requests[0]["messages"][-1]["content"]


async def test_what_was_detached_is_not_asked_about(panel: Panel) -> None:
    attach(panel)
    await panel.until(lambda: shown(panel)["state"] == "ready")
    panel.send(type="detach", id="a1")
    ask(panel, "what did the lighthouse at skagen cost", "a1")
    assert "seen" not in await panel.settled()


async def test_an_edited_question_keeps_its_attachments(panel: Panel) -> None:
    attach(panel)
    ask(panel, "what did the lighthouse at skagen cost", "a1")
    await panel.settled()
    panel.send(type="edit", id="q1", text="what did the new lighthouse at skagen cost")
    await panel.until(lambda: len(panel.requests) == 2)
    answer = await panel.settled()
    assert answer["seen"] and panel.messages()[0]["attachments"]
