"""Hook: keeps every event of the session as JSON lines, masked, in memory; the user may save them.

As upstream's hooks-logging, in its format, but without files. Events: the kernel's, this application's, and those that modules
contribute under "observability.events". Capability `session.event_log` (EventLog): called, it returns the lines; a child
session, which inherits the capability, writes to its parent's. Masked by `redaction.redact`, or by its default rules.
Config: include_deltas (default false: each token is an event, and they would push out all else), additional_events,
max_events, max_bytes, priority (default 100).
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from amplifier_core import HookResult
from amplifier_core.events import ALL_EVENTS  # pyright: ignore[reportAttributeAccessIssue]

from .hooks_redaction import redact as redact_by_default

__amplifier_module_type__ = "hook"

NAME = "hooks-event-log"
PRIORITY = 100  # after the redaction
SCHEMA = {"name": "amplifier.log", "ver": "1.0.0"}
MOST_EVENTS = 5000
MOST_BYTES = 5_000_000
LONGEST_TEXT = 4000  # characters; a page's text need not be in each event that mentions it
CHANNEL = "observability.events"

OWN_EVENTS = (
    "llm:stream_block_start",
    "llm:stream_block_delta",
    "llm:stream_block_end",
    "llm:stream_aborted",
    "llm:prefill_progress",
    "llm:waiting",
    "loop:gave_up",
)
DELTAS = frozenset(("llm:stream_block_delta", "llm:prefill_progress", "content_block:delta", "thinking:delta"))
COLLECTING = ("session:start", "session:resume", "execution:start")  # modules are mounted by then; users' may come later
# What upstream's records have beside `data`.
ENVELOPE = ("redaction", "status", "duration_ms", "module", "component", "error", "request_id", "span_id", "parent_span_id")


class EventLog:
    """The latest events, as JSON lines. Appending drops the oldest once there are too many."""

    def __init__(self, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self.dropped = 0

    def __call__(self) -> str:
        """All lines; the first says how many were dropped, if any were."""
        lost = {"ts": _now(), "lvl": "WARNING", "schema": SCHEMA, "event": "log:dropped", "data": {"dropped": self.dropped}}
        lines = [_line(lost), *self._lines] if self.dropped else self._lines
        return b"".join(lines).decode()

    def append(self, record: dict[str, Any]) -> None:
        """Adds one record."""
        line = _line(record)
        self._lines.append(line)
        self._bytes += len(line)
        while self._lines and (len(self._lines) > self._most_events or self._bytes > self._most_bytes):
            self._bytes -= len(self._lines.popleft())
            self.dropped += 1


class Logger:
    """Writes one session's events into a log."""

    def __init__(self, coordinator: Any, log: EventLog, config: dict[str, Any]) -> None:
        self._coordinator = coordinator
        self._log = log
        self._left_out = frozenset[str]() if config.get("include_deltas") else DELTAS
        self._priority = int(config.get("priority", PRIORITY))
        self._undo: dict[str, Callable[[], None]] = {}

    def listen(self, events: Iterable[Any]) -> None:
        """Logs these events from now on, each once."""
        for event in events:
            if isinstance(event, str) and event not in self._undo and event not in self._left_out:
                hooks = self._coordinator.hooks
                self._undo[event] = hooks.register(event, self.handle, priority=self._priority, name=NAME)

    def stop(self) -> None:
        """Logs nothing more."""
        for unregister in self._undo.values():
            unregister()
        self._undo.clear()

    async def handle(self, event: str, data: dict[str, Any]) -> HookResult:
        """Logs one event."""
        redact = self._coordinator.get_capability("redaction.redact") or redact_by_default
        self._log.append(_record(event, redact(data or {}, longest=LONGEST_TEXT), self._coordinator.session_id))
        if event in COLLECTING:
            await self._collect()
        return HookResult(action="continue")

    async def _collect(self) -> None:
        for contributed in await self._coordinator.collect_contributions(CHANNEL):
            self.listen(contributed if isinstance(contributed, list) else [contributed])


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> Callable[[], None]:
    """Registers the capability and the hooks; returns what takes the hooks away again."""
    options = config or {}
    log = coordinator.get_capability("session.event_log")
    if not isinstance(log, EventLog):
        log = EventLog(int(options.get("max_events", MOST_EVENTS)), int(options.get("max_bytes", MOST_BYTES)))
        coordinator.register_capability("session.event_log", log)
    logger = Logger(coordinator, log, options)
    logger.listen([*ALL_EVENTS, *OWN_EVENTS, *options.get("additional_events", [])])
    return logger.stop


def _record(event: str, data: dict[str, Any], session_id: str) -> dict[str, Any]:
    envelope = {name: data[name] for name in ENVELOPE if name in data}
    apart = {*envelope, "session_id", "timestamp", "lvl"}
    rest = {name: value for name, value in data.items() if name not in apart}
    return {
        "ts": data.get("timestamp") or _now(),
        "lvl": _level(event, data),
        "schema": SCHEMA,
        "session_id": data.get("session_id") or session_id,
        "event": event,
        **envelope,
        **({"data": rest} if rest else {}),
    }


def _level(event: str, data: dict[str, Any]) -> str:
    level = data.get("lvl", "INFO")
    is_error = data.get("error") or data.get("status") == "error" or "error" in event
    return "ERROR" if is_error and level != "DEBUG" else level


def _line(record: dict[str, Any]) -> bytes:
    return f"{json.dumps(record, ensure_ascii=False, default=str)}\n".encode(errors="replace")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
