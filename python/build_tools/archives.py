"""The Python that ships: precompiled archives, so that it starts in under a second.

stdlib.zip         Pyodide's standard library as .pyc
app.zip            pydantic, amplifier_core with our kernel, and amplifier_browser as .pyc; ours with sources, for tracebacks
pydantic_core.zip  the compiled core, to be unpacked, since Python imports no shared library out of a zip
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from . import kernel_overlay, wheels
from .environment import run
from .paths import ARCHIVES, BUILD, NODE_MODULES, PYTHON, ROOT, WHEELS
from .steps import step

REQUIREMENTS = PYTHON / "pyodide-wheels.txt"
COMPILER = PYTHON / "build_tools" / "compile_bytecode.mjs"
STAGE = BUILD / "stage"
OUR_PACKAGES = ("amplifier_browser", "amplifier_sandbox")
FIXED_TIME = (2020, 1, 1, 0, 0, 0)


def build() -> None:
    """Makes the three archives in build/archives."""
    step("Python wheels for the browser", [REQUIREMENTS], [WHEELS], lambda: wheels.download(REQUIREMENTS, WHEELS))
    stdlib = NODE_MODULES / "pyodide" / "python_stdlib.zip"
    step("standard library", [stdlib, COMPILER], [ARCHIVES / "stdlib.zip"], lambda: _build_stdlib(stdlib))
    step(
        "Python application",
        [
            REQUIREMENTS,
            COMPILER,
            Path(__file__),
            Path(kernel_overlay.__file__),
            PYTHON / "amplifier_core",
            *(PYTHON / name for name in OUR_PACKAGES),
        ],
        [ARCHIVES / "app.zip", ARCHIVES / "pydantic_core.zip"],
        _build_app,
    )


def _build_stdlib(source: Path) -> None:
    stage = _fresh(STAGE / "stdlib")
    with zipfile.ZipFile(source) as archive:
        archive.extractall(stage)
    _compile(stage)
    _pack(stage, ARCHIVES / "stdlib.zip", keep_sources=())


def _build_app() -> None:
    stage = _fresh(STAGE / "app")
    for wheel in sorted(WHEELS.glob("*.whl")):
        if wheel.name.startswith("amplifier_core-"):
            kernel_overlay.assemble(wheel, PYTHON / "amplifier_core", stage)
        else:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(stage)
    for name in OUR_PACKAGES:
        shutil.copytree(PYTHON / name, stage / name, ignore=shutil.ignore_patterns("__pycache__"))
    core = _fresh(STAGE / "core")
    shutil.move(stage / "pydantic_core", core / "pydantic_core")
    for folder in (stage, core):
        _compile(folder)
    _pack(stage, ARCHIVES / "app.zip", keep_sources=(*OUR_PACKAGES, "amplifier_core/_engine"))
    _pack(core, ARCHIVES / "pydantic_core.zip", keep_sources=())


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _compile(folder: Path) -> None:
    """Bytecode fits one Python version only, so Pyodide's own compiles it, in Node."""
    run(["node", COMPILER, folder], cwd=ROOT)


def _pack(folder: Path, archive: Path, keep_sources: tuple[str, ...]) -> None:
    """Zips bytecode, data and shared libraries; stored, since the package is compressed as a whole."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            if name.endswith((".py", ".pyi")) and not name.startswith(keep_sources or ("\0",)):
                continue
            out.writestr(zipfile.ZipInfo(name, FIXED_TIME), path.read_bytes())
