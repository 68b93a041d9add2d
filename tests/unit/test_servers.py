"""Servers of the user's own: what an address means, what is kept of one, what is offered to the engine, what is said of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from amplifier_browser.history.export import as_markdown
from amplifier_browser.history.records import Kept
from amplifier_browser.models.custom import NotAdded
from amplifier_browser.models.server_address import read_address
from amplifier_browser.models.servers import host_of
from amplifier_browser.problems import SERVER, answer_problem, engine_problem
from panel_harness import MODEL, Panel

Message = dict[str, Any]

OLLAMA = {
    "kind": "ollama",
    "models": [
        {"model": "llama3.2:3b", "context_window": 8192, "parameters": 3213, "is_vision": False},
        {"model": "mystery", "context_window": None, "parameters": None, "is_vision": True},
    ],
}
ID = "http://localhost:11434/v1"


class World:
    """A panel whose page keeps what is stored, grants what `granted` says, and whose background looks at servers."""

    def __init__(self) -> None:
        self.panel = Panel()
        self.stored: Message = {}
        self.granted = {"http://localhost/*", "http://192.168.1.5/*"}
        self.found: Message | str = OLLAMA  # or the code of an error
        self.looked: list[Message] = []
        self.offers: list[list[Message]] = []
        self.panel.calls |= {
            "settings.get": lambda asked: {name: self.stored[name] for name in asked["names"] if name in self.stored},
            "settings.set": self.stored.update,
            "permissions.has": lambda wanted: set(wanted["origins"]) <= self.granted,
            "permissions.remove": lambda unwanted: self.granted.difference_update(unwanted["origins"]),
            "models.catalogue": {"models": [], "libraries": []},
        }
        serve = self.panel._serve

        def answer(request: Message) -> None:
            if request["type"] == "look":
                self.looked.append(request["server"])
                is_error = isinstance(self.found, str)
                told = (
                    {"type": "error", "code": self.found, "message": "scripted"}
                    if is_error
                    else {"type": "looked", "found": self.found}
                )
                self.panel._engine({"id": request["id"], **told})
            elif request["type"] == "offer":
                self.offers.append(request["models"])
            serve(request)

        self.panel._serve = answer

    async def opened(self) -> World:
        """The models are looked at."""
        self.panel.connect()
        self.panel.send(type="show-models")
        await self.panel.until(lambda: self.shown() and any(event["type"] == "ready" for event in self.panel.events))
        return self

    def shown(self) -> Message | None:
        """What the view was last told of models."""
        told = [event for event in self.panel.events if event["type"] == "models"]
        return told[-1] if told else None

    async def ask(self, **command: Any) -> Message:
        """Sends a command, and returns what is shown after it."""
        count = len(self.panel.events)

        def news() -> Message | None:
            return next((event for event in self.panel.events[count:] if event["type"] == "models"), None)

        self.panel.send(**command)
        return await self.panel.until(news)

    async def added(self, address: str = "localhost:11434", **more: Any) -> Message:
        """Connects one."""
        return await self.ask(type="add-server", address=address, **{"api_key": "", **more})


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A panel whose models are looked at."""
    found = await World().opened()
    yield found
    await found.panel.close()


@pytest.mark.parametrize(
    ("text", "url", "permission", "is_warned"),
    [
        ("localhost:11434", ID, "http://localhost/*", False),
        (" http://LocalHost:11434/ ", ID, "http://localhost/*", False),
        ("http://localhost:11434/v1/chat/completions", ID, "http://localhost/*", False),
        ("127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1", "http://127.0.0.1/*", False),
        ("[::1]:8080", "http://[::1]:8080/v1", "http://[::1]/*", False),
        ("192.168.1.5:1234", "http://192.168.1.5:1234/v1", "http://192.168.1.5/*", False),
        ("http://workstation", "http://workstation/v1", "http://workstation/*", False),
        ("gpu.local:8000", "http://gpu.local:8000/v1", "http://gpu.local/*", False),
        ("models.example.org", "https://models.example.org/v1", "https://models.example.org/*", False),
        ("http://models.example.org", "http://models.example.org/v1", "http://models.example.org/*", True),
        ("http://93.184.216.34:8080", "http://93.184.216.34:8080/v1", "http://93.184.216.34/*", True),
        ("https://example.org/openai/v1/models", "https://example.org/openai/v1", "https://example.org/*", False),
    ],
)
def test_an_address_is_understood_as_people_write_it(text: str, url: str, permission: str, is_warned: bool) -> None:
    found = read_address(text)
    assert (found.url, found.permission, bool(found.warning)) == (url, permission, is_warned)
    assert found.host in url and found.host not in ("", "v1")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "http://a b",
        "http://user:word@host",
        "host:99999",
        "*",
        "http://*/",
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(NotAdded) as refused:
        read_address(text)
    assert refused.value.problem["title"] and refused.value.problem["detail"]


async def test_there_is_none_until_the_user_connects_one(world: World) -> None:
    shown = world.shown()
    assert shown and (shown["servers"], shown["server_draft"], shown["server_added"]) == ([], None, None)
    assert world.looked == [] and world.offers == []


async def test_while_it_is_written_an_address_says_which_permission_it_needs(world: World) -> None:
    draft = (await world.ask(type="name-server", address="http://models.example.org"))["server_draft"]
    assert draft["permission"] == "http://models.example.org/*"
    assert "unencrypted" in draft["warning"]
    assert (await world.ask(type="name-server", address="ftp://x"))["server_draft"]["problem"]
    assert (await world.ask(type="name-server", address=""))["server_draft"] is None
    assert world.looked == []


async def test_a_connected_server_is_kept_offered_and_shown_without_its_key(world: World) -> None:
    shown = await world.added(api_key="open-sesame", context_window=16384)
    assert world.looked == [{"url": ID, "api_key": "open-sesame"}]
    [server] = shown["servers"]
    assert (server["id"], server["kind"], server["has_key"], server["problem"]) == (ID, "Ollama", True, None)
    assert [(each["name"], each["context_window"]) for each in server["models"]] == [("llama3.2:3b", 8192), ("mystery", 16384)]
    to_the_view = [event for event in world.panel.events if event["type"] not in ("call", "to-engine")]
    assert "open-sesame" not in json.dumps(to_the_view)
    [offered] = world.offers
    assert offered[0] == {
        "id": f"{ID}#llama3.2:3b",
        "name": "llama3.2:3b · localhost:11434",
        "origin": "server",
        "path": "",
        "lib": "",
        "context_window": 8192,
        "parameters": 3213,
        "files": [],
        "licence": "",
        "is_vision": False,
        "server": {"url": ID, "api_key": "open-sesame", "kind": "ollama", "model": "llama3.2:3b"},
    }
    assert offered[1]["is_vision"] and offered[1]["parameters"] == 7000
    assert world.stored["servers"][0]["models"] == offered


async def test_what_nobody_says_of_a_window_is_the_usual_one(world: World) -> None:
    [server] = (await world.added())["servers"]
    assert [each["context_window"] for each in server["models"]] == [8192, 4096]


@pytest.mark.parametrize("code", [*SERVER, "what-nobody-knows"])
async def test_each_reason_why_it_was_not_connected_has_words(world: World, code: str) -> None:
    world.found = code
    shown = await world.added()
    assert shown["servers"] == [] and world.offers == []
    problem = shown["server_added"]["problem"]
    assert problem["title"] and problem["detail"] and "{" not in problem["title"] + problem["detail"]


async def test_without_chromes_permission_nothing_is_asked(world: World) -> None:
    shown = await world.added("https://models.example.org")
    assert "does not let" in shown["server_added"]["problem"]["title"]
    assert world.looked == []


async def test_a_permission_that_is_taken_back_withdraws_its_models_and_one_given_again_offers_them(world: World) -> None:
    await world.added()
    permissions = {"permissions": [], "origins": [], "revocable": {"permissions": [], "origins": []}}
    world.granted.clear()
    shown = await world.ask(type="permissions-changed", permissions=permissions)
    assert not shown["servers"][0]["is_permitted"] and shown["servers"][0]["problem"]
    assert world.offers[-1] == []
    world.granted.add("http://localhost/*")
    shown = await world.ask(type="permissions-changed", permissions=permissions)
    assert shown["servers"][0]["problem"] is None
    assert len(world.offers[-1]) == 2


async def test_a_removed_server_leaves_nothing_behind(world: World) -> None:
    await world.added(api_key="open-sesame")
    await world.added("192.168.1.5:1234")
    shown = await world.ask(type="remove-server", id=ID)
    assert [each["host"] for each in shown["servers"]] == ["192.168.1.5:1234"]
    assert "open-sesame" not in json.dumps(world.stored)
    assert world.granted == {"http://192.168.1.5/*"}
    assert [model["server"]["url"] for model in world.offers[-1]] == ["http://192.168.1.5:1234/v1"] * 2


async def test_a_permission_that_another_server_needs_stays(world: World) -> None:
    await world.added()
    await world.added("localhost:1234")
    await world.ask(type="remove-server", id=ID)
    assert "http://localhost/*" in world.granted


async def test_a_check_tells_what_is_wrong_and_takes_what_is_new(world: World) -> None:
    await world.added(api_key="k")
    world.found = "server-unreachable"
    [server] = (await world.ask(type="check-server", id=ID))["servers"]
    assert "does not answer" in server["problem"]["title"] and not server["is_checked"]
    world.found = {"kind": "ollama", "models": OLLAMA["models"][:1]}
    [server] = (await world.ask(type="check-server", id=ID))["servers"]
    assert server["problem"] is None and server["is_checked"] and len(server["models"]) == 1
    assert world.looked[-1]["api_key"] == "k"


async def test_an_answer_says_which_host_it_is_from(world: World) -> None:
    server = {"url": ID, "kind": "ollama", "model": "m"}
    world.panel.connect(origin="server", server=server)
    engine = await world.panel.until(lambda: [event for event in world.panel.events if event["type"] == "engine"])
    assert engine[-1]["engine"]["host"] == "localhost:11434"
    world.panel.send(type="prompt", id="q", text="Hello?")
    answer = await world.panel.settled()
    assert answer["sent_to"] == ["localhost:11434"]
    world.panel.connect()
    world.panel.send(type="prompt", id="q2", text="And now?")
    assert "sent_to" not in await world.panel.settled(2)


def test_a_conversation_as_markdown_says_it_too() -> None:
    messages = [{"id": "a", "role": "assistant", "state": "done", "text": "Well.", "sent_to": ["localhost:11434"]}]
    record = {"version": 1, "id": "s", "title": "T", "created": 0, "updated": 0, "pinned": False}
    kept = Kept.of({"record": record, "messages": messages, "memory": {}})
    assert "*Answered by localhost:11434: text left the browser*" in as_markdown(kept)


def test_only_a_servers_model_has_a_host() -> None:
    assert host_of(None) == host_of(MODEL) == ""
    assert host_of({"server": {"url": "https://[::1]:80/v1"}}) == "[::1]:80"


def test_the_engine_names_the_host_in_its_problems() -> None:
    error = {"code": "engine-lost", "message": "x"}
    gone = engine_problem(error, "unavailable", "server", "gpu.local")
    assert gone and gone["title"] == "gpu.local does not answer" and gone["action"]["command"] == {"type": "reload-engine"}
    lost = engine_problem(error, "lost", "server", "gpu.local")
    assert lost and lost["title"] == "The connection to gpu.local broke off"
    assert answer_problem("key-refused: 401", "a", "ready", "gpu.local")["title"] == "gpu.local does not take this key"
    long = answer_problem("context-length: maximum context length is 8", "a", "ready", "gpu.local")
    assert long["technical"] == "maximum context length is 8" and "tokens at a time" not in long["detail"]
