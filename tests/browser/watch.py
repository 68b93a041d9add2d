"""Watches every context of the browser at once, from before its first instruction: requests, exceptions, console, CSP.

One DevTools connection to the browser attaches to each page, panel, offscreen document, service worker and to the Workers
within them.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import websocket

ATTACH = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
DOMAINS = ("Network.enable", "Log.enable", "Runtime.enable")


@dataclass
class Seen:
    """What was seen so far. A context is the kind and address of a target, as it was last told."""

    targets: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)

    @property
    def contexts(self) -> set[str]:
        """Every context that was watched."""
        return set(self.targets.values())

    def outside(self, *inside: str) -> list[tuple[str, str]]:
        """Requests to any address that does not begin with one of `inside`."""
        local = (*inside, "data:", "blob:", "about:", "chrome://")  # the last: the browser's own pages
        return [(context, url) for context, url in self.requests if not url.startswith(local)]


class Watch:
    """Collects what happens in all contexts until it is closed."""

    def __init__(self, driver: Any) -> None:
        address = driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
        with urllib.request.urlopen(f"http://{address}/json/version") as response:
            url = json.load(response)["webSocketDebuggerUrl"]
        self.seen = Seen()
        self._sessions: dict[str, str] = {}  # DevTools session -> target
        self._socket = websocket.create_connection(url, suppress_origin=True)
        self._lock = threading.Lock()
        self._next = 1
        self._awaited: dict[int, threading.Event] = {}
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self._send("Target.setDiscoverTargets", {"discover": True})
        self._send("Target.setAutoAttach", ATTACH)

    def close(self) -> None:
        """Stops watching."""
        self._socket.close()
        self._thread.join(5)

    def run(self, file: str, script: str) -> None:
        """Runs a script in every context of a file, and waits until it has run."""
        sessions = [session for session, target in self._sessions.items() if self.seen.targets[target].endswith(file)]
        assert sessions, f"{file} runs nowhere"
        for session in sessions:
            done = threading.Event()
            self._send("Runtime.evaluate", {"expression": script}, session, done)
            assert done.wait(20), f"{file} does not answer"

    def _send(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        session: str | None = None,
        done: threading.Event | None = None,
    ) -> None:
        with self._lock:
            message = {"id": self._next, "method": method, "params": params or {}}
            if done:
                self._awaited[self._next] = done
            self._next += 1
            if session:
                message["sessionId"] = session
            self._socket.send(json.dumps(message))

    def _listen(self) -> None:
        while True:
            try:
                text = self._socket.recv()
            except (websocket.WebSocketException, OSError):
                return
            if text:
                self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params", {})
        target = self._sessions.get(message.get("sessionId", ""), "")
        context = self.seen.targets.get(target, "browser")
        if done := self._awaited.pop(message.get("id", 0), None):
            done.set()
        if method == "Target.attachedToTarget":
            self._attached(params["sessionId"], params["targetInfo"])
        elif method == "Target.targetInfoChanged":
            self._name(params["targetInfo"])
        elif method == "Network.requestWillBeSent":
            self.seen.requests.append((context, params["request"]["url"]))
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            text = details.get("exception", {}).get("description") or details["text"]
            self.seen.problems.append((context, f"exception: {text}"))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            entry = params["entry"]
            self.seen.problems.append((context, f"{entry['source']}: {entry['text']} {entry.get('url', '')}"))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            words = [str(arg.get("value", arg.get("description", ""))) for arg in params["args"]]
            self.seen.problems.append((context, f"console: {' '.join(words)}"))

    def _name(self, target: dict[str, Any], attached: bool = False) -> None:
        if attached or target["targetId"] in self.seen.targets:  # one that is merely discovered is not watched
            self.seen.targets[target["targetId"]] = f"{target['type']} {target['url']}"

    def _attached(self, session: str, target: dict[str, Any]) -> None:
        self._sessions[session] = target["targetId"]
        self._name(target, attached=True)
        for domain in DOMAINS:
            self._send(domain, session=session)
        self._send("Target.setAutoAttach", ATTACH, session)
        self._send("Runtime.runIfWaitingForDebugger", session=session)
