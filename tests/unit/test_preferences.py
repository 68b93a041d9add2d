"""Preferences: what may be chosen, what is refused, where it is kept, and what the model then gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from amplifier_browser.host import HostError
from amplifier_browser.preferences import Preferences
from amplifier_browser.prompts import SYSTEM
from kept_sessions import KeptSessions
from panel_harness import Message, Panel


class Browser:
    """Chrome's storage: this computer's, and what it carries to others; `full`: names that it will not carry."""

    def __init__(self, local: dict[str, Any] | None = None) -> None:
        self.local: dict[str, Any] = local or {}
        self.synced: dict[str, Any] = {}
        self.full: set[str] = set()

    async def call(self, name: str, /, **args: Any) -> Any:
        """The page's calls."""
        if name == "settings.get":
            return {each: self.local[each] for each in args["names"] if each in self.local}
        if name == "settings.set":
            self.local |= args
        elif name == "synced.get":
            return {each: self.synced[each] for each in args["names"] if each in self.synced}
        elif name == "synced.set":
            if self.full & set(args):
                raise HostError("QUOTA_BYTES_PER_ITEM quota exceeded")
            self.synced |= args
        elif name == "synced.remove":
            self.synced = {each: value for each, value in self.synced.items() if each not in args["names"]}
        else:
            raise AssertionError(name)
        return None

    def kept(self) -> dict[str, Any]:
        """This computer's copy."""
        return self.local.get("preferences", {})


@pytest.fixture
def browser() -> Browser:
    """Nothing is stored."""
    return Browser()


async def preferences(browser: Browser) -> Preferences:
    """As a panel that opens finds them."""
    opened = Preferences(browser.call)
    await opened.load()
    return opened


# ---- values


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("temperature", 1.6, "0 to 1.5"),
        ("temperature", -0.1, "0 to 1.5"),
        ("temperature", "warm", "0 to 1.5"),
        ("temperature", True, "0 to 1.5"),
        ("temperature", float("nan"), "0 to 1.5"),
        ("longest_answer", 15, "16 to 8,192"),
        ("longest_answer", 8193, "16 to 8,192"),
        ("longest_answer", 99.5, "16 to 8,192"),
        ("system_prompt", "x" * 2001, "2,000 characters, this one has 2,001"),
        ("system_prompt", None, "text"),
        ("theme", "pink", "pink"),
        ("theme", ["dark"], "dark"),
        ("keep_minutes", 7, "5, 15, 60 or always"),
        ("keep_minutes", True, "5, 15, 60 or always"),
        ("synchronize", "yes", "on or off"),
        ("saved_prompts", [], "no saved_prompts"),
    ],
)
async def test_what_there_is_not_is_refused_and_nothing_changes(browser: Browser, name: str, value: Any, words: str) -> None:
    chosen = await preferences(browser)
    before = chosen.shown()
    with pytest.raises(ValueError, match=words):
        await chosen.set(name, value)
    assert chosen.shown() == before
    assert browser.local == {} and browser.synced == {}


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("temperature", 0, 0.0),
        ("temperature", 1.5, 1.5),
        ("temperature", None, None),
        ("longest_answer", 16, 16),
        ("longest_answer", 8192, 8192),
        ("longest_answer", None, None),
        ("system_prompt", "  Be brief.\n", "Be brief."),
        ("system_prompt", SYSTEM, ""),
        ("theme", "dark", "dark"),
        ("keep_minutes", 60, 60),
        ("keep_minutes", None, None),
    ],
)
async def test_what_there_is_is_kept_for_the_next_panel(browser: Browser, name: str, value: Any, kept: Any) -> None:
    await (await preferences(browser)).set(name, value)
    assert (await preferences(browser)).shown()[name] == kept
    assert browser.kept()[name] == kept


@pytest.mark.parametrize("stored", [{"temperature": 9}, {"theme": 3}, {"saved_prompts": [{"id": 1}]}, {"unsynced": 7}, [1]])
async def test_what_makes_no_sense_counts_as_not_chosen(stored: Any) -> None:
    chosen = await preferences(Browser({"preferences": stored}))
    assert chosen.shown() == Preferences(Browser().call).shown()


# ---- other computers


async def synchronized(browser: Browser) -> Preferences:
    """Preferences of which the user has said that Chrome may carry them."""
    chosen = await preferences(browser)
    await chosen.set("synchronize", True)
    return chosen


async def test_nothing_leaves_this_computer_unless_the_user_says_so(browser: Browser) -> None:
    chosen = await preferences(browser)
    await chosen.set("theme", "dark")
    await chosen.save_prompt(None, "Translate", "Translate this: ")
    assert browser.synced == {}


async def test_small_ones_go_along_and_the_rest_stays(browser: Browser) -> None:
    chosen = await synchronized(browser)
    choices = {"theme": "dark", "temperature": 0.5, "system_prompt": "Mine.", "keep_minutes": 5, "longest_answer": 99}
    for name, value in choices.items():
        await chosen.set(name, value)
    assert browser.synced == {"preferences.theme": "dark", "preferences.temperature": 0.5}
    other = await preferences(Browser())
    assert other.shown()["theme"] == "system"


async def test_what_another_computer_chose_wins(browser: Browser) -> None:
    await (await synchronized(browser)).set("theme", "dark")
    browser.synced["preferences.theme"] = "light"
    chosen = await preferences(browser)
    assert chosen.shown()["theme"] == "light"
    await chosen.set("temperature", 1)
    assert browser.kept() == {"theme": "light", "temperature": 1.0, "synchronize": True}


async def test_what_chrome_does_not_take_stays_here_and_wins_until_it_does(browser: Browser) -> None:
    chosen = await synchronized(browser)
    await chosen.save_prompt(None, "First", "One.")
    browser.full = {"preferences.saved_prompts"}
    await chosen.save_prompt(None, "Second", "Two.")
    assert len(browser.synced["preferences.saved_prompts"]) == 1
    again = await preferences(browser)
    assert [prompt["title"] for prompt in again.shown()["saved_prompts"]] == ["First", "Second"]
    assert again.shown()["unsynced"] == ["saved_prompts"]
    browser.full = set()
    await again.save_prompt(None, "Third", "Three.")
    assert len(browser.synced["preferences.saved_prompts"]) == 3
    assert again.shown()["unsynced"] == [] and "unsynced" not in browser.kept()


async def test_synchronizing_can_be_turned_off_and_chrome_forgets(browser: Browser) -> None:
    chosen = await synchronized(browser)
    await chosen.set("theme", "dark")
    await chosen.set("synchronize", False)
    assert browser.synced == {}
    assert (await preferences(browser)).shown()["theme"] == "dark"
    browser.synced["preferences.theme"] = "light"  # of another computer
    assert (await preferences(browser)).shown()["theme"] == "dark"
    await chosen.set("temperature", 1)
    assert browser.synced == {"preferences.theme": "light"}
    await chosen.set("synchronize", True)
    assert browser.synced == {"preferences.theme": "dark", "preferences.temperature": 1.0}


async def test_a_reset_leaves_what_the_user_wrote_and_whether_it_is_synchronized(browser: Browser) -> None:
    chosen = await preferences(browser)
    await chosen.set("synchronize", False)
    await chosen.set("theme", "dark")
    await chosen.set("system_prompt", "Mine.")
    await chosen.save_prompt(None, "Translate", "Translate this: ")
    await chosen.reset()
    shown = (await preferences(browser)).shown()
    assert (shown["theme"], shown["system_prompt"], shown["synchronize"]) == ("system", "", False)
    assert [prompt["title"] for prompt in shown["saved_prompts"]] == ["Translate"]


# ---- saved prompts


async def test_prompts_are_added_changed_deleted_and_come_back(browser: Browser) -> None:
    chosen = await preferences(browser)
    await chosen.save_prompt(None, "  Polite\n reply ", " Answer this letter politely: ")
    await chosen.save_prompt(None, "an idea", "What next?")
    idea, polite = chosen.shown()["saved_prompts"]
    assert (polite["title"], polite["text"]) == ("Polite reply", "Answer this letter politely:")
    await chosen.save_prompt(polite["id"], "Polite reply", "Answer it.")
    assert chosen.shown()["saved_prompts"] == [idea, {**polite, "text": "Answer it."}]
    await chosen.delete_prompt(idea["id"])
    await chosen.save_prompt(**idea)
    assert (await preferences(browser)).shown()["saved_prompts"] == [idea, {**polite, "text": "Answer it."}]


@pytest.mark.parametrize(
    ("title", "text", "words"),
    [
        ("", "x", "needs a title"),
        ("x", "  ", "needs a title"),
        ("x" * 61, "x", "60 characters"),
        ("x", "x" * 4001, "4,000 characters"),
        ("KNOWN", "x", "already"),
    ],
)
async def test_a_prompt_that_is_wrong_is_refused(browser: Browser, title: str, text: str, words: str) -> None:
    chosen = await preferences(browser)
    await chosen.save_prompt(None, "Known", "x")
    before = chosen.shown()
    with pytest.raises(ValueError, match=words):
        await chosen.save_prompt(None, title, text)
    assert chosen.shown() == before


async def test_there_is_an_end_to_prompts(browser: Browser) -> None:
    browser.local["preferences"] = {"saved_prompts": [{"id": str(n), "title": f"{n}", "text": "x"} for n in range(100)]}
    chosen = await preferences(browser)
    with pytest.raises(ValueError, match="100 saved prompts already"):
        await chosen.save_prompt(None, "One more", "x")
    await chosen.save_prompt("7", "Changed", "x")


# ---- the panel


@pytest.fixture
async def panel() -> AsyncIterator[Panel]:
    """Ready for questions, with a storage that keeps."""
    opened = Panel()
    keep_storage(opened, {})
    opened.connect()
    await opened.until(lambda: any(event["type"] == "settings" for event in opened.events))
    yield opened
    await opened.close()


def keep_storage(panel: Panel, stored: Message) -> None:
    """This computer's storage holds `stored`, and what the panel puts there."""
    panel.calls["settings.get"] = lambda args: {name: stored[name] for name in args["names"] if name in stored}
    panel.calls["settings.set"] = lambda args: stored.update(args)


def shown(panel: Panel) -> Message:
    """The preferences that the view was told last."""
    return [event["settings"]["preferences"] for event in panel.events if event["type"] == "settings"][-1]


def engine_messages(panel: Panel, kind: str) -> list[Message]:
    """What the engine was sent."""
    sent = [event["message"] for event in panel.events if event["type"] == "to-engine"]
    return [message for message in sent if message["type"] == kind]


async def choose(panel: Panel, name: str, value: Any) -> None:
    """Chooses, and waits until it is so."""
    panel.send(type="set-preference", name=name, value=value)
    await panel.until(lambda: shown(panel)[name] == value)


async def ask(panel: Panel, count: int = 1) -> Message:
    """Asks, and returns the request that the model got."""
    panel.send(type="prompt", id=f"q{count}", text="Hello there")
    await panel.settled(count)
    return panel.requests[-1]


async def test_temperature_and_length_reach_the_model(panel: Panel) -> None:
    automatic = await ask(panel)
    assert (automatic["temperature"], automatic["max_tokens"]) == (0.0, 100)
    await choose(panel, "temperature", 0.9)
    await choose(panel, "longest_answer", 64)
    chosen = await ask(panel, 2)
    assert (chosen["temperature"], chosen["max_tokens"]) == (0.9, 64)
    panel.send(type="retry", id=panel.answers()[-1]["id"])
    await panel.until(lambda: len(panel.requests) == 3)
    assert panel.requests[-1]["temperature"] == 0.9
    assert panel.requests[-1]["max_tokens"] == 64


async def test_an_answer_that_is_asked_for_again_is_another_one_even_where_none_should_surprise(panel: Panel) -> None:
    await choose(panel, "temperature", 0)
    await ask(panel)
    panel.send(type="retry", id=panel.answers()[-1]["id"])
    await panel.until(lambda: len(panel.requests) == 2)
    assert [request["temperature"] for request in panel.requests] == [0.0, 0.6]


async def test_a_wrong_value_is_told_and_the_view_hears_what_holds(panel: Panel) -> None:
    panel.send(type="set-preference", name="temperature", value=3)
    notice = await panel.until(lambda: [event for event in panel.events if event["type"] == "notice"])
    assert (notice[0]["level"], notice[0]["text"]) == ("error", "The temperature can be 0 to 1.5, and not 3.")
    await panel.until(lambda: panel.events[-1]["type"] == "settings")
    assert shown(panel)["temperature"] is None


def system(request: Message) -> str:
    """The system message of a request."""
    return request["messages"][0]["content"]


async def test_a_system_prompt_counts_at_once_where_nothing_was_asked_yet(panel: Panel) -> None:
    await choose(panel, "system_prompt", "Answer like a pirate.")
    assert system(await ask(panel)).startswith("Answer like a pirate.")
    assert not [event for event in panel.events if event["type"] == "notice"]


async def test_a_system_prompt_counts_from_the_next_conversation_on_and_says_so(panel: Panel) -> None:
    assert system(await ask(panel)).startswith(SYSTEM)
    await choose(panel, "system_prompt", "Answer like a pirate.")
    notice = await panel.until(lambda: [event for event in panel.events if event["type"] == "notice"])
    assert "next conversation" in notice[0]["text"]
    assert system(await ask(panel, 2)).startswith(SYSTEM)
    panel.send(type="new-session")
    panel.send(type="prompt", id="q3", text="And now?")
    await panel.until(lambda: len(panel.requests) == 3)
    assert system(panel.requests[-1]).startswith("Answer like a pirate.")


async def test_a_conversation_that_is_opened_again_keeps_the_system_prompt_it_began_with() -> None:
    kept = KeptSessions()
    first = Panel(kept=kept)
    first.connect()
    await first.until(lambda: any(event["type"] == "settings" for event in first.events))
    await choose(first, "system_prompt", "Answer like a pirate.")
    await ask(first)
    await first.until(lambda: any(memory.get("system") for memory in memories(kept)))
    await first.close()
    second = Panel(kept=kept)  # whose settings know nothing of pirates
    second.connect()
    await second.until(lambda: len(second.answers()) == 1)
    assert system(await ask(second, 2)).startswith("Answer like a pirate.")
    await second.close()


def memories(kept: KeptSessions) -> list[Message]:
    """What is kept of each conversation to go on from."""
    return [kept.call("sessions.read", {"id": record["id"]})["memory"] or {} for record in kept.call("sessions.list", {})]


async def test_the_engine_hears_how_long_the_model_stays(panel: Panel) -> None:
    await choose(panel, "keep_minutes", None)
    await choose(panel, "keep_minutes", 5)
    assert [message["minutes"] for message in engine_messages(panel, "keep")] == [None, 5]


async def test_what_changed_elsewhere_is_shown(panel: Panel) -> None:
    panel.calls["settings.get"] = {"preferences": {"theme": "dark"}}
    panel.send(type="preferences-changed")
    await panel.until(lambda: shown(panel)["theme"] == "dark")


async def test_a_reset_takes_back_what_was_allowed_too(panel: Panel) -> None:
    grant = {"id": "g1", "tool": "python", "scope": "always", "title": "Run Python code", "detail": "always", "created": 0}
    stored: dict[str, Any] = {"grants": [grant]}
    keep_storage(panel, stored)
    await choose(panel, "temperature", 1)
    panel.send(type="reset-settings")
    await panel.until(lambda: shown(panel)["temperature"] is None)
    assert stored["grants"] == []
    assert any("as they came" in event["text"] for event in panel.events if event["type"] == "notice")


async def test_what_is_kept_is_told_when_it_is_asked_for(panel: Panel) -> None:
    panel.calls["storage.sizes"] = {"usage": 9000, "quota": 10**9, "documents": 2000, "conversations": 700}
    keep_storage(panel, {"notes": [{"id": "n1", "text": "Blåbær", "created": "2026-01-01T00:00:00+00:00"}]})
    panel.tell_downloads(models=500)
    await ask(panel)
    panel.send(type="show-settings")
    panel.send(type="show-data")

    def told() -> Message | None:
        return next((e["settings"]["data"] for e in panel.events if e["type"] == "settings" and "data" in e["settings"]), None)

    data = await panel.until(told)
    lines = {line["name"]: (line["count"], line["bytes"]) for line in data["lines"]}
    assert lines["documents"] == (0, 2000) and lines["models"] == (0, 500) and lines["notes"] == (1, 8)
    assert lines["conversations"][1] == 700 and lines["modules"] == (0, 0)
    assert (data["usage"], data["quota"]) == (9000, 10**9)


async def test_deleting_everything_is_the_page_s(panel: Panel) -> None:
    panel.send(type="delete-everything")
    await panel.until(lambda: any(event.get("name") == "data.delete-everything" for event in panel.events))
