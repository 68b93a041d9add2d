"""A real server of OpenAI's interface that serves the starter model, for tests that start, stop and kill it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

from build_tools.paths import BUILD, MODELS, ROOT

HERE = Path(__file__).parent
GGUF = BUILD / "starter.gguf"
CONTEXT = 2048


def starter_gguf() -> Path:
    """The starter model's weights, as they are restored for the CPU engine."""
    made_from = MODELS / "starter" / "gguf.json"
    if not GGUF.exists() or GGUF.stat().st_mtime < made_from.stat().st_mtime:
        fresh = GGUF.with_suffix(f".{threading.get_native_id()}")
        node = shutil.which("node") or "node"
        subprocess.run([node, ROOT / "tests" / "unit" / "restore_gguf.mjs", made_from.parent, fresh], check=True)
        fresh.replace(GGUF)
    return GGUF


class LlamaServer:
    """llama.cpp's server in a process of its own. Once it has started it keeps its port."""

    def __init__(self, key: str = "") -> None:
        self.key = key
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def host(self) -> str:
        """With its port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, and waits until it serves."""
        command = [sys.executable, str(HERE / "llama_process.py"), str(starter_gguf()), str(CONTEXT), str(self.port)]
        keys = [self.key] if self.key else []
        self._process = subprocess.Popen([*command, *keys], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout
        address = self._process.stdout.readline().strip()
        assert address.startswith("http://"), "the server did not start"
        self.port = int(address.rpartition(":")[2])

    def kill(self) -> None:
        """As if it had crashed."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, path: str, body: Any) -> Any:
        """Asks it past the browser."""
        request = urllib.request.Request(f"http://{self.host}{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
