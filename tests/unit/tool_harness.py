"""Tools without a session: a coordinator of capabilities, a browser that is told what to say, and what users write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from amplifier_browser.host import HostError
from amplifier_browser.modules import tool_calculate, tool_notes, tool_pages, tool_time
from amplifier_browser.storage import Storage
from amplifier_browser.tool_choice import asked_for
from amplifier_core import ToolResult
from amplifier_core.testing import MockCoordinator

Call = Callable[..., Any]


class Browser:
    """The panel's page: tabs with a page each, storage, and what the user lets the extension see."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self.pages = list(pages)
        self.permissions: set[str] = set()
        self.stored: dict[str, Any] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.clock: dict[str, Any] = {}

    async def call(self, name: str, /, **args: Any) -> Any:
        self.calls.append((name, args))
        answer = getattr(self, name.replace(".", "_"), None)
        if answer is None:
            raise HostError(f'the panel has no call "{name}"')
        return answer(**args)

    def page_read(self, seconds: float, tab: int = 0) -> dict[str, Any]:
        assert seconds > 0
        return {"tab": tab, **self.pages[tab]}

    def tabs_list(self) -> list[dict[str, Any]]:
        sees = "tabs" in self.permissions
        return [
            {
                "id": id,
                "title": page["title"] if sees or id == 0 else "",
                "url": page["url"] if sees or id == 0 else "",
                "active": id == 0,
                "readable": (sees or id == 0) and page["url"].startswith("http"),
            }
            for id, page in enumerate(self.pages)
        ]

    def permissions_has(self, permissions: list[str]) -> bool:
        return set(permissions) <= self.permissions

    def settings_get(self, names: list[str]) -> dict[str, Any]:
        return {name: self.stored[name] for name in names if name in self.stored}

    def settings_set(self, **values: Any) -> None:
        self.stored.update(values)

    def clock_now(self, zones: list[str]) -> dict[str, Any]:
        found = next((self.clock[zone] for zone in zones or [""] if zone in self.clock), None)
        return found or {"error": "unknown-zone"}


def page(title: str, url: str, markdown: str) -> dict[str, Any]:
    """What extract.js returns for a page."""
    size = len(markdown)
    words = len(markdown.split())
    read = {"title": title, "url": url, "markdown": markdown, "words": words}
    return {**read, "method": "article", "visible_chars": size, "kept_chars": size}


async def tools_of(module: Any, browser: Browser | None, context_window: int = 2048) -> dict[str, Any]:
    """A module's tools by name; a token is a word."""
    coordinator = MockCoordinator()
    if browser:

        async def count(texts: list[str]) -> list[int]:
            return [len(text.split()) for text in texts]

        coordinator.register_capability("browser.call", browser.call)
        coordinator.register_capability("browser.storage", Storage(browser.call))
        coordinator.register_capability("browser.count_tokens", count)
        coordinator.register_capability("browser.engine", SimpleNamespace(model={"context_window": context_window}))
    await module.mount(coordinator, {})
    return dict(coordinator.mount_points["tools"])


def said(result: ToolResult) -> str:
    """What the model gets of a success."""
    assert result.success, result.error
    return result.output if isinstance(result.output, str) else result.output["text"]


def refused(result: ToolResult) -> str:
    """What the model gets of a failure."""
    assert not result.success, result.output
    assert result.error
    return result.error["message"]


def asked(prompt: str) -> tuple[str, dict[str, Any] | None] | None:
    """Which of these modules' tools a message asks for, and with which arguments."""
    return asked_for(prompt, ALL)


async def _all() -> dict[str, Any]:
    tools: dict[str, Any] = {}
    for module in (tool_pages, tool_calculate, tool_time, tool_notes):
        tools |= await tools_of(module, None)
    return tools


ALL = asyncio.run(_all())
