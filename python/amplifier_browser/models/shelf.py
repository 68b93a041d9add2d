"""The models of the settings dialog: what there is, what fits, what is downloaded; and the commands that change that."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, ClassVar

from ..engine import BUILT_IN, Engine, EngineError, is_here
from ..host import HostError
from ..images import can_see
from ..problems import blindness, built_in_problem
from ..storage import Call, Storage
from .catalogue import Catalogue, Entry, Variant
from .custom import NotAdded, describe
from .doctor import Doctor
from .downloads import POLICY, RUNNING, line, problem, problem_of, standstill
from .fit import ORDER, Adapter, Candidate, choose, fit, score, size
from .servers import Servers
from .speed import Size

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
        self._standing: dict[str, int] = {}  # bytes that were there when a download came to a standstill, by model
        self._used = NO_STORAGE
        self._sizes: Message = {}  # bytes of each database
        self._problems: dict[str, Message] = {}  # what was refused here, by model
        self._added: Message | None = None  # what came of the last address
        self._built_in: float | None = None  # of its download, 0 to 1; None: there is none
        self.servers = Servers(engine, storage, call)
        self.doctor = Doctor(engine, storage, lambda: spawn(self.show()))

    # -- what the engine tells

    def downloads_changed(self, message: Message) -> None:
        """Takes the background's broadcast."""
        before, self._downloads = self._downloads, {each["model"]: each for each in message["downloads"]}
        self._used = {**NO_STORAGE, **message["storage"]}
        self._standing = {model: done for model, done in self._standing.items() if model in self._downloads}
        for model, download in self._downloads.items():
            self._record_standstill(model, download)
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
            notice: Message = {"type": "notice", "level": "info", "action": action}
            self._say(model, lambda name: self._emit({**notice, "text": f"{name} is downloaded."}))
        elif download["state"] == "error":
            found = problem((download["error"] or {}).get("code", ""), "", model)
            text = f"{found['title']}. {found['detail']}"
            if self._is_open:
                self._say(model, lambda name: self.record("error", f"{name}: {text}"))
            else:
                self._say(model, lambda name: self._emit({"type": "notice", "level": "error", "text": f"{name}: {text}"}))

    def _record_standstill(self, model: str, download: Message) -> None:
        """Once, however often it is tried again meanwhile; and that it goes on."""
        if why := standstill(download):
            if model not in self._standing:
                self._standing[model] = download["done"]
                self._say(model, lambda name: self.record("warning", f"{name}: {why}"))
        elif download["done"] > self._standing.get(model, download["done"]):
            del self._standing[model]
            self._say(model, lambda name: self.record("info", f"{name}: the download goes on"))

    def _say(self, model: str, say: Callable[[str], object]) -> None:
        """Says something of a model by its name, which is in the catalogue: nobody may have looked at that yet."""
        if self._catalogue:
            say(self._name(model))
        else:
            self._spawn(self._say_later(model, say))

    async def _say_later(self, model: str, say: Callable[[str], object]) -> None:
        with suppress(HostError):  # a name less
            await self._load()
        say(self._name(model))

    def _name(self, model: str) -> str:
        found = self._catalogue and self._catalogue.find(model)
        listed = next((each for each in self._engine.state["models"] if each["id"] == model), None)
        return found[0].name if found else (listed or {}).get("name", "The model")

    async def blindness(self) -> Message | None:
        """Why the model in use takes no images, and which one does; None if it does, or if none is in use yet."""
        model = self._engine.model
        if model is None or can_see(model):
            return None
        with suppress(HostError):  # a name less
            await self._load()
        at_hand = next((each for each in self._engine.state["models"] if can_see(each) and is_here(each)), None)
        seeing = [entry for entry in self._catalogue.entries if entry.is_vision] if self._catalogue else []
        return blindness(model["name"], at_hand, [entry.name for entry in sorted(seeing, key=lambda entry: entry.parameters)])

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
        self.servers.close()

    async def _load(self) -> None:
        if self._catalogue:
            return
        catalogue = Catalogue(await self._call("models.catalogue"))
        for facts in await self._storage.get(CUSTOM, []):
            catalogue.add(Entry.of(facts))
        self._catalogue = self._catalogue or catalogue  # another one may have read it meanwhile

    async def _open(self, _command: Message) -> None:
        self._is_open = True
        told = await self._call("gpu.adapter")
        self._adapter = Adapter.of(told) if told else None
        try:
            self._sizes = await self._call("storage.sizes") or {}
        except HostError:  # a number less, and nothing else
            self._sizes = {}
        await self.doctor.load(self._adapter)
        await self.servers.load()

    async def _measure(self, _command: Message) -> None:
        await self.doctor.examine(self._size_of)

    async def _stop_measuring(self, _command: Message) -> None:
        self.doctor.stop()

    def _size_of(self, model: Message) -> Size:
        """Of a model of the engine's; 0 where it is not known, or not this computer's business."""
        if found := self._catalogue and self._catalogue.find(model["id"]):
            return found[0].size
        is_here = model.get("origin") not in ("server", "browser")
        return Size(model.get("parameters", 0) if is_here else 0, model.get("layers", 0))

    async def _download(self, command: Message) -> None:
        model: str = command["model"]
        self._problems.pop(model, None)
        if model == BUILT_IN:
            self._spawn(self._download_built_in())
            return
        entry, variant = self._found(model)
        if variant.lib_sha256 is None:
            self._problems[model] = problem(NO_LIBRARY, variant.lib, model)
            return
        request = {"type": "models.download", "model": entry.spec(variant), "policy": POLICY}
        self._spawn(self._follow(request, model))

    async def _download_built_in(self) -> None:
        """Has Chrome download its own model. The page asks for it within the seconds that a click counts."""
        if self._built_in is not None:
            return
        self._built_in = 0.0
        await self.show()
        failed = await self._call("built-in.download")
        self._built_in = None
        if failed:
            self._problems[BUILT_IN] = built_in_problem(failed["error"], failed["detail"])
        self._engine.look_for_built_in()
        await self.show()

    def built_in_progress(self, progress: float) -> None:
        """Chrome tells how far it is."""
        if self._built_in is not None:
            self._built_in = progress
            self._spawn(self.show())

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

    async def permissions_changed(self) -> None:
        """The user has let Chrome grant something, or has taken it back."""
        await self.servers.permissions_changed()
        await self.show()

    async def _serve(self, command: Message) -> None:
        await Servers.COMMANDS[command["type"]](self.servers, command)

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
        suggested, advice = self.doctor.suggest(candidates)
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
                "doctor": self.doctor.shown(advice),
                **self.servers.shown(),
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
            **self.doctor.speed(variant.id, entry.size),
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
        others = [each for each in self._engine.state["models"] if each["id"] not in known and each.get("origin") != "server"]
        return [self._engines_own(each) for each in others]

    def _engines_own(self, model: Message) -> Message:
        if model["id"] == BUILT_IN:
            return {**self._others_own(model), **self._built_in_row(model)}
        return self._others_own(model)

    def _built_in_row(self, model: Message) -> Message:
        availability, refused = model.get("availability", "available"), self._problems.get(BUILT_IN)
        row: Message = {
            "publisher": "Google",
            "good_for": "Short questions and summaries; Chrome keeps and updates it by itself",
            "is_built_in": True,
            **({"problem": refused} if refused else {}),
        }
        if self._built_in is not None or availability == "downloading":
            progress = self._built_in
            percent = "" if progress is None else f" · {progress:.0%}"
            return {**row, "state": "downloading", "progress": progress, "detail": f"Chrome downloads it{percent}"}
        if availability == "downloadable":
            why = "Chrome downloads it (some gigabytes) when you click, for all sites and extensions."
            return {**row, "state": "absent", "fits": "unknown", "why": why}
        return {**row, "state": "complete"}

    def _others_own(self, model: Message) -> Message:
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
            **self.doctor.speed(model["id"], self._size_of(model)),
            **self._progress(model["id"], self._downloads.get(model["id"])),
        }

    def _is_loaded(self, model: str) -> bool:
        return self._engine.model_id == model and self._engine.seen()["state"] in ("ready", "generating")

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
        "measure": _measure,
        "stop-measuring": _stop_measuring,
        **dict.fromkeys(Servers.COMMANDS, _serve),
    }


@dataclasses.dataclass(frozen=True)
class _Shown:
    entry: Entry
    variant: Variant
    fit: Any


def _order(model: Message, shown: list[_Shown]) -> tuple[int, int, float, str]:
    """The package's own first, then what is here or on its way, then the suggestion, then what fits best."""
    is_here = model["state"] != "absent" or model["is_custom"] or model.get("is_built_in")
    first = 0 if model["is_bundled"] else 1 if is_here else 2 if model["is_recommended"] else 3
    points = next((score(each.entry) for each in shown if each.variant.id == model["id"]), 0.0)
    return first, ORDER[model["fits"]], -points, model["name"]
