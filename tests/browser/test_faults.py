"""Faults, each injected into the real extension and survived: nothing said is lost, everything goes on or says what to do.

At the end of the run stands the table of them (fault_table.py). The graphics card, the documents, the Workers and the browser
are really taken away; a fake stands only where the real thing cannot be had, at the outermost seam, and the table names it:
what the GPU answers to an allocation, what IndexedDB answers, and the clock. Faults of downloads are in test_model_downloads.py.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from build_tools.drive import PANEL_PATH
from build_tools.environment import find_browser
from build_tools.paths import BUILD, TEST_EXTENSION
from engine_watch import KEEP_DEVICES, EngineWatch, assert_chats, begin
from panel_driver import ENDED, PanelDriver
from selenium.common.exceptions import WebDriverException

pytestmark = pytest.mark.slow

fault = pytest.mark.fault
Seen = Callable[[str], None]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")

CLOSE_OFFSCREEN = "chrome.offscreen.closeDocument().then(arguments[0])"
LOST = "The engine was lost and is being started again"
BACK = "The engine is back"
INTERRUPTED = "An answer was interrupted and went on by itself"
RESTARTED = "Python stopped and was started again"

# In the engine's Worker
LOSE_WHILE_LOADING = """
    const ask = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
        const device = await ask.call(this, descriptor);
        const { createBuffer } = device;
        device.createBuffer = (what) => { device.destroy(); return createBuffer.call(device, what); };
        return device;
    };
"""
LOSE_WHILE_PREFILLING = """
    const { postMessage } = self;
    self.postMessage = (message) => {
        if (message.type === "prefill" && message.done > 0) devices.at(-1).destroy();
        postMessage.call(self, message);
    };
"""
FINITE_MEMORY = """
    const getDevice = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (descriptor) {
        const device = await getDevice.call(this, descriptor);
        const { popErrorScope } = device;
        device.popErrorScope = async () => {
            const error = await popErrorScope.call(device);
            return self.isFull ? new GPUOutOfMemoryError("scripted") : error;
        };
        return device;
    };
"""
NO_MEMORY = "self.isFull = true;"
# In Python's Worker
YEAR_BACK = "{ const now = Date.now; Date.now = () => now() - 31_536_000_000; }"
# In the panel
FULL_DISK = """
    const { put } = IDBObjectStore.prototype;
    window.mend = () => { IDBObjectStore.prototype.put = put; };
    IDBObjectStore.prototype.put = () => { throw new DOMException("scripted: no room", "QuotaExceededError"); };
"""
FAILING_DATABASE = """
    const { put } = IDBObjectStore.prototype;
    window.mend = () => { IDBObjectStore.prototype.put = put; };
    IDBObjectStore.prototype.put = function (...what) {
        const request = put.apply(this, what);
        window.doomed ??= new Set();
        if (!doomed.has(this.transaction)) queueMicrotask(() => this.transaction.abort());
        doomed.add(this.transaction);
        return request;
    };
"""
BLOCKED_DATABASE = """
    const { open } = IDBFactory.prototype;
    window.mend = () => { IDBFactory.prototype.open = open; };
    IDBFactory.prototype.open = function (...names) {
        const request = open.apply(this, names);
        request.addEventListener = () => {};
        return request;
    };
"""
KEPT = """
    const done = arguments[0];
    const opening = indexedDB.open('sessions');
    opening.onsuccess = () => {
        const database = opening.result;
        const transaction = database.transaction(['sessions', 'messages']);
        const sessions = transaction.objectStore('sessions').getAll();
        const messages = transaction.objectStore('messages').getAll();
        transaction.oncomplete = () => { database.close(); done({ sessions: sessions.result, messages: messages.result }); };
    };
"""
HEAR_CLOSE = """
    const done = arguments[0];
    const opening = indexedDB.open('sessions');
    opening.onsuccess = () => { opening.result.onclose = () => { window.wasClosed = true; }; done(); };
"""
SPOIL = """
    const [session, done] = arguments;
    const opening = indexedDB.open('sessions');
    opening.onsuccess = () => {
        const database = opening.result;
        const transaction = database.transaction('memories', 'readwrite');
        const table = transaction.objectStore('memories');
        table.get(session).onsuccess = ({ target }) => table.put({ ...target.result, memory: { turns: 'torn', context: [] } });
        transaction.oncomplete = () => { database.close(); done(); };
    };
"""


class FaultWatch(EngineWatch):
    """Reaches into the Workers; `once` is done in the next engine's Worker before it loads a model, and in no later one."""

    once = ""

    def in_engine(self, script: str) -> None:
        """Runs a script in the engine's Worker."""
        self._send("Runtime.evaluate", {"expression": script}, self.engine)

    def _attached(self, session: str, target: dict[str, Any]) -> None:
        if target["url"].endswith("engines/webllm.js"):
            self.prepare, self.once = KEEP_DEVICES + FINITE_MEMORY + self.once, ""
        super()._attached(session, target)


class Fault:
    """A panel with the tiny model, and what its timeline says of a fault."""

    def __init__(self, driver: PanelDriver) -> None:
        self.driver = driver
        self._known = 0

    @property
    def watch(self) -> FaultWatch:
        """The watch over all Workers."""
        assert isinstance(self.driver.watch, FaultWatch)
        return self.driver.watch

    def entries(self) -> list[str]:
        """What the settings list as having happened, the latest first."""
        self.driver.open_settings("log")
        try:
            return [entry.text for entry in self.driver.driver.find_elements("css selector", ".timeline-text")]
        finally:
            self.driver.close_settings()

    def begins(self) -> None:
        """What is listed from here on is the fault's."""
        self._known = len(self.entries())

    def happened(self, *beginnings: str, timeout: float = 60) -> str:
        """Waits until the timeline has told all of these since the fault, in this order; returns what they said."""

        def told() -> list[str]:
            entries = self.entries()
            fresh = entries[: len(entries) - self._known][::-1]
            found: list[str] = []
            for beginning in beginnings:
                after = fresh[fresh.index(found[-1]) + 1 :] if found else fresh
                found += [entry for entry in after if entry.startswith(beginning)][:1]
            return found if len(found) == len(beginnings) else []

        return "; ".join(self.driver.wait(told, timeout, f"the timeline tells {beginnings}"))

    def kept(self) -> dict[str, list[dict[str, Any]]]:
        """What is on the disk."""
        return self.driver.driver.execute_async_script(KEPT)

    def begin_kept(self, characters: int = 30) -> str:
        """Begins an answer, and waits until its first words are on the disk; returns those."""
        self.driver.ask("Tell me more")
        return self.driver.wait(lambda: self._kept_answer(characters), 60, "the answer's first words are on the disk")

    def _kept_answer(self, characters: int) -> str:
        shown = {each.get_attribute("data-id") for each in self.driver.messages("assistant")}
        texts = [each["message"]["text"] for each in self.kept()["messages"] if each["id"] in shown]
        return texts[-1] if texts and len(texts[-1]) >= characters else ""

    def goes_on(self, kept: str, timeout: float = 90) -> int:
        """Waits until the answer that was cut off is written on; nothing that was on the disk may be missing."""
        self.driver.wait_ready(timeout)
        self.driver.wait(lambda: self._kept_answer(len(kept) + 20).startswith(kept), timeout, "the answer goes on")
        assert [each.get_attribute("data-role") for each in self.driver.messages()] == ["user", "assistant"]
        assert self.driver.messages("user")[0].text.startswith("Tell me more")
        end(self.driver)
        return len(kept)


@pytest.fixture(scope="module")
def browser(pages: str) -> Iterator[PanelDriver]:
    """A browser with the tiny model, whose Workers are watched."""
    with PanelDriver(TEST_EXTENSION, find_browser()) as driver:
        driver.watch = FaultWatch(driver.driver)
        driver.start(f"{pages}/sample-article.html")
        yield driver


@pytest.fixture
def panel(browser: PanelDriver) -> Iterator[PanelDriver]:
    """The panel, empty and ready."""
    browser.open_panel()
    browser.wait_ready()
    if browser.messages():
        browser.new_session()
    browser.wait_ready()
    yield browser
    for extra in browser.handles(PANEL_PATH)[1:]:
        browser.close_panel(extra)


@pytest.fixture
def now(panel: PanelDriver) -> Fault:
    """The panel, where a fault is about to happen."""
    now = Fault(panel)
    now.begins()
    return now


def assert_goes_on_after(panel: PanelDriver, before: str) -> None:
    """The answer that was interrupted is written on by itself; on a fast machine it is done before one looks."""

    def is_longer() -> bool:
        return panel.answer_state() in ("streaming", "done") and len(panel.answer_text()) >= len(before) + 20

    panel.wait(is_longer, 90, "the answer goes on")
    assert panel.answer_text().startswith(before)
    assert len(panel.messages()) == 2
    assert panel.find_all("error") == []


def end(panel: PanelDriver) -> None:
    """Stops the answer, unless it has ended by itself."""

    def is_over() -> bool:
        if not panel.is_busy() and panel.answer_state() in ENDED:
            return True
        for button in panel.find_all("stop"):
            button.click()
        return False

    panel.wait(is_over, 60, "the answer is over")
    assert panel.answer_state() in ("done", "stopped")


# -- the graphics card

LOST_AND_BACK = "the engine comes back by itself and the answer goes on; both are in the timeline"


@fault("GPU device lost while idle", expected="the engine comes back by itself; the next question is answered")
def test_device_lost_while_idle(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    now.watch.lose_device()
    seen(now.happened(LOST, BACK))
    assert_chats(panel)


@fault("GPU device lost while loading", expected="the model is loaded anew by itself; the next question is answered")
def test_device_lost_while_loading(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    now.watch.once = LOSE_WHILE_LOADING
    panel.driver.execute_async_script(CLOSE_OFFSCREEN)
    said = now.happened(LOST, LOST, BACK)  # with the document, then with the device
    assert "destroyed" in said
    seen(said)
    assert_chats(panel)


@fault("GPU device lost while prefilling", expected=LOST_AND_BACK)
def test_device_lost_while_prefilling(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    now.watch.in_engine(LOSE_WHILE_PREFILLING)
    panel.paste("A long question about owls and mice. " * 10)
    panel.ask("?")
    assert_goes_on_after(panel, "")
    end(panel)
    seen(now.happened(LOST, BACK))
    assert_chats(panel)


@fault("GPU device lost while decoding", expected=LOST_AND_BACK)
def test_device_lost_while_decoding(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    before = begin(panel)
    now.watch.lose_device()
    assert_goes_on_after(panel, before)
    end(panel)
    assert "It was started again and the answer went on" in panel.find("note").text
    now.happened(INTERRUPTED)
    seen(now.happened(LOST, BACK))


@fault(
    "out of GPU memory (fake: what the GPU answers to an allocation)",
    expected="said with the next step; Try again works once there is memory; what was typed stays",
)
def test_out_of_gpu_memory(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    panel.type("Half a thought")
    now.watch.once = NO_MEMORY
    panel.driver.execute_async_script(CLOSE_OFFSCREEN)
    panel.wait_engine("unavailable", 60)
    said = panel.error()
    assert "The graphics card ran out of memory" in said
    assert "Close other tabs" in said
    now.happened("The graphics card ran out of memory")
    panel.click("error-action")
    panel.wait_engine("ready", 60)
    assert panel.find("composer").get_attribute("value") == "Half a thought"
    seen(" ".join(said.split("\n")[:2]))
    assert_chats(panel)


@fault(
    "out of GPU memory in mid-answer (fake: what the GPU answers to an allocation)",
    expected="said with the next step; what was written stays, and goes on once there is memory",
)
def test_out_of_gpu_memory_in_mid_answer(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    before = begin(panel)
    now.watch.in_engine(NO_MEMORY)
    panel.wait_engine("unavailable", 60)
    assert panel.wait_answer(timeout=30) == "error"
    assert panel.answer_text().startswith(before)
    said = now.happened("The graphics card ran out of memory")
    assert "Close other tabs" in said
    panel.find_all("error-action")[-1].click()
    panel.wait_engine("ready", 60)
    panel.click("continue", panel.answer())
    panel.wait(lambda: len(panel.answer_text()) >= len(before) + 20, 60, "the answer goes on")
    assert panel.answer_text().startswith(before)
    end(panel)
    seen(said)


# -- the documents and Workers of the background


@fault("offscreen document closed in mid-answer", expected=LOST_AND_BACK)
def test_offscreen_document_closed(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    before = begin(panel)
    panel.driver.execute_async_script(CLOSE_OFFSCREEN)
    assert_goes_on_after(panel, before)
    end(panel)
    seen(now.happened(LOST, BACK))


@fault("engine Worker terminated in mid-answer", expected=LOST_AND_BACK)
def test_engine_worker_terminated(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    before = begin(panel)
    now.watch.in_engine("self.close()")
    assert_goes_on_after(panel, before)
    end(panel)
    seen(now.happened(LOST, BACK))


@fault("service worker stopped in mid-answer", expected="nothing changes: the answer goes on, and nothing is lost")
def test_service_worker_stopped(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    before = begin(panel)
    panel.driver.execute_cdp_cmd("ServiceWorker.enable", {})
    panel.driver.execute_cdp_cmd("ServiceWorker.stopAllWorkers", {})
    assert_goes_on_after(panel, before)
    assert panel.find_all("note") == []
    end(panel)
    assert not any(entry.startswith(LOST) for entry in now.entries()[: -now._known or None])
    seen("the answer went on; the engine was not lost")


# -- the panel

CUT_OFF = "the conversation is back, and the answer goes on from what was shown"


@fault("panel closed in mid-answer", expected=CUT_OFF)
def test_panel_closed(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    kept = now.begin_kept()
    panel.close_panel()
    panel.open_panel()
    count = now.goes_on(kept)
    seen(f"{count} characters were back; {Fault(panel).happened('“Tell me more” was taken up')}")


@fault("panel reloaded in mid-answer", expected=CUT_OFF)
def test_panel_reloaded(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    kept = now.begin_kept()
    panel.driver.refresh()
    count = now.goes_on(kept)
    seen(f"{count} characters were back; {Fault(panel).happened('“Tell me more” was taken up')}")


def open_twice(panel: PanelDriver) -> tuple[str, str]:
    """Opens the panel a second time, in a tab of the same window; returns both, and stays in the second."""
    panel.to_panel()
    first = panel.driver.current_window_handle
    panel.driver.switch_to.new_window("tab")
    panel.driver.get(panel.url(PANEL_PATH))
    panel.wait_ready()
    return first, panel.driver.current_window_handle


@fault("panel opened twice", expected="each has a conversation of its own; the first goes on undisturbed")
def test_panel_opened_twice(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    kept = now.begin_kept()
    first, second = open_twice(panel)
    assert panel.messages() == []
    panel.ask("And here?")
    panel.wait(lambda: panel.answer_state() == "streaming", 30, "the second waits for its turn")
    panel.driver.switch_to.window(first)
    now.goes_on(kept)
    panel.driver.switch_to.window(second)
    assert_goes_on_after(panel, "")
    end(panel)
    conversations = {
        each["session"] for each in now.kept()["messages"] if each["message"]["text"] in ("Tell me more", "And here?")
    }
    assert len(conversations) >= 2
    seen("the second began a conversation of its own and waited for the engine; both are on the disk")


@fault("two panels writing one session", expected="one writes at a time; it can be taken over, and the other one says so")
def test_two_panels_one_session(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    now.begin_kept()
    end(panel)
    text = panel.answer_text()
    question = panel.messages("user")[0].get_attribute("data-id")
    session = next(each["session"] for each in now.kept()["messages"] if each["id"] == question)
    first, second = open_twice(panel)
    panel.click("sessions-button")
    item = panel.wait(lambda: panel.find_all("session-item", f'[data-id="{session}"]'), 10, "the list is shown")[0]
    panel.click("session-open", item)
    panel.wait(lambda: any("another window" in notice for notice in panel.notices()), 20, "it is open elsewhere")
    panel.click("notice-action")
    panel.wait(lambda: panel.answer_text() == text, 20, "the second has it")
    panel.driver.switch_to.window(first)
    panel.wait(lambda: not panel.messages(), 20, "the first has let go")
    said = panel.wait(lambda: panel.notices(), 10, "the first says so")[-1]
    assert "taken over by another window" in said
    seen(said)
    panel.driver.switch_to.window(second)


@fault("extension reloaded in mid-answer", expected=CUT_OFF)
def test_extension_reloaded(pages: str, seen: Seen) -> None:
    with PanelDriver(TEST_EXTENSION, find_browser()) as panel:
        switch_developer_mode_on(panel)
        panel.start(f"{pages}/sample-article.html")
        now = Fault(panel)
        kept = now.begin_kept()
        with contextlib.suppress(WebDriverException):  # the panel is gone before it can answer
            panel.driver.execute_script("chrome.runtime.reload()")
        panel.driver.switch_to.window(panel.page)
        panel.wait(lambda: not panel.handles(PANEL_PATH), 30, "the panel is gone")
        panel.wait(lambda: is_back(panel), 60, "the extension is back")
        panel.wait(lambda: is_open_after_press(panel), 60, "the panel is back")
        panel.to_panel()
        count = now.goes_on(kept)
        seen(f"{count} characters were back; {now.happened('“Tell me more” was taken up')}")


def switch_developer_mode_on(panel: PanelDriver) -> None:
    """As whoever loads an unpacked extension has it; without it Chrome takes such an extension away instead of reloading it."""
    panel.open("chrome://extensions")
    panel.driver.execute_async_script(
        "chrome.developerPrivate.updateProfileConfiguration({ inDeveloperMode: true }).then(arguments[0])"
    )


def is_back(panel: PanelDriver) -> bool:
    """Whether the extension runs, after it was loaded anew."""
    targets = panel.cdp("Target.getTargets", {"filter": [{"type": "service_worker"}]})["targetInfos"]
    return any(panel.id in target["url"] for target in targets)


def is_open_after_press(panel: PanelDriver) -> bool:
    """Presses the toolbar's button, which nobody hears before the service worker has started; whether the panel is open."""
    panel.press_toolbar()
    return bool(panel.handles(PANEL_PATH))


@fault("browser killed (SIGKILL) in mid-answer", expected=CUT_OFF)
def test_browser_killed(pages: str, seen: Seen) -> None:
    profile = Path(tempfile.mkdtemp(prefix="amplifier-killed-"))
    try:
        first = PanelDriver(TEST_EXTENSION, find_browser(), profile=profile)
        try:
            first.start(f"{pages}/sample-article.html")
            kept = Fault(first).begin_kept()
            processes = first.cdp("SystemInfo.getProcessInfo", {})["processInfo"]
            os.kill(next(each["id"] for each in processes if each["type"] == "browser"), signal.SIGKILL)
        finally:
            first.driver.service.stop()
        with PanelDriver(TEST_EXTENSION, find_browser(), profile=profile) as second:
            second.open(f"{pages}/sample-article.html")
            second.open_panel()
            now = Fault(second)
            count = now.goes_on(kept)
            seen(f"{count} characters were back; {now.happened('“Tell me more” was taken up')}")
    finally:
        shutil.rmtree(profile, ignore_errors=True)


# -- what is kept


def saved_later(panel: PanelDriver, now: Fault, trouble: str) -> str:
    """Nothing can be written while an answer runs, and later it can again; returns what was said meanwhile."""
    panel.driver.execute_script(trouble)
    begin(panel)
    panel.wait(lambda: session_state(panel) == "unsaved", 20, "it says that nothing is saved")
    end(panel)
    text = panel.answer_text()
    said = now.happened("This conversation is not being saved")
    panel.driver.execute_script("mend()")
    panel.wait(lambda: session_state(panel) == "kept", 90, "it is saved again")
    now.happened("This conversation is not being saved", "The conversation is being saved again")
    panel.driver.refresh()
    panel.wait_ready()
    panel.wait(lambda: panel.answer_text().startswith(text), 20, "it is all there")  # a panel behind another draws late
    return said


@fault(
    "disk quota exceeded (fake: what IndexedDB answers)",
    expected="the answer goes on; it says that it is not saved, and why; saved by itself when there is room",
)
def test_disk_full(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    said = saved_later(panel, now, FULL_DISK)
    assert "no room" in said and "Free some space" in said
    seen(said)


@fault(
    "IndexedDB failing (fake: each of its writes is aborted)",
    expected="the answer goes on; it says that it is not saved, and why; saved by itself when that works again",
)
def test_database_failing(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    said = saved_later(panel, now, FAILING_DATABASE)
    assert "abort" in said.lower()
    seen(said)


@fault("IndexedDB closed by the browser in mid-answer", expected="opened again by itself; nothing is lost, and nothing stops")
def test_database_closed(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    kept = now.begin_kept()
    force_close_databases(panel)
    now.goes_on(kept)
    text = panel.answer_text()
    panel.wait(lambda: all(not each["answering"] for each in now.kept()["sessions"]), 20, "its end is written")
    assert session_state(panel) == "kept"
    panel.driver.refresh()
    panel.wait_ready()
    panel.wait(lambda: panel.answer_text() == text, 20, "it is all there")
    seen("the database was opened again; the answer went on and was all there after a reload")


def force_close_databases(panel: PanelDriver) -> None:
    """By the browser's own page for that; comes back to the panel when it has heard of it."""
    panel.driver.execute_async_script(HEAR_CLOSE)
    before = panel.driver.current_window_handle
    panel.driver.switch_to.new_window("tab")
    panel.driver.get("chrome://indexeddb-internals")
    panel.wait(lambda: panel.driver.find_elements("css selector", ".force-close"), 60, "the databases are listed")[0].click()
    panel.driver.close()
    panel.driver.switch_to.window(before)
    panel.wait(lambda: panel.driver.execute_script("return window.wasClosed"), 30, "the database was closed")


def session_state(panel: PanelDriver) -> str | None:
    """Whether the conversation is kept."""
    found = panel.find_all("session-title")
    return found[0].get_attribute("data-state") if found else None


@fault(
    "IndexedDB blocked (fake: the database never opens)",
    expected="the panel starts and answers; it says that nothing is saved; saved by itself later",
)
def test_database_blocked(panel: PanelDriver, seen: Seen) -> None:
    added = panel.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": BLOCKED_DATABASE})
    panel.driver.refresh()
    panel.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    panel.wait_ready()
    now = Fault(panel)
    now.happened("The last conversation could not be opened: the database did not open")
    begin(panel)
    end(panel)
    panel.wait(lambda: session_state(panel) == "unsaved", 40, "it says that nothing is saved")
    said = now.happened("This conversation is not being saved")
    panel.driver.execute_script("mend()")
    panel.wait(lambda: session_state(panel) == "kept", 120, "it is saved again")
    seen(said)


@fault("corrupt session record", expected="said; a new conversation begins, and the rest is not touched")
def test_corrupt_record(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    now.begin_kept()
    end(panel)
    panel.wait(lambda: all(not each["answering"] for each in now.kept()["sessions"]), 20, "it is written")
    latest = max(now.kept()["sessions"], key=lambda each: each["updated"])["id"]
    panel.driver.execute_async_script(SPOIL, latest)
    panel.driver.refresh()
    panel.wait_ready()
    said = Fault(panel).happened("The last conversation could not be opened: its turns cannot be read")
    assert "stays in the list" in said
    assert panel.messages() == []
    assert_chats(panel)
    assert latest in [each["id"] for each in now.kept()["sessions"]]
    seen(said)


@fault("clock moved back a year (fake: Date.now of Python's Worker)", expected="the order of messages and of the list stays")
def test_clock_moved_back(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    now.begin_kept()
    end(panel)
    panel.wait(lambda: all(not each["answering"] for each in now.kept()["sessions"]), 20, "it is written")
    before = max(now.kept()["sessions"], key=lambda each: each["updated"])
    now.watch.run("sidepanel/python-worker.js", YEAR_BACK)
    assert_chats(panel)

    def written() -> dict[str, Any] | None:
        latest = max(now.kept()["sessions"], key=lambda each: each["updated"])
        return latest if latest["messages"] == 4 and not latest["answering"] else None

    after = panel.wait(written, 20, "the second question is kept, too")
    assert after["id"] == before["id"]
    assert 0 < after["updated"] - before["updated"] < 1000
    panel.driver.refresh()
    panel.wait_ready()
    panel.wait(lambda: len(panel.messages()) == 4, 20, "all are back")
    assert [each.text.split("\n")[0] for each in panel.messages("user")] == ["Tell me more", "And now?"]
    seen("the conversation stayed the latest; its 4 messages came back in order")


# -- Python


def kill_python(now: Fault) -> None:
    """Ends Python's Worker, as the browser does when it needs the memory."""
    now.watch.run("sidepanel/python-worker.js", "setTimeout(() => self.close())")


@fault("Python Worker killed in mid-answer", expected="started again by itself: the conversation is back, the answer goes on")
def test_python_killed(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    kept = now.begin_kept()
    kill_python(now)
    panel.wait(lambda: panel.driver.execute_script("return document.body.dataset.python") == "starting", 20, "it is noticed")
    now.goes_on(kept)
    seen(now.happened(RESTARTED))
    assert_chats(panel)


@fault("Python Worker killed as a question is sent", expected="the question is answered all the same, once")
def test_python_killed_before_it_writes(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    panel.type("Will this be lost?")
    kill_python(now)
    panel.click("send")
    assert_goes_on_after(panel, "")
    end(panel)
    assert [each.get_attribute("data-role") for each in panel.messages()] == ["user", "assistant"]
    assert panel.messages("user")[0].text.startswith("Will this be lost?")
    seen(now.happened(RESTARTED))


@fault("Python Worker killed again and again", expected="said after the third time, with a button that starts it again")
def test_python_killed_again_and_again(panel: PanelDriver, now: Fault, seen: Seen) -> None:
    text = now.begin_kept()
    end(panel)

    def failed() -> bool:
        state = panel.driver.execute_script("return document.body.dataset.python")
        if state == "ready":
            kill_python(now)
        return state == "failed"

    panel.wait(failed, 120, "it is given up")
    said = panel.error()
    assert "Amplifier stopped" in said and "What you wrote is kept" in said
    panel.click("error-action")
    panel.wait_ready()
    assert panel.answer_text()[:20] == text[:20]
    assert_chats(panel)
    seen(" ".join(said.split("\n")[:2]))


@pytest.fixture
def spoilt() -> Path:
    """A copy of the extension in which a file of Pyodide is not what it should be; the right one lies beside it."""
    out = BUILD / f"extension-spoilt{WORKER}"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(TEST_EXTENSION, out, copy_function=os.link, ignore=shutil.ignore_patterns("starter"))
    right = out / "pyodide" / "pyodide.asm.wasm"
    right.rename(right.with_suffix(".right"))
    right.write_bytes(b"no wasm at all")
    return out


@fault("Pyodide fails to load (a wrong file)", expected="said with the next step; Try again works once it is mended")
def test_pyodide_fails_to_load(spoilt: Path, pages: str, seen: Seen) -> None:
    with PanelDriver(spoilt, find_browser()) as panel:
        panel.open(f"{pages}/sample-article.html")
        panel.open_panel()
        panel.type("Typed while it failed")
        said = panel.error()
        assert "Amplifier could not start" in said and "install the extension anew" in said
        assert panel.driver.execute_script("return document.body.dataset.python") == "failed"
        panel.picture("pyodide-failed")
        file = spoilt / "pyodide" / "pyodide.asm.wasm"
        file.unlink()
        file.with_suffix(".right").rename(file)
        panel.click("error-action")
        panel.wait_ready()
        assert panel.find("composer").get_attribute("value") == "Typed while it failed"
        panel.click("send")
        assert_goes_on_after(panel, "")
        end(panel)
        seen(" ".join(said.split("\n")[:2]))
