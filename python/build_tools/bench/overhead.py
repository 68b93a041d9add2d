"""`build.py bench overhead`: what our whole chain costs beside WebLLM alone, with the same model, prompt and browser.

The chain: the panel, Python's session with its hooks, the port, the offscreen document, the engine's Worker, and back until the
text is drawn. Beside it a plain page with WebLLM in WebLLM's own Worker, or in the page. In turns, the first of a pair changing;
what is compared is within a pair, since a machine that does other things is slow for minutes at a time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..paths import TEST_EXTENSION
from .panel_chat import PanelChat
from .raw_web_llm import RawWebLLM, serve_page
from .results import Plot, Result, Table, Target, keep

QUESTION = "Tell me the story of an owl that lives in an old harbour."
TOKENS = 48
PAIRS = {"tiny": 16, "starter": 6}
IN_PAGE = {"tiny": 6, "starter": 2}
NAMES = {"tiny": "tiny model", "starter": "starter model"}
OURS, WORKER, PAGE = "Amplifier", "WebLLM in its Worker", "WebLLM in the page"

LEAST_RATE = 0.98  # of WebLLM's in its Worker
MOST_ADDED = 15  # milliseconds until the first token
MOST_BLOCKING = 50  # milliseconds, of a task of the panel's page


@dataclass
class Run:
    """One answer. Milliseconds, from the click or the call on."""

    tokens: int
    first: float  # text was drawn
    last: float
    to_engine: float  # until the prompt was with the engine
    in_engine: float  # from there until the engine's first text came
    to_screen: float  # from there until it was drawn
    long: float
    read: int  # tokens of the prompt that were not in the cache
    text: str = field(repr=False)

    @property
    def rate(self) -> float:
        """Tokens a second as they are seen."""
        return (self.tokens - 1) / (self.last - self.first) * 1000

    @property
    def outside(self) -> float:
        """Milliseconds until the first token that are none of the engine's."""
        return self.to_engine + self.to_screen


def main() -> int:
    """Prints tables; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--extension", type=Path, help="not used: the variant for tests has the tiny model as well")
    parser.add_argument("--variant", type=Path, default=TEST_EXTENSION)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--models", nargs="+", choices=list(PAIRS), default=list(PAIRS))
    options = parser.parse_args()
    url = serve_page(options.variant)
    with PanelChat(options.variant, options.browser, TOKENS) as panel:
        panel.start(url)
        measured = {model: measure(panel, model) for model in options.models}
    return keep(judged(measured), "python3 build.py bench overhead")


def measure(panel: PanelChat, model: str) -> dict[str, list[Run]]:
    """The runs of each kind, in pairs of the same place."""
    raw = RawWebLLM(panel)
    panel.to_panel()
    panel.choose_model(model)
    ask_panel(panel)  # the first answer compiles shaders and regular expressions
    request = panel.taken()[-1]["request"]
    runs: dict[str, list[Run]] = {OURS: [], WORKER: [], PAGE: []}
    for kind, pairs in ((WORKER, PAIRS[model]), (PAGE, IN_PAGE[model])):
        raw.load(model, in_worker=kind == WORKER)
        raw.ask(request)
        for pair in range(pairs):
            asks = [lambda: ours(panel), lambda: alone(raw, request)]
            first = pair % 2
            done = {first: asks[first](), 1 - first: asks[1 - first]()}
            if done[0].read != done[1].read:
                raise RuntimeError(f"not the same prompt: {done}")
            runs[kind].append(done[1])
            if kind == WORKER:
                runs[OURS].append(done[0])
    return runs


def ask_panel(panel: PanelChat) -> dict[str, Any]:
    """Asks in a new conversation, of which the engine knows nothing."""
    panel.to_panel()
    panel.new_session()
    panel.flush()
    panel.taken()
    answer = panel.ask(QUESTION)
    if answer["state"] != "done":
        raise RuntimeError(f"the answer ended as {answer['state']}")
    return answer


def ours(panel: PanelChat) -> Run:
    """One answer in the panel."""
    seen = ask_panel(panel)
    engine = panel.taken()[-1]
    usage = engine["usage"]
    return Run(
        tokens=usage["output_tokens"],
        first=seen["first"],
        last=seen["last"],
        to_engine=engine["posted"] - seen["began"],
        in_engine=engine["first"] - engine["posted"],
        to_screen=seen["began"] + seen["first"] - engine["first"],
        long=seen["long"],
        read=usage["input_tokens"],
        text=engine["text"],
    )


def alone(raw: RawWebLLM, request: dict[str, Any]) -> Run:
    """One answer of WebLLM in the plain page."""
    seen = raw.ask(request)
    return Run(
        tokens=seen["tokens"],
        first=seen["first"],
        last=seen["last"],
        to_engine=0,
        in_engine=seen["arrived"],
        to_screen=seen["first"] - seen["arrived"],
        long=seen["long"],
        read=seen["read"],
        text=seen["text"],
    )


def judged(measured: dict[str, dict[str, list[Run]]]) -> Result:
    """Tables, targets and a plot."""
    tables = [
        Table("As the user sees it, medians (lowest to highest)", ["", "tokens/s", "first token ms", "longest task ms"], [])
    ]
    stages = Table(
        "Until the first token is drawn, medians in ms", ["", "to the engine", "in the engine", "to the screen", "in all"], []
    )
    targets: list[Target] = []
    for model, runs in measured.items():
        name = NAMES[model]
        for kind, of_kind in runs.items():
            tables[0].rows.append([f"{name}: {kind}", *(spread(of_kind, what) for what in ("rate", "first", "long"))])
            stages.rows.append([f"{name}: {kind}", *(middle(of_kind, what) for what in STAGES)])
        targets += judge(name, runs)
    labels = [name for name in NAMES.values() if any(name == NAMES[model] for model in measured)]
    bars = {
        kind: [(float(at), middle(runs[kind], "outside")) for at, runs in enumerate(measured.values())]
        for kind in (OURS, WORKER, PAGE)
    }
    plot = Plot("first-token", "Until the first token, outside of the engine", "", "milliseconds", bars, "bar", labels)
    raw = {model: {kind: [vars(run) for run in of_kind] for kind, of_kind in runs.items()} for model, runs in measured.items()}
    return Result("overhead", [*tables, stages], targets, [plot], raw)


STAGES = ("to_engine", "in_engine", "to_screen", "first")


def judge(name: str, runs: dict[str, list[Run]]) -> list[Target]:
    """What is wanted of one model's runs. The engine's own time until the first token differs from run to run by more than all
    that is measured here, so that what we add is what is none of the engine's, beyond what a plain page has of that."""
    pairs = list(zip(runs[OURS], runs[WORKER], strict=True))
    rate = statistics.median(mine.rate / other.rate for mine, other in pairs)
    added = statistics.median(mine.outside - other.outside for mine, other in pairs)
    engine = statistics.median(mine.in_engine / other.in_engine for mine, other in pairs)
    blocking = max(run.long for run in runs[OURS])
    other = sum((mine.text, mine.tokens) != (other.text, other.tokens) for mine, other in pairs)
    return [
        Target(f"{name}: answers other than those of WebLLM alone", other, 0),
        Target(f"{name}: rate beside WebLLM alone", rate, LEAST_RATE, at_most=False),
        Target(f"{name}: added to the first token", added, MOST_ADDED, unit="ms"),
        Target(f"{name}: the engine's time to the first token beside WebLLM alone", engine, 1.1),
        Target(f"{name}: longest task of the panel while it streams", blocking, MOST_BLOCKING, unit="ms"),
    ]


def middle(runs: list[Run], what: str) -> float:
    """The median."""
    return statistics.median(getattr(run, what) for run in runs)


def spread(runs: list[Run], what: str) -> str:
    """The median, lowest and highest."""
    values = [getattr(run, what) for run in runs]
    digits = 1 if what == "rate" else 0
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    sys.exit(main())
