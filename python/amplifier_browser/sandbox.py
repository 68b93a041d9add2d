"""Client of the sandboxes: Pythons apart from the session, each in a Worker of its own that the page keeps.

Nothing that comes from a sandbox is trusted: it is text of whoever's code runs there. Calls are told apart by their ids; one
that takes too long is interrupted, and where that does not end it the Worker is, with all that it held.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]
Call = Callable[..., Awaitable[Any]]  # amplifier_browser.host.Host.call

MEMORY_MB = 256
START_SECONDS = 60
GRACE_SECONDS = 5  # for an interrupt to be heeded
IDLE_SECONDS = 5  # between two looks whether a Worker without a call rests
ASKS = 16  # questions of one sandbox at a time
LONGEST_LOG = 2000
INTERRUPTED = "interrupted"
ENDED = "ended"


class SandboxError(Exception):
    """A call failed; `kind` is the name of what was raised there, "interrupted", "memory", "gone" or "start"."""

    def __init__(self, message: str, details: Any = None, kind: str = "") -> None:
        super().__init__(message)
        self.details: Any = details or {}
        self.kind = kind


class SandboxTimeout(SandboxError):
    """A call took too long; `lost` says whether the Worker was ended and with it all that it held."""

    def __init__(self, seconds: float, lost: bool) -> None:
        after = "what it had defined is lost" if lost else "what was defined before is still there"
        super().__init__(f"the code ran longer than {seconds:g} s and was ended; {after}", kind=INTERRUPTED)
        self.lost = lost


async def _refuse(name: str, _args: Message) -> Any:
    raise SandboxError(f"this code may not ask for {name}")


@dataclass
class Worker:
    """One Worker's life."""

    wire_name: str  # never used again: what an ended Worker still says reaches nobody
    ready: asyncio.Future[None]
    calls: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    asks: set[asyncio.Task[None]] = field(default_factory=set)
    asked_since: float = 0.0  # when the oldest of the questions came that are being answered
    answering: float = 0.0  # seconds that answering took in all, which are not the sandbox's
    over: asyncio.Event = field(default_factory=asyncio.Event)
    interrupting: asyncio.Task[None] | None = None


class Sandbox:
    """One Python apart, by name. Its Worker starts with the first call, and anew after it was ended."""

    def __init__(self, sandboxes: Sandboxes, name: str, kernel: bool) -> None:
        self.name = name
        self.kernel = kernel  # whether pydantic and with it Amplifier's kernel can be imported there
        self.generation = 0  # Workers so far: what an earlier one held is lost
        self.on_ask: Callable[[str, Message], Awaitable[Any]] = _refuse
        self.on_log: Callable[[str, str], None] = lambda _level, _text: None
        self._sandboxes = sandboxes
        self._worker: Worker | None = None
        self._starting = asyncio.Lock()
        self._ids = itertools.count(1)

    # -- what the session asks

    async def call(self, op: str, seconds: float, **args: Any) -> Any:
        """Runs `op` there and returns its value; raises SandboxTimeout or SandboxError. The seconds count from when the Worker
        is up, without those in which the session answers what the sandbox asks. Cancelling it interrupts the code."""
        worker = await self._running()
        while worker.interrupting and not worker.interrupting.done():  # it is meant for another call than this one
            await asyncio.wait({worker.interrupting})
            worker = await self._running()
        number = next(self._ids)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        worker.calls[number] = future
        try:
            await self._post(worker, type="call", id=number, op=op, args=args)
            if await self._in_time(worker, future, seconds):
                return future.result()
            while not future.done():  # an interrupt may have been on its way to another call
                await asyncio.shield(self._interrupt(worker, number, future))
            return self._late_outcome(worker, future, seconds)
        finally:
            if future.done():
                worker.calls.pop(number, None)
            else:  # whoever called has been cancelled
                self._interrupt(worker, number, future)

    async def end(self) -> None:
        """Ends the Worker and with it all that it holds; the next call starts another."""
        if self._worker:
            await self._end(self._worker, "it was ended", "gone")

    async def _running(self) -> Worker:
        async with self._starting:
            if self._worker is None:
                await self._start()
            if self._worker is None:
                raise SandboxError("the sandbox is gone", kind="gone")
            return self._worker

    async def _start(self) -> None:
        self.generation += 1
        worker = Worker(f"{self.name}:{self.generation}", asyncio.get_running_loop().create_future())
        self._worker = worker
        self._sandboxes.workers[worker.wire_name] = self
        try:
            memory_mb = self._sandboxes.memory_mb
            await self._sandboxes.ask_page("sandbox.start", name=worker.wire_name, memory_mb=memory_mb, kernel=self.kernel)
            await asyncio.wait_for(asyncio.shield(worker.ready), START_SECONDS)
        except SandboxError:
            raise
        except Exception as error:
            words = "it did not start in time" if isinstance(error, TimeoutError) else str(error)
            await self._end(worker, words, "start")
            raise SandboxError(f"the sandbox could not start: {words}", kind="start") from error
        except asyncio.CancelledError:
            self._sandboxes.spawn(self._end(worker, "it was ended", ENDED))
            raise
        self._sandboxes.spawn(self._watch(worker))

    async def _in_time(self, worker: Worker, future: asyncio.Future[Any], seconds: float) -> bool:
        """Waits for an answer as long as the sandbox's own time lasts."""
        clock = asyncio.get_running_loop().time
        began, answered = clock(), worker.answering
        while not future.done():
            left = began + seconds + (worker.answering - answered) - clock()
            if worker.asks:
                await asyncio.wait({future, *worker.asks}, return_when=asyncio.FIRST_COMPLETED)
            elif left <= 0:
                return False
            else:
                await asyncio.wait({future}, timeout=left)
        return True

    def _interrupt(self, worker: Worker, number: int, future: asyncio.Future[Any]) -> asyncio.Task[None]:
        """Ends a call; it goes on though whoever called is cancelled. Calls that come meanwhile wait for it."""
        if worker.interrupting is None or worker.interrupting.done():
            worker.interrupting = self._sandboxes.spawn(self._end_call(worker, number, future))
        return worker.interrupting

    async def _end_call(self, worker: Worker, number: int, future: asyncio.Future[Any]) -> None:
        """First as Ctrl-C does, else with the whole Worker."""
        await self._sandboxes.ask_page("sandbox.interrupt", name=worker.wire_name)
        await self._post(worker, type="cancel", id=number)
        await asyncio.wait({future}, timeout=self._sandboxes.grace_seconds)
        if not future.done():
            await self._end(worker, "it was ended", ENDED)
        worker.calls.pop(number, None)

    def _late_outcome(self, worker: Worker, future: asyncio.Future[Any], seconds: float) -> Any:
        """What a call came to that was interrupted: it may have a value nevertheless."""
        error = future.exception()
        if isinstance(error, SandboxError) and error.kind in (INTERRUPTED, ENDED):
            raise SandboxTimeout(seconds, lost=self._worker is not worker)
        return future.result()

    async def _post(self, worker: Worker, **message: Any) -> None:
        await self._sandboxes.ask_page("sandbox.post", name=worker.wire_name, message=json.dumps(message, ensure_ascii=False))

    async def _watch(self, worker: Worker) -> None:
        """Code that goes on after its call, in a callback say, is ended like any that does not end."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(worker.over.wait(), self._sandboxes.idle_seconds)
            if worker.over.is_set():
                return
            if worker.calls or worker.asks:
                continue
            try:
                await self.call("ping", self._sandboxes.idle_seconds)
            except SandboxTimeout:
                self.on_log("error", "Its code went on running after it had answered, and was ended.")
            except SandboxError as error:
                self.on_log("error", str(error))

    async def _end(self, worker: Worker, reason: str, kind: str) -> None:
        self._gone(worker, reason, kind)
        await self._sandboxes.ask_page("sandbox.end", name=worker.wire_name)

    def _gone(self, worker: Worker, reason: str, kind: str = "gone") -> None:
        """The Worker is no more: what was asked of it fails."""
        if self._worker is worker:
            self._worker = None
        self._sandboxes.workers.pop(worker.wire_name, None)
        for future in (worker.ready, *worker.calls.values()):
            if not future.done():
                future.set_exception(SandboxError(reason, kind=kind))
                future.exception()  # whoever waited may have gone as well
        for task in worker.asks:
            task.cancel()
        worker.over.set()

    # -- what the page and the Worker say

    def receive(self, message: Message) -> None:
        """Takes what the page says of this sandbox's Worker."""
        worker = self._worker
        if worker is None or message["name"] != worker.wire_name:
            return
        if message["type"] == "sandbox-gone":
            self._gone(worker, f"the sandbox is gone: {message['reason']}")
            return
        try:
            self._take(worker, json.loads(message["message"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.on_log("error", "It sent a message that cannot be understood.")

    def _take(self, worker: Worker, said: Message) -> None:
        kind = said["type"]
        if kind == "ready":
            if not worker.ready.done():
                worker.ready.set_result(None)
        elif kind in ("returned", "raised"):
            self._settle(worker, said)
        elif kind == "ask":
            self._asked(worker, said)
        elif kind == "log":
            level = "error" if said["level"] == "error" else "info"
            self.on_log(level, str(said["text"])[:LONGEST_LOG])
        elif kind in ("failed", "fatal"):
            words = str(said.get("reason", "its Python broke down, as it does when its memory or its stack is used up"))
            self._sandboxes.spawn(self._sandboxes.ask_page("sandbox.end", name=worker.wire_name))
            self._gone(worker, f"the sandbox is gone: {words[:LONGEST_LOG]}")

    def _settle(self, worker: Worker, said: Message) -> None:
        future = worker.calls.get(said["id"])
        if future is None or future.done():
            return
        if said["type"] == "returned":
            future.set_result(said["value"])
        else:
            future.set_exception(SandboxError(str(said["error"]), said.get("details"), str(said.get("kind", ""))))
            future.exception()  # a cancelled call's is nobody's

    def _asked(self, worker: Worker, said: Message) -> None:
        number, name, args = int(said["id"]), str(said["name"]), dict(said["args"])
        if not worker.asks:
            worker.asked_since = asyncio.get_running_loop().time()
        task = self._sandboxes.spawn(self._answer(worker, number, name, args, refused=len(worker.asks) >= ASKS))
        worker.asks.add(task)
        task.add_done_callback(lambda done: self._answered(worker, done))

    def _answered(self, worker: Worker, task: asyncio.Task[None]) -> None:
        worker.asks.discard(task)
        if not worker.asks:
            worker.answering += task.get_loop().time() - worker.asked_since

    async def _answer(self, worker: Worker, number: int, name: str, args: Message, refused: bool) -> None:
        try:
            if refused:
                raise SandboxError("it asks for too much at a time")
            told: Message = {"value": await self.on_ask(name, args)}
        except Exception as error:
            told = {"error": str(error)}
        if self._worker is worker:
            await self._post(worker, type="told", id=number, **told)


class Sandboxes:
    """All sandboxes of a panel."""

    def __init__(
        self,
        call: Call,
        memory_mb: int = MEMORY_MB,
        grace_seconds: float = GRACE_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """`call` asks the page."""
        self.ask_page: Call = call
        self.memory_mb = memory_mb
        self.grace_seconds = grace_seconds
        self.idle_seconds = idle_seconds
        self.workers: dict[str, Sandbox] = {}  # by the name that the page knows
        self._sandboxes: dict[str, Sandbox] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def get(self, name: str, kernel: bool = False) -> Sandbox:
        """The sandbox of that name, always the same one. With `kernel`, Amplifier's kernel can be imported in it."""
        if name not in self._sandboxes:
            self._sandboxes[name] = Sandbox(self, name, kernel)
        return self._sandboxes[name]

    def receive(self, message: Message) -> None:
        """Takes a message of the page: of type `from-sandbox` or `sandbox-gone`."""
        if sandbox := self.workers.get(message["name"]):
            sandbox.receive(message)

    def spawn(self, work: Coroutine[Any, Any, None] | Awaitable[Any]) -> asyncio.Task[Any]:
        """Runs `work` beside what runs; asyncio itself would forget it."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)  # type: ignore[assignment]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
