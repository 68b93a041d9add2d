"""Searching documents as a tool: what asks for it, what the model gets, and what is said when there is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from amplifier_browser.documents.answering import NOT_FOUND
from amplifier_browser.documents.chunks import Chunk
from amplifier_browser.documents.library import Document, Found, Hit
from amplifier_browser.engine import EngineError
from amplifier_browser.modules import tool_documents
from amplifier_browser.tool_choice import asked_for
from amplifier_browser.tooling import traits_of
from amplifier_core.testing import MockCoordinator
from tool_harness import ALL, refused, said

SEALS = Chunk("s", "d", 0, "Grey seals eat sand eels.", "Seals", 3)
OWLS = Chunk("o", "d", 1, "Owls hunt at night and swallow mice whole.")


class Shelf:
    """A library with two passages; `far`: nothing in it is near any question."""

    def __init__(self, far: bool = False, empty: bool = False, pending: int = 0, error: str = "") -> None:
        self.far, self.empty, self.pending, self.error = far, empty, pending, error
        self.queries: list[str] = []

    async def list(self) -> list[Document]:
        return [Document("d", "sea.pdf", "Sea life", "Documents")]

    async def search(self, query: str, collections: Sequence[str] = (), documents: Sequence[str] = (), limit: int = 50) -> Found:
        if self.error:
            raise EngineError(self.error, "the library is gone")
        self.queries.append(query)
        if self.empty:
            return Found()
        score = 0.1 if self.far else 0.6
        return Found(vectors=[Hit(SEALS, score), Hit(OWLS, score - 0.05)], total=2, pending=self.pending)


async def tool(library: Shelf | None, context_window: int = 2048) -> Any:
    coordinator = MockCoordinator()
    if library:
        coordinator.register_capability("browser.library", library)
    coordinator.register_capability("browser.engine", SimpleNamespace(model={"context_window": context_window}))
    await tool_documents.mount(coordinator, {})
    return coordinator.mount_points["tools"]["search_documents"]


async def test_the_model_gets_numbered_passages_with_their_places() -> None:
    result = await (await tool(Shelf())).execute({"query": "“What do seals eat?”"})
    text = said(result)
    assert text.index("[1]\n<text-") < text.index("Sea life, page 3: Seals") < text.index(SEALS.text) < text.index("[2]\n<text-")
    assert text.index("[2]\n<text-") < text.index(OWLS.text)


async def test_people_see_where_each_passage_stands() -> None:
    result = await (await tool(Shelf())).execute({"query": "What do seals eat?"})
    assert result.output["display"][0]["rows"] == [
        ["[1]", "Sea life, page 3: Seals", SEALS.text],
        ["[2]", "Sea life", OWLS.text],
    ]


async def test_a_small_context_gets_fewer_passages() -> None:
    text = said(await (await tool(Shelf(), context_window=400)).execute({"query": "What do seals eat?"}))
    assert "[1]" in text
    assert "[2]" not in text


async def test_what_is_not_there_is_said_not_to_be() -> None:
    assert said(await (await tool(Shelf(far=True))).execute({"query": "Who won in Peru?"})) == NOT_FOUND


async def test_that_it_may_have_missed_something_is_said() -> None:
    text = said(await (await tool(Shelf(pending=1))).execute({"query": "What do seals eat?"}))
    assert text.endswith("(The documents are still being prepared (50 % done), so this may have missed something.)")


async def test_without_documents_it_says_so() -> None:
    assert "no documents yet" in said(await (await tool(Shelf(empty=True))).execute({"query": "seals"}))
    assert "no documents" in refused(await (await tool(None)).execute({"query": "seals"}))


async def test_failures_say_what_to_do() -> None:
    assert "Write what to find" in refused(await (await tool(Shelf())).execute({"query": " "}))
    assert "Try again" in refused(await (await tool(Shelf(error="library-lost"))).execute({"query": "seals"}))


async def test_nobody_is_asked_but_the_text_is_a_strangers() -> None:
    traits = traits_of(await tool(Shelf()))
    permission = traits.permission({"query": "seals"})
    assert not isinstance(permission, tool_documents.Permission) or permission.free
    assert not traits.is_trusted


@pytest.mark.parametrize(
    ("message", "query"),
    [
        ("Search my documents for parental leave.", "parental leave"),
        ("Please look through the attached files for the invoice number", "the invoice number"),
        ("What do my documents say about parental leave?", "parental leave"),
        ("Find the warranty period in my files", "the warranty period"),
        ("Do my notes files mention seals?", None),
        ("Does my file mention seals?", "seals"),
        ("How long is the warranty, according to my documents?", "How long is the warranty"),
        ("According to my documents, how long is the warranty?", "how long is the warranty?"),
        ("/search_documents seals", "seals"),
    ],
)
async def test_what_asks_for_it(message: str, query: str | None) -> None:
    tools = {**ALL, "search_documents": await tool(Shelf())}
    assert asked_for(message, tools) == (None if query is None else ("search_documents", {"query": query}))


@pytest.mark.parametrize(
    "message",
    ["What is a document?", "Summarize this page", "How do I open my files in Word?", "Search for seals", "Write documents"],
)
async def test_what_does_not(message: str) -> None:
    found = asked_for(message, {"search_documents": await tool(Shelf())})
    assert found is None
