"""The whole Python application with the page played by the test: its commands go in, its events are collected.

The engine behind the port is scripted here, since a model's words are no matter of these tests; tests/browser has the real one.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
from collections.abc import Callable
from typing import Any

from amplifier_browser.app import App
from kept_sessions import KeptSessions

Message = dict[str, Any]
MODEL = {"id": "scripted", "name": "Scripted", "context_window": 400}
USAGE = {"input_tokens": 20, "cache_read_tokens": 5, "output_tokens": 3, "prefill_seconds": 0.5, "decode_seconds": 0.1}


def words(text: str) -> int:
    """The scripted tokenizer: a token a word."""
    return len(text.split())


class ScriptedLibrary:
    """The library behind the port: keeps documents; finds chunks by the words that they share with a question."""

    def __init__(self) -> None:
        self.documents: dict[str, Message] = {}
        self.chunks: dict[str, list[Message]] = {}
        self.embedded = True
        self.fails: str | None = None

    def answer(self, request: Message) -> Message:
        """The answer to a request of type library.*"""
        kind = request["type"].removeprefix("library.")
        if self.fails:
            return {"type": "error", "code": self.fails, "message": "scripted"}
        if kind == "put":
            document = request["document"]
            replaced = (document["name"], document["collection"])
            gone = [id for id, each in self.documents.items() if (each["name"], each["collection"]) == replaced]
            for id in gone:
                del self.documents[id]
            self.documents[document["id"]], self.chunks[document["id"]] = document, request["chunks"]
        elif kind == "delete":
            self.documents.pop(request["document"])
        elif kind == "rename":
            for document in self.documents.values():
                if document["collection"] == request["from"]:
                    document["collection"] = request["to"]
        elif kind == "list":
            return {"type": "library.listed", "documents": [self._listed(each) for each in self.documents.values()]}
        elif kind == "get":
            wanted = request.get("ordinals")
            found = [each for each in self.chunks[request["document"]] if wanted is None or each["ordinal"] in wanted]
            return {"type": "library.chunks", "chunks": found}
        elif kind == "search":
            return self._search(request)
        return {"type": "library.done"}

    def state(self) -> Message:
        """What it tells of itself after each change."""
        documents = [self._listed(each) for each in self.documents.values()]
        chunks, embedded = (sum(each[name] for each in documents) for name in ("chunks", "embedded"))
        counts = {"documents": len(documents), "chunks": chunks, "embedded": embedded, "computed": embedded}
        return {"state": "idle" if chunks == embedded else "embedding", "error": None, **counts}

    def _listed(self, document: Message) -> Message:
        count = len(self.chunks[document["id"]])
        return {**document, "chunks": count, "embedded": count if self.embedded else 0}

    def _search(self, request: Message) -> Message:
        documents = request.get("documents") or [id for id, each in self.documents.items() if not each.get("temporary")]
        chunks = [chunk for name in documents for chunk in self.chunks.get(name, [])]
        asked = set(request["query"].lower().replace("?", "").split())
        hits = [{"chunk": chunk, "score": len(asked & set(chunk["text"].lower().split())) / len(asked)} for chunk in chunks]
        hits.sort(key=lambda hit: -hit["score"])
        return {"type": "library.found", "keywords": hits, "vectors": hits, "total": len(chunks), "pending": 0}


class Panel:
    """An App under test."""

    def __init__(
        self,
        answer: Callable[[Message], list[str]] = lambda _request: ["All ", "is ", "well."],
        kept: KeptSessions | None = None,
    ) -> None:
        """`answer` takes a completion request and returns the pieces of text to stream; a piece "!code" is an error,
        "..." waits for abort. `kept`: the database of an earlier panel."""
        self.answer = answer
        self.requests: list[Message] = []
        self.events: list[Message] = []
        self.calls: dict[str, Any] = {}  # what the page answers to each call, or a function of the call's arguments
        self.library = ScriptedLibrary()
        self.models_asked: list[Message] = []
        self.usage: Message = USAGE
        self.probe: Message | None = None  # what the graphics card can do
        self.models_answer: Callable[[Message], Message | None] = lambda _request: {"type": "models.done"}  # None: not yet
        self.kept = self._disk = kept or KeptSessions()
        self.app = App(self._take)
        self._changed = asyncio.Event()
        self._waiting: set[str] = set()
        self._task = asyncio.ensure_future(self.app.run())

    async def close(self) -> None:
        """Ends the application once it has opened its session and the running turn has stopped: what Amplifier’s kernel, with
        threads of its own, calls after the loop is closed would never be awaited. Nothing of this reaches the disk."""
        self._disk = copy.deepcopy(self.kept)
        opened = ("ready", "fatal")
        await self.until(lambda: self._task.done() or any(event["type"] in opened for event in self.events))
        self.send(type="stop")
        await self.until(lambda: self._task.done() or not self.is_busy())
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # -- the page's side

    def send(self, **command: Any) -> None:
        """A command of the view."""
        self.app.receive(command)

    def connect(self, state: str = "ready", error: Message | None = None, **model: Any) -> None:
        """The engine's document says its state; `model`: what is other than in MODEL."""
        models = [MODEL | model]
        engine = {"state": state, "model": "scripted", "models": models, "progress": None, "text": "", "error": error}
        self._engine({"type": "state", "engine": engine})

    def lose_engine(self) -> None:
        """The port is closed."""
        self.app.receive({"type": "engine-gone", "reason": "the document was closed"})

    def tell_library(self, **changes: Any) -> None:
        """The library says its state to all panels."""
        self._engine({"type": "library", "state": {**self.library.state(), **changes}})

    def tell_downloads(self, *downloads: Message, **storage: int) -> None:
        """The background says to all panels how its downloads stand."""
        self._engine({"type": "downloads", "downloads": list(downloads), "storage": {"usage": 0, "quota": 0, **storage}})

    def messages(self) -> list[Message]:
        """The transcript as the view draws it from the events."""
        shown: dict[str, Message] = {}
        for event in self.events:
            if event["type"] == "message":
                shown[event["message"]["id"]] = dict(event["message"])
            elif event["type"] == "delta":
                shown[event["id"]]["text"] += event["text"]
            elif event["type"] == "removed":
                for message_id in event["ids"]:
                    shown.pop(message_id, None)
            elif event["type"] == "cleared":
                shown.clear()
        return list(shown.values())

    def answers(self) -> list[Message]:
        """The assistant's messages."""
        return [message for message in self.messages() if message["role"] == "assistant"]

    async def until(self, condition: Callable[[], Any], seconds: float = 3) -> Any:
        """Waits until `condition` holds, looking again after each event."""

        async def look() -> Any:
            while not (found := condition()):
                self._changed.clear()
                await self._changed.wait()
            return found

        return await asyncio.wait_for(look(), seconds)

    async def settled(self, count: int = 1) -> Message:
        """Waits until `count` answers have ended and nothing runs; returns the last."""
        ended = ("done", "stopped", "error")
        await self.until(lambda: len(self.answers()) == count and self.answers()[-1]["state"] in ended and not self.is_busy())
        return self.answers()[-1]

    def is_busy(self) -> bool:
        """What the view was last told."""
        told = [event["value"] for event in self.events if event["type"] == "busy"]
        return bool(told and told[-1])

    # -- what the application posts

    def _take(self, text: str) -> None:
        event = json.loads(text)
        self.events.append(event)
        if event["type"] == "call":
            answer = {"id": event["id"], **self._called(event["name"], event["args"])}
            asyncio.get_running_loop().call_soon(self.app.receive, answer)
        elif event["type"] == "to-engine":
            asyncio.get_running_loop().call_soon(self._serve, event["message"])
        self._changed.set()

    def _called(self, name: str, arguments: Message) -> Message:
        if name.startswith("sessions."):
            try:
                return {"type": "returned", "value": self._disk.call(name, arguments)}
            except RuntimeError as error:
                return {"type": "raised", "message": str(error)}
        value = self.calls.get(name)
        return {"type": "returned", "value": value(arguments) if callable(value) else value}

    def _serve(self, request: Message) -> None:
        kind, request_id = request["type"], request.get("id", "")
        if kind == "count":
            self._engine({"type": "counted", "id": request_id, "counts": [words(text) for text in request["texts"]]})
        elif kind == "abort" and request_id in self._waiting:
            self._waiting.discard(request_id)
            self._engine({"type": "done", "id": request_id, "finish_reason": "abort", "usage": None})
        elif kind == "probe":
            self._engine({"type": "probed", "id": request_id, "probe": self.probe, "message": ""})
        elif kind.startswith("models."):
            self.models_asked.append(request)
            if answer := self.models_answer(request):
                self._engine({"id": request_id, **answer})
        elif kind.startswith("library."):
            answer = self.library.answer(request)
            if answer["type"] == "library.done":
                self.tell_library()
            self._engine({"id": request_id, **answer})
        elif kind == "complete":
            self.requests.append(request["request"])
            self._stream(request_id, self.answer(request["request"]))

    def _stream(self, request_id: str, pieces: list[str]) -> None:
        self._engine({"type": "prefill", "id": request_id, "done": 10, "total": 20})
        for piece in pieces:
            if re.fullmatch(r"![\w-]+", piece):
                self._engine({"type": "error", "id": request_id, "code": piece[1:], "message": "scripted"})
                return
            if piece == "...":
                self._waiting.add(request_id)
                return
            self._engine({"type": "delta", "id": request_id, "text": piece})
        self._engine({"type": "done", "id": request_id, "finish_reason": "stop", "usage": self.usage})

    def _engine(self, message: Message) -> None:
        self.app.receive({"type": "from-engine", "message": message})
