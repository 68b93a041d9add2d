"""The generators, in an environment of their own below the build folder, and the benchmark, which runs in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ... import environment
from ...paths import BUILD, PYTHON, ROOT
from ...steps import step

HERE = Path(__file__).parent
FOLDER = BUILD / "extraction"
PYTHON_FOLDER, NPM = FOLDER / "python", FOLDER / "npm"
AS_OF = "2026-11-20"  # what the packages that are named here need is taken as it was on this day
WHOLE_IN_ONE = ("rapidoc@9.3.8",)  # bundled by their authors: what they were made from is not needed


def run(browser: str) -> int:
    """Installs what is missing and measures; returns the exit status."""
    requirements, packages = HERE / "requirements.txt", HERE / "npm-packages.json"
    python = PYTHON_FOLDER / "bin" / "python"
    step("generators of pages in Python", [requirements], [python], lambda: _install(requirements), extra=sys.version)
    bundles = ",".join(WHOLE_IN_ONE)
    step("generators of pages in Node", [packages], [NPM / "node_modules"], lambda: _install_npm(packages), extra=AS_OF + bundles)
    command = [python, "-m", "build_tools.bench.extraction.measure", browser]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(PYTHON)}, check=False).returncode


def _install(requirements: Path) -> None:
    environment.run([sys.executable, "-m", "venv", "--clear", PYTHON_FOLDER])
    pip = [PYTHON_FOLDER / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    environment.run([*pip, "-r", requirements])


def _install_npm(packages: Path) -> None:
    NPM.mkdir(parents=True, exist_ok=True)
    (NPM / "package.json").write_text(packages.read_text())
    environment.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", f"--before={AS_OF}"], cwd=NPM)
    for package in WHOLE_IN_ONE:
        environment.run(["npm", "pack", "--silent", package], cwd=NPM)
        archive = NPM / f"{package.replace('@', '-')}.tgz"
        folder = NPM / "node_modules" / package.split("@")[0]
        folder.mkdir(exist_ok=True)
        environment.run(["tar", "-xzf", archive, "-C", folder, "--strip-components=1"])
        archive.unlink()
