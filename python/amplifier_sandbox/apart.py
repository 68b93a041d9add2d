"""Makes Pyodide's Python one that knows no browser. For clear errors: the walls themselves are in sidepanel/sandbox-worker.js."""

from __future__ import annotations

import asyncio
import builtins
import socket
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

MISSING = frozenset({"js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core", "micropip", "urllib3", "requests", "httpx"})
# A sleep is woken by an interrupt only between two of these, in seconds.
NAP = 0.05


class NoBrowser(MetaPathFinder):
    """Finds nothing, and says so in words."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Raises for what is missing on purpose."""
        if fullname.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"there is no {fullname} here: this Python has no browser and no network", name=fullname)
        return None


def set_apart() -> None:
    """Takes Pyodide's modules away and replaces what would need them."""
    from pyodide.ffi import run_sync  # type: ignore[import-not-found]  # only Pyodide has it

    _make_sleep_interruptible()
    _run_coroutines_with(run_sync)
    builtins.input = _no_input
    socket.getaddrinfo = socket.create_connection = socket.socket.connect = _no_network
    for name in list(sys.modules):
        if name.partition(".")[0] in MISSING:
            del sys.modules[name]
    sys.meta_path[:] = [NoBrowser(), *(finder for finder in sys.meta_path if not type(finder).__module__.startswith("_pyodide"))]


def _no_input(_prompt: object = "", /) -> str:
    raise RuntimeError("input() gets no answer here: write the value into the code")


def _no_network(*_args: Any, **_named: Any) -> Any:
    raise OSError("there is no network here: this Python runs apart from the browser")


def _make_sleep_interruptible() -> None:
    sleep_once = getattr(time.sleep, "__wrapped__", time.sleep)  # Pyodide's own would suspend, which nothing interrupts

    def sleep(seconds: float, /) -> None:
        end = time.monotonic() + seconds
        sleep_once(0)
        while (left := end - time.monotonic()) > 0:
            sleep_once(min(left, NAP))

    time.sleep = sleep


def _run_coroutines_with(run_sync: Callable[[Any], Any]) -> None:
    """asyncio.run and run_until_complete, though a loop runs already: Pyodide suspends the caller's stack."""

    def run(main: Any, *, debug: bool | None = None, loop_factory: Any = None) -> Any:
        return run_sync(asyncio.ensure_future(main))

    asyncio.run = run
    loop: Any = asyncio.get_event_loop()
    type(loop).run_until_complete = lambda _loop, future: run(future)
