"""Memory of a page and of its Workers, over DevTools: what JavaScript holds, and its buffers."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import websocket

from ..drive import Browser


class PageMemory:
    """A page of the extension and the Workers that it has. Use as a context manager."""

    def __init__(self, browser: Browser, path: str) -> None:
        """`path`: the page's, in the package."""
        address = browser.driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
        with urllib.request.urlopen(f"http://{address}/json/list") as response:
            targets: list[dict[str, Any]] = json.load(response)
        target = next(each for each in targets if each["url"].startswith(browser.url(path)))
        self._socket = websocket.create_connection(target["webSocketDebuggerUrl"], suppress_origin=True, timeout=60)
        self._id = 0
        self._sessions: dict[str, str] = {}  # of DevTools, by what its Worker's address ends with
        self._ask("Target.setAutoAttach", {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True})

    def __enter__(self) -> PageMemory:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def used(self, worker: str = "") -> tuple[int, int]:
        """Bytes that JavaScript holds in the page, or in a Worker by its file's name, once there is no garbage; and bytes of its
        buffers, of which WebAssembly's memory is by far the largest."""
        session = self._session(worker)
        self._ask("HeapProfiler.enable", {}, session)
        for _ in range(2):  # what a first round finalizes, the second frees
            self._ask("HeapProfiler.collectGarbage", {}, session)
        usage = self._ask("Runtime.getHeapUsage", {}, session)
        return int(usage["usedSize"]), int(usage["backingStorageSize"])

    def _session(self, worker: str) -> str:
        if not worker:
            return ""
        return next(session for url, session in self._sessions.items() if url.endswith(worker))

    def _ask(self, method: str, params: dict[str, Any], session: str = "") -> dict[str, Any]:
        self._id += 1
        where = {"sessionId": session} if session else {}
        self._socket.send(json.dumps({"id": self._id, "method": method, "params": params, **where}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("method") == "Target.attachedToTarget":
                self._sessions[message["params"]["targetInfo"]["url"]] = message["params"]["sessionId"]
            if message.get("id") == self._id:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
