"""`build.py bench long`: one conversation of 200 turns in the real panel, with the tiny model, then some about a document.

What the engine reads each turn is what is new, however long the conversation is; where it no longer fits the model's context,
its beginning is left out, in steps, and what is left is read again. What is kept in memory, and how long the panel takes, does
not grow but for the words that are kept. An answer is the one that an engine gives that has read nothing before.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..drive import OFFSCREEN_PATH, PANEL_PATH
from ..paths import ROOT, TEST_EXTENSION
from ..run import serve
from .panel_chat import PanelChat
from .results import Plot, Result, Table, Target, keep
from .worker_memory import PageMemory

TURNS = 200
TOKENS = 16  # of an answer
TOOL_EVERY = 25
ABOUT_DOCUMENT = 4
SAMPLES = 5  # of memory
FRESH = 6  # answers that are compared with those of an engine that has read nothing
EDGE = 40  # turns at the beginning of a full context, and at the end, that are compared

SLACK = 8  # tokens at the edges of messages, which the tokenizer may join otherwise once the answer is known
MOST_AGAIN = (
    3.0  # tokens read for each that is new, beginnings left out and what remains read again: 0.6 of the room for every 0.4
)
LEAST_RATE = 0.9  # of the last turns beside the first with a full context; the tiny model's rate varies by 5 % at rest
MOST_WAIT = 1.25  # the same, of the time outside of the engine until the first token
PANEL_KB = 40  # that a turn may leave in the panel's page: two messages with their elements and listeners
PYTHON_KB = 40  # and in Python's memory, which grows in steps of 64 KB and never shrinks; its texts and its log of events

DOCUMENT = (
    "The harbour has two lighthouses. The northern one was built in 1871 by Ada Brandt. Its light is seen for 19 miles.\n\n" * 6
)
ASK_ENGINE = """
const [request, done] = arguments;
const port = chrome.runtime.connect({ name: 'engine' });
let text = '';
port.onMessage.addListener((message) => {
  if (message.id !== 'fresh') return;
  if (message.type === 'delta') text += message.text;
  if (message.type === 'done' || message.type === 'error') { port.disconnect(); done({ ...message, text }); }
});
port.postMessage({ type: 'complete', id: 'fresh', request });
"""


@dataclass
class Request:
    """What the engine was asked once; most turns have one."""

    turn: int
    kind: str  # plain, tool, document
    tokens: int  # of the prompt
    read: int  # of them, those that were not in the cache
    rate: float  # tokens a second of the answer
    asked: dict[str, Any]
    text: str
    new: int = 0  # tokens that the prompt before had not

    @property
    def again(self) -> int:
        """Tokens that were read though the prompt before had them."""
        return max(0, self.read - max(self.new, 0) - SLACK)


def main() -> int:
    """Prints tables; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--extension", type=Path, help="not used: the variant for tests has the tiny model")
    parser.add_argument("--variant", type=Path, default=TEST_EXTENSION)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--turns", type=int, default=TURNS)
    options = parser.parse_args()
    with PanelChat(options.variant, options.browser, TOKENS) as panel:
        panel.start(f"{serve(ROOT / 'tests' / 'pages')}/short-article.html")
        conversation = Conversation(panel)
        conversation.hold(options.turns)
        conversation.hold_about_document()
        differing = conversation.differing()
    return keep(judged(conversation, options.turns, differing), "python3 build.py bench long")


class Conversation:
    """What is measured in it, turn by turn."""

    def __init__(self, panel: PanelChat) -> None:
        self.panel = panel
        self.requests: list[Request] = []
        self.waits: list[float] = []  # milliseconds until the first token that are none of the engine's, of plain turns
        self.memory: list[dict[str, float]] = []

    def hold(self, turns: int) -> None:
        """Asks `turns` questions; every so often one that a tool answers."""
        for turn in range(turns):
            is_tool = turn % TOOL_EVERY == TOOL_EVERY - 1
            self._turn(
                turn, f"What is {turn} * 17?" if is_tool else f"Tell me of the number {turn}", "tool" if is_tool else "plain"
            )
            if turn % (turns // SAMPLES) == turns // SAMPLES - 1:
                self.memory.append({"turn": turn + 1, **self._measure()})

    def hold_about_document(self) -> None:
        """Attaches a file, and asks about it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "harbour.txt"
            path.write_text(DOCUMENT)
            self.panel.driver.find_element("css selector", "input[type=file][multiple]").send_keys(str(path))
            ready = '[data-testid=attachment][data-state="ready"]'
            self.panel.wait(lambda: self.panel.driver.find_elements("css selector", ready), 120, "the document is ready")
        for turn in range(ABOUT_DOCUMENT):
            self._turn(TURNS + turn, f"Who built the northern lighthouse in {1871 + turn}?", "document")

    def _turn(self, turn: int, question: str, kind: str) -> None:
        seen = self.panel.ask(question)
        taken = self.panel.taken()
        for each in taken:
            usage = each["usage"]
            tokens, read = usage["input_tokens"], usage["input_tokens"] - usage["cache_read_tokens"]
            rate = (usage["output_tokens"] - 1) / usage["decode_seconds"] if usage["decode_seconds"] else 0.0
            before = self.requests[-1].tokens if self.requests else 0
            self.requests.append(Request(turn, kind, tokens, read, rate, each["request"], each["text"], tokens - before))
        if kind == "plain":
            engine = taken[0]
            self.waits.append(seen["first"] - (engine["first"] - engine["posted"]))

    def _measure(self) -> dict[str, float]:
        """Megabytes."""
        with PageMemory(self.panel, PANEL_PATH) as page:
            (panel, _), python = page.used(), page.used("python-worker.js")
        with PageMemory(self.panel, OFFSCREEN_PATH) as page:
            engine = page.used("engines/webllm.js")
        return {"panel": panel / 1e6, "python": sum(python) / 1e6, "engine": sum(engine) / 1e6}

    def differing(self) -> int:
        """How many of some answers differ from those of an engine that has read nothing."""
        done = [each for each in self.requests if each.text]
        chosen = done[:: max(1, len(done) // FRESH)][1 : FRESH + 1]
        count = 0
        for each in chosen:
            self.panel.flush()
            fresh = self.panel.driver.execute_async_script(ASK_ENGINE, each.asked)
            count += fresh["text"] != each.text
        return count


def judged(talk: Conversation, turns: int, differing: int) -> Result:
    """Tables, targets and plots."""
    requests, waits = talk.requests, talk.waits
    dropped = [each for each in requests if each.kind != "document" and each.new < 0]
    going_on = [each for each in requests[1:] if each.kind != "document" and each.new >= 0]
    new = sum(max(each.new, 0) for each in going_on)
    full = [each for each in requests if each.kind == "plain" and each.turn >= (dropped[0].turn if dropped else 0)]
    first, last = full[:EDGE], full[-EDGE:]
    rate = middle(last, lambda each: each.rate) / middle(first, lambda each: each.rate)
    wait = statistics.median(waits[-EDGE:]) / statistics.median(waits[EDGE : 2 * EDGE] or waits)
    about = [each for each in requests if each.kind == "document"]
    rows: list[list[str | float]] = [
        ["plain turns", *of([each for each in going_on if each.kind == "plain"])],
        ["turns with a tool", *of([each for each in going_on if each.kind == "tool"])],
        ["beginnings left out", *of(dropped)],
        ["about a document", *of(about)],
    ]
    read = Table("Tokens that the engine reads", ["", "requests", "prompt", "new", "read", "most again"], rows)
    kept = Table(
        "Memory in MB",
        ["after turns", *list(talk.memory[0])[1:]],
        [[f"{m['turn']:.0f}", *list(m.values())[1:]] for m in talk.memory],
    )
    panel, python = growth(talk.memory, "panel"), growth(talk.memory, "python")
    targets = [
        Target("tokens read again in a turn that goes on, at most", max(each.again for each in going_on), 0),
        Target("tokens read for each new one, in all", sum(each.read for each in [*going_on, *dropped]) / new, MOST_AGAIN),
        Target("answers other than a fresh engine's", differing, 0),
        Target("rate of the last turns beside the first with a full context", rate, LEAST_RATE, at_most=False),
        Target("time outside the engine until the first token, last turns beside first", wait, MOST_WAIT),
        Target("the panel's memory a turn", panel, PANEL_KB, unit="KB"),
        Target("Python's memory a turn", python, PYTHON_KB, unit="KB"),
    ]
    plots = [
        Plot(
            "tokens",
            f"{turns} turns: tokens of the prompt, and those that are read",
            "request",
            "tokens",
            {
                "prompt": [(float(at), float(each.tokens)) for at, each in enumerate(requests)],
                "read": [(float(at), float(each.read)) for at, each in enumerate(requests)],
            },
        ),
        Plot(
            "memory",
            "Memory",
            "turns",
            "MB",
            {name: [(m["turn"], m[name]) for m in talk.memory] for name in ("panel", "python", "engine")},
        ),
    ]
    raw = {
        "requests": [[each.turn, each.kind, each.tokens, each.read, round(each.rate, 1)] for each in requests],
        "waits": [round(each, 1) for each in waits],
        "memory": talk.memory,
    }
    return Result("long", [read, kept], targets, plots, raw)


def of(requests: list[Request]) -> list[str | float]:
    """How many, and medians of them."""
    if not requests:
        return [0, "", "", "", ""]
    values = [middle(requests, what) for what in (lambda r: r.tokens, lambda r: r.new, lambda r: r.read)]
    return [len(requests), *values, max(each.again for each in requests)]


def middle(requests: list[Request], what: Callable[[Request], float]) -> float:
    """The median."""
    return statistics.median(what(each) for each in requests)


def growth(memory: list[dict[str, float]], name: str) -> float:
    """Kilobytes a turn, from the first sample to the last: by then all code has run."""
    turns = memory[-1]["turn"] - memory[0]["turn"]
    return (memory[-1][name] - memory[0][name]) * 1000 / turns if turns else 0.0


if __name__ == "__main__":
    sys.exit(main())
