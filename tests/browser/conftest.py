"""Fixtures of the browser tests: the extension in a real Chromium, its real side panel beside a page. One browser a module."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_tools.environment import find_browser
from build_tools.paths import BUILD, DIST, ROOT, TEST_EXTENSION
from build_tools.run import serve
from panel_driver import PanelDriver, ScriptedDriver

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def pages() -> str:
    """Address under which tests/pages is served."""
    return serve(ROOT / "tests" / "pages")


@pytest.fixture(scope="module")
def tiny(pages: str) -> Iterator[PanelDriver]:
    """A browser whose model is the tiny random one, with the sample article and the panel open and ready."""
    with PanelDriver(_built(TEST_EXTENSION), find_browser()) as driver:
        driver.start(f"{pages}/sample-article.html")
        yield driver


@pytest.fixture(scope="module")
def starter(pages: str) -> Iterator[PanelDriver]:
    """The package as it ships, with the starter model; every context is watched from the start."""
    with PanelDriver(_built(DIST), find_browser()) as driver:
        driver.watch_all()
        driver.start(f"{pages}/short-article.html")
        yield driver


@pytest.fixture(scope="session")
def scripted_extension() -> Path:
    """The extension with a scripted engine in the place of WebLLM, and with the permissions that a user may grant."""
    out = BUILD / f"extension-scripted{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(_built(TEST_EXTENSION), out, copy_function=os.link, ignore=shutil.ignore_patterns("starter"))
    _replace(out / "background" / "engines" / "webllm.js", (HERE / "scripted_engine" / "worker.js").read_text())
    manifest = json.loads((out / "manifest.json").read_text())
    # Chrome's own question cannot be answered by a test, so what it would grant is granted from the start.
    manifest["permissions"] += manifest.pop("optional_permissions")
    manifest["host_permissions"] = manifest.pop("optional_host_permissions")
    _replace(out / "manifest.json", json.dumps(manifest))
    return out


@pytest.fixture(scope="module")
def scripted(scripted_extension: Path, pages: str) -> Iterator[ScriptedDriver]:
    """A browser whose model says what a test wants; every context is watched from the start."""
    with ScriptedDriver(scripted_extension, find_browser()) as driver:
        driver.watch_all()
        driver.start(f"{pages}/short-article.html")
        yield driver


def _replace(path: Path, text: str) -> None:
    """Writes a file anew: the one that is there is linked to the extension that it was copied from."""
    path.unlink()
    path.write_text(text)


def _built(folder: Path) -> Path:
    if not (folder / "manifest.json").exists():
        pytest.fail(f"{folder} is missing: run the tests with python3 build.py test")
    return folder
