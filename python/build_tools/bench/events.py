"""What Amplifier's events cost in Pyodide: events a second, and the whole way of a token through Python.

Runs in the interpreter that ships (see run.mjs), over the archives that ship. Rates are of this machine; ratios are what to
compare. The engine's messages are made here, since a model's speed is no matter of it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from amplifier_browser.app import App
from amplifier_core import HookRegistry, HookResult

EVENTS = 2000
TOKENS = 1000
RUNS = 5
MODEL = {"id": "bench", "name": "Bench", "context_window": 4096, "parameters": 135}
USAGE = {"input_tokens": 20, "cache_read_tokens": 5, "output_tokens": 3, "prefill_seconds": 0.5, "decode_seconds": 0.1}


async def measure() -> dict[str, Any]:
    """Medians of RUNS runs: microseconds an event or token."""
    return {
        "emit, no handler": await _median(lambda: _emits(0)),
        "emit, one handler": await _median(lambda: _emits(1)),
        "emit, ten handlers": await _median(lambda: _emits(10)),
        "a token, JSON alone": await _median(_json_alone),
        "a token, the whole session": await _median(_tokens),
    }


async def _median(run: Callable[[], Awaitable[float]]) -> float:
    return sorted([await run() for _ in range(RUNS)])[RUNS // 2]


async def _continue(_event: str, _data: dict[str, Any]) -> HookResult:
    return HookResult(action="continue")


async def _emits(handlers: int) -> float:
    """Microseconds a kernel event."""
    registry = HookRegistry()
    for _ in range(handlers):
        registry.register("llm:stream_block_delta", _continue)
    data = {"request_id": "r", "block_index": 0, "block_type": "text", "sequence": 1, "text": " word"}
    began = time.perf_counter()
    for _ in range(EVENTS):
        await registry.emit("llm:stream_block_delta", data)
    return (time.perf_counter() - began) / EVENTS * 1e6


async def _json_alone() -> float:
    """The floor: a token's message is parsed, and its event for the view written."""
    message = json.dumps({"type": "from-engine", "message": {"type": "delta", "id": "r1", "text": " word"}})
    began = time.perf_counter()
    for _ in range(TOKENS):
        json.dumps({"type": "delta", "id": "m1", "text": json.loads(message)["message"]["text"]})
    return (time.perf_counter() - began) / TOKENS * 1e6


async def _tokens() -> float:
    """From the engine's message to the view's event, through a session with every module that ships."""
    page = Page()
    page.send(type="from-engine", message={"type": "state", "engine": _ready()})
    page.send(type="prompt", id="q", text="Hello")
    request_id = await page.request
    began = time.perf_counter()
    for _ in range(TOKENS):
        page.send(type="from-engine", message={"type": "delta", "id": request_id, "text": " word"})
    page.send(type="from-engine", message={"type": "done", "id": request_id, "finish_reason": "stop", "usage": USAGE})
    await page.is_over.wait()
    taken = time.perf_counter() - began
    assert page.words == TOKENS, f"{page.words} of {TOKENS} tokens arrived"
    page.task.cancel()
    return taken / TOKENS * 1e6


def _ready() -> dict[str, Any]:
    return {"state": "ready", "model": "bench", "models": [MODEL], "progress": None, "text": "", "error": None}


class Page:
    """Plays the panel's page and the engine."""

    def __init__(self) -> None:
        self.words = 0
        self.is_over = asyncio.Event()
        self.request: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.app = App(self._take)
        self.task = asyncio.ensure_future(self.app.run())

    def send(self, **message: Any) -> None:
        """A message of the page, as the JSON text that it is."""
        self.app.receive(json.loads(json.dumps(message)))

    def _take(self, text: str) -> None:
        event: dict[str, Any] = {"type": "delta"} if '"delta"' in text else json.loads(text)
        kind = event["type"]
        if kind == "delta":
            self.words += 1
        elif kind == "call":
            self._later(type="returned", id=event["id"], value=None)
        elif kind == "to-engine":
            self._serve(event["message"])
        elif kind == "busy" and not event["value"]:
            self.is_over.set()

    def _serve(self, request: dict[str, Any]) -> None:
        if request["type"] == "complete":
            self.request.set_result(request["id"])
        elif request["type"] == "count":
            counts = [len(text) // 4 for text in request["texts"]]
            self._later(type="from-engine", message={"type": "counted", "id": request["id"], "counts": counts})

    def _later(self, **message: Any) -> None:
        asyncio.get_running_loop().call_soon(lambda: self.send(**message))
