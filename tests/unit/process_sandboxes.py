"""The page's part in sandboxes, with a process of CPython for each Worker: what hangs there is interrupted and ended for real."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from build_tools.paths import PYTHON

LONGEST_LINE = 16 << 20
WORKER = """
import asyncio, signal, sys, types
import amplifier_core
from amplifier_sandbox import main

said = sys.stdout
apart = sys.modules["amplifier_sandbox.apart"] = types.ModuleType("apart")
apart.set_apart = lambda: None  # it takes away what only Pyodide has

def post(text):
    said.write(text + "\\n")
    said.flush()
    return True

def interrupt(_signal, frame):
    # Pyodide's interrupts do not reach an idle Python, nor do these reach any code but a module's
    while frame and "user-module" not in frame.f_code.co_filename:
        frame = frame.f_back
    if frame:
        raise KeyboardInterrupt

async def serve():
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    receive = main.start(post)
    main.ready()
    while line := await reader.readline():
        receive(line.decode())

signal.signal(signal.SIGINT, interrupt)
# Not asyncio.run, which answers an interrupt by ending the whole loop
asyncio.new_event_loop().run_until_complete(serve())
"""


class ProcessPage:
    """Answers sandbox.start, sandbox.post, sandbox.interrupt and sandbox.end."""

    def __init__(self) -> None:
        self.receive: Callable[[dict[str, Any]], None] = lambda _message: None  # Sandboxes.receive
        self.processes: dict[str, asyncio.subprocess.Process] = {}
        self.started: list[str] = []
        self._readers: set[asyncio.Task[None]] = set()

    async def sandbox_start(self, name: str, memory_mb: int, kernel: bool) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            WORKER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            env={**os.environ, "PYTHONPATH": str(PYTHON)},
        )
        self.processes[name] = process
        self.started.append(name)
        reader = asyncio.ensure_future(self._read(name, process))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)

    async def _read(self, name: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        while line := await process.stdout.readline():
            self.receive({"type": "from-sandbox", "name": name, "message": line.decode()})
        await process.wait()
        if self.processes.pop(name, None):
            self.receive({"type": "sandbox-gone", "name": name, "reason": "its process ended"})

    async def sandbox_post(self, name: str, message: str) -> None:
        process = self.processes.get(name)
        if process and process.stdin:
            json.loads(message)  # one line, as Workers get one text
            process.stdin.write(message.encode() + b"\n")

    async def sandbox_interrupt(self, name: str) -> None:
        if process := self.processes.get(name):
            process.send_signal(signal.SIGINT)

    async def sandbox_end(self, name: str) -> None:
        if process := self.processes.pop(name, None):
            process.kill()
            await process.wait()

    async def close(self) -> None:
        """Ends all processes."""
        for name in list(self.processes):
            await self.sandbox_end(name)
        await asyncio.gather(*self._readers, return_exceptions=True)
