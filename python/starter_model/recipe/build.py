"""The whole recipe: venv, runtime, both models, link, committed results. Standard library only."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from starter_model import library
from starter_model.recipe import wasm
from starter_model.shape import SHAPES

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
PARAMS_OF = "tiny"  # the model whose weights are made up from its listing

Result = TypeVar("Result")


def timed(what: str, step: Callable[[], Result]) -> Result:
    """The step's result, with a line on how long it took."""
    start = time.monotonic()
    result = step()
    print(f"{what}: {time.monotonic() - start:.0f} s", flush=True)
    return result


def make_venv(folder: Path) -> Path:
    """The Python of a venv with the pinned requirements; kept if it has them already."""
    python = folder / "bin/python"
    stamp = folder / REQUIREMENTS.name
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, clear=True, with_pip=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "-r", REQUIREMENTS], check=True)
        shutil.copy(REQUIREMENTS, stamp)
    return python


def site_packages(python: Path) -> Path:
    """Where a Python keeps its packages."""
    command = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    return Path(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


def compile_models(python: Path, work: Path) -> None:
    """work/ID/{lib0.o,devc.o,params.json} for every model."""
    env = {**os.environ, "PYTHONPATH": str(library.PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    for model in SHAPES:
        command = [python, "-m", "starter_model.recipe.compile", model, work / model]
        subprocess.run(command, check=True, env=env)


def put(made: Path, place: Path) -> None:
    """Replace a result by a new file: a build of the extension may have linked the old one."""
    new = place.with_name(f"{place.name}.new")
    shutil.copyfile(made, new)
    new.replace(place)


def build(work: Path) -> None:
    """Rebuild the library below `work` and replace the committed results, the manifest last."""
    work = work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    sources = library.source_hashes()
    emscripten = timed("emscripten", wasm.ensure_emscripten)
    python = timed("venv", lambda: make_venv(work / "venv"))
    with ThreadPoolExecutor() as pool:
        runtime = pool.submit(timed, "runtime", lambda: wasm.build_runtime(site_packages(python), work / "runtime"))
        timed("models", lambda: compile_models(python, work))
        objects = runtime.result()
    for model in SHAPES:
        parts = [*objects, work / model / "lib0.o", work / model / "devc.o"]
        target = work / f"{model}.wasm"
        timed(f"link {model}", lambda parts=parts, target=target: wasm.link(parts, target))
    for model in SHAPES:
        put(work / f"{model}.wasm", library.FOLDER / f"{model}.wasm")
    put(work / PARAMS_OF / "params.json", library.FOLDER / f"{PARAMS_OF}.params.json")
    if sources != library.source_hashes():
        raise SystemExit("a source file changed during the build: build again")
    library.write_manifest({"emscripten": emscripten, "python": platform.python_version(), **pinned()})


def pinned() -> dict[str, str]:
    """The requirements' versions."""
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def main() -> None:
    """Command line: the work folder (default build/model-library)."""
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "build/model-library"))
