"""Reads pages in a real Chromium, with our reader and with Readability alone, each in an isolated world as an extension does."""
# pyright: reportMissingImports=false

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from ...paths import NODE_MODULES, ROOT
from .pages import Made
from .texts import FOLDER

OURS, ALONE = ROOT / "sidepanel" / "extract.js", Path(__file__).with_name("readability_alone.js")
# Sites know each other by the first word of *.localhost, which a browser looks for on this machine; there is nothing else.
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900", "--no-first-run"),
    *("--disable-background-networking", "--lang=en", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost"),
)
LONGEST = 30  # seconds until a page is there
# Whether the page has not changed since it was asked three times before, by what it holds and by what can be seen of it.
SETTLED = """
const faint = [...document.querySelectorAll("*")].filter((element) => getComputedStyle(element).opacity !== "1").length;
const now = [document.readyState, document.body.innerText.length, document.querySelectorAll("*").length, faint].join();
window.benchSeen = [now, ...(window.benchSeen ?? [])].slice(0, 4);
return document.readyState === "complete" && window.benchSeen.length === 4 && window.benchSeen.every((seen) => seen === now);
"""


class Reader:
    """A browser that opens pages and runs both readers on them."""

    def __init__(self, driver: webdriver.Chrome, port: int) -> None:
        self._driver, self._port = driver, port
        self._scripts = [_bundle(OURS), _bundle(ALONE)]

    def read(self, made: Made) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """What our reader returns, and what Readability does: None where it finds no article. Raises if no page comes."""
        self._driver.get(f"http://{made.page.name}.localhost:{self._port}/{made.address}")
        wait = WebDriverWait(self._driver, LONGEST, poll_frequency=0.2)
        wait.until(lambda driver: driver.find_elements(By.CSS_SELECTOR, made.page.ready), f"{made.page.name} is not ready")
        wait.until(lambda driver: driver.execute_script(SETTLED), f"{made.page.name} goes on changing")
        ours, alone = (self._run(script) for script in self._scripts)
        return ours, alone

    def _run(self, script: str) -> Any:
        frame = self._driver.execute_cdp_cmd("Page.getFrameTree", {})["frameTree"]["frame"]["id"]
        world = self._driver.execute_cdp_cmd("Page.createIsolatedWorld", {"frameId": frame, "worldName": "reader"})
        given = {"expression": script, "contextId": world["executionContextId"], "returnByValue": True, "awaitPromise": True}
        answer = self._driver.execute_cdp_cmd("Runtime.evaluate", given)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")


@contextmanager
def reader(browser: str, made: list[Made]) -> Generator[Reader]:
    """A browser, and a server of all sites."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler({each.page.name: each.site for each in made}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(executable_path=shutil.which("chromedriver")))
    try:
        yield Reader(driver, server.server_port)
    finally:
        driver.quit()
        server.shutdown()
        server.server_close()


def _handler(sites: dict[str, Path]) -> type[http.server.SimpleHTTPRequestHandler]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".xhtml": "application/xhtml+xml"}  # noqa: RUF012

        def translate_path(self, path: str) -> str:
            name = (self.headers.get("Host") or "").split(".")[0]
            self.directory = str(sites.get(name, FOLDER / "nothing"))
            return super().translate_path(path)

        def guess_type(self, path: Any) -> str:
            kind = super().guess_type(path)
            return f"{kind}; charset=utf-8" if kind == "text/html" else kind

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _bundle(source: Path) -> str:
    """The reader as one script whose value is the answer, as the extension injects it."""
    out = FOLDER / "readers" / source.name
    esbuild = NODE_MODULES / ".bin" / "esbuild"
    names = ["--global-name=amplifierPage", "--footer:js=amplifierPage.read();"]
    command = [str(esbuild), str(source), "--bundle", "--format=iife", *names, f"--outfile={out}", "--log-level=error"]
    subprocess.run(command, check=True, cwd=ROOT)
    return out.read_text(encoding="utf-8")
