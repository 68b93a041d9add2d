"""The page behind Python: one channel of JSON messages each way, and calls that the page answers."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]


class HostError(Exception):
    """The page could not do what it was asked."""


class Host:
    """Sends events to the view and asks the page for what only a page can do (chrome.* calls)."""

    def __init__(self, post: Callable[[str], object]) -> None:
        """`post` takes one JSON text for the page."""
        self._post = post
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.on_event: Callable[[Message], None] = lambda _event: None  # sees what the page gets

    def emit(self, event: Message) -> None:
        """Sends one event to the page."""
        self._post(json.dumps(event, ensure_ascii=False))
        self.on_event(event)

    async def call(self, name: str, /, **args: Any) -> Any:
        """Asks the page and returns its answer; raises HostError with the page's words."""
        call_id = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = future
        self.emit({"type": "call", "id": call_id, "name": name, "args": args})
        try:
            return await future
        finally:
            del self._waiting[call_id]

    def settle(self, message: Message) -> None:
        """Takes the page's answer to a call: a message of type `returned` or `raised`."""
        future = self._waiting.get(message["id"])
        if future is None or future.done():
            return
        if message["type"] == "raised":
            future.set_exception(HostError(message["message"]))
        else:
            future.set_result(message.get("value"))
