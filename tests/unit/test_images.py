"""Images in a conversation: which model gets them, what is said where it does not, and how they travel in a file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from amplifier_browser import images
from panel_harness import Panel

URL = "data:image/jpeg;base64,AAAA"
SEEING = {"is_vision": True, "context_window": 9000}
CATALOGUE: dict[str, Any] = {
    "libraries": [],
    "models": [
        {
            "id": "phi",
            "name": "Phi Vision",
            "publisher": "",
            "licence": "",
            "good_for": "",
            "parameters": 4000,
            "variants": [],
            "is_vision": True,
        }
    ],
}


@pytest_asyncio.fixture
async def panel() -> AsyncIterator[Panel]:
    opened = Panel()
    opened.calls["images.read"] = lambda args: URL if args["id"] != "gone" else None
    opened.calls["models.catalogue"] = CATALOGUE
    await opened.until(lambda: any(event["type"] == "ready" for event in opened.events))
    yield opened
    await opened.close()


def attach(panel: Panel, name: str = "cat.jpg", **told: Any) -> None:
    panel.send(type="attach-started", id=name, kind="image", name=name)
    panel.send(type="attach-image", id=name, name=name, **(told or {"width": 1344, "height": 896}))


def chip(panel: Panel, name: str = "cat.jpg") -> dict[str, Any]:
    told = [each["attachment"] for each in panel.events if each["type"] == "attachment"]
    return next((each for each in reversed(told) if each["id"] == name), {})


async def ready(panel: Panel, name: str = "cat.jpg") -> None:
    await panel.until(lambda: chip(panel, name).get("state") == "ready")


def parts(panel: Panel) -> Any:
    """What the last user's message of the last request says."""
    return [each for each in panel.requests[-1]["messages"] if each["role"] == "user"][-1]["content"]


def notes(answer: dict[str, Any]) -> str:
    return " ".join(answer.get("notes", []))


async def test_a_model_that_sees_gets_the_image_before_the_words(panel: Panel) -> None:
    panel.connect(**SEEING)
    attach(panel)
    await ready(panel)
    assert chip(panel)["detail"] == "1,344 × 896"
    panel.send(type="prompt", id="q", text="What is this?", attachments=["cat.jpg"])
    answer = await panel.settled()
    assert parts(panel)[0] == {"type": "image_url", "image_url": {"url": URL}}
    assert parts(panel)[1]["type"] == "text" and parts(panel)[1]["text"].startswith("What is this?")
    assert "notes" not in answer
    sent = {"id": "cat.jpg", "kind": "image", "name": "cat.jpg", "width": 1344, "height": 896}
    assert panel.messages()[0]["attachments"] == [sent]


async def test_a_later_question_still_has_the_image_before_it(panel: Panel) -> None:
    panel.connect(**SEEING)
    attach(panel)
    panel.send(type="prompt", id="q", text="What is this?", attachments=["cat.jpg"])
    await panel.settled()
    panel.send(type="prompt", id="q2", text="And its colour?")
    await panel.settled(2)
    asked = [each["content"] for each in panel.requests[-1]["messages"] if each["role"] == "user"]
    assert asked[0][0]["image_url"]["url"] == URL
    assert isinstance(asked[1], str)


async def test_a_model_that_does_not_see_says_so_at_the_chip_and_names_one_that_does(panel: Panel) -> None:
    panel.connect()
    attach(panel)
    await panel.until(lambda: chip(panel).get("state") == "error")
    problem = chip(panel)["problem"]
    assert problem["title"] == "Scripted cannot see images"
    assert problem["detail"] == "Phi Vision can: download it in Settings, under Models."
    assert [event["engine"]["blind"] for event in panel.events if event["type"] == "engine"][-1] == "Scripted cannot see images"
    panel.send(type="explain-images")
    told = await panel.until(lambda: [event["text"] for event in panel.events if event["type"] == "notice"])
    assert told[-1] == "Scripted cannot see images. Phi Vision can: download it in Settings, under Models."


async def test_the_image_is_taken_once_a_model_that_sees_is_chosen_and_refused_again_after(panel: Panel) -> None:
    panel.connect()
    attach(panel)
    await panel.until(lambda: chip(panel).get("state") == "error")
    seeing = {"id": "eyes", "name": "Eyes", "context_window": 9000, "is_vision": True}
    blind = {"id": "scripted", "name": "Scripted", "context_window": 400}
    state = {"state": "ready", "progress": None, "text": "", "error": None, "models": [blind, seeing]}
    panel.app.receive({"type": "from-engine", "message": {"type": "state", "engine": {**state, "model": "eyes"}}})
    await ready(panel)
    panel.app.receive({"type": "from-engine", "message": {"type": "state", "engine": {**state, "model": "scripted"}}})
    await panel.until(lambda: chip(panel)["state"] == "error")
    assert chip(panel)["problem"]["action"] == {"label": "Use Eyes", "command": {"type": "choose-model", "model": "eyes"}}


async def test_images_of_earlier_turns_are_left_out_for_a_model_that_cannot_see_and_the_answer_says_so(panel: Panel) -> None:
    panel.connect(**SEEING)
    attach(panel)
    await ready(panel)
    panel.send(type="prompt", id="q", text="What is this?", attachments=["cat.jpg"])
    await panel.settled()
    panel.connect()
    panel.send(type="prompt", id="q2", text="And its colour?")
    answer = await panel.settled(2)
    assert notes(answer) == "Answered without the image of this conversation: Scripted cannot see images."
    first = next(each["content"] for each in panel.requests[-1]["messages"] if each["role"] == "user")
    assert first == "[An image, cat.jpg, that you cannot see]\nWhat is this?"


async def test_an_image_that_is_not_kept_any_more_is_told(panel: Panel) -> None:
    panel.connect(**SEEING)
    attach(panel, "gone")
    await ready(panel, "gone")
    panel.send(type="prompt", id="q", text="What is this?", attachments=["gone"])
    answer = await panel.settled()
    assert notes(answer) == "Answered without the image of this conversation that is not kept any more."


@pytest.mark.parametrize("error", ["not-an-image", "drawing", "heic", "too-large", "damaged"])
async def test_a_file_that_cannot_be_taken_says_why_and_what_to_do(panel: Panel, error: str) -> None:
    panel.connect(**SEEING)
    attach(panel, error=error, detail="of the test")
    await panel.until(lambda: chip(panel).get("state") == "error")
    problem = chip(panel)["problem"]
    assert problem["title"] and problem["detail"] and problem["technical"] == "of the test"


async def test_a_question_waits_for_an_image_that_is_still_being_read(panel: Panel) -> None:
    panel.connect(**SEEING)
    panel.send(type="attach-started", id="cat.jpg", kind="image", name="cat.jpg")
    panel.send(type="prompt", id="q", text="What is this?", attachments=["cat.jpg"])
    await panel.until(panel.is_busy)
    assert not panel.requests
    panel.send(type="attach-image", id="cat.jpg", name="cat.jpg", width=10, height=10)
    await panel.settled()
    assert parts(panel)[0]["image_url"]["url"] == URL
    assert panel.messages()[0]["attachments"][0]["width"] == 10


async def test_one_that_turns_out_to_be_damaged_is_left_out(panel: Panel) -> None:
    panel.connect(**SEEING)
    panel.send(type="attach-started", id="cat.jpg", kind="image", name="cat.jpg")
    panel.send(type="prompt", id="q", text="What is this?", attachments=["cat.jpg"])
    panel.send(type="attach-image", id="cat.jpg", name="cat.jpg", error="damaged", detail="")
    await panel.settled()
    assert isinstance(parts(panel), str)


async def test_stopping_a_question_that_waits_for_its_image(panel: Panel) -> None:
    panel.connect(**SEEING)
    panel.send(type="attach-started", id="cat.jpg", kind="image", name="cat.jpg")
    panel.send(type="prompt", id="q", text="What is this?", attachments=["cat.jpg"])
    await panel.until(panel.is_busy)
    panel.send(type="stop")
    assert (await panel.settled())["state"] == "stopped"


async def test_an_answer_that_is_gone_on_with_still_has_the_image(panel: Panel) -> None:
    panel.connect(**SEEING)
    panel.answer = lambda _request: ["A ca", "..."]
    attach(panel)
    await ready(panel)
    panel.send(type="prompt", id="q", text="What is this?", attachments=["cat.jpg"])
    await panel.until(lambda: panel.answers() and panel.answers()[-1]["text"])
    panel.send(type="stop")
    stopped = await panel.settled()
    panel.answer = lambda _request: ["t."]
    panel.send(type="continue", id=stopped["id"])
    await panel.until(lambda: panel.answers()[-1]["state"] == "done" and not panel.is_busy())
    assert panel.answers()[-1]["text"] == "A cat."
    assert parts(panel)[0]["image_url"]["url"] == URL
    assert panel.requests[-1]["messages"][-1] == {"role": "assistant", "content": "A ca"}


async def test_an_image_takes_its_share_of_the_context(panel: Panel) -> None:
    panel.connect(is_vision=True, context_window=5000)
    attach(panel)
    await ready(panel)
    panel.send(type="prompt", id="q", text="What is this?", attachments=["cat.jpg"])
    await panel.settled()
    attach(panel, "dog.jpg")
    await ready(panel, "dog.jpg")
    panel.send(type="prompt", id="q2", text="And this?", attachments=["dog.jpg"])
    answer = await panel.settled(2)
    assert "no longer fit" in notes(answer)
    pictures = [part for each in panel.requests[-1]["messages"] if isinstance(each["content"], list) for part in each["content"]]
    assert len([part for part in pictures if part["type"] == "image_url"]) == 1


async def test_this_page_of_a_question_with_a_picture_of_it_is_the_picture(panel: Panel) -> None:
    panel.connect(**SEEING)
    attach(panel)
    await ready(panel)
    panel.send(type="prompt", id="q", text="What is on this page?", attachments=["cat.jpg"])
    assert "steps" not in await panel.settled()
    assert parts(panel)[0]["image_url"]["url"] == URL


async def test_a_question_with_an_image_is_offered_no_tools_and_its_text_counts_as_a_strangers(panel: Panel) -> None:
    panel.connect(**SEEING, parameters=4000)
    attach(panel)
    await ready(panel)
    panel.send(type="prompt", id="q", text="Calculate 2 + 2 of this receipt", attachments=["cat.jpg"])
    await panel.settled()
    assert "response_format" not in panel.requests[-1]
    context = await panel.app._runner.session.coordinator.get("context").get_messages()
    assert [bool((each.get("metadata") or {}).get("untrusted")) for each in context[-2:]] == [True, True]


def test_tokens_of_an_image_by_the_model() -> None:
    source = {"width": 1344, "height": 896}
    assert images.tokens(source, None) == images.tokens(source, {"id": "blind"}) == 0
    assert images.tokens(source, {"is_vision": True, "origin": "package"}) == images.MOST_TOKENS
    assert images.tokens(source, {"is_vision": True, "origin": "server"}) == 48 * 32 + 2


async def exported(panel: Panel) -> dict[str, Any]:
    session = next(event["session"]["id"] for event in reversed(panel.events) if event["type"] == "session")
    panel.send(type="export-session", id=session, format="json")

    def saved() -> list[str]:
        calls = [event for event in panel.events if event["type"] == "call" and event["name"] == "file.save"]
        return [call["args"]["text"] for call in calls]

    return json.loads((await panel.until(saved))[-1])


NAME = "0b9f5f0e-6f0a-4b7e-9a51-0c4a7f4f2c11"


async def test_a_file_of_a_conversation_brings_its_images_along_under_ids_of_their_own(panel: Panel) -> None:
    panel.connect(**SEEING)
    attach(panel, NAME)
    await ready(panel, NAME)
    panel.send(type="prompt", id="q", text="What is this?", attachments=[NAME])
    await panel.settled()
    file = await exported(panel)
    assert file["images"] == {NAME: URL}
    put: list[dict[str, Any]] = []
    panel.calls["images.put"] = put.append
    panel.send(type="import-session", text=json.dumps(file), name="file.json")
    await panel.until(lambda: any(event.get("text", "").endswith("was imported.") for event in panel.events))
    assert [each["url"] for each in put] == [URL]
    ours = put[0]["id"]
    assert ours != NAME
    kept = json.dumps(list(panel.kept.messages.values())[-1])
    assert ours in kept and NAME not in kept


async def test_a_strangers_file_cannot_name_other_things_by_its_images_ids(panel: Panel) -> None:
    panel.connect(**SEEING)
    panel.send(type="prompt", id="q", text="Hello")
    await panel.settled()
    file = {**await exported(panel), "images": {"user": URL, "assistant": URL}}
    put: list[dict[str, Any]] = []
    panel.calls["images.put"] = put.append
    panel.send(type="import-session", text=json.dumps(file), name="file.json")
    await panel.until(lambda: any(event.get("text", "").endswith("was imported.") for event in panel.events))
    assert not put


async def test_an_image_alone_is_asked_about(panel: Panel) -> None:
    panel.connect(**SEEING)
    attach(panel)
    await ready(panel)
    panel.send(type="prompt", id="q", text="", attachments=["cat.jpg"])
    assert (await panel.settled())["state"] == "done"
    assert parts(panel)[0]["image_url"]["url"] == URL
    assert parts(panel)[1]["text"].startswith("What is in this image?")
    shown = panel.messages()[0]
    assert (shown["text"], [each["id"] for each in shown["attachments"]]) == ("", ["cat.jpg"])
    titles = [event["session"]["title"] for event in panel.events if event["type"] == "session"]
    assert titles[-1] == "cat.jpg"


async def test_an_image_alone_that_is_taken_back_is_sent_again_with_its_question(panel: Panel) -> None:
    panel.connect(**SEEING)
    panel.answer = lambda _request: ["..."]
    attach(panel)
    await ready(panel)
    panel.send(type="prompt", id="q1", text="Wait")
    await panel.until(lambda: panel.requests)
    panel.send(type="prompt", id="q2", text="", attachments=["cat.jpg"])
    panel.send(type="stop")
    await panel.settled()
    panel.answer = lambda _request: ["A cat."]
    panel.send(type="edit", id="q2", text="")
    await panel.settled(2)
    assert parts(panel)[1]["text"].startswith("What is in this image?")


async def test_an_image_alone_that_turns_out_to_be_damaged_is_not_asked_about(panel: Panel) -> None:
    panel.connect(**SEEING)
    panel.send(type="attach-started", id="cat.jpg", kind="image", name="cat.jpg")
    panel.send(type="prompt", id="q", text="", attachments=["cat.jpg"])
    panel.send(type="attach-image", id="cat.jpg", name="cat.jpg", error="damaged", detail="")
    answer = await panel.settled()
    assert answer["state"] == "error" and answer["error"]["title"] == "cat.jpg: it is damaged"
    assert not panel.requests


@pytest.mark.parametrize(
    ("room", "title", "words"),
    [
        (4000, "Too many images at a time", "Of these 3 images 1 fits into the model’s context at a time. Send one at a time"),
        (7500, "Too many images at a time", "Of these 3 images 2 fit into the model’s context at a time. Send at most 2"),
        (2000, "The image is too large for this model", "has no room for even one of these images"),
    ],
)
async def test_too_many_images_say_how_many_fit(panel: Panel, room: int, title: str, words: str) -> None:
    panel.connect(is_vision=True, context_window=room)
    names = ["a.jpg", "b.jpg", "c.jpg"]
    for name in names:
        attach(panel, name)
        await ready(panel, name)
    panel.send(type="prompt", id="q", text="Compare these", attachments=names)
    error = (await panel.settled())["error"]
    assert error["title"] == title and words in error["detail"]
