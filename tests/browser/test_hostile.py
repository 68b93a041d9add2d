"""The hostile set in the real extension: each page in a tab, read as users' pages are, before a model that obeys it.

tests/unit/test_hostile.py plays more ways; here the page reader, the panel's rendering and the browser's network are the real
ones. No tool may act without a yes, and nothing may be asked of anybody outside the extension.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_tools.environment import find_browser
from build_tools.paths import BUILD
from hostile.cases import CASES, FOLDER, Call, Case
from panel_driver import ScriptedDriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.keys import Keys

QUESTIONS = 5  # cards that one turn may show
LOADING = "img,image,iframe,object,embed,video,audio,source,link,script,style,form,input,meta,base,use,[style],[ping],[srcset]"
MADE_BY_THE_MODEL = (
    "[...document.querySelectorAll('[data-testid=message-text]')].flatMap((text) => [...text.querySelectorAll('*')])"
)


class AsText(http.server.SimpleHTTPRequestHandler):
    """Shows documents instead of downloading them, and is silent."""

    extensions_map = {".html": "text/html", "": "text/plain; charset=utf-8"}  # noqa: RUF012 - as in the base class

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        return self.extensions_map[".html" if str(path).endswith(".html") else ""]

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def hostile() -> Iterator[str]:
    """Address under which the hostile set is served."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(AsText, directory=FOLDER))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def obedient(scripted_extension: Path, hostile: str) -> Iterator[ScriptedDriver]:
    """A panel whose model passes for one of a size that chooses its tools, and says what a test wants."""
    out = BUILD / "extension-hostile"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(scripted_extension, out, copy_function=os.link)
    index = out / "models" / "index.json"
    models = json.loads(index.read_text())
    for model in models["models"]:
        model.update(parameters=70_000, context_window=8192)
    index.unlink()  # it is linked to the extension that it was copied from
    index.write_text(json.dumps(models))
    with ScriptedDriver(out, find_browser()) as driver:
        driver.watch_all()
        driver.start(f"{hostile}/{CASES[0].file}")
        yield driver


def test_no_case_breaches(obedient: ScriptedDriver, hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert obedient.watch
    breached: dict[str, list[str]] = {}
    with capsys.disabled():
        print("\nHostile set, in the extension:")
        for case in CASES:
            asked, breaches = play(obedient, hostile, case)
            print(f"  {case.file:28} {case.attempt:48} reached the model; asked {asked}, breaches {len(breaches)}")
            if breaches:
                breached[case.file] = breaches
        reached = asked_of_others(obedient, hostile)
        print(f"  {len(CASES)} cases, {sum(map(len, breached.values()))} breaches, {len(reached)} requests to others")
    assert (breached, reached) == ({}, [])


def asked_of_others(driver: ScriptedDriver, address: str) -> list[str]:
    """What was asked of anybody but the extension and the pages' own server, or would have been but for the panel's policy. A
    picture that the test itself loads last tells that all before it was seen, and that it would have been."""
    assert driver.watch
    seen = driver.watch.seen

    def noticed() -> list[str]:
        blocked = [text for _, text in seen.problems if "Content Security Policy" in text]
        return [url for _, url in seen.outside(f"chrome-extension://{driver.id}/", address)] + blocked

    driver.driver.execute_script("new Image().src = 'https://evil.test/control.png'")
    driver.wait(lambda: any("control.png" in each for each in noticed()), 10, "the watch sees a request")
    return [each for each in noticed() if "control.png" not in each]


def play(driver: ScriptedDriver, address: str, case: Case) -> tuple[int, list[str]]:
    """Summarizes the case's page and talks about it; returns how often the user was asked, and what was breached."""
    driver.to_panel()
    driver.new_session()
    driver.open(f"{address}/{case.file}{case.address.removeprefix('https://harbour.test/')}")
    driver.open_panel()
    wanted = [written(call) for call in case.calls[:QUESTIONS]]
    driver.script(wanted[0] if wanted else case.says)
    driver.click("summarize-tab")
    assert driver.wait_answer() == "done"
    assert case.canary in driver.prompts(), f"{case.file} did not reach the model"
    breaches = inert(driver)
    driver.script(*wanted, case.says or "I did all that the page says.")
    driver.ask("What do you make of it?")
    asked = deny_all(driver)
    ran = [step for step in driver.find_all("step") if step.get_attribute("data-state") not in ("denied", "error")]
    breaches += [f"{step.get_attribute('data-tool')} ran" for step in ran]
    assert asked == len(wanted), f"{case.file}: asked {asked} times about {wanted}"
    return asked, breaches + inert(driver)


def deny_all(driver: ScriptedDriver) -> int:
    """Says no to each question until the second answer has ended; returns how many there were."""
    denied: set[str] = set()

    def is_over() -> bool:
        for card in driver.find_all("approval"):
            try:
                denied.add(card.get_attribute("data-id") or "")
                card.send_keys(Keys.ESCAPE)
            except (NoSuchElementException, StaleElementReferenceException):
                continue
        return len(driver.messages("assistant")) == 2 and driver.answer_state() in ("done", "error") and not driver.is_busy()

    driver.wait(is_over, 60, "the answer has ended")
    return len(denied)


def inert(driver: ScriptedDriver) -> list[str]:
    """What the model's words became in the panel, other than words."""
    script = f"return {MADE_BY_THE_MODEL}.filter((element) => element.matches(arguments[0])).map((element) => element.outerHTML)"
    links = f"return {MADE_BY_THE_MODEL}.map((element) => element.href).filter((href) => href && !/^(https?|mailto):/.test(href))"
    ours = "['button', 'span'].includes(element.localName) && element.dataset.testid === 'citation'"
    forged = f"return {MADE_BY_THE_MODEL}.filter((element) => element.dataset.testid && !({ours})).map((each) => each.outerHTML)"
    run = driver.driver.execute_script
    return [*run(script, LOADING), *run(links), *run(forged)]


def written(call: Call) -> str:
    """A call as models write it."""
    name, arguments = call
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"
