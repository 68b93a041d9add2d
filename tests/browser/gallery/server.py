"""The gallery as a web page: bundle it, serve it, open it in Chromium."""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from build_tools.shown import Chrome
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
OUT = ROOT / "build" / f"gallery{os.environ.get('PYTEST_XDIST_WORKER', '')}"  # another process may build its own just now


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def build() -> None:
    """Bundle the gallery and copy its page and styles into OUT."""
    OUT.mkdir(parents=True, exist_ok=True)
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    entry = HERE / "gallery.js"
    options = ["--bundle", "--format=esm", f"--outdir={OUT}", "--log-level=warning"]
    subprocess.run([esbuild, entry, *options], check=True, cwd=ROOT)
    shutil.copy(HERE / "gallery.html", OUT)
    shutil.copy(ROOT / "sidepanel" / "styles.css", OUT)
    shutil.copy(ROOT / "icons" / "icon.svg", OUT)


@contextmanager
def serve() -> Iterator[str]:
    """Serve OUT on a free port of this machine; yields the address without a final slash."""
    handler = functools.partial(_Quiet, directory=str(OUT))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def open_chromium(width: int = 360, height: int = 720) -> Iterator[webdriver.Chrome]:
    """A headless Chromium whose page has exactly this size, in CSS pixels."""
    options = webdriver.ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars=false"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    if chromium := shutil.which("chromium"):
        options.binary_location = chromium
    driver = shutil.which("chromedriver")
    browser = Chrome(options=options, service=Service(driver) if driver else None)
    try:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        yield browser
    finally:
        browser.quit()
