"""Pages of open tabs that go along with a message: mentioned or followed, read anew with each question, cited, let go."""

from __future__ import annotations

import pytest
from amplifier_browser.documents import attached_pages
from panel_harness import Message, Panel, words
from test_attachments import ask, attach, shown

SEALS = "# Seals\n\nGrey seals eat sand eels in the Baltic Sea. Their pups are born with a white coat.\n\nThey sleep on rocks."
OWLS = "# Owls\n\nOwls hunt at night and swallow mice whole."
GRANTED = {"permissions": ["tabs"], "origins": ["http://*/*", "https://*/*"]}


def long_text(about: str = "seals", paragraphs: int = 40) -> str:
    """A page that fits no prompt here; paragraph 30 says something that no other does."""
    lines = [f"Paragraph {n} says this and that of {about}, in many words and at great length." for n in range(paragraphs)]
    lines[30] = f"The harbour master counted ninety {about} at Skagen lighthouse."
    return "\n\n".join(lines)


class Tabs:
    """The browser's tabs by their ids; a page that is None cannot be read."""

    def __init__(self, panel: Panel, **pages: str | None) -> None:
        self.front = 1
        self.reads: list[int] = []
        self.pages: dict[int, tuple[str, str | None]] = {}
        for number, (title, text) in enumerate(pages.items(), 1):
            self.pages[number] = (title, text)
        panel.calls["page.read"] = self.read

    def read(self, args: Message) -> Message:
        tab = args.get("tab", self.front)
        self.reads.append(tab)
        title, text = self.pages[tab]
        about = {"title": title, "url": address(title), "tab": tab}
        if text is None:
            return {"error": "no-text", "detail": "", **about}
        return {"markdown": text, "words": words(text), "method": "article", "visible_chars": 9, "kept_chars": 9, **about}


def address(title: str) -> str:
    return f"https://www.{title}.example/page"


def mention(panel: Panel, tab: int, title: str, attachment_id: str = "t1") -> None:
    panel.send(type="mention-tab", id=attachment_id, tab=tab, title=title, url=address(title))


def to_front(panel: Panel, tabs: Tabs, tab: int) -> None:
    tabs.front = tab
    title = tabs.pages[tab][0]
    panel.send(type="tab-changed", tab={"id": tab, "title": title, "url": address(title)})


def asked(panel: Panel, request: int = -1) -> str:
    """What the model was asked last."""
    return panel.requests[request]["messages"][-1]["content"]


@pytest.fixture(autouse=True)
def always_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """No reading holds for the next question, unless a test says so."""
    monkeypatch.setattr(attached_pages, "RECENT", -1.0)


@pytest.fixture
def roomy(panel: Panel) -> Panel:
    """A model that can read short pages whole."""
    panel.connect(context_window=2048)
    return panel


async def ready(panel: Panel, attachment_id: str = "t1") -> Message:
    await panel.until(lambda: shown(panel, attachment_id)["state"] in ("ready", "error"))
    return shown(panel, attachment_id)


# ---- a tab that is mentioned


async def test_a_mentioned_tab_is_read_and_ready(roomy: Panel) -> None:
    Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    assert shown(roomy, "t1")["state"] == "reading"
    chip = await ready(roomy)
    assert (chip["kind"], chip["name"], chip["state"]) == ("tab", "seals", "ready")
    assert chip["detail"] == f"seals.example · {words(SEALS)} words"
    assert not roomy.library.documents


async def test_a_page_that_fits_is_given_whole_and_each_sentence_cites_its_passage(roomy: Panel) -> None:
    roomy.answer = lambda _request: ["Grey seals eat sand eels. They sleep on rocks. Jazz is loved on Mars."]
    Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    await ready(roomy)
    ask(roomy, "what is it like for them", "t1")
    answer = await roomy.settled()
    assert SEALS in asked(roomy) and asked(roomy).index("<text-") < asked(roomy).index("seals\n\n# Seals")
    assert answer["text"] == "Grey seals eat sand eels. [1] They sleep on rocks. Jazz is loved on Mars."
    assert answer["citations"] == [
        {
            "number": 1,
            "quote": "Grey seals eat sand eels in the Baltic Sea.",
            "name": "seals",
            "url": address("seals"),
            "tab": 1,
        }
    ]
    assert [(seen["number"], seen["name"], seen["text"]) for seen in answer["seen"]] == [(1, "seals", SEALS)]
    assert roomy.messages()[0]["attachments"] == [{"id": "t1", "kind": "tab", "name": "seals"}]


async def test_passages_of_one_page_have_numbers_of_their_own_and_can_be_marked(roomy: Panel) -> None:
    roomy.answer = lambda _request: ["Grey seals eat sand eels. Pups are born with a white coat. Eels are what grey seals eat."]
    Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    ask(roomy, "what of them", "t1")
    answer = await roomy.settled()
    assert answer["text"].endswith("eels. [1] Pups are born with a white coat. [2] Eels are what grey seals eat. [1]")
    assert all(citation["quote"] in SEALS for citation in answer["citations"])
    roomy.calls["page.show"] = {"found": True}
    roomy.send(type="show-citation", id=answer["id"], number=2)
    shown_calls = await roomy.until(lambda: [e["args"] for e in roomy.events if e["type"] == "call" and e["name"] == "page.show"])
    assert shown_calls == [{"tab": 1, "url": address("seals"), "quote": "Their pups are born with a white coat."}]


async def test_a_long_page_is_searched_as_a_temporary_document(roomy: Panel) -> None:
    roomy.answer = lambda _request: ["The harbour master counted ninety seals at Skagen lighthouse."]
    Tabs(roomy, seals=long_text())
    mention(roomy, 1, "seals")
    await ready(roomy)
    (document,) = roomy.library.documents.values()
    assert (document["temporary"], document["title"]) == (True, "seals")
    ask(roomy, "how many seals did the harbour master count at skagen", "t1")
    answer = await roomy.settled()
    (citation,) = answer["citations"]
    assert citation["quote"] == "The harbour master counted ninety seals at Skagen lighthouse."
    assert (citation["tab"], citation["url"], citation["name"]) == (1, address("seals"), "seals")
    assert words(asked(roomy)) < 1000
    assert [seen["name"] for seen in answer["seen"]] == ["seals"] * len(answer["seen"])


async def test_temporary_documents_are_in_no_list_and_no_other_search(roomy: Panel) -> None:
    Tabs(roomy, seals=long_text())
    mention(roomy, 1, "seals")
    await ready(roomy)
    roomy.send(type="show-settings")
    await roomy.until(lambda: [event for event in roomy.events if event["type"] == "settings"])
    assert [event["settings"]["documents"] for event in roomy.events if event["type"] == "settings"][-1] in ([], None)
    roomy.send(type="ask-documents", collection=None)
    chip = await roomy.until(lambda: next((e["attachment"] for e in roomy.events if "All" in str(e.get("attachment"))), None))
    ask(roomy, "how many seals did the harbour master count at skagen", chip["id"])
    assert (await roomy.settled())["text"] == "That is not in your documents."


async def test_a_library_that_lost_a_page_is_given_it_again(roomy: Panel) -> None:
    Tabs(roomy, seals=long_text())
    mention(roomy, 1, "seals")
    await ready(roomy)
    roomy.library.documents.clear()  # its document was made anew
    roomy.library.chunks.clear()
    ask(roomy, "how many seals did the harbour master count at skagen", "t1")
    assert (await roomy.settled())["seen"]


async def test_an_unchanged_page_is_put_once_and_a_changed_one_takes_its_place(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=long_text())
    mention(roomy, 1, "seals")
    await ready(roomy)
    ask(roomy, "how many seals did the harbour master count at skagen", "t1")
    await roomy.settled()
    (first,) = roomy.library.documents
    tabs.pages[1] = ("seals", long_text("walruses"))
    ask(roomy, "how many walruses did the harbour master count at skagen", question_id="q2")
    answer = await roomy.settled(2)
    (second,) = roomy.library.documents
    assert first != second and "ninety walruses" in answer["seen"][0]["text"]


async def test_what_is_not_on_a_long_page_is_said_and_no_model_is_asked(roomy: Panel) -> None:
    Tabs(roomy, seals=long_text())
    mention(roomy, 1, "seals")
    await ready(roomy)
    ask(roomy, "who wrote hamlet", "t1")
    assert (await roomy.settled())["text"] == "That is not on the page."
    assert not roomy.requests


async def test_the_page_is_read_again_with_each_question_and_kept_when_it_has_gone(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    await ready(roomy)
    tabs.pages[1] = ("seals", SEALS.replace("rocks", "sandbanks"))
    ask(roomy, "where do they sleep", "t1")
    answer = await roomy.settled()
    assert "sandbanks" in asked(roomy) and "notes" not in answer
    tabs.pages[1] = ("seals", None)
    ask(roomy, "do they sleep", question_id="q2")
    answer = await roomy.settled(2)
    assert "sandbanks" in asked(roomy)
    assert answer["notes"] == [
        "“seals” could not be read again (There is no text on this page), so its text as it was before has been used."
    ]
    tabs.pages[1] = ("owls", OWLS)
    ask(roomy, "they sleep", question_id="q3")
    answer = await roomy.settled(3)
    assert "sandbanks" in asked(roomy) and "is not in its tab any more" in answer["notes"][0]


async def test_a_page_that_was_just_read_is_not_read_again(roomy: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached_pages, "RECENT", 60.0)
    tabs = Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    ask(roomy, "where do they sleep", "t1")
    await roomy.settled()
    assert tabs.reads == [1]


async def test_a_tab_that_cannot_be_read_says_why(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=None)
    mention(roomy, 1, "seals")
    chip = await ready(roomy)
    assert (chip["state"], chip["problem"]["title"]) == ("error", "There is no text on this page")
    ask(roomy, "where do they sleep", "t1")
    answer = await roomy.settled()
    assert (answer["state"], answer["error"]["title"]) == ("error", "seals: There is no text on this page")
    tabs.pages[1] = ("seals", SEALS)  # it has loaded meanwhile
    roomy.send(type="retry", id=answer["id"])
    await roomy.until(lambda: roomy.requests)
    assert (await roomy.settled())["state"] == "done"


async def test_what_cannot_be_read_is_noted_where_something_else_answers(roomy: Panel) -> None:
    Tabs(roomy, seals=SEALS, broken=None)
    mention(roomy, 1, "seals")
    mention(roomy, 2, "broken", "t2")
    ask(roomy, "where do they sleep", "t1", "t2")
    answer = await roomy.settled()
    assert answer["state"] == "done" and answer["notes"] == ["Answered without broken: There is no text on this page."]


async def test_what_cannot_be_read_is_a_problem_where_what_was_sent_before_does_not_answer(roomy: Panel) -> None:
    Tabs(roomy, seals=SEALS, broken=None)
    attach(roomy)
    ask(roomy, "what did the lighthouse at skagen cost", "a1")
    await roomy.settled()
    mention(roomy, 2, "broken", "t2")
    ask(roomy, "who wrote hamlet", "t2", question_id="q2")
    assert (await roomy.settled(2))["error"]["title"] == "broken: There is no text on this page"


async def test_a_library_that_takes_nothing_is_named(roomy: Panel) -> None:
    Tabs(roomy, seals=long_text())
    roomy.library.fails = "library-full"
    mention(roomy, 1, "seals")
    assert (await ready(roomy))["problem"]["title"] == "The disk is full"
    ask(roomy, "how many seals did the harbour master count", "t1")
    assert (await roomy.settled())["error"]["title"] == "seals: The disk is full"


# ---- several together


async def test_pages_documents_and_selections_answer_together(roomy: Panel) -> None:
    roomy.connect(context_window=2048, parameters=2000)
    roomy.answer = lambda _request: [
        "The lighthouse cost four million crowns [4]. Owls swallow mice whole. [2] Nobody knows. Seals sleep on rocks."
    ]
    Tabs(roomy, seals=SEALS, owls=OWLS)
    mention(roomy, 1, "seals")
    mention(roomy, 2, "owls", "t2")
    roomy.send(type="wish", id="s1", action="ask", text="Foxes eat berries in autumn.", url="", title="Foxes", language="German")
    attach(roomy)
    ask(roomy, "what did the lighthouse at skagen cost", "t1", "t2", "s1", "a1")
    answer = await roomy.settled()
    named = [(seen["number"], seen["name"]) for seen in answer["seen"]]
    assert named[:3] == [(1, "seals"), (2, "owls"), (3, "Foxes")] and named[3] == (4, "Harbour report")
    told = asked(roomy)
    assert all(f"[{number}]\n<text-" in told for number in (1, 2, 3, 4)) and "That is not in what you attached." in told
    assert answer["text"] == (
        "The lighthouse cost four million crowns. [4] Owls swallow mice whole. [2] Nobody knows. Seals sleep on rocks. [1]"
    )
    by_number = {citation["number"]: citation for citation in answer["citations"]}
    assert (by_number[4]["document"], by_number[4]["page"]) == ("a1-hash", 3)
    assert (by_number[2]["tab"], by_number[2]["quote"]) == (2, "Owls hunt at night and swallow mice whole.")
    assert by_number[1]["quote"] == "They sleep on rocks."


async def test_a_short_page_is_whole_beside_a_long_one_that_is_searched(roomy: Panel) -> None:
    Tabs(roomy, seals=long_text(), owls=OWLS)
    mention(roomy, 1, "seals")
    mention(roomy, 2, "owls", "t2")
    await ready(roomy)
    ask(roomy, "how many seals did the harbour master count at skagen", "t1", "t2")
    answer = await roomy.settled()
    names = [seen["name"] for seen in answer["seen"]]
    assert names[0] == "owls" and set(names[1:]) == {"seals"}
    assert OWLS in asked(roomy)


async def test_the_same_page_is_read_once(roomy: Panel) -> None:
    Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    mention(roomy, 1, "seals", "t2")
    ask(roomy, "where do they sleep", "t1", "t2")
    assert len((await roomy.settled())["seen"]) == 1


# ---- the conversation goes on


async def test_following_questions_are_answered_from_it_as_long_as_they_are_about_it(roomy: Panel) -> None:
    Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    ask(roomy, "where do they sleep", "t1")
    await roomy.settled()
    ask(roomy, "what do grey seals eat", question_id="q2")
    assert (await roomy.settled(2))["seen"]
    assert roomy.messages()[2]["attachments"] == [{"id": "t1", "kind": "tab", "name": "seals"}]
    ask(roomy, "who wrote hamlet", question_id="q3")
    assert "seen" not in await roomy.settled(3)
    assert "attachments" not in roomy.messages()[4]
    ask(roomy, "do the pups have a white coat", question_id="q4")
    assert (await roomy.settled(4))["seen"]


async def test_a_selection_is_in_use_while_questions_are_answered_from_it(panel: Panel) -> None:
    wish = {"action": "ask", "text": "Seals sleep on rocks.", "url": "", "title": "Seals", "language": "German"}
    panel.send(type="wish", id="s1", **wish)
    ask(panel, "where do they sleep", "s1")
    await panel.settled()
    ask(panel, "do seals sleep", question_id="q2")
    assert (await panel.settled(2))["seen"]
    ask(panel, "who wrote hamlet", question_id="q3")
    await panel.settled(3)
    ask(panel, "do seals sleep", question_id="q4")
    assert "seen" not in await panel.settled(4)


async def test_a_selection_too_long_for_the_model_is_searched(panel: Panel) -> None:
    wish = {"action": "ask", "text": long_text(), "url": "", "title": "Seals", "language": "German"}
    panel.connect(context_window=800)
    panel.send(type="wish", id="s1", **wish)
    ask(panel, "how many seals did the harbour master count at skagen", "s1")
    answer = await panel.settled()
    assert "ninety seals" in answer["seen"][0]["text"] and words(asked(panel)) < 300


async def test_what_was_detached_later_is_out_of_use_and_its_text_leaves_the_library(roomy: Panel) -> None:
    Tabs(roomy, seals=long_text())
    mention(roomy, 1, "seals")
    ask(roomy, "how many seals did the harbour master count at skagen", "t1")
    await roomy.settled()
    assert roomy.library.documents
    roomy.send(type="detach", id="t1")
    await roomy.until(lambda: not roomy.library.documents)
    ask(roomy, "how many seals did the harbour master count at skagen", question_id="q2")
    assert "seen" not in await roomy.settled(2)


async def test_what_is_detached_while_it_is_read_leaves_nothing(roomy: Panel) -> None:
    Tabs(roomy, seals=long_text())
    mention(roomy, 1, "seals")
    roomy.send(type="detach", id="t1")
    mention(roomy, 1, "seals", "t2")
    await ready(roomy, "t2")
    assert [document["name"] for document in roomy.library.documents.values()] == ["t2"]


async def test_a_new_session_forgets_what_was_sent_and_keeps_the_tray(roomy: Panel) -> None:
    Tabs(roomy, seals=long_text(), owls=OWLS)
    mention(roomy, 1, "seals")
    mention(roomy, 2, "owls", "t2")
    ask(roomy, "how many seals did the harbour master count at skagen", "t1")
    await roomy.settled()
    roomy.send(type="new-session")
    ask(roomy, "what do owls swallow", "t2", question_id="q2")
    answer = await roomy.settled()
    assert [seen["name"] for seen in answer["seen"]] == ["owls"]
    await roomy.until(lambda: not roomy.library.documents)


async def test_passages_do_not_stay_in_the_conversation_and_it_is_untrusted(roomy: Panel) -> None:
    Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    ask(roomy, "where do they sleep", "t1")
    await roomy.settled()
    messages = await roomy.app._runner.session.coordinator.get("context").get_messages()
    assert [message["content"] for message in messages] == ["where do they sleep", "All is well."]
    assert all(message["metadata"]["untrusted"] for message in messages)
    assert "response_format" not in roomy.requests[0]


async def test_a_stopped_answer_goes_on_with_the_page_before_it(roomy: Panel) -> None:
    roomy.answer = lambda _request: ["They sleep ", "..."]
    Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    ask(roomy, "where do they sleep", "t1")
    await roomy.until(lambda: roomy.answers() and roomy.answers()[-1]["text"])
    roomy.send(type="stop")
    answer = await roomy.settled()
    roomy.answer = lambda _request: ["on the rocks of the Baltic Sea."]
    roomy.send(type="continue", id=answer["id"])
    await roomy.until(lambda: len(roomy.requests) == 2)
    answer = await roomy.settled()
    assert SEALS in roomy.requests[1]["messages"][-2]["content"]
    assert roomy.requests[1]["messages"][-1] == {"role": "assistant", "content": "They sleep "}
    assert answer["text"].startswith("They sleep on the rocks of the Baltic Sea.") and answer["seen"]


async def test_stop_ends_the_reading(roomy: Panel) -> None:
    class Never:
        def __call__(self, _args: Message) -> Message:
            roomy.send(type="stop")
            return {"error": "slow", "detail": "", "title": "", "url": ""}

    roomy.calls["page.read"] = Never()
    roomy.send(type="follow-tab", value=True)
    ask(roomy, "where do they sleep")
    assert (await roomy.settled())["state"] == "stopped"


async def test_this_page_is_the_one_that_was_mentioned(roomy: Panel) -> None:
    tabs = Tabs(roomy, owls=OWLS, seals=SEALS)
    mention(roomy, 2, "seals")
    ask(roomy, "what does this page say about rocks", "t1")
    answer = await roomy.settled()
    assert "steps" not in answer and SEALS in asked(roomy) and 1 not in tabs.reads


# ---- summaries


async def test_summarize_with_one_tab_is_the_summary_of_its_page(roomy: Panel) -> None:
    roomy.answer = lambda _request: ["Owls swallow mice whole at night."]
    tabs = Tabs(roomy, seals=SEALS, owls=OWLS)
    mention(roomy, 2, "owls")
    await ready(roomy)
    ask(roomy, "Summarize", "t1")
    answer = await roomy.settled()
    assert (answer["source"]["title"], set(tabs.reads)) == ("owls", {2})
    (citation,) = answer["citations"]
    assert (citation["tab"], citation["quote"]) == (2, "Owls hunt at night and swallow mice whole.")
    assert "seen" not in answer


async def test_a_summary_of_a_page_that_has_gone_says_so(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=SEALS)
    mention(roomy, 1, "seals")
    await ready(roomy)
    tabs.pages[1] = ("seals", None)
    ask(roomy, "Summarize it", "t1")
    answer = await roomy.settled()
    assert answer["source"]["title"] == "seals" and "could not be read again" in answer["notes"][0]


async def test_summarize_with_several_is_an_answer_from_all_of_them(roomy: Panel) -> None:
    Tabs(roomy, seals=SEALS, owls=OWLS)
    mention(roomy, 1, "seals")
    mention(roomy, 2, "owls", "t2")
    ask(roomy, "Summarize these tabs", "t1", "t2")
    answer = await roomy.settled()
    assert [seen["name"] for seen in answer["seen"]] == ["seals", "owls"] and "source" not in answer
    assert asked(roomy).endswith("main points?")


async def test_summarize_with_a_document_and_a_long_page_takes_passages_from_all_over(roomy: Panel) -> None:
    roomy.connect(context_window=1200)
    Tabs(roomy, seals=long_text())
    mention(roomy, 1, "seals")
    attach(roomy)
    ask(roomy, "Summarize this", "t1", "a1")
    answer = await roomy.settled()
    assert {seen["name"] for seen in answer["seen"]} == {"seals", "Harbour report"}


# ---- following the tab in front


async def test_following_shows_the_tab_in_front(panel: Panel) -> None:
    tabs = Tabs(panel, seals=SEALS, owls=OWLS)
    to_front(panel, tabs, 1)
    panel.send(type="follow-tab", value=True)
    chip = shown(panel, "followed-tab")
    assert (chip["kind"], chip["name"], chip["detail"], chip["state"], chip["follows"]) == (
        "tab",
        "seals",
        "seals.example",
        "ready",
        True,
    )
    to_front(panel, tabs, 2)
    assert shown(panel, "followed-tab")["name"] == "owls"
    panel.send(type="tab-changed", tab=None)
    assert shown(panel, "followed-tab")["name"] == "The tab in front"
    assert tabs.reads == []
    panel.send(type="detach", id="followed-tab")
    assert panel.events[-1] == {"type": "attachment-removed", "id": "followed-tab"}
    to_front(panel, tabs, 1)
    assert panel.events[-1]["type"] == "attachment-removed"


async def test_each_question_is_asked_with_the_tab_that_is_then_in_front(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=SEALS, owls=OWLS)
    to_front(roomy, tabs, 1)
    roomy.send(type="follow-tab", value=True)
    ask(roomy, "where do they sleep", "followed-tab")
    assert [seen["name"] for seen in (await roomy.settled())["seen"]] == ["seals"]
    to_front(roomy, tabs, 2)
    ask(roomy, "what do they swallow", question_id="q2")
    assert [seen["name"] for seen in (await roomy.settled(2))["seen"]] == ["owls"]
    tabs.pages[2] = ("owls", OWLS.replace("mice", "voles"))
    ask(roomy, "and now", question_id="q3")
    await roomy.settled(3)
    assert "voles" in asked(roomy)
    sent = [message["attachments"] for message in roomy.messages() if message["role"] == "user"]
    assert [[each["name"] for each in attachments] for attachments in sent] == [["seals"], ["owls"], ["owls"]]
    shown_ids = {event["attachment"]["id"] for event in roomy.events if event["type"] == "attachment"}
    assert shown_ids == {"followed-tab"}  # what was asked about is no chip of its own


async def test_a_question_that_waits_is_about_the_tab_that_was_in_front_of_it(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=SEALS, owls=OWLS)
    to_front(roomy, tabs, 1)
    roomy.send(type="follow-tab", value=True)
    ask(roomy, "where do they sleep")
    to_front(roomy, tabs, 2)
    assert [seen["name"] for seen in (await roomy.settled())["seen"]] == ["seals"]


async def test_a_tab_in_front_that_cannot_be_read(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=SEALS, broken=None)
    to_front(roomy, tabs, 2)
    roomy.send(type="follow-tab", value=True)
    ask(roomy, "where do they sleep")
    assert (await roomy.settled())["error"]["title"] == "broken: There is no text on this page"
    mention(roomy, 1, "seals")
    ask(roomy, "where do they sleep", "t1", question_id="q2")
    answer = await roomy.settled(2)
    assert answer["state"] == "done" and answer["notes"] == ["Answered without broken: There is no text on this page."]


async def test_a_tool_is_used_while_a_tab_is_followed(roomy: Panel) -> None:
    Tabs(roomy, seals=SEALS)
    roomy.send(type="follow-tab", value=True)
    ask(roomy, "/calculate 2 + 3")
    answer = await roomy.settled()
    assert answer["steps"][0]["tool"] == "calculate" and "seen" not in answer


async def test_summarize_while_following_is_the_summary_of_the_tab_in_front(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=SEALS)
    to_front(roomy, tabs, 1)
    roomy.send(type="follow-tab", value=True)
    ask(roomy, "Summarize this page")
    assert (await roomy.settled())["source"]["title"] == "seals"


async def test_after_following_a_page_is_out_of_use(roomy: Panel) -> None:
    tabs = Tabs(roomy, seals=SEALS)
    to_front(roomy, tabs, 1)
    roomy.send(type="follow-tab", value=True)
    ask(roomy, "where do they sleep")
    await roomy.settled()
    roomy.send(type="follow-tab", value=False)
    ask(roomy, "where do they sleep", question_id="q2")
    assert "seen" not in await roomy.settled(2)


@pytest.mark.parametrize("lost", [{"permissions": []}, {"origins": ["https://a.example/*"]}])
async def test_permissions_that_are_taken_back_end_it(panel: Panel, lost: Message) -> None:
    panel.send(type="follow-tab", value=True)
    panel.send(type="permissions-changed", permissions=GRANTED | {"revocable": {}})
    assert [event["type"] for event in panel.events if event["type"] != "timeline"][-1] == "attachment"
    panel.send(type="permissions-changed", permissions=GRANTED | lost)
    removed, notice = [event for event in panel.events if event["type"] != "timeline"][-2:]
    assert removed == {"type": "attachment-removed", "id": "followed-tab"}
    assert (notice["type"], notice["level"]) == ("notice", "warning")


# ---- documents of the library


async def test_a_document_of_the_library_is_mentioned(panel: Panel) -> None:
    attach(panel)
    await panel.until(lambda: shown(panel)["state"] == "ready")
    panel.send(type="detach", id="a1")
    panel.send(type="mention-document", id="m1", document="a1-hash")
    chip = (await panel.until(lambda: [e["attachment"] for e in panel.events if "m1" in str(e.get("attachment"))]))[-1]
    assert chip["state"] == "ready"
    assert (chip["name"], chip["detail"]) == ("report.pdf", "6 pages · 18 words")
    ask(panel, "what did the lighthouse at skagen cost", "m1")
    assert (await panel.settled())["seen"][0]["page"] == 3
    panel.send(type="mention-document", id="m2", document="gone")
    told = await panel.until(lambda: [e["attachment"] for e in panel.events if "m2" in str(e.get("attachment"))])
    assert (told[-1]["state"], told[-1]["problem"]["title"]) == ("error", "The document is not there any more")
