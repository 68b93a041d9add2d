"""Client of the engine behind the port: completions as streams, token counts, and what happens when the engine goes.

The protocol is background/protocol.js. The engine's document may vanish at any time; the page makes it anew, and requests
that had not been answered fail with `engine-lost`, which callers may try again.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]

LOST = "engine-lost"
STOPPED = "stopped"
ABORTED: Message = {"type": "done", "finish_reason": "abort", "usage": None}
STOPPABLE = ("complete", "count", "library.search")  # what an answer waits for; the rest is done whoever stops
LIBRARY_LOST = "library-lost"
ATTEMPTS = 3
COUNTS_KEPT = 4096
DEFAULT_CONTEXT = 2048  # tokens; what a model takes at a time, as long as none is known


def context_window(model: Message | None) -> int:
    """Tokens that a model (Engine.model) takes at a time."""
    return int(model["context_window"]) if model else DEFAULT_CONTEXT


class EngineError(Exception):
    """The engine could not answer; `code` is one of ErrorCode in background/protocol.js. Its text is "code: message"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True)
class Waiting:
    """The engine answers another panel first."""


@dataclass(frozen=True)
class Prefill:
    """The engine has read `done` of `total` tokens of the prompt."""

    done: int
    total: int


@dataclass(frozen=True)
class Delta:
    """New text of the answer."""

    text: str


@dataclass(frozen=True)
class Done:
    """The end of an answer. `finish_reason` is stop, length or abort; `usage` as in background/protocol.js, or None."""

    finish_reason: str
    usage: Message | None


Piece = Waiting | Prefill | Delta | Done


@dataclass
class Pending:
    """A request that has not been answered in full."""

    message: Message
    aborted: bool = False
    answers: asyncio.Queue[Message] = field(default_factory=lambda: asyncio.Queue[Message]())


class Engine:
    """One panel's connection to the engine that all panels share."""

    def __init__(self, post: Callable[[Message], None]) -> None:
        """`post` sends one request over the port."""
        self._post = post
        self._ids = itertools.count(1)
        self._pending: dict[str, Pending] = {}
        self._unsent: list[Message] = []
        self._connected = False
        self._counted: dict[str, int] = {}
        self.state: Message = {
            "state": "absent",
            "model": None,
            "engine": None,
            "models": [],
            "progress": None,
            "text": "",
            "error": None,
        }
        self.on_state: Callable[[Message], None] = lambda _state: None
        self.on_library: Callable[[Message], None] = lambda _state: None
        self.on_downloads: Callable[[Message], None] = lambda _message: None
        self.downloaded_bytes: int | None = None  # of downloaded models; None until it was told

    # -- what the port says

    def receive(self, message: Message) -> None:
        """Takes one message from the port."""
        if message["type"] == "state":
            self._set_state(message["engine"])
        elif message["type"] == "library":
            self.on_library(message["state"])
        elif message["type"] == "downloads":
            self.downloaded_bytes = message["storage"].get("models")
            self.on_downloads(message)
        elif pending := self._pending.get(message["id"]):
            pending.answers.put_nowait(message)

    def gone(self, reason: str) -> None:
        """The port is closed: what was sent will not be answered."""
        self._connected = False
        for pending in self._pending.values():
            if pending.message not in self._unsent:
                pending.answers.put_nowait(ABORTED if pending.aborted else {"type": "error", "code": LOST, "message": reason})
        lost = {"code": LOST, "message": reason}
        self._set_state({**self.state, "state": "lost", "progress": None, "error": lost}, connected=False)

    def _set_state(self, state: Message, connected: bool = True) -> None:
        if state["model"] != self.state["model"]:
            self._counted.clear()  # another tokenizer
        self.state = state
        if connected and not self._connected:
            self._connected = True
            for message in self._unsent:
                self._post(message)
            self._unsent.clear()
        self.on_state(state)

    # -- what the session asks

    @property
    def model(self) -> Message | None:
        """The model that is loaded or loading, as listed in models/index.json."""
        return next((model for model in self.state["models"] if model["id"] == self.state["model"]), None)

    def load(self, model: str | None = None) -> None:
        """Asks for a model; the state tells how it goes. None is the default model, or the one that failed, again."""
        wanted = model or self.state["model"]
        self._send({"type": "load", "id": self._new_id(), **({"model": wanted} if wanted else {})})

    def keep(self, minutes: int | None) -> None:
        """Says how long an unused model stays in memory, for all windows; None: always."""
        self._send({"type": "keep", "minutes": minutes})

    async def complete(self, request: Message) -> AsyncIterator[Piece]:
        """Streams one completion; ends with Done. Raises EngineError. `request` is Completion in background/protocol.js."""
        pending = self._open({"type": "complete", "id": self._new_id(), "request": request})
        try:
            while True:
                piece = _piece(await pending.answers.get())
                yield piece
                if isinstance(piece, Done):
                    return
        finally:
            self._close(pending)

    def abort_all(self) -> None:
        """Ends all that is running or waiting: completions with Done("abort"), counts with an EngineError "stopped"."""
        for pending in self._pending.values():
            if pending.message["type"] not in STOPPABLE:
                continue
            pending.aborted = True
            is_unsent = pending.message in self._unsent
            if is_unsent:
                self._unsent.remove(pending.message)
            if pending.message["type"] != "complete":  # it may be waiting for a model that takes long to load
                pending.answers.put_nowait({"type": "error", "code": STOPPED, "message": "the user stopped"})
            elif is_unsent:
                pending.answers.put_nowait(ABORTED)
            else:
                self._post({"type": "abort", "id": pending.message["id"]})

    async def count(self, texts: list[str]) -> list[int]:
        """Tokens of each text by the loaded model's own tokenizer; waits for a model. Raises EngineError."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._counted]
        if missing:
            counts = await self._ask_counts(missing)
            if len(self._counted) > COUNTS_KEPT:
                self._counted.clear()
            known = {**self._counted, **dict(zip(missing, counts, strict=True))}
            self._counted = known
            return [known[text] for text in texts]
        return [self._counted[text] for text in texts]

    async def _ask_counts(self, texts: list[str]) -> list[int]:
        return (await self.request({"type": "count", "texts": texts}))["counts"]

    async def request(self, message: Message) -> Message:
        """Asks what has one answer and may be asked twice: of the engine, or of the library beside it. Raises EngineError."""
        for attempt in range(ATTEMPTS):
            pending = self._open({**message, "id": self._new_id()})
            try:
                answer = await pending.answers.get()
            finally:
                self._close(pending)
            if answer["type"] != "error":
                return answer
            if answer["code"] not in (LOST, LIBRARY_LOST) or attempt == ATTEMPTS - 1:
                raise EngineError(answer["code"], answer["message"])
        raise AssertionError("unreachable")

    def _open(self, message: Message) -> Pending:
        pending = self._pending[message["id"]] = Pending(message)
        self._send(message)
        return pending

    def _close(self, pending: Pending) -> None:
        del self._pending[pending.message["id"]]

    def _send(self, message: Message) -> None:
        if self._connected:
            self._post(message)
        else:
            self._unsent.append(message)

    def _new_id(self) -> str:
        return f"r{next(self._ids)}"


def _piece(message: Message) -> Piece:
    kind = message["type"]
    if kind == "delta":
        return Delta(message["text"])
    if kind == "waiting":
        return Waiting()
    if kind == "prefill":
        return Prefill(message["done"], message["total"])
    if kind == "done":
        return Done(message["finish_reason"], message["usage"])
    raise EngineError(message["code"], message["message"])
