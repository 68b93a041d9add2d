"""`build.py run`: shows the extension in a browser, or does the main job headless and visibly."""

from __future__ import annotations

import argparse
import functools
import http.server
import os
import sys
import threading
import time
from pathlib import Path

from selenium.common.exceptions import TimeoutException, WebDriverException
from selenium.webdriver.common.keys import Keys

from .drive import Browser
from .paths import BUILD, ROOT
from .run_doctor import examine

PAGES = ROOT / "tests" / "pages"
SAMPLE = "sample-article.html"
MINUTES = 30  # a long page, section by section, on software WebGPU


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(folder: Path) -> str:
    """Serves a folder on this machine, for as long as this process runs; returns its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def main() -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--extension", type=Path, required=True)
    parser.add_argument("--browser", required=True)
    parser.add_argument("--url")
    parser.add_argument("--ask")
    parser.add_argument("--engine", choices=["gpu", "cpu"])
    parser.add_argument("--attach", action="append", default=[], type=Path, metavar="FILE")
    parser.add_argument("--approve", action="append", default=[], metavar="TOOL")
    parser.add_argument("--screenshot", type=Path, default=BUILD / "panel.png")
    parser.add_argument("--doctor", action="store_true")
    parser.add_argument("--headless", action="store_true")
    options = parser.parse_args()
    url = options.url or f"{serve(PAGES)}/{SAMPLE}"
    if options.headless or options.doctor or not _has_display():
        return headless(options, url)
    return show(options, url)


def _has_display() -> bool:
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show(options: argparse.Namespace, url: str) -> int:
    """Opens a browser window with the panel beside the page and stays until the window is closed."""
    with Browser(
        options.extension, options.browser, headless=False, profile=BUILD / "profile", webgpu=options.engine != "cpu"
    ) as browser:
        _insist(browser, options.engine)
        browser.open(url)
        browser.open_panel()
        if options.ask:
            _ask(browser, options.ask)
        print(f"Chromium is open with the panel beside {url}. Close its window to end this.", flush=True)
        while _is_open(browser):
            time.sleep(1)
    return 0


def _is_open(browser: Browser) -> bool:
    try:
        return browser.page in browser.driver.window_handles
    except WebDriverException:
        return False


def headless(options: argparse.Namespace, url: str) -> int:
    """Summarizes the page at `url`, or asks, in the real side panel; prints the answer as it streams."""
    with Browser(options.extension, options.browser, webgpu=options.engine != "cpu") as browser:
        _insist(browser, options.engine)
        print(f"Opening {url}", flush=True)
        browser.open(url)
        browser.open_panel()
        print("The side panel is open.", flush=True)
        if options.doctor:
            return examine(browser)
        _attach(browser, options.attach)
        if options.ask:
            _ask(browser, options.ask)
        else:
            browser.wait(lambda: browser.find("summarize-tab"), 30, "the button is there")
            browser.find("summarize-tab").click()
        state = _follow(browser, options.approve)
        options.screenshot.parent.mkdir(parents=True, exist_ok=True)
        browser.driver.save_screenshot(str(options.screenshot))
        print(f"\nThe panel's picture: {options.screenshot}")
        print(f"The engine: {' '.join(browser.find('engine-status').text.split())}")
        is_cited = state != "done" or (_print_pages(browser) if options.ask else _print_sources(browser))
        return _report(browser, state) or (0 if is_cited else 1)


def _insist(browser: Browser, engine: str | None) -> None:
    """Has the model run on the CPU, or on the graphics card, whatever else there is."""
    browser.open(browser.url("manifest.json"))  # it may use the extension's storage, and starts nothing
    browser.driver.execute_async_script(_INSIST, engine)


def _ask(browser: Browser, question: str) -> None:
    browser.wait(lambda: browser.find("composer"), 30, "the composer is there")
    browser.find("composer").send_keys(question, Keys.ENTER)


def _attach(browser: Browser, files: list[Path]) -> None:
    """Attaches files as the button does, and waits until they are ready to be searched."""
    for path in files:
        browser.wait(lambda: browser.find("attach"), 30, "the button is there")
        browser.driver.find_element("css selector", "input[type=file][multiple]").send_keys(str(path.resolve()))
    if not files:
        return
    states = "return [...document.querySelectorAll('[data-testid=attachment]')].map((each) => each.dataset.state)"
    settled = ("ready", "error")
    browser.wait(
        lambda: len(found := browser.driver.execute_script(states)) == len(files) and all(each in settled for each in found),
        MINUTES * 60,
        "the files are ready",
    )
    for chip in browser.find_all("attachment"):
        print(f"  Attached: {' '.join(chip.text.split())}", flush=True)


def _follow(browser: Browser, approved: list[str]) -> str:
    """Prints the answer while it grows, and its tool calls, which are allowed if `approved` names the tool; returns its state
    when it has ended."""
    shown, status, deadline = "", "", time.monotonic() + MINUTES * 60
    steps: dict[str, str] = {}
    while time.monotonic() < deadline:
        facts = browser.driver.execute_script(_READ)
        _print_steps(browser, facts["steps"], steps)
        if facts["approval"]:
            _decide(browser, facts["approval"], approved)
        if facts["status"] != status and not facts["text"]:
            status = facts["status"]
            print(f"  {status}", flush=True)
        if facts["text"].startswith(shown):
            print(facts["text"][len(shown) :], end="", flush=True)
        else:  # markdown drew the last line in another way
            same = next((i for i, (a, b) in enumerate(zip(shown, facts["text"], strict=False)) if a != b), 0)
            line = shown.rfind("\n", 0, same) + 1
            print(f"\n{facts['text'][line:]}", end="", flush=True)
        shown = facts["text"]
        if facts["state"] in ("done", "stopped", "error"):
            return facts["state"]
        if facts["broken"]:
            print(f"  {facts['broken']}", flush=True)
            return "error"
        time.sleep(0.2)
    raise TimeoutException(f"no answer after {MINUTES} minutes")


def _print_steps(browser: Browser, seen: list[dict[str, str]], printed: dict[str, str]) -> None:
    """Prints each tool call when its state changes, and what it gave."""
    for step in seen:
        if printed.get(step["id"]) == step["state"]:
            continue
        printed[step["id"]] = step["state"]
        print(f"  [{step['tool']}: {step['state']}] {step['text']}", flush=True)
        if step["state"] == "done":
            browser.find_all("step-toggle")[int(step["id"])].click()
            result = browser.wait(lambda: browser.find_all("step-output")[-1:], 10, "the tool's result is shown")[0].text
            print(f"  [{step['tool']}: result] {' '.join(result.split())}", flush=True)


def _decide(browser: Browser, approval: dict[str, str], approved: list[str]) -> None:
    """Answers the question of the panel as its user would, by a click."""
    is_approved = approval["tool"] in approved
    answer = "allowed once, by --approve" if is_approved else f"denied: no --approve {approval['tool']}"
    print(f"  {approval['text']}\n  -> {answer}", flush=True)
    browser.wait(lambda: _clicked(browser, "approve" if is_approved else "deny"), 10, "the question is answered")


def _clicked(browser: Browser, button: str) -> bool:
    """Clicks unless the question is gone; one that has just appeared takes no click yet."""
    if found := browser.find_all(button):
        found[0].click()
    return not browser.find_all("approval")


def _print_sources(browser: Browser) -> bool:
    """Prints how much of the page a summary covers, and the passages that it cites; returns whether all are in the page."""
    facts = browser.driver.execute_script(_SOURCES)
    print(f"Coverage: {facts['read']:,} of {facts['words']:,} words, {facts['read'] / max(1, facts['words']):.0%}")
    panel = browser.driver.current_window_handle
    browser.driver.switch_to.window(browser.page)
    page = squeezed(browser.driver.execute_script("return document.body.innerText"))
    browser.driver.switch_to.window(panel)
    found = [stands_in(title, page) for _, title in facts["citations"]]
    for (number, title), is_there in zip(facts["citations"], found, strict=True):
        print(f"  [{number}] {_FOUND[is_there]}: {title}")
    print(f"Sentences that no passage says: {facts['unsupported']}")
    return False not in found


_FOUND = {True: "found in the page", False: "NOT FOUND in the page", None: "not looked up, as no script sees its text"}


def stands_in(title: str, page: str) -> bool | None:
    """Whether a citation's passage stands in the page's text; None for one of a PDF or a recording, which names its place."""
    place, _, quote = title.partition("“")
    return None if place else squeezed(quote)[:-1] in page


def _print_pages(browser: Browser) -> bool:
    """Prints the passages of documents that an answer cites, if it cites any."""
    for number, title in browser.driver.execute_script(_SOURCES)["citations"]:
        print(f"  [{number}] {title}")
    return True


def squeezed(text: str) -> str:
    """The text without its spaces and line breaks."""
    return "".join(text.split())


_INSIST = """
const [place, done] = arguments;
chrome.storage.local.get('preferences').then(({preferences}) =>
  chrome.storage.local.set({preferences: {...preferences, run_on: place ?? 'auto'}})).then(() => done());
"""


_SOURCES = """
const answer = [...document.querySelectorAll('[data-testid=message][data-role=assistant]')].at(-1);
const coverage = answer.querySelector('[data-testid=coverage]');
const citations = [...answer.querySelectorAll('[data-testid=message-text] button.citation')];
return {
  read: coverage?.value ?? 0, words: coverage?.max ?? 0,
  citations: [...new Map(citations.map((mark) => [mark.textContent, mark.title]))],
  unsupported: answer.querySelectorAll('[data-testid=message-text] span.citation').length,
};
"""


_READ = """
const answer = [...document.querySelectorAll('[data-testid=message][data-role=assistant]')].at(-1);
const text = answer?.querySelector('[data-testid=message-text]')?.innerText ?? '';
const progress = document.querySelector('[data-testid=progress]')?.innerText ?? '';
const engine = document.querySelector('[data-testid=engine-status]');
const broken = engine?.dataset.state === 'unavailable' || document.body.dataset.python === 'failed';
const words = (element) => (element?.innerText ?? '').replace(/\\s+/g, ' ').trim();
const approval = document.querySelector('[data-testid=approval]');
return {
  steps: [...(answer?.querySelectorAll('[data-testid=step]') ?? [])].map((step, at) => ({
    id: String(at), tool: step.dataset.tool, state: step.dataset.state, text: words(step) })),
  approval: approval && { tool: approval.dataset.tool, text: words(approval) },
  text, state: answer?.dataset.state ?? '',
  status: (progress || engine?.innerText || '').replace(/\\s+/g, ' ').trim(),
  broken: broken && (document.querySelector('[data-testid=error]')?.innerText ?? 'the engine is not available'),
};
"""


def _report(browser: Browser, state: str) -> int:
    if state == "done":
        return 0
    errors = [element.text for element in browser.find_all("error")]
    print(f"The answer ended as {state}. {' '.join(errors)}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
