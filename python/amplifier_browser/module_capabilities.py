"""What a user's module may be granted: each is one question that its sandbox may ask the session, under a name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from .engine import Delta, Done, Engine
from .notes import Notes
from .page import UnreadablePage, read_page
from .storage import Storage
from .tabs import Tabs

Arguments = dict[str, Any]
Answer = Callable[[Arguments], Awaitable[Any]]

PAGE_CHARACTERS = 200_000
PROMPT_CHARACTERS = 4000
ANSWER_TOKENS = 200


class Refused(Exception):
    """The question is not answered; the text says why, for the module's author."""


@dataclass(frozen=True)
class Capability:
    """One thing that modules may ask for."""

    name: str
    label: str  # for people, as "read the page in front of you"
    answer: Answer
    arguments: tuple[str, ...] = ()
    most: int = field(default=0)  # times that one module may ask in one session; 0: as often as it likes


class ModuleCapabilities:
    """All there are."""

    def __init__(self, call: Callable[..., Awaitable[Any]], storage: Storage, engine: Engine) -> None:
        """`call` asks the page (amplifier_browser.host.Host.call)."""
        self._call = call
        self._notes = Notes(storage)
        self._tabs = Tabs(lambda: call)
        self._engine = engine
        self._by_name = {
            each.name: each
            for each in (
                Capability("page.read", "read the page in front of you", self._read_page),
                Capability("tabs.list", "see which tabs are open", self._list_tabs),
                Capability("notes.read", "read your notes", self._read_notes),
                Capability("model.complete", "ask the model", self._complete, ("prompt",), most=20),
            )
        }

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def __getitem__(self, name: str) -> Capability:
        return self._by_name[name]

    def listed(self) -> list[dict[str, str]]:
        """[{name, label}] for the panel."""
        return [{"name": each.name, "label": each.label} for each in self._by_name.values()]

    async def _read_page(self, _arguments: Arguments) -> Any:
        try:
            page = await read_page(self._call)
        except UnreadablePage as unreadable:
            raise Refused(str(unreadable)) from None
        return {"title": page.title, "url": page.url, "text": page.markdown[:PAGE_CHARACTERS]}

    async def _list_tabs(self, _arguments: Arguments) -> Any:
        return [{"title": tab.title, "url": tab.url, "active": tab.active} for tab in await self._tabs.all()]

    async def _read_notes(self, _arguments: Arguments) -> Any:
        return [note["text"] for note in await self._notes.list()]

    async def _complete(self, arguments: Arguments) -> Any:
        prompt = arguments.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            raise Refused("model.complete takes a text: await complete(prompt)")
        if len(prompt) > PROMPT_CHARACTERS:
            raise Refused(f"The prompt has {len(prompt)} characters; {PROMPT_CHARACTERS} are allowed")
        messages = [{"role": "user", "content": prompt}]
        answer = ""
        async for piece in self._engine.complete({"messages": messages, "max_tokens": ANSWER_TOKENS, "temperature": 0.0}):
            if isinstance(piece, Delta):
                answer += piece.text
            elif isinstance(piece, Done) and piece.finish_reason == "abort":
                raise Refused("The user stopped this")
        return answer
