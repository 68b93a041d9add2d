"""`build.py bench startup`: from the panel's opening to what one can do, beside a bare loadPyodide in the same browser.

In the real side panel, milliseconds since its page began. A first start has a profile that never saw the extension; later ones
reload the panel. The bare one is Pyodide as its npm package has it, in a module Worker of a page of the same extension. Runs of
the two take turns. The composer is usable in the first frame that has any content, since it is drawn with it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..drive import PANEL_PATH, Browser
from ..paths import TEST_EXTENSION
from .beside import with_bare_pages
from .plots import Plot
from .results import Result, Table, Target, keep

COMMAND = "python3 build.py bench startup"
PROFILES = 5
RUNS = 7
STARTER_RUNS = 2
READY_SHARE_FIRST = 0.6
READY_SHARE_LATER = 0.2
COMPOSER_MS = 100
LONGEST_MS = 50
LONG_TASK_MS = 50  # what the browser tells of; shorter ones count as this at most
KEPT_PATIENCE = 60  # seconds until what makes later starts faster is on the disk

# Entries of the browser's own timeline, which it keeps from before anyone asked.
READ = """
const done = arguments[0];
const entries = (type) => new Promise((resolve) => {
  const seen = [];
  const take = (list) => seen.push(...list.map(({startTime, duration}) => ({startTime, duration})));
  const observer = new PerformanceObserver((list) => take(list.getEntries()));
  observer.observe({type, buffered: true});
  setTimeout(() => { take(observer.takeRecords()); observer.disconnect(); resolve(seen); }, 50);
});
const look = async () => {
  const [ready] = performance.getEntriesByName('python-ready');
  if (!ready || document.body.dataset.python !== 'ready') return setTimeout(look, 20);
  const composer = document.querySelector('[data-testid=composer]');
  const [painted] = (await entries('paint')).slice(-1);
  const tasks = (await entries('longtask')).filter(({startTime}) => startTime < ready.startTime);
  done({
    composer: composer && !composer.disabled ? painted.startTime : null,
    ready: ready.startTime,
    tier: ready.detail,
    longest: Math.max(0, ...tasks.map(({duration}) => duration)),
  });
};
look();
"""
BARE = "measured.then(arguments[0])"
KEPT = "return performance.getEntriesByName('python-kept').length"

# Asks as soon as the composer is there, as a quick user would, and notes when the first word of the answer is drawn.
ASK_AT_ONCE = """
if (sessionStorage.benchAsk) addEventListener('DOMContentLoaded', () => {
  delete sessionStorage.benchAsk;
  const find = (name) => document.querySelector(`[data-testid=${name}]`);
  let asked = false;
  const seen = new MutationObserver(() => {
    const composer = find('composer');
    if (composer && !asked) {
      asked = true;
      setTimeout(() => {
        composer.value = 'Say something.';
        composer.dispatchEvent(new InputEvent('input', {bubbles: true}));
        composer.form.requestSubmit();
      });
    }
    const text = document.querySelector('[data-role=assistant] [data-testid=message-text]');
    if (!text?.textContent.trim()) return;
    seen.disconnect();
    requestAnimationFrame(() => { globalThis.firstToken = performance.now(); });
  });
  seen.observe(document.body, {subtree: true, childList: true, characterData: true});
});
"""
TOKEN = "const d = arguments[0]; const t = setInterval(() => globalThis.firstToken && (clearInterval(t), d(firstToken)), 20)"
IS_IDLE = "return document.body.dataset.busy === 'false'"
FIRST, LATER, KEPT_ONE = "first start", "later start", "later start, with a conversation"


@dataclass
class Times:
    """Milliseconds of each run, by what was started and what was waited for."""

    of: dict[str, dict[str, list[float]]] = field(default_factory=dict[str, dict[str, list[float]]])
    tiers: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def add(self, start: str, measured: dict[str, Any]) -> None:
        """Takes one run."""
        for name, value in measured.items():
            if name == "tier":
                self.tiers.setdefault(start, []).append(str(value))
            elif value is not None:
                self.of.setdefault(start, {}).setdefault(name, []).append(float(value))

    def median(self, start: str, name: str) -> float:
        """NaN if there was no run."""
        values = self.of.get(start, {}).get(name)
        return statistics.median(values) if values else float("nan")

    def shown(self, start: str, name: str) -> str:
        """Median, lowest and highest."""
        values = self.of.get(start, {}).get(name)
        return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})" if values else ""


def main() -> int:
    """Prints a table, keeps the numbers; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--extension", type=Path, required=True)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--tiny", type=Path, default=TEST_EXTENSION, help="the extension with the tiny model")
    parser.add_argument("--quick", action="store_true", help="one run of each, to see that it works")
    options = parser.parse_args()
    extension = with_bare_pages(options.tiny, "startup")
    times = Times()
    for profile in range(1 if options.quick else PROFILES):
        _first(extension, options.browser, times, is_bare_first=profile % 2 == 1)
    _later(extension, options.browser, times, 1 if options.quick else RUNS)
    _starter(options.extension, options.browser, times, 1 if options.quick else STARTER_RUNS)
    return keep(_result(times), COMMAND + (", with --quick: one run of each" if options.quick else ""))


def _first(extension: Path, browser_path: str, times: Times, is_bare_first: bool) -> None:
    with Browser(extension, browser_path) as browser:
        browser.open("about:blank")
        if is_bare_first:
            _bare(browser, times, FIRST)
        browser.open("about:blank")
        browser.open_panel()
        times.add(FIRST, browser.driver.execute_async_script(READ))
        if not is_bare_first:
            _wait_kept(browser)
            _bare(browser, times, FIRST)


def _later(extension: Path, browser_path: str, times: Times, runs: int) -> None:
    with Browser(extension, browser_path) as browser:
        browser.open("about:blank")
        panel = browser.open_panel()
        browser.driver.execute_async_script(READ)
        _wait_kept(browser)
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ASK_AT_ONCE})
        browser.wait_engine()
        for _ in range(runs):
            _reload(browser, panel)
            times.add(LATER, browser.driver.execute_async_script(READ))
            times.add(LATER, {"token": _ask_at_once(browser, panel)})
            _reload(browser, panel)
            times.add(KEPT_ONE, browser.driver.execute_async_script(READ))
            _bare(browser, times, LATER)
            _forget_conversation(browser, panel)


def _starter(extension: Path, browser_path: str, times: Times, runs: int) -> None:
    """The model that ships: its first word after a reload of the panel, the model being in memory."""
    with Browser(extension, browser_path) as browser:
        browser.open("about:blank")
        panel = browser.open_panel()
        browser.driver.execute_async_script(READ)
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ASK_AT_ONCE})
        browser.wait_engine(timeout=180)
        for _ in range(runs):
            times.add("starter", {"token": _ask_at_once(browser, panel)})
            _forget_conversation(browser, panel)


def _reload(browser: Browser, panel: str) -> None:
    browser.driver.switch_to.window(panel)
    browser.driver.refresh()


def _ask_at_once(browser: Browser, panel: str) -> float:
    browser.driver.switch_to.window(panel)
    browser.driver.execute_script("sessionStorage.benchAsk = '1'")
    _reload(browser, panel)
    token = browser.driver.execute_async_script(TOKEN)
    if browser.find_all("stop"):
        browser.find("stop").click()
    browser.wait(lambda: browser.driver.execute_script(IS_IDLE), 60, "the answer has ended")
    return token


def _forget_conversation(browser: Browser, panel: str) -> None:
    browser.driver.switch_to.window(panel)
    browser.wait(lambda: browser.find("new-session"), 10, "a new conversation can be begun")
    browser.find("new-session").click()
    browser.wait(lambda: not browser.find_all("message"), 10, "the conversation is empty")


def _bare(browser: Browser, times: Times, start: str) -> None:
    browser.open(browser.url("bench/pyodide.html"))
    times.add(start, {"bare": browser.driver.execute_async_script(BARE)["ready"]})
    browser.open("about:blank")


def _wait_kept(browser: Browser) -> None:
    """Until what later starts begin from is on the disk."""
    browser.driver.switch_to.window(browser.handles(PANEL_PATH)[0])
    deadline = time.monotonic() + KEPT_PATIENCE
    while not browser.driver.execute_script(KEPT):
        if time.monotonic() > deadline:
            print(f"nothing was kept for later starts in {KEPT_PATIENCE} s", flush=True)
            return
        time.sleep(0.2)


def _result(times: Times) -> Result:
    columns = ["start", "composer", "Python ready", "first word", "longest task", "bare loadPyodide", "share", "started from"]
    rows: list[list[str | float]] = []
    for start, compared in ((FIRST, FIRST), (LATER, LATER), (KEPT_ONE, LATER)):
        share = times.median(start, "ready") / times.median(compared, "bare")
        tiers = ", ".join(sorted(set(times.tiers.get(start, []))))
        shown = [times.shown(start, name) for name in ("composer", "ready", "token")]
        longest = times.of.get(start, {}).get("longest", [0.0])
        rows.append([start, *shown, _at_most(max(longest)), times.shown(compared, "bare"), f"{share:.2f}", tiers])
    rows.append(["later start, the starter model", "", "", times.shown("starter", "token"), "", "", "", ""])
    longest = max(max(times.of[start]["longest"]) for start in (FIRST, LATER, KEPT_ONE))
    ready_shares = {start: times.median(start, "ready") / times.median(start, "bare") for start in (FIRST, LATER)}
    targets = [
        Target("session ready, of a bare loadPyodide, first start", ready_shares[FIRST], READY_SHARE_FIRST),
        Target("session ready, of a bare loadPyodide, later starts", ready_shares[LATER], READY_SHARE_LATER),
        Target("composer usable, first start", times.median(FIRST, "composer"), COMPOSER_MS, unit="ms"),
        Target("composer usable, later starts", times.median(LATER, "composer"), COMPOSER_MS, unit="ms"),
        Target("longest task of the panel while it starts", longest, LONGEST_MS, unit="ms"),
    ]
    labels = [FIRST, LATER, KEPT_ONE]
    places = list(enumerate(labels))
    bare = [times.median(start if start != KEPT_ONE else LATER, "bare") for start in labels]
    series = {
        "Python session ready": [(float(at), times.median(start, "ready")) for at, start in places],
        "bare loadPyodide": [(float(at), value) for at, value in enumerate(bare)],
    }
    plot = Plot("ready", "From the panel's opening to a ready session", "", "milliseconds", series, "bar", labels)
    title = "Start of the panel, milliseconds: median (lowest to highest); longest task: the worst of all runs"
    raw = {"times": times.of, "tiers": times.tiers}
    return Result("startup", [Table(title, columns, rows)], targets, [plot], raw)


def _at_most(longest: float) -> str:
    return f"{longest:.0f}" if longest else f"under {LONG_TASK_MS}"


if __name__ == "__main__":
    sys.exit(main())
