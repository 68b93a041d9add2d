"""Fixtures of the browser tests: the extension in a real Chromium, its real side panel beside a page. One browser a module."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fault_table
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


@pytest.fixture
def seen(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Takes what a test of a fault saw, in words, for the table."""
    return lambda text: record_property(fault_table.SEEN, text)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(name, expected): the test injects this fault, and it ends as expected")


def pytest_itemcollected(item: pytest.Item) -> None:
    if marker := item.get_closest_marker("fault"):
        item.user_properties.append((fault_table.FAULT, (marker.args[0], marker.kwargs["expected"])))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`-k fault` means the faults, and no test with a "default" in its name."""
    if config.option.keyword == "fault":
        others = [item for item in items if not item.get_closest_marker("fault")]
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Prints the faults that were injected, if there were any."""
    told = [fault_table.row(outcome, each) for outcome, reports in terminalreporter.stats.items() for each in reports if outcome]
    rows = [row for row in told if row]
    if rows:
        terminalreporter.section("faults")
        for line in fault_table.table(rows):
            terminalreporter.write_line(line)


def _replace(path: Path, text: str) -> None:
    """Writes a file anew: the one that is there is linked to the extension that it was copied from."""
    path.unlink()
    path.write_text(text)


def _built(folder: Path) -> Path:
    if not (folder / "manifest.json").exists():
        pytest.fail(f"{folder} is missing: run the tests with python3 build.py test")
    return folder
