"""`build.py run --doctor`: has the model doctor measure this machine in the real panel, and prints what it says."""

from __future__ import annotations

import sys
import time
from typing import Any

from .drive import Browser

MOST = 90  # seconds that the measuring may take before something is wrong with it

READ = """
const words = (element) => (element?.innerText ?? '').replace(/\\s+/g, ' ').trim();
const all = (name) => [...document.querySelectorAll(`[data-testid=${name}]`)].map(words);
const doctor = document.querySelector('[data-testid=doctor]');
return {
  state: doctor?.dataset.state, progress: words(document.querySelector('[data-testid=doctor-progress]')),
  lines: all('doctor-line'), advice: all('doctor-advice'),
  problem: words(doctor?.querySelector('[data-testid=error]')),
};
"""
READ_MODELS = """
const fact = (row, name) => [...row.querySelectorAll('.model-facts > div')].find((each) =>
  each.querySelector('dt').textContent === name)?.querySelector('dd').textContent ?? '';
return [...document.querySelectorAll('[data-testid=model]')].map((row) => [row.querySelector('.item-title').textContent,
  row.dataset.fits, fact(row, 'Writes'), fact(row, 'Summary of a page')]);
"""


def examine(browser: Browser) -> int:
    """Measures, and prints the result, the advice, and what is known of each model; returns the exit status. In the panel."""
    browser.wait_engine("ready", 300)
    browser.wait(lambda: browser.find("settings"), 30, "the settings' button is there")
    browser.find("settings").click()
    for control in ("settings-models", "doctor-start"):
        browser.wait(lambda control=control: browser.find(control).is_displayed(), 30, f"{control} is there")
        browser.find(control).click()
    began = time.monotonic()
    shown = _follow(browser)
    print(f"  Measured in {time.monotonic() - began:.0f} s", flush=True)
    for line in [*shown["lines"], *shown["advice"]]:
        print(f"  {line}")
    if shown["problem"] or not shown["lines"]:
        print(shown["problem"] or "There is no result.", file=sys.stderr)
        return 1
    _print_models(browser)
    return 0


def _follow(browser: Browser) -> dict[str, Any]:
    progress = ""
    browser.wait(lambda: browser.driver.execute_script(READ)["state"] == "running", 10, "it measures")
    deadline = time.monotonic() + MOST
    while (shown := browser.driver.execute_script(READ))["state"] == "running" and time.monotonic() < deadline:
        if shown["progress"] != progress:
            progress = shown["progress"]
            print(f"  {progress}", flush=True)
        time.sleep(0.1)
    return shown


def _print_models(browser: Browser) -> None:
    browser.find("model-filter").find_elements("css selector", "option")[-1].click()
    for button in browser.find_all("models-all"):
        button.click()
    for name, fits, speed, page in browser.driver.execute_script(READ_MODELS):
        print(f"  {name:36} {fits:8} {speed:42} {page and 'page: ' + page}")
