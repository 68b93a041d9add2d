"""WebLLM alone in a plain page, for comparison: served from this machine, with the models of an unpacked extension."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from ..drive import Browser
from ..paths import BUILD, NODE_MODULES, ROOT
from ..run import serve

PAGE = Path(__file__).parent / "raw_page"

LOAD = "const [model, inWorker, done] = arguments; load(model, inWorker).then(() => done(''), (error) => done(String(error)))"
ASK = """
const [request, done] = arguments;
ask(request).then(done, (error) => done({error: String(error)}));
"""


def serve_page(extension: Path) -> str:
    """Puts the page together and serves it; returns its address."""
    out = BUILD / "bench" / "raw"
    out.mkdir(parents=True, exist_ok=True)
    esbuild = NODE_MODULES / ".bin" / "esbuild"
    scripts = [PAGE / "page.js", PAGE / "worker.js"]
    subprocess.run([esbuild, *scripts, "--bundle", "--format=esm", "--log-level=error", f"--outdir={out}"], cwd=ROOT, check=True)
    (out / "index.html").write_text((PAGE / "index.html").read_text())
    models = out / "models"
    models.unlink(missing_ok=True)
    models.symlink_to((extension / "models").resolve())
    return serve(out)


class RawWebLLM:
    """The page, in the tab of a browser."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def load(self, model: str, in_worker: bool) -> None:
        """Loads a model in the place of the one before."""
        self._show()
        if error := self._browser.driver.execute_async_script(LOAD, model, in_worker):
            raise RuntimeError(f"WebLLM alone does not load {model}: {error}")

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answers a request anew. Milliseconds from the call until the first text came, and the first and the last was drawn
        (arrived, first, last), the text, its tokens, those of the prompt (read), and the longest task of the page (long)."""
        self._show()
        answer = self._browser.driver.execute_async_script(ASK, request)
        if "error" in answer:
            raise RuntimeError(f"WebLLM alone failed: {answer['error']}")
        return answer

    def _show(self) -> None:
        self._browser.driver.switch_to.window(self._browser.page)
