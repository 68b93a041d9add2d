"""The models of the settings dialog: what there is, what fits, what is downloaded; and the commands that change that."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar

from ..engine import Engine, EngineError
from ..host import HostError
from ..storage import Call, Storage
from .catalogue import Catalogue, Entry, Variant
from .custom import NotAdded, describe
from .downloads import RUNNING, line, problem, problem_of
from .fit import ORDER, Adapter, Candidate, choose, fit, recommend, score, size

Message = dict[str, Any]
Spawn = Callable[[Coroutine[Any, Any, Any]], object]

CUSTOM = "custom_models"  # name in the storage
ENDED = {"paused", "cancelled", "downloads-lost"}  # a download that the user ended, or that goes on by itself
NO_LIBRARY = "no-library"
NO_STORAGE: Message = {"usage": 0, "quota": 0, "models": 0}


class Models:
    """One panel's view of the models. It is told to the view as a whole: when its section opens, while it is open with each news
    of a download, and after each command."""

    def __init__(self, engine: Engine, storage: Storage, call: Call, emit: Callable[[Message], None], spawn: Spawn) -> None:
        """`call` asks the page, `spawn` runs something beside what runs."""
        self._engine = engine
        self._storage = storage
        self._call = call
        self._emit = emit
        self._spawn = spawn
        self.record: Callable[[str, str], object] = lambda _level, _text: None  # what happened without a notice
        self._is_open = False
        self._catalogue: Catalogue | None = None
        self._adapter: Adapter | None = None
        self._downloads: dict[str, Message] = {}
        self._used = NO_STORAGE
        self._sizes: Message = {}  # bytes of each database
        self._problems: dict[str, Message] = {}  # what was refused here, by model
        self._added: Message | None = None  # what came of the last address

    # -- what the engine tells

    def downloads_changed(self, message: Message) -> None:
        """Takes the background's broadcast."""
        before, self._downloads = self._downloads, {each["model"]: each for each in message["downloads"]}
        self._used = {**NO_STORAGE, **message["storage"]}
        for model, download in self._downloads.items():
            was = before.get(model, {}).get("state")
            if was is not None and was != download["state"]:
                self._tell_end(model, download, was)
        self.engine_changed()

    def engine_changed(self) -> None:
        """Another model is loaded, or there is one more."""
        if self._is_open:
            self._spawn(self.show())

    def _tell_end(self, model: str, download: Message, was: str) -> None:
        """A download that nobody looks at ends with a line."""
        if download["state"] == "complete" and was in RUNNING:
            action = {"label": "Use it", "command": {"type": "choose-model", "model": model}}
            self._emit({"type": "notice", "level": "info", "text": f"{self._name(model)} is downloaded.", "action": action})
        elif download["state"] == "error":
            found = problem((download["error"] or {}).get("code", ""), "", model)
            text = f"{self._name(model)}: {found['title']}. {found['detail']}"
            if self._is_open:
                self.record("error", text)
            else:
                self._emit({"type": "notice", "level": "error", "text": text})
        elif download["state"] == "waiting":
            self.record("warning", f"{self._name(model)}: no network. The download goes on by itself.")

    def _name(self, model: str) -> str:
        found = self._catalogue and self._catalogue.find(model)
        listed = next((each for each in self._engine.state["models"] if each["id"] == model), None)
        return found[0].name if found else (listed or {}).get("name", "The model")

    # -- commands

    async def handle(self, command: Message) -> None:
        """Does what a command asks, and tells the view."""
        await self._load()
        try:
            await self.COMMANDS[command["type"]](self, command)
        except EngineError as error:
            if error.code not in ENDED:
                self._problems[command["model"]] = problem_of(error, command["model"])
        await self.show()

    def close(self) -> None:
        """Nobody looks any more."""
        self._is_open = False
        self._added = None
        self._problems.clear()

    async def _load(self) -> None:
        if self._catalogue is None:
            self._catalogue = Catalogue(await self._call("models.catalogue"))
            for facts in await self._storage.get(CUSTOM, []):
                self._catalogue.add(Entry.of(facts))

    async def _open(self, _command: Message) -> None:
        self._is_open = True
        told = await self._call("gpu.adapter")
        self._adapter = Adapter.of(told) if told else None
        try:
            self._sizes = await self._call("storage.sizes") or {}
        except HostError:  # a number less, and nothing else
            self._sizes = {}

    async def _download(self, command: Message) -> None:
        model: str = command["model"]
        self._problems.pop(model, None)
        entry, variant = self._found(model)
        if variant.lib_sha256 is None:
            self._problems[model] = problem(NO_LIBRARY, variant.lib, model)
            return
        self._spawn(self._follow({"type": "models.download", "model": entry.spec(variant)}, model))

    async def _follow(self, request: Message, model: str) -> None:
        """Waits for the end of a download; the broadcast tells how it goes, and why it failed."""
        try:
            await self._engine.request(request)
        except EngineError as error:
            told = (self._downloads.get(model) or {}).get("state") == "error"
            if error.code in ENDED or told:
                return
            self._problems[model] = problem_of(error, model)
            await self.show()

    def _found(self, model: str) -> tuple[Entry, Variant]:
        found = self._catalogue.find(model) if self._catalogue else None
        if found is None:
            raise EngineError("unknown-model", "it is not in the catalogue")
        return found

    async def _pause(self, command: Message) -> None:
        await self._engine.request({"type": "models.pause", "model": command["model"]})

    async def _cancel(self, command: Message) -> None:
        await self._engine.request({"type": "models.cancel", "model": command["model"]})
        self._problems.pop(command["model"], None)

    async def _delete(self, command: Message) -> None:
        """Deletes what is downloaded of it; one that was added by address leaves the list, too."""
        model: str = command["model"]
        if model in self._downloads or any(each["id"] == model for each in self._engine.state["models"]):
            await self._engine.request({"type": "models.delete", "model": model})
        self._problems.pop(model, None)
        found = self._catalogue and self._catalogue.find(model)
        if self._catalogue and found and found[0].is_custom:
            self._catalogue.remove(found[0].id)
            await self._storage.update(CUSTOM, lambda kept: [each for each in kept if each["id"] != found[0].id], [])

    async def _check(self, command: Message) -> None:
        answer = await self._engine.request({"type": "models.verify", "model": command["model"]})
        name, count = self._name(command["model"]), len(answer["missing"]) + len(answer["wrong"])
        if count == 0:
            self._emit({"type": "notice", "level": "info", "text": f"{name}: all files are there and as they should be."})
            return
        files = "1 file is" if count == 1 else f"{count} files are"
        action = {"label": "Complete it", "command": {"type": "resume-download", "model": command["model"]}}
        self._emit({"type": "notice", "level": "warning", "text": f"{name}: {files} missing or damaged.", "action": action})

    async def _add(self, command: Message) -> None:
        address: str = command["address"]
        assert self._catalogue is not None
        try:
            entry = await describe(address, self._catalogue, self._call)
        except NotAdded as refused:
            self._added = {"address": address, "model": None, "problem": refused.problem}
            return
        self._catalogue.add(entry)
        facts = dataclasses.asdict(entry)
        await self._storage.update(CUSTOM, lambda kept: [*(each for each in kept if each["id"] != entry.id), facts], [])
        self._added = {"address": address, "model": entry.variants[0].id, "problem": None}

    # -- what the view is told

    async def show(self) -> None:
        """Tells the view all of it, if it looks."""
        if not self._is_open or self._catalogue is None:
            return
        shown = [_Shown(*self._chosen(entry)) for entry in self._catalogue.entries]
        candidates = [Candidate(each.entry, each.variant, each.fit, each.variant.lib_sha256 is not None) for each in shown]
        suggested = recommend(candidates)
        models = [self._shown(each, suggested) for each in shown]
        models += self._unlisted({each["id"] for each in models})
        self._emit(
            {
                "type": "models",
                "models": sorted(models, key=lambda each: _order(each, shown)),
                "adapter": self._adapter and self._adapter.shown(),
                "storage": self._storage_lines(),
                "note": self._note(),
                "added": self._added,
            }
        )

    def _chosen(self, entry: Entry) -> tuple[Entry, Variant, Any]:
        """The variant that is downloaded or loaded, or else the one that suits this machine."""
        for variant in entry.variants:
            if variant.id in self._downloads or self._listed(variant.id):
                return entry, variant, fit(entry, variant, self._adapter)
        return entry, *choose(entry, self._adapter)

    def _listed(self, model: str) -> Message | None:
        return next((each for each in self._engine.state["models"] if each["id"] == model), None)

    def _shown(self, each: _Shown, suggested: tuple[str, str] | None) -> Message:
        entry, variant = each.entry, each.variant
        is_suggested = suggested is not None and suggested[0] == variant.id
        download = self._downloads.get(variant.id)
        total = (download or {}).get("total")
        return {
            "id": variant.id,
            "name": entry.name,
            "publisher": entry.publisher,
            "size_bytes": total or variant.size_bytes,
            "is_size_estimated": not total,
            "vram_bytes": variant.vram_bytes,
            "context_window": variant.context_window,
            "licence": entry.licence,
            "good_for": entry.about,
            "fits": each.fit.fits,
            "why": each.fit.why,
            "is_vision": entry.is_vision,
            "calls_functions": entry.calls_functions,
            "is_recommended": is_suggested,
            "reason": suggested[1] if suggested and is_suggested else "",
            "is_bundled": False,
            "is_custom": entry.is_custom,
            "is_loaded": self._is_loaded(variant.id),
            **self._progress(variant.id, download),
        }

    def _progress(self, model: str, download: Message | None) -> Message:
        refused = self._problems.get(model)
        if download is None:
            state = "complete" if self._listed(model) else "absent"
            return {"state": state, "progress": None, "detail": "", **({"problem": refused} if refused else {})}
        error = download.get("error")
        found = problem(error["code"], error["message"], model) if error and download["state"] != "complete" else refused
        total = download["total"]
        progress = min(1.0, download["done"] / total) if total else None
        return {
            "state": download["state"],
            "progress": progress,
            "detail": line(download),
            **({"problem": found} if found else {}),
        }

    def _unlisted(self, known: set[str]) -> list[Message]:
        """What the engine has besides: the package's own models, and downloaded ones that have left the catalogue."""
        others = [each for each in self._engine.state["models"] if each["id"] not in known]
        return [self._engines_own(each) for each in others]

    def _engines_own(self, model: Message) -> Message:
        is_bundled = model.get("origin", "package") == "package"
        small = "Trying things out at once and offline; too small for long pages and facts"
        return {
            "id": model["id"],
            "name": model["name"],
            "publisher": "",
            "size_bytes": model.get("bytes", 0),
            "is_size_estimated": False,
            "vram_bytes": 0,
            "context_window": model["context_window"],
            "licence": model.get("licence", ""),
            "good_for": small if model.get("parameters", 0) < 1000 else "",
            "fits": "yes",
            "why": "It comes with Amplifier." if is_bundled else "",
            "is_vision": bool(model.get("is_vision")),
            "calls_functions": False,
            "is_recommended": False,
            "reason": "",
            "is_bundled": is_bundled,
            "is_custom": False,
            "is_loaded": self._is_loaded(model["id"]),
            **self._progress(model["id"], self._downloads.get(model["id"])),
        }

    def _is_loaded(self, model: str) -> bool:
        return self._engine.state["model"] == model and self._engine.state["state"] in ("ready", "generating")

    def _storage_lines(self) -> Message:
        named = [
            ("Models", self._used["models"]),
            ("Documents", self._sizes.get("documents", 0)),
            ("Conversations", self._sizes.get("conversations", 0)),
        ]
        usage = self._used["usage"] or self._sizes.get("usage", 0)
        rest = usage - sum(count for _, count in named)
        lines = [{"label": label, "bytes": count, "text": size(count)} for label, count in named]
        if rest > 0:
            lines.append({"label": "Indexes and the rest", "bytes": rest, "text": size(rest)})
        quota = self._used["quota"] or self._sizes.get("quota", 0)
        text = f"{size(usage)} used; the browser allows {size(quota)}" if quota else f"{size(usage)} used"
        return {"lines": lines, "usage": usage, "quota": quota, "text": text}

    def _note(self) -> str:
        """What holds for all of the list."""
        variants = [variant for entry in self._catalogue.entries for variant in entry.variants] if self._catalogue else []
        if variants and not any(variant.lib_sha256 for variant in variants):
            return (
                "This package has the compiled program of its own model only. The others can be compared here; to download one, "
                "build the extension with its program: python3 build.py package --models ID"
            )
        return ""

    COMMANDS: ClassVar[dict[str, Callable[[Models, Message], Awaitable[None]]]] = {
        "show-models": _open,
        "download-model": _download,
        "resume-download": _download,
        "pause-download": _pause,
        "cancel-download": _cancel,
        "delete-model": _delete,
        "check-model": _check,
        "add-model": _add,
    }


@dataclasses.dataclass(frozen=True)
class _Shown:
    entry: Entry
    variant: Variant
    fit: Any


def _order(model: Message, shown: list[_Shown]) -> tuple[int, int, float, str]:
    """The package's own first, then what is here or on its way, then the suggestion, then what fits best."""
    is_here = model["state"] != "absent" or model["is_custom"]
    first = 0 if model["is_bundled"] else 1 if is_here else 2 if model["is_recommended"] else 3
    points = next((score(each.entry) for each in shown if each.variant.id == model["id"]), 0.0)
    return first, ORDER[model["fits"]], -points, model["name"]
