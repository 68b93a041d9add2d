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
GPU = "-gpu"  # ends the names of what is for real graphics cards
LIBRARIES = tuple(model + family for model in SHAPES for family in ("", GPU))

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


def compile_library(python: Path, name: str, out: Path) -> None:
    """out/{lib0.o,devc.o,params.json} of a library: a shape's name, with GPU at its end or without."""
    env = {**os.environ, "PYTHONPATH": str(library.PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    family = ["gpu"] if name.endswith(GPU) else []
    command = [python, "-m", "starter_model.recipe.compile", name.removesuffix(GPU), out, *family]
    subprocess.run(command, check=True, env=env)


def compile_libraries(python: Path, work: Path) -> None:
    """Every library's objects, in work/NAME."""
    for name in LIBRARIES:
        compile_library(python, name, work / name)


def link_library(work: Path, name: str, objects: list[Path], target: Path) -> None:
    """A library out of its own objects in work/NAME and the runtime's."""
    wasm.link([*objects, work / name / "lib0.o", work / name / "devc.o"], target)


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
        timed("models", lambda: compile_libraries(python, work))
        objects = runtime.result()
    for name in LIBRARIES:
        timed(f"link {name}", lambda name=name: link_library(work, name, objects, work / f"{name}.wasm"))
    for name in LIBRARIES:
        put(work / f"{name}.wasm", library.FOLDER / f"{name}.wasm")
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
