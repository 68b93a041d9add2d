"""Python's starts: from the package's archives, then from the memory that was kept; a memory that is no good costs only time."""

from __future__ import annotations

import pytest
from panel_driver import PanelDriver

STARTED_FROM = "return performance.getEntriesByName('python-ready')[0]?.detail"
IS_KEPT = "return performance.getEntriesByName('python-kept').length === 1"
WITH_FILES = """
const done = arguments[arguments.length - 1];
(async () => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('python', {create: true});
  const files = [];
  for await (const file of folder.values()) files.push(file);
  return (%s)(files, folder);
})().then(done, (error) => done(String(error)));
"""
LIST = WITH_FILES % "async (files) => Promise.all(files.map(async (file) => [file.name, (await file.getFile()).size]))"
CUT = WITH_FILES % (
    "async ([file]) => { const out = await file.createWritable({keepExistingData: true});"
    " await out.truncate((await file.getFile()).size - 4096); await out.close(); }"
)
SPOIL = WITH_FILES % (
    "async ([file]) => { const out = await file.createWritable({keepExistingData: true});"
    " await out.write({type: 'write', position: 0, data: new Uint8Array(64)}); await out.close(); }"
)
# What another version of the extension, or of the browser, has left.
RENAME = WITH_FILES % "async ([file]) => file.move('memory-of-another-version')"


def started_from(panel: PanelDriver) -> str:
    panel.wait_ready()
    return panel.driver.execute_script(STARTED_FROM)


def wait_kept(panel: PanelDriver) -> list[tuple[str, int]]:
    panel.wait(lambda: panel.driver.execute_script(IS_KEPT), 90, "the memory is kept")
    return panel.driver.execute_async_script(LIST)


def reload(panel: PanelDriver) -> str:
    panel.driver.refresh()
    return started_from(panel)


def test_the_second_start_is_from_memory_and_answers(tiny: PanelDriver) -> None:
    assert started_from(tiny) == "archives"
    kept = wait_kept(tiny)
    assert len(kept) == 1
    assert kept[0][1] > 10_000_000
    assert reload(tiny) == "snapshot"
    tiny.ask("What is 17 times 23?")
    assert tiny.wait_answer(timeout=180) == "done"


@pytest.mark.parametrize("damage", [CUT, SPOIL, RENAME], ids=["cut off", "spoilt", "another version's"])
def test_a_memory_that_does_not_fit_is_replaced(tiny: PanelDriver, damage: str) -> None:
    if reload(tiny) == "archives":
        wait_kept(tiny)
    before = tiny.driver.execute_async_script(LIST)
    assert tiny.driver.execute_async_script(damage) is None
    assert reload(tiny) == "archives"
    assert [name for name, _ in wait_kept(tiny)] == [name for name, _ in before]  # its size changes by some pages
    assert reload(tiny) == "snapshot"
