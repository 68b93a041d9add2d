"""A page in a fresh Chromium, on any host: serves a folder, opens the page, and waits for what it posts. Standard library."""

from __future__ import annotations

import functools
import http.server
import json
import queue
import shutil
import subprocess
import tempfile
import threading
import urllib.parse
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",  # a model's file may be larger than a container's shared memory
    "--enable-unsafe-webgpu",
)
IN_HARDWARE = (
    "--enable-features=Vulkan,WebGPU",
    "--use-angle=vulkan",
    "--ignore-gpu-blocklist",
    "--disable-vulkan-surface",
    "--enable-dawn-features=vulkan_enable_f16_on_nvidia",  # llama.cpp's WebGPU needs half floats, else it takes the processor
)
IN_SOFTWARE = ("--enable-features=Vulkan", "--use-webgpu-adapter=swiftshader")
WITH_TIMESTAMPS = ("--enable-webgpu-developer-features",)


class Pages:
    """A folder over HTTP, and the reports of its pages."""

    def __init__(self, folder: Path) -> None:
        self.reports: queue.Queue[dict[str, Any]] = queue.Queue()
        handler = functools.partial(_Handler, self.reports, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def report_of(
        self, browser: str, flags: tuple[str, ...], config: dict[str, Any], seconds: float, page: str = "index.html"
    ) -> dict[str, Any]:
        """What the page reports; {"error": ...} if it does not in time."""
        profile = tempfile.mkdtemp()
        fragment = urllib.parse.quote(json.dumps(config))
        url = f"http://127.0.0.1:{self.server.server_port}/{page}#{fragment}"
        silent = subprocess.DEVNULL
        process = subprocess.Popen([browser, *FLAGS, *flags, f"--user-data-dir={profile}", url], stdout=silent, stderr=silent)
        try:
            return self.reports.get(timeout=seconds)
        except queue.Empty:
            return {**config, "error": f"no report within {seconds:.0f} s"}
        finally:
            process.kill()
            process.wait()
            shutil.rmtree(profile, ignore_errors=True)


class _Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    extensions_map = {  # noqa: RUF012 - as its base has it
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".wasm": "application/wasm",
        ".js": "text/javascript",
    }

    def __init__(self, reports: queue.Queue[dict[str, Any]], *args: Any, **options: Any) -> None:
        self.reports = reports
        super().__init__(*args, **options)

    def do_POST(self) -> None:
        self.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")  # threads for llama.cpp
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
