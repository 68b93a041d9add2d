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
WARM_UP = "warm-up"  # id of the load that sidepanel/engine-port.js sends before anyone else
AUTOMATIC = "auto"
BUILT_IN = "browser"  # id of Chrome's own model
COUNTS_KEPT = 4096
WAITING = "Waiting: the other window’s answer comes first"
DEFAULT_CONTEXT = 2048  # tokens; what a model takes at a time, as long as none is known


def context_window(model: Message | None) -> int:
    """Tokens that a model (Engine.model) takes at a time."""
    return int(model["context_window"]) if model else DEFAULT_CONTEXT


def is_here(model: Message) -> bool:
    """Whether a model can be loaded as it is; Chrome's own may have to be downloaded first."""
    return model.get("availability", "available") == "available"


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
    """One panel's connection to the engine that all panels share.

    One model is loaded at a time, and each panel has one that it wants: `model` is this panel's, `state` tells of the loaded one,
    and `seen` what that means here."""

    def __init__(self, post: Callable[[Message], None]) -> None:
        """`post` sends one request over the port."""
        self._post = post
        self._ids = itertools.count(1)
        self._pending: dict[str, Pending] = {}
        self._unsent: list[Message] = []
        self._connected = False
        self._counted: dict[str, int] = {}
        self._wanted: str | None = None  # the id of this panel's model; None until that is known
        self._chosen: str | None = None  # what will be wanted when the turn is over
        self._load_id = ""  # of the load that has not been answered
        self._switches = False  # another model was asked for than is loaded, and nothing was heard of it yet
        self._displaced_by = ""  # name of the model that was loaded in the place of this panel's
        self._in_turn = False
        self.place = AUTOMATIC  # what models run on: auto, gpu or cpu
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
        self.on_gone: Callable[[str], object] = lambda _model: None  # the model that was chosen once is not there any more
        self.on_turn: Callable[[], object] = lambda: None  # a turn begins
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
        elif message["type"] == "loaded":
            self._take_loaded(message)
        elif message["id"] in (WARM_UP, self._load_id) and message.get("code") == "unknown-model":
            self._lose_choice(message["message"])
        elif pending := self._pending.get(message["id"]):
            pending.answers.put_nowait(message)

    def gone(self, reason: str) -> None:
        """The port is closed: what was sent will not be answered."""
        self._connected = False
        for pending in self._pending.values():
            if pending.message not in self._unsent:
                pending.answers.put_nowait(ABORTED if pending.aborted else {"type": "error", "code": LOST, "message": reason})
        self._switches = False  # the page asks for it again
        lost = {"code": LOST, "message": reason}
        self._set_state({**self.state, "state": "lost", "progress": None, "error": lost}, connected=False)

    def _take_loaded(self, message: Message) -> None:
        """The engine has taken a choice: the last one of this panel, or the one that its page made before Python was up."""
        if self._load_id in ("", message["id"]):
            self._load_id = ""
            self._want(message["model"])
            self.on_state(self.state)

    def _lose_choice(self, model: str) -> None:
        self._load_id, self._wanted, self._switches = "", None, False
        self.on_gone(model)
        self.on_state(self.state)

    def _want(self, model: str) -> None:
        if model != self.model_id:
            self._counted.clear()  # another tokenizer
        self._wanted = model

    def _set_state(self, state: Message, connected: bool = True) -> None:
        before, self.state = self.model_id, state
        if before != self.model_id:
            self._counted.clear()
        self._switches = self._switches and self.is_displaced
        if self.is_displaced:
            self._displaced_by = self._name(state["model"])
        elif state["state"] in ("ready", "generating"):
            self._displaced_by = ""
        if connected and not self._connected:
            self._connected = True
            for message in self._unsent:
                self._post(message)
            self._unsent.clear()
        self.on_state(state)

    # -- what the session asks

    @property
    def model_id(self) -> str | None:
        """The model of this panel."""
        return self._wanted or self.state["model"]

    @property
    def model(self) -> Message | None:
        """The model of this panel, as listed in models/index.json."""
        return self._listed(self.model_id)

    @property
    def chosen(self) -> Message | None:
        """The model of this panel's next turn."""
        return self._listed(self._chosen or self.model_id)

    @property
    def is_displaced(self) -> bool:
        """Whether another panel's model is loaded."""
        return self.state["model"] not in (None, self.model_id)

    def load(self, model: str | None = None, place: str | None = None) -> None:
        """Asks for a model, or for another place to run on; the state tells how it goes. None is what there is, or the one that
        failed, again. A model that is chosen while a turn runs is asked for when that is over."""
        if self._in_turn and model:
            self._chosen = model
            self.on_state(self.state)
            return
        wanted, place = model or self.model_id, place or (self.place if self.place != AUTOMATIC else None)
        self._load_id = self._new_id()
        if wanted:
            self._want(wanted)
        self._switches = self.is_displaced
        told = {"model": wanted} if wanted else {}
        self._send({"type": "load", "id": self._load_id, **told, **({"engine": place} if place else {})})
        self.on_state(self.state)

    def run_on(self, place: str) -> None:
        """Says what models run on from now on: auto, gpu or cpu."""
        self.place = place
        self.load(place=place)

    def begin_turn(self) -> None:
        """Until the turn is over, this panel's model stays loaded between its requests."""
        self._in_turn = True
        self.on_turn()

    def end_turn(self) -> None:
        """Lets other panels' models in, and takes what was chosen meanwhile."""
        self._in_turn = False
        if self._connected:
            self._post({"type": "turn-over"})
        chosen, self._chosen = self._chosen, None
        if chosen and chosen != self.model_id:
            self.load(chosen)

    @property
    def waits(self) -> str:
        """What a request of this panel waits for because of another panel, in words; empty if for nothing of that kind."""
        asks = any(pending.message["type"] in ("complete", "count") for pending in self._pending.values())
        if not (asks or self._switches):
            return ""
        if self.is_displaced:
            return "" if self._comes_next else WAITING
        is_loading = self.state["state"] == "loading" and self._displaced_by
        return f"Loading {self._name(self.model_id)} again: the other window used {self._displaced_by}" if is_loading else ""

    @property
    def _comes_next(self) -> str:
        """The model that this panel has chosen, if nothing but the word of the engine is missing until it is loaded."""
        is_free = self.state["state"] not in ("generating", "lost")
        chosen = self._chosen or (self.model_id if self._switches else None)
        return chosen if chosen and is_free and chosen != self.state["model"] else ""

    def seen(self) -> Message:
        """The state as it is for this panel, and of the model that it has chosen: where another's model is loaded, its own is
        asleep, or waits to be loaded. What is said of the model before is never taken for a word of the one that is to come."""
        if self._comes_next:
            text = f"Loading {self._name(self._comes_next)}"
            return {**self.state, "state": "loading", "engine": None, "progress": None, "error": None, "text": text}
        if not self.is_displaced:
            return {**self.state, "text": self.waits or self.state["text"]}
        asleep = f"Asleep · the other window uses {self._displaced_by}; wakes when you ask"
        what = {"state": "waiting", "text": self.waits} if self.waits else {"state": "asleep", "text": asleep}
        return {**self.state, "engine": None, "progress": None, "error": None, **what}

    def _listed(self, model: str | None) -> Message | None:
        return next((each for each in self.state["models"] if each["id"] == model), None)

    def _name(self, model: str | None) -> str:
        return (self._listed(model) or {"name": "another model"})["name"]

    def offer(self, models: list[Message]) -> None:
        """Says which models the user has set up besides, for all windows."""
        self._send({"type": "offer", "models": models})

    def keep(self, minutes: int | None) -> None:
        """Says how long an unused model stays in memory, for all windows; None: always."""
        self._send({"type": "keep", "minutes": minutes})

    def keep_unwatched(self, minutes: int) -> None:
        """Says how long it stays at most while no panel is open, for all windows."""
        self._send({"type": "keep-unwatched", "minutes": minutes})

    def sleep(self) -> None:
        """Has a model that nobody uses at the moment give its memory back."""
        self._send({"type": "sleep"})

    def look_for_built_in(self) -> None:
        """Has the browser's own model listed, or not any more."""
        self._send({"type": "look-for-built-in"})

    async def complete(self, request: Message) -> AsyncIterator[Piece]:
        """Streams one completion; ends with Done. Raises EngineError. `request` is Completion in background/protocol.js."""
        pending = self._open({"type": "complete", "id": self._new_id(), "request": request, **self._marks()})
        try:
            while True:
                piece = _piece(await pending.answers.get())
                yield piece
                if isinstance(piece, Done):
                    return
        except (asyncio.CancelledError, GeneratorExit):  # nobody waits for the rest
            self._abort(pending)
            raise
        finally:
            self._close(pending)

    def abort_all(self) -> None:
        """Ends all that is running or waiting: completions with Done("abort"), counts with an EngineError "stopped"."""
        for pending in self._pending.values():
            if pending.message["type"] not in STOPPABLE:
                continue
            pending.aborted = True
            was_sent = self._abort(pending)
            if pending.message["type"] != "complete":  # it may be waiting for a model that takes long to load
                pending.answers.put_nowait({"type": "error", "code": STOPPED, "message": "the user stopped"})
            elif not was_sent:
                pending.answers.put_nowait(ABORTED)

    def _abort(self, pending: Pending) -> bool:
        """Whether it was sent, so that its end is still to come."""
        if pending.message in self._unsent:
            self._unsent.remove(pending.message)
            return False
        if pending.message["type"] == "complete" and self._connected:
            self._post({"type": "abort", "id": pending.message["id"]})
        return True

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
        return (await self.request({"type": "count", "texts": texts, **self._marks()}))["counts"]

    def _marks(self) -> Message:
        """What tells the engine for which model a request is, and that more may follow."""
        return {**({"model": self._wanted} if self._wanted else {}), **({"in_turn": True} if self._in_turn else {})}

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
        if self.is_displaced:
            self.on_state(self.state)  # the request waits, and this panel shows it
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
