"""Drives a real Chromium with the extension loaded: the page, the real side panel and the offscreen document are windows."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import websocket
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from .shown import Chrome

PANEL_PATH = "sidepanel/index.html"
OFFSCREEN_PATH = "background/offscreen.html"

ALWAYS = [
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]
# On Linux, in software where there is no graphics card; the second makes software 10 to 20 % faster.
WEBGPU = ["--enable-unsafe-webgpu", "--enable-dawn-features=disable_robustness"]

# As Selenium's own `text` gives them.
TEXTS = """
const read = (text) => text.replace(/\\u00a0/g, " ").replace(/ *\\n\\s*/g, "\\n").trim();
return [...document.querySelectorAll(arguments[0])].map((each) => (each.checkVisibility() ? read(each.innerText) : ""));
"""
ATTRIBUTES = "return [...document.querySelectorAll(arguments[0])].map((each) => each.getAttribute(arguments[1]) ?? '')"


def extension_id(folder: Path) -> str:
    """The id Chromium gives an unpacked extension: a hash of its path, written with the letters a to p."""
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:32]
    return "".join(chr(ord("a") + int(digit, 16)) for digit in digest)


class Browser:
    """A Chromium with one unpacked extension. Use as a context manager."""

    def __init__(
        self,
        extension: Path,
        browser: str,
        headless: bool = True,
        profile: Path | None = None,
        flags: tuple[str, ...] = (),
        size: tuple[int, int] = (1200, 820),
        webgpu: bool = True,
    ) -> None:
        self.id = extension_id(extension)
        self._own_profile = profile is None
        self._profile = profile or Path(tempfile.mkdtemp(prefix="amplifier-"))
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        own = [f"--load-extension={extension.resolve()}", f"--user-data-dir={self._profile}"]
        for flag in [*ALWAYS, *(WEBGPU if webgpu else []), *own, *flags]:
            options.add_argument(flag)
        options.add_argument(f"--window-size={size[0]},{size[1]}")
        if headless:
            options.add_argument("--headless=new")
        if _is_root():
            options.add_argument("--no-sandbox")
        # Side panels and offscreen documents become window handles like any page.
        options.add_experimental_option("windowTypes", ["background_page"])
        options.add_experimental_option("excludeSwitches", ["disable-extensions", "enable-automation"])
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(executable_path=shutil.which("chromedriver"))
        self.driver = Chrome(options=options, service=service)
        self.driver.set_script_timeout(120)
        self.page = self.driver.current_window_handle

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.quit()

    def quit(self) -> None:
        """Ends the browser and forgets its profile, if that was made here."""
        self.driver.quit()
        if self._own_profile:
            shutil.rmtree(self._profile, ignore_errors=True)

    # -- windows

    def url(self, path: str) -> str:
        """The address of a file of the extension."""
        return f"chrome-extension://{self.id}/{path}"

    def handles(self, path: str) -> list[str]:
        """Window handles that show a page of the extension, in order of opening."""
        found: list[str] = []
        current = self.driver.current_window_handle if self._has_current() else None
        for handle in self.driver.window_handles:
            self.driver.switch_to.window(handle)
            if self.driver.current_url.startswith(self.url(path)):
                found.append(handle)
        if current:
            self.driver.switch_to.window(current)
        return found

    def _has_current(self) -> bool:
        try:
            return self.driver.current_window_handle in self.driver.window_handles
        except Exception:
            return False

    def open(self, url: str) -> None:
        """Shows `url` in the page's tab."""
        self.driver.switch_to.window(self.page)
        self.driver.get(url)

    def press_toolbar(self, url_prefix: str | None = None) -> None:
        """Presses the extension's toolbar button on the tab that shows the page (or the one at `url_prefix`)."""
        wanted = url_prefix or self._url_of(self.page)
        targets = self.cdp("Target.getTargets", {"filter": [{"type": "tab"}]})["targetInfos"]
        target = next(t for t in targets if t["url"].startswith(wanted))
        self.cdp("Extensions.triggerAction", {"id": self.id, "targetId": target["targetId"]})

    def _url_of(self, handle: str) -> str:
        self.driver.switch_to.window(handle)
        return self.driver.current_url

    def open_panel(self, timeout: float = 30) -> str:
        """Presses the toolbar button, waits for the side panel and switches to it. Returns its handle."""
        before = self.handles(PANEL_PATH)
        if not before:
            return self.open_another_panel(timeout=timeout)
        self.press_toolbar()
        self.driver.switch_to.window(before[0])
        return before[0]

    def open_another_panel(self, url_prefix: str | None = None, timeout: float = 30) -> str:
        """Presses the toolbar button of a window that has no panel yet, by the address that its tab shows."""
        before = self.handles(PANEL_PATH)
        self.press_toolbar(url_prefix)
        opened = self.wait(lambda: set(self.handles(PANEL_PATH)) - set(before), timeout, "the side panel opens")
        handle = next(iter(opened))
        self.driver.switch_to.window(handle)
        return handle

    def cdp(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """One DevTools command on the browser itself, which Selenium's own execute_cdp_cmd does not reach."""
        address = self.driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
        with urllib.request.urlopen(f"http://{address}/json/version") as response:
            socket_url = json.load(response)["webSocketDebuggerUrl"]
        socket = websocket.create_connection(socket_url, suppress_origin=True, timeout=30)
        try:
            socket.send(json.dumps({"id": 1, "method": method, "params": params}))
            while True:
                reply = json.loads(socket.recv())
                if reply.get("id") == 1:
                    break
        finally:
            socket.close()
        if "error" in reply:
            raise RuntimeError(f"{method}: {reply['error']['message']}")
        return reply["result"]

    # -- what is in a window

    def find(self, testid: str) -> WebElement:
        """The element with a data-testid in the current window, which may just be drawn."""
        return self.driver.find_element(By.CSS_SELECTOR, f'[data-testid="{testid}"]')

    def find_all(self, testid: str, suffix: str = "") -> list[WebElement]:
        """All elements with a data-testid; `suffix` is more CSS."""
        return self.driver.find_elements(By.CSS_SELECTOR, f'[data-testid="{testid}"]{suffix}')

    def texts(self, testid: str, suffix: str = "") -> list[str]:
        """What is to be read in each of them, all at one moment."""
        return self.driver.execute_script(TEXTS, f'[data-testid="{testid}"]{suffix}')

    def attributes(self, name: str, testid: str, suffix: str = "") -> list[str]:
        """One attribute of each of them, all at one moment; "" where there is none."""
        return self.driver.execute_script(ATTRIBUTES, f'[data-testid="{testid}"]{suffix}', name)

    def wait(self, condition: Callable[[], Any], timeout: float = 30, what: str = "") -> Any:
        """Waits until `condition` is true and returns what it gave; elements that come and go meanwhile are looked up again."""

        def check(_driver: object) -> Any:
            try:
                return condition()
            except (NoSuchElementException, StaleElementReferenceException, IndexError):
                return False

        return WebDriverWait(self.driver, timeout, poll_frequency=0.1).until(check, f"waited {timeout} s until {what}")

    def wait_engine(self, state: str = "ready", timeout: float = 90) -> None:
        """Waits until the panel says that the engine is in `state`."""
        self.wait(lambda: self.find("engine-status").get_attribute("data-state") == state, timeout, f"the engine is {state}")


def _is_root() -> bool:
    import os

    return hasattr(os, "geteuid") and os.geteuid() == 0
