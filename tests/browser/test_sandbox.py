"""The sandbox in the real browser: what gets out of it, what ends it, and what comes back. The client is the panel's own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import websocket
from amplifier_browser.modules.tool_python import PythonTool
from amplifier_browser.sandbox import Sandbox, SandboxError, Sandboxes, SandboxTimeout
from build_tools.drive import Browser
from build_tools.environment import find_browser, run
from build_tools.paths import NODE_MODULES, TEST_EXTENSION
from watch import Watch

PAGE = Path(__file__).parent / "sandbox_page"
CALL = "const [name, args, done] = arguments; window.call(name, args).then(done, (error) => done(String(error)));"
DRAW = """
const [svg, done] = arguments, image = new Image();
image.onload = () => done(image.naturalWidth > 0);
image.onerror = () => done(false);
image.src = "data:image/svg+xml," + encodeURIComponent(svg);
"""
PATIENCE = 60.0  # seconds; only a hang takes so long


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The extension, with a page in the panel's place that has only the sandboxes."""
    if not (TEST_EXTENSION / "sidepanel" / "sandbox-worker.js").exists():
        pytest.fail("the extension for tests is missing: run the tests with python3 build.py test")
    folder = tmp_path_factory.mktemp("sandboxes") / "extension"
    shutil.copytree(TEST_EXTENSION, folder, ignore=shutil.ignore_patterns("models"), copy_function=_link)
    shutil.copy(PAGE / "sandbox.html", folder / "sidepanel")
    esbuild = [NODE_MODULES / ".bin" / "esbuild", PAGE / "sandbox-page.js", "--bundle", "--format=esm"]
    run([*esbuild, f"--outfile={folder / 'sidepanel' / 'sandbox-page.js'}"])
    with Browser(folder, find_browser(), webgpu=False) as browser:
        yield browser


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


class Page:
    """Joins the panel's client, which runs here, to the page."""

    def __init__(self, browser: Browser, memory_mb: int = 128) -> None:
        self.browser = browser
        self.heard: list[dict[str, Any]] = []
        # Patient, so that a busy machine is not taken for code that goes on; tests of such code are less so.
        self.sandboxes = Sandboxes(self.call, memory_mb=memory_mb, grace_seconds=PATIENCE, idle_seconds=PATIENCE)
        self.sandbox = self.sandboxes.get("test")
        self._pump = asyncio.ensure_future(self._listen())

    async def call(self, name: str, /, **args: Any) -> None:
        """What Host.call does in the panel."""
        failure = self.browser.driver.execute_async_script(CALL, name, args)
        if failure:
            raise RuntimeError(failure)

    async def _listen(self) -> None:
        while True:
            for message in self.browser.driver.execute_script("return window.take()"):
                self.heard.append(message)
                self.sandboxes.receive(message)
            await asyncio.sleep(0.02)

    async def run(self, code: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """Runs code in the sandbox."""
        return await self.sandbox.call("run", seconds, code=code)

    async def value(self, code: str) -> Any:
        """The text of the code's value; it must not fail."""
        result = await self.run(code)
        assert result["error"] is None, result["error"]["traceback"]
        return result["value"]

    async def error(self, code: str) -> str:
        """How the code fails."""
        result = await self.run(code)
        assert result["error"] is not None, f"it did not fail: {result['value']}"
        return result["error"]["message"]

    async def until(self, condition: Any) -> None:
        """Waits for a condition."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Ends the Worker."""
        await self.sandbox.end()
        self._pump.cancel()


@pytest_asyncio.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A fresh page with one sandbox."""
    browser.driver.get(browser.url("sidepanel/sandbox.html"))
    browser.wait(lambda: browser.driver.execute_script("return 'call' in window"), 10, "the page is there")
    made = Page(browser)
    yield made
    await made.close()


# -- what comes back


async def test_code_prints_has_a_value_and_keeps_its_state(page: Page) -> None:
    first = await page.run("import math\nx = 20\nprint('hi')\nx * 2 + math.floor(2.5)")
    assert (first["printed"], first["value"], first["error"]) == ("hi\n", "42", None)
    assert await page.value("x + 1") == "21"
    assert await page.value("import asyncio\nawait asyncio.sleep(0, 'awaited')") == "awaited"
    assert await page.value("import asyncio\nasync def f():\n    return 5\nasyncio.run(f())") == "5"
    assert "division by zero" in await page.error("1 / 0")
    assert await page.value("x") == "20"
    assert page.sandbox.generation == 1


async def test_tables_and_figures_come_back(page: Page) -> None:
    table = await page.run("[{'a': 1, 'b': 2.5}, {'a': 3, 'b': 'x'}]")
    assert table["display"] == [{"type": "table", "columns": ["a", "b"], "rows": [["1", "2.5"], ["3", "x"]], "more": 0}]
    figure = await page.run("plot([1, 2, 3], [4, 9, 1], title='T')")
    assert figure["display"][0]["type"] == "svg"
    assert page.browser.driver.execute_async_script(DRAW, figure["display"][0]["text"]), "it cannot be drawn"


async def test_the_tool_says_what_the_code_says(page: Page) -> None:
    class Coordinator:
        session_id = "s1"

        def get_capability(self, _name: str) -> Sandboxes:
            return page.sandboxes

    tool = PythonTool(Coordinator(), seconds=PATIENCE)
    result = await tool.execute({"code": "print(sum(range(101)))"})
    assert (result.success, result.output) == (
        True,
        {"text": "5050", "display": [{"type": "text", "text": "5050"}]},
    )
    failed = await tool.execute({"code": "a = 1\n\nb = a + 'x'"})
    assert failed.error == {"message": "TypeError: unsupported operand type(s) for +: 'int' and 'str' (line 3)."}
    await tool.end()


# -- limits


async def test_an_endless_loop_is_ended_and_what_was_defined_stays(page: Page) -> None:
    await page.value("kept = 'kept'")
    result = await page.run("while True:\n    pass", seconds=0.5)
    assert (result["error"]["kind"], result["error"]["line"] in (1, 2)) == ("interrupted", True)
    assert await page.value("kept") == "kept"
    assert page.sandbox.generation == 1


@pytest.mark.parametrize(
    "code", ["import time\ntime.sleep(1000)", "import asyncio\nawait asyncio.sleep(1000)"], ids=["time", "asyncio"]
)
async def test_a_long_sleep_is_ended_and_what_was_defined_stays(page: Page, code: str) -> None:
    await page.value("kept = 'kept'")
    assert (await page.run(code, seconds=0.5))["error"]["kind"] == "interrupted"
    assert (await page.value("kept"), page.sandbox.generation) == ("kept", 1)


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "import itertools\nall(itertools.repeat(1))",  # in one call to C, which looks at no interrupt
    ],
    ids=["stubborn", "native"],
)
async def test_what_heeds_no_interrupt_is_ended_with_its_worker(page: Page, code: str) -> None:
    page.sandboxes.grace_seconds = 2
    await page.value("lost = 1")
    with pytest.raises(SandboxTimeout, match="what it had defined is lost"):
        await page.run(code, seconds=0.5)
    assert "'lost' is not defined" in await page.error("lost")
    assert page.sandbox.generation == 2


# A timer that the end of a run does not find.
LATE = """
import asyncio
def endless():
    while True:
        try:
            while True: pass
        except BaseException: pass
loop = asyncio.get_event_loop()
type(loop).call_later(loop, 0.3, endless)
"""


async def test_code_that_goes_on_after_its_call_is_ended(page: Page) -> None:
    page.sandboxes.grace_seconds, page.sandboxes.idle_seconds = 2, 1
    logged: list[str] = []
    page.sandbox.on_log = lambda _level, text: logged.append(text)
    await page.value(LATE)
    await page.until(lambda: logged)
    assert "went on running" in logged[0]
    assert await page.value("1 + 1") == "2"
    assert page.sandbox.generation == 2


TICKING = """
import asyncio
ticks = 0
async def tick():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep(0)
task = asyncio.ensure_future(tick())
asyncio.get_event_loop().call_later(0.01, tick)
await asyncio.sleep(0.05)
"""


async def test_tasks_and_timers_do_not_outlast_their_run(page: Page) -> None:
    await page.value(TICKING)
    first = int(await page.value("await asyncio.sleep(0.05)\nticks"))
    assert first > 0
    assert int(await page.value("await asyncio.sleep(0.05)\nticks")) == first


async def test_stop_interrupts_the_code(page: Page) -> None:
    logged: list[str] = []
    page.sandbox.on_log = lambda _level, text: logged.append(text)
    log = "import sys\nsys.modules['amplifier_sandbox.main'].log('info', 'running')"
    running = asyncio.ensure_future(page.run(f"kept = 'kept'\n{log}\nwhile True: pass"))
    await page.until(lambda: logged)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await page.value("kept") == "kept"
    assert page.sandbox.generation == 1


@pytest.mark.parametrize(
    "code",
    [
        "big = bytearray(10 ** 9)",
        "big = []\nwhile True:\n    big.append(bytes(1_000_000))",
        "big = 'x'\nwhile True:\n    big += big",
    ],
    ids=["at-once", "by-and-by", "doubling"],
)
async def test_memory_is_limited(page: Page, code: str) -> None:
    result = await page.run(code)
    assert result["error"]["kind"] == "memory"
    assert await page.value("1 + 1") == "2"
    assert page.sandbox.generation == 1


async def test_many_small_objects_end_in_an_error_and_not_in_a_dead_tab(page: Page) -> None:
    code = "small = []\nwhile True:\n    small = [small, {}]"
    try:
        result = await page.run(code)
        assert result["error"]["kind"] == "memory"
    except SandboxError as error:
        assert error.kind in ("gone", "memory")
    assert await page.value("1 + 1") == "2"


async def test_endless_recursion_is_an_error(page: Page) -> None:
    assert "RecursionError" in await page.error("def f():\n    return f()\nf()")
    assert await page.value("1 + 1") == "2"


async def test_files_are_limited(page: Page) -> None:
    code = "with open('/tmp/big', 'wb') as file:\n    while True:\n        file.write(bytes(1_000_000))"
    assert "No space left" in await page.error(code)
    code = "for n in range(100_000):\n    open(f'/tmp/{n}', 'w').close()"
    assert "No space left" in await page.error(code)
    assert await page.value("1 + 1") == "2"


async def test_output_is_limited(page: Page) -> None:
    result = await page.run("for _ in range(100_000):\n    print('0123456789' * 10)")
    assert len(result["printed"]) == 10_000
    assert result["cut"] == 100_000 * 101 - 10_000
    endless = await page.run("while True:\n    print('x' * 1000)", seconds=1)
    assert endless["error"]["kind"] == "interrupted"
    assert len(endless["printed"]) == 10_000


# -- walls


DOORS = [
    "import js\njs.fetch('ADDRESS')",
    "from js import XMLHttpRequest",
    "import pyodide_js",
    "from pyodide.http import pyfetch\nawait pyfetch('ADDRESS')",
    "from pyodide.code import run_js\nrun_js('fetch(\"ADDRESS\")')",
    "import pyodide.ffi",
    "import _pyodide_core",
    "import micropip\nawait micropip.install('requests')",
    "import requests",
    "import urllib.request\nurllib.request.urlopen('ADDRESS')",
    "import http.client\nhttp.client.HTTPConnection('HOST').request('GET', '/')",
    "import socket\nsocket.create_connection(('127.0.0.1', PORT), timeout=5).send(b'hi')",
    "import asyncio\nawait asyncio.open_connection('127.0.0.1', PORT)",
    "import os\nos.fork()",
    "import subprocess\nsubprocess.run(['ls'])",
    "input('?')",
]
SCRIPT_BY_C = """
import ctypes
ctypes.CDLL(None).emscripten_run_script(b'self.fetch("ADDRESS")')
raise OSError('it did nothing')
"""


async def test_the_ways_out_end_in_errors(page: Page, pages: str) -> None:
    watch = Watch(page.browser.driver)
    host = pages.removeprefix("http://")
    try:
        for code in DOORS:
            filled = code.replace("ADDRESS", f"{pages}/short-article.html").replace("HOST", host)
            assert await page.error(filled.replace("PORT", host.partition(":")[2])), code
        with contextlib.suppress(SandboxError):  # Python breaks down, and with it the Worker
            await page.error(SCRIPT_BY_C.replace("ADDRESS", f"{pages}/short-article.html"))
        asked_for = [url for _context, url in watch.seen.requests]
        assert [url for url in asked_for if url.endswith("/pyodide/app.zip")], "the Worker was not watched"
        assert not [url for url in asked_for if url.startswith(pages)]
    finally:
        watch.close()


# Every JavaScript object that Python holds, however hidden, and what can be had of each.
FIND = """
import gc, sys
def proxies():
    seen, left, found = set(), [*gc.get_objects(), *sys.modules.values()], []
    for each in (x for c in [object] for x in walk(c)):
        left.append(each)
    while left:
        each = left.pop()
        if id(each) in seen: continue
        seen.add(id(each))
        if 'JsProxy' in type(each).__name__ or any('Js' in c.__name__ for c in type(each).__mro__ if isinstance(each, c)):
            found.append(each)
        try: left.extend(gc.get_referents(each))
        except Exception: pass
        if len(seen) > 400_000: break
    return found
def walk(c):
    for s in type.__subclasses__(c):
        yield s
        yield from walk(s)
found = proxies()
"""


async def test_no_javascript_object_that_python_holds_leads_anywhere(page: Page) -> None:
    names = "fetch constructor globalThis self postMessage onmessage then __proto__ call apply bind XMLHttpRequest importScripts"
    code = f"""{FIND}
got = []
for each in found:
    if isinstance(each, type): continue
    for name in {names.split()!r}:
        try: value = getattr(each, name)
        except Exception: continue
        if 'Js' in type(value).__name__: got.append((type(each).__name__, str(each)[:50], name))
    for key in (0, 'fetch'):
        try: got.append((str(each)[:50], key, str(each[key])[:50]))
        except Exception: pass
(len([e for e in found if not isinstance(e, type)]), got)"""
    count, got = eval(await page.value(code))
    assert count > 0, "it found none, so that it tells nothing"
    assert got == []


# All that JavaScript can reach from the Worker's globals: names of properties that hold a function or an object.
REACH = """
(() => {
  const seen = new Set(), left = [globalThis], names = new Set();
  while (left.length) {
    const each = left.pop();
    if (seen.has(each)) continue;
    seen.add(each);
    for (const key of Reflect.ownKeys(each)) {
      const {value, get, set} = Reflect.getOwnPropertyDescriptor(each, key);
      let got = value;
      try { if (get) got = each[key]; } catch {}
      for (const next of [got, get, set]) {
        if (Object(next) !== next) continue;
        names.add(String(key));
        left.push(next);
      }
    }
    if (Object.getPrototypeOf(each)) left.push(Object.getPrototypeOf(each));
  }
  return [...names];
})()
"""
REACHING_OUT = (
    "fetch XMLHttpRequest WebSocket WebSocketStream WebTransport EventSource importScripts indexedDB caches cookieStore "
    "BroadcastChannel MessageChannel MessagePort Worker SharedWorker Notification navigator location storage serviceWorker gpu "
    "locks sendBeacon postMessage onmessage addEventListener dispatchEvent FileReaderSync Request Response URL Blob File "
    "createObjectURL chrome browser open close reportError requestFileSystem webkitRequestFileSystem showOpenFilePicker "
    "RTCPeerConnection OffscreenCanvas createImageBitmap fonts FontFace scheduler trustedTypes compileStreaming"
)


async def test_the_workers_globals_reach_nothing_outside(browser: Browser, page: Page) -> None:
    """As JavaScript sees it: the doors to it are shut in Python, but this wall stands behind them."""
    await page.value("1")
    reached = set(_evaluate_in_worker(browser, REACH))
    assert {"Object", "getPrototypeOf", "setTimeout"} <= reached
    assert set(REACHING_OUT.split()) & reached == set()


def _evaluate_in_worker(browser: Browser, expression: str) -> Any:
    """Asks the sandbox's Worker by DevTools."""
    address = browser.driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
    with urllib.request.urlopen(f"http://{address}/json/list") as response:
        page = next(each for each in json.load(response) if each["url"].endswith("sandbox.html"))
    socket = websocket.create_connection(page["webSocketDebuggerUrl"], suppress_origin=True, timeout=30)
    try:
        attach = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True}
        socket.send(json.dumps({"id": 1, "method": "Target.setAutoAttach", "params": attach}))
        while True:
            reply = json.loads(socket.recv())
            if reply.get("method") == "Target.attachedToTarget" and reply["params"]["targetInfo"]["type"] == "worker":
                break
        evaluate = {"expression": f"JSON.stringify({expression})", "returnByValue": True}
        command = {"id": 2, "method": "Runtime.evaluate", "params": evaluate, "sessionId": reply["params"]["sessionId"]}
        socket.send(json.dumps(command))
        while (reply := json.loads(socket.recv())).get("id") != 2:
            pass
        return json.loads(reply["result"]["result"]["value"])
    finally:
        socket.close()


async def test_a_forged_message_is_no_more_than_an_answer_of_its_own(page: Page) -> None:
    asked: list[str] = []

    async def on_ask(name: str, _args: dict[str, Any]) -> None:
        asked.append(name)

    other: Sandbox = page.sandboxes.get("other")
    other.on_ask = on_ask
    await other.call("ping", PATIENCE)
    forge = """
import json, sys
post = sys.modules['amplifier_sandbox.main']._channel.post
ask = {'type': 'ask', 'id': 1, 'name': 'x', 'args': {}}
post('not json')
post(json.dumps({'type': 'from-sandbox', 'name': 'other:1', 'message': json.dumps(ask)}))
post(json.dumps({'type': 'ask', 'id': 7, 'name': 'page.read', 'args': {}}))
post(json.dumps({'type': 'returned', 'id': 999, 'value': 'forged'}))
post(json.dumps({'type': 'call', 'id': 1, 'name': 'settings.set', 'args': {}}))
'posted'
"""
    assert await page.value(forge) == "posted"
    assert {message["name"] for message in page.heard} == {"test:1", "other:1"}
    assert not [message for message in page.heard if message["name"] == "other:1" and "forged" in message["message"]]
    assert {message["type"] for message in page.heard} == {"from-sandbox"}
    assert asked == []
    assert await page.value("1 + 1") == "2"
    await other.end()


async def test_a_flood_of_messages_is_stopped(page: Page) -> None:
    post = "import sys\npost = sys.modules['amplifier_sandbox.main']._channel.post\n"
    flood = f"{post}sum(post('x' * 1_000_000) for _ in range(1000))"
    assert await page.value(flood) == "8"
    assert len([message for message in page.heard if message["message"].startswith("xxx")]) == 8
    assert await page.value("1 + 1") == "2"


async def test_the_kernel_can_be_imported_where_it_is_wanted(page: Page) -> None:
    sandbox = page.sandboxes.get("module", kernel=True)
    result = await sandbox.call(
        "run", PATIENCE, code="from amplifier_core import ToolResult\nToolResult(success=True, output='o').output"
    )
    assert result["error"] is None, result["error"]["traceback"]
    assert result["value"] == "o"
    await sandbox.end()
