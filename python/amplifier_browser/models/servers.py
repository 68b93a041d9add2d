"""Servers of the user's own that speak OpenAI's interface: which there are, what they serve, and whether they may be reached.

What is kept of one, in the storage under "servers", for all windows (sidepanel/engine-port.js reads it too):
`{id, url, host, permission, warning, kind, api_key?, context_window?, models: [Model]}`, Model as in background/protocol.js.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from ..engine import Engine, EngineError
from ..problems import server_problem
from ..storage import Call, Storage
from .custom import NotAdded
from .server_address import Address, read_address

Message = dict[str, Any]

SERVERS = "servers"  # name in the storage
KINDS = {"llama.cpp": "llama.cpp", "ollama": "Ollama", "lm-studio": "LM Studio", "vllm": "vLLM", "other": "OpenAI-compatible"}
USUAL_WINDOW = 4096  # tokens, where nobody says: what Ollama and LM Studio give a model
LEAST_WINDOW = 512
USUAL_PARAMETERS = 7000  # millions, where nobody says
SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*([bm])(?![a-z0-9])", re.I)


class Servers:
    """One panel's view of the servers. Each command ends with what is kept being told anew, by whoever asked for it."""

    def __init__(self, engine: Engine, storage: Storage, call: Call) -> None:
        """`call` asks the page."""
        self._engine = engine
        self._storage = storage
        self._call = call
        self._kept: list[Message] = []
        self._refused: set[str] = set()  # permissions that are not there
        self._problems: dict[str, Message] = {}  # by server
        self._checked: set[str] = set()  # servers that answered
        self._draft: Message | None = None  # the address that is being written
        self._added: Message | None = None  # what came of the last one

    async def load(self) -> None:
        """Reads what is kept, and which of it may be reached."""
        self._kept = await self._storage.get(SERVERS, [])
        wanted = {each["permission"] for each in self._kept}
        self._refused = {each for each in wanted if not await self._call("permissions.has", origins=[each])}

    async def permissions_changed(self) -> None:
        """The user has granted something, or taken it back: what may not be reached is offered no more."""
        before = self._refused
        await self.load()
        if self._refused != before:
            self._offer()

    def close(self) -> None:
        """Nobody looks any more."""
        self._draft = self._added = None
        self._problems.clear()
        self._checked.clear()

    def _offer(self) -> None:
        permitted = [each for each in self._kept if each["permission"] not in self._refused]
        self._engine.offer([model for each in permitted for model in each["models"]])

    # -- commands

    async def name(self, command: Message) -> None:
        """Says what an address means while it is written, so that a click can ask for the right permission."""
        text: str = command["address"]
        self._added = None
        try:
            found = read_address(text)
            known = {"host": found.host, "permission": found.permission, "warning": found.warning, "problem": None}
        except NotAdded as error:
            known = {"host": "", "permission": "", "warning": "", "problem": error.problem}
        self._draft = {"address": text, **known} if text.strip() else None

    async def add(self, command: Message) -> None:
        """Looks at a server, and keeps it if it answers."""
        text: str = command["address"]
        try:
            address = read_address(text)
            record = await self._described(address, command.get("api_key") or "", command.get("context_window"))
        except NotAdded as error:
            self._added = {"address": text, "server": None, "problem": error.problem}
            return
        await self._put(record)
        self._draft, self._added = None, {"address": text, "server": record["id"], "problem": None}

    async def _described(self, address: Address, api_key: str, window: int | None) -> Message:
        if not await self._call("permissions.has", origins=[address.permission]):
            raise _refused("not-permitted", address.host)
        access = {"url": address.url, **({"api_key": api_key} if api_key else {})}
        try:
            found: Message = (await self._engine.request({"type": "look", "server": access}))["found"]
        except EngineError as error:
            raise _refused(error.code, address.host, str(error)) from error
        if not found["models"]:
            raise _refused("no-models", address.host)
        return {
            "id": address.url,
            "host": address.host,
            "permission": address.permission,
            "warning": address.warning,
            "kind": found["kind"],
            **access,
            **({"context_window": window} if window else {}),
            "models": [_model(each, address, access, found["kind"], window) for each in found["models"]],
        }

    async def _put(self, record: Message) -> None:
        def change(kept: list[Message]) -> list[Message]:
            others = [each for each in kept if each["id"] != record["id"]]
            return [*others, record]

        await self._storage.update(SERVERS, change, [])
        self._problems.pop(record["id"], None)
        self._checked.add(record["id"])
        await self.load()
        self._offer()

    async def check(self, command: Message) -> None:
        """Looks at a kept server again: whether it answers, and what it serves now."""
        await self.load()
        record = self._found(command["id"])
        if record is None:
            return
        try:
            address = read_address(record["url"])
            await self._put(await self._described(address, record.get("api_key", ""), record.get("context_window")))
        except NotAdded as error:
            self._checked.discard(record["id"])
            self._problems[record["id"]] = error.problem

    async def remove(self, command: Message) -> None:
        """Forgets a server and its key, and gives the permission for it back unless another server needs it."""
        record = self._found(command["id"])
        if record is None:
            return
        if any(each["id"] == self._engine.model_id for each in record["models"]):
            await self._leave()
        await self._storage.update(SERVERS, lambda kept: [each for each in kept if each["id"] != record["id"]], [])
        await self.load()
        self._offer()
        if all(each["permission"] != record["permission"] for each in self._kept):
            await self._call("permissions.remove", origins=[record["permission"]])

    async def _leave(self) -> None:
        """The model in use goes; Amplifier's own takes its place."""
        own = next((each for each in self._engine.state["models"] if each.get("origin", "package") == "package"), None)
        if own:
            self._engine.load(own["id"])
            await self._call("settings.set", model=own["id"])

    def _found(self, server: str) -> Message | None:
        return next((each for each in self._kept if each["id"] == server), None)

    # -- what the view is told

    def shown(self) -> Message:
        """Part of the event "models"; without keys."""
        return {"servers": [self._shown(each) for each in self._kept], "server_draft": self._draft, "server_added": self._added}

    def _shown(self, record: Message) -> Message:
        is_permitted = record["permission"] not in self._refused
        problem = self._problems.get(record["id"]) if is_permitted else server_problem("not-permitted", record["host"])
        return {
            **{name: record[name] for name in ("id", "host", "permission", "warning")},
            "kind": KINDS[record["kind"]],
            "has_key": bool(record.get("api_key")),
            "is_permitted": is_permitted,
            "is_checked": record["id"] in self._checked,
            "problem": problem,
            "models": [
                {
                    "id": model["id"],
                    "name": model["server"]["model"],
                    "context_window": self._window(model),
                    "is_vision": bool(model.get("is_vision")),
                    "is_chosen": model["id"] == (self._engine.chosen or {}).get("id"),
                }
                for model in record["models"]
            ],
        }

    def _window(self, model: Message) -> int:
        listed = next((each for each in self._engine.state["models"] if each["id"] == model["id"]), model)
        return listed["context_window"]

    COMMANDS: ClassVar[dict[str, Callable[[Servers, Message], Awaitable[None]]]] = {
        "name-server": name,
        "add-server": add,
        "check-server": check,
        "remove-server": remove,
    }


def _refused(code: str, host: str, technical: str = "") -> NotAdded:
    problem = server_problem(code, host, technical)
    return NotAdded(problem["title"], problem["detail"], technical)


def _model(found: Message, address: Address, access: Message, kind: str, window: int | None) -> Message:
    """Model of background/protocol.js. What the server says of its window counts, else what the user said."""
    name: str = found["model"]
    return {
        "id": f"{address.url}#{name}",
        "name": f"{name} · {address.host}",
        "origin": "server",
        "path": "",
        "lib": "",
        "context_window": max(LEAST_WINDOW, found["context_window"] or window or USUAL_WINDOW),
        "parameters": found["parameters"] or _parameters(name),
        "files": [],
        "licence": "",
        "is_vision": found["is_vision"],
        "server": {**access, "kind": kind, "model": name},
    }


def _parameters(name: str) -> int:
    """Millions, as a name like "qwen2.5:7b" or "SmolLM2-135M" has it."""
    told = SIZE.search(re.sub(r"[-_:]", " ", name))
    return round(float(told[1]) * (1000 if told[2] in "bB" else 1)) if told else USUAL_PARAMETERS


def host_of(model: Message | None) -> str:
    """The host that answers with a model, with its port; "" if it is this browser."""
    server = (model or {}).get("server")
    return server["url"].partition("://")[2].partition("/")[0] if server else ""
