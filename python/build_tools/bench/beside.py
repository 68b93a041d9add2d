"""The extension with the pages of a benchmark in it, so that both sides have one browser, origin, scheme and CSP."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..environment import run
from ..extension import BUNDLED_ONNX
from ..paths import BUILD, NODE_MODULES

BARE = Path(__file__).parent / "bare"
BUNDLED = ("bare-embedding-worker.js", "library-bench-worker.js")  # they import packages, or parts of the extension
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json", "python_stdlib.zip")


def with_bare_pages(extension: Path, name: str) -> Path:
    """A copy of the extension with bench/ in it: our pages, and Pyodide as its npm package has it. Returns its folder."""
    out = BUILD / f"extension-bench-{name}"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(extension, out, copy_function=_link)
    shutil.copytree(BARE, out / "bench")
    bundles = [*(BARE / file for file in BUNDLED), "--bundle", "--format=esm", "--target=chrome124", *BUNDLED_ONNX]
    run([NODE_MODULES / ".bin" / "esbuild", *bundles, "--allow-overwrite", f"--outdir={out / 'bench'}"])
    (out / "bench" / "pyodide").mkdir()
    for file in PYODIDE:
        _link(NODE_MODULES / "pyodide" / file, out / "bench" / "pyodide" / file)
    return out


def _link(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
