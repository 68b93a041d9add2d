"""The model doctor: measures this machine with the model that is loaded, and tells how fast any other one would be on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from ..engine import Engine, EngineError
from ..storage import Storage
from .fit import GB, MOST_TOLD, Adapter, Candidate, recommend, score, size
from .speed import CpuForecast, Forecast, GpuForecast, Measured, Probe, Rates, Size
from .trial import SECONDS, Trial

Message = dict[str, Any]

STORED = "doctor"
RUNS_ON = {"webllm": "on the graphics card", "wllama": "on the processor"}
# The summary of a page of a thousand words, and what is still bearable.
PAGE_READ, PAGE_WRITTEN = 1500, 150  # tokens
LONGEST_PAGE, SLOWEST = 60.0, 5.0  # seconds; tokens a second, as fast as one reads

NO_MODEL: Message = {
    "title": "No model is running",
    "detail": "This computer is measured with the model that is in use. Choose one that runs, then measure again.",
}
BUSY: Message = {
    "title": "The model is answering",
    "detail": "What is measured now would be too slow. Measure again when the answer is there, in the other window, too.",
}
STOPPED: Message = {
    "title": "The measuring was stopped",
    "detail": "Your question came first. Measure again when it is answered.",
}
FAILED: Message = {"title": "It could not be measured", "detail": "Try again in a moment. What was measured before is kept."}


class Doctor:
    """Measures when it is told to; what it found last is stored, and the same for all windows."""

    def __init__(self, engine: Engine, storage: Storage, tell: Callable[[], object]) -> None:
        """`tell` is called when what is shown has changed."""
        self._engine = engine
        self._storage = storage
        self._tell = tell
        self._task: asyncio.Task[None] | None = None
        self._step: Message | None = None
        self._problem: Message | None = None
        self._found: Message = {}
        self._forecast: Forecast | None = None
        self._adapter: Adapter | None = None
        engine.on_turn = self._give_way

    async def load(self, adapter: Adapter | None) -> None:
        """Reads what was found last; of another graphics card it counts no more."""
        self._adapter = adapter
        self._take(_usable(await self._storage.get(STORED), adapter))

    # -- measuring

    async def examine(self, size_of: Callable[[Message], Size]) -> None:
        """Measures, unless it does already; `size_of` knows the size of a model of the engine's."""
        if self._task:
            return
        self._problem = self._obstacle()
        if self._problem:
            return
        self._task = asyncio.ensure_future(self._measure(size_of))
        try:
            await asyncio.wait([self._task])
            if not self._task.cancelled() and (error := self._task.exception()):
                self._problem = {**FAILED, "technical": str(error)}
        finally:
            self._task = self._step = None
        self._tell()

    def stop(self) -> None:
        """Ends a measuring; what was found before stays."""
        if self._task:
            self._task.cancel()

    def _give_way(self) -> None:
        if self._task:
            self._problem = STOPPED
            self.stop()

    def _obstacle(self) -> Message | None:
        state = self._engine.seen()["state"]
        return BUSY if state in ("generating", "waiting") else None if state in ("ready", "asleep", "loading") else NO_MODEL

    async def _measure(self, size_of: Callable[[Message], Size]) -> None:
        self._on("Waking the model", 0)
        await self._engine.count([f"It is {time.time()}"])  # what was counted before would wake nothing
        model, engine = self._engine.model, self._engine.state.get("engine")
        if model is None:
            raise EngineError("not-loaded", "the model is gone")
        trial = Trial(self._engine, int(model["context_window"]), self._on)
        probe = await self._probe() if self._adapter else None
        tried = {}
        if engine in RUNS_ON:
            tried = {engine: {model["id"]: {"name": model["name"], **_stored(size_of(model)), **await trial.run()}}}
            tried[engine][model["id"]]["load_seconds"] = self._engine.state.get("load_seconds")
        await self._keep({"probe": probe, "engine": engine, "model": model["id"], "at": int(time.time() * 1000)}, tried)

    async def _probe(self) -> Message:
        self._on("Measuring the graphics card", 0.05)
        answer = await self._engine.request({"type": "probe"})
        if answer["probe"] is None:
            raise EngineError("failed", f"the graphics card could not be measured: {answer['message']}")
        return answer["probe"]

    async def _keep(self, found: Message, tried: Message) -> None:
        card = self._adapter.description if self._adapter else ""

        def with_found(stored: Any) -> Message:
            before = _usable(stored, self._adapter).get("measured", {})
            measured = {engine: {**before.get(engine, {}), **tried.get(engine, {})} for engine in {**before, **tried}}
            return {**found, "card": card, "measured": measured}

        self._take(await self._storage.update(STORED, with_found, {}))

    def _on(self, text: str, progress: float) -> None:
        self._step = {"text": text, "progress": progress}
        self._tell()

    # -- what is known

    def _take(self, found: Message) -> None:
        self._found = found
        self._forecast = self._predict()

    def _predict(self) -> Forecast | None:
        """On what this machine runs models on; None while nothing was measured."""
        measured = self._found.get("measured", {})
        if probe := self._found.get("probe"):
            return GpuForecast(Probe.of(probe), _with_size(measured.get("webllm", {})))
        on_cpu = _with_size(measured.get("wllama", {}))
        return CpuForecast(on_cpu) if on_cpu and self._adapter is None else None

    def _measured_rates(self, model: str) -> Rates | None:
        """Of a model that was measured itself."""
        found = self._found.get("measured", {}).get("webllm" if self._found.get("probe") else "wllama", {}).get(model)
        return _measured(found).rates if found else None

    def _known(self, model: str, of: Size) -> tuple[Rates, bool] | None:
        """How fast a model is, and whether that was measured."""
        if measured := self._measured_rates(model):
            return measured, True
        return (self._forecast.rates(of), False) if self._forecast and of.parameters else None

    def speed(self, model: str, of: Size) -> Message:
        """For the model's row: what is known in words, empty if nothing is."""
        known = self._known(model, of)
        return {"speed": speed_words(*known), "page": page_words(known[0])} if known else {"speed": "", "page": ""}

    def suggest(self, candidates: list[Candidate]) -> tuple[tuple[str, str] | None, list[str]]:
        """What recommend() makes of the models that are quick enough, and advice in sentences; none before it has measured."""
        known = {each.variant.id: self._known(each.variant.id, each.entry.size) for each in candidates if each.is_able}
        slow = [(each, found[0]) for each in candidates if (found := known.get(each.variant.id)) and not is_quick(found[0])]
        quick = [each for each in candidates if all(each is not other for other, _ in slow)]
        suggested = recommend(quick)
        best = next((each for each in quick if suggested and each.variant.id == suggested[0]), None)
        if not self._found:
            return suggested, []
        return suggested, _advice(best, self.speed(best.variant.id, best.entry.size)["speed"] if best else "", slow)

    def shown(self, advice: list[str]) -> Message:
        """For the view: Doctor in sidepanel/types.js."""
        result = {"at": self._found["at"], "lines": self._lines(), "advice": advice} if self._found else None
        return {"running": self._step, "problem": self._problem, "result": result, "seconds": SECONDS}

    def _lines(self) -> list[Message]:
        engine, probe = self._found["engine"], self._found["probe"]
        tried = self._found["measured"].get(engine, {}).get(self._found["model"])
        lines = _lines_of_model(tried, RUNS_ON[engine]) if tried else []
        if probe:
            lines.append(("Graphics card", _card(Probe.of(probe))))
        if self._adapter:
            lines.append(("Its limits", _limits(self._adapter)))
        return [{"label": label, "text": text} for label, text in lines]


def _usable(stored: Any, adapter: Adapter | None) -> Message:
    if not isinstance(stored, dict) or "at" not in stored:
        return {}
    return stored if stored["card"] == (adapter.description if adapter else "") else {}


def _stored(of: Size) -> Message:
    return {"parameters": of.parameters, "layers": of.layers}


def _with_size(tried: Message) -> list[Measured]:
    return [_measured(each) for each in tried.values() if each["parameters"]]


def _measured(tried: Message) -> Measured:
    rates = Rates(tried["reading"][-1]["rate"], tried["writes"])
    return Measured(Size(tried["parameters"], tried["layers"]), rates)


# -- in words


def _lines_of_model(tried: Message, where: str) -> list[tuple[str, str]]:
    reading = "; ".join(f"{each['tokens']:,} tokens at {rounded(each['rate'])} a second" for each in tried["reading"])
    lines = [("Measured with", f"{tried['name']}, {where}"), ("Writes", f"{rounded(tried['writes'])} tokens a second")]
    lines.append(("Reads", reading))
    if tried["load_seconds"]:
        lines.append(("Loads in", f"{tried['load_seconds']:.1f} s"))
    return lines


def _card(probe: Probe) -> str:
    reads = f"reads weights at {size(probe.weight_bytes_per_second)}/s"
    computes = f"computes at {rounded(probe.flops / 1e9)} GFLOPS"
    return f"{reads}, {computes}, starts a kernel in {probe.kernel_seconds * 1e6:.0f} µs"


def _limits(adapter: Adapter) -> str:
    memory = f"{adapter.memory:g} GB of memory{' or more' if adapter.memory >= MOST_TOLD else ''}" if adapter.memory else ""
    shaders = "16-bit shaders" if adapter.f16 else "no 16-bit shaders"
    buffers = f"buffers of {min(adapter.max_buffer, adapter.max_storage_binding) / GB:.1f} GB"
    return " · ".join(each for each in (shaders, buffers, memory) if each)


def rounded(rate: float) -> str:
    """A rate as exact as it is: "0.04", "2.5", "12", "340"."""
    if rate < 0.95:
        return f"{rate:.1g}"
    if rate < 9.5:
        return f"{rate:.1f}".removesuffix(".0")
    return f"{round(rate, -1 if rate >= 99.5 else 0):,.0f}"


def speed_words(rates: Rates, is_measured: bool) -> str:
    """How fast a model writes."""
    rate = f"{rounded(rates.writes)} tokens a second"
    return f"{rate}, measured" if is_measured else f"about {rate}, predicted"


def page_seconds(rates: Rates) -> float:
    """For the summary of a page."""
    return PAGE_READ / rates.reads + PAGE_WRITTEN / rates.writes


def page_words(rates: Rates) -> str:
    """The same for people."""
    seconds = page_seconds(rates)
    if seconds < 1:
        return "less than a second"
    coarse = 1 if seconds < 20 else 5
    return f"about {round(seconds / coarse) * coarse} s" if seconds < 100 else f"about {round(seconds / 60):,} min"


def is_quick(rates: Rates) -> bool:
    """Whether one likes to wait for it."""
    return rates.writes >= SLOWEST and page_seconds(rates) <= LONGEST_PAGE


def _advice(best: Candidate | None, best_speed: str, slow: list[tuple[Candidate, Rates]]) -> list[str]:
    if best:
        lines = [f"Best for this computer: {best.entry.name}, {best_speed}."]
    else:
        lines = ["No model of the list is quick enough here: stay with the one that comes with Amplifier."]
    better = [each for each in slow if best is None or score(each[0].entry) > score(best.entry)]
    if better:
        other, rates = max(better, key=lambda each: score(each[0].entry))
        lines.append(f"{other.entry.name} would answer better, but take {page_words(rates)} for the summary of a page.")
    return lines
