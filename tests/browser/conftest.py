"""Fixtures of the browser tests: the extension in a real Chromium, its real side panel beside a page. One browser a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from build_tools.environment import find_browser
from build_tools.paths import DIST, ROOT, TEST_EXTENSION
from build_tools.run import serve
from panel_driver import PanelDriver


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


def _built(folder: Path) -> Path:
    if not (folder / "manifest.json").exists():
        pytest.fail(f"{folder} is missing: run the tests with python3 build.py test")
    return folder
