"""Models are downloaded in the background from a server that fails in every way in which servers fail: nothing is fetched twice,
nothing half is taken for whole, and every error says what it is.

The extension here differs from the one that ships in one thing: the test's server is one of the hosts that models come from.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from amplifier_browser.models.downloads import POLICY, line
from build_tools.drive import OFFSCREEN_PATH, PANEL_PATH
from build_tools.environment import find_browser
from build_tools.paths import BUILD, LIBRARIES, MODELS, TEST_EXTENSION
from model_server import PIECE, Fault, ModelServer
from panel_driver import PanelDriver

pytestmark = pytest.mark.slow

ID = "tiny-fetched"
SHARD = "params_shard_0.bin"
HALF = (MODELS / "tiny" / SHARD).stat().st_size // 2 if (MODELS / "tiny" / SHARD).exists() else 0
SLOW_RATE = 400_000  # bytes a second, of each file
FILES = ["mlc-chat-config.json", "tensor-cache.json", "tokenizer.json", "tiny.wasm", SHARD]

# A port of the test's own in the panel: keeps what it is told, and connects again when the offscreen document was made anew.
FOLLOW = """
const [done] = arguments;
window.told?.port.disconnect();
const told = window.told = {states: [], answers: {}, downloads: null, storage: null, engine: null};
const take = (message) => {
  if (message.type === "downloads") {
    Object.assign(told, {downloads: message.downloads, storage: message.storage});
    for (const {state} of message.downloads) if (told.states.at(-1) !== state) told.states.push(state);
  } else if (message.type === "state") told.engine = message.engine;
  else if (message.id) told.answers[message.id] = message;
};
const connect = () => {
  const port = told.port = chrome.runtime.connect({name: "engine"});
  port.onMessage.addListener((message) => { if (told.port === port) take(message); done(); });
  port.onDisconnect.addListener(() => { chrome.runtime.lastError; if (told.port === port) setTimeout(connect, 100); });
};
connect();
"""
CLOSE_OFFSCREEN = "chrome.offscreen.closeDocument().then(arguments[0])"
REMOVE_FILE = """
const [model, name, done] = arguments;
(async () => {
  const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("models");
  await (await models.getDirectoryHandle(model)).removeEntry(name);
  done();
})();
"""
# Names and sizes of all files of all models.
ON_DISK = """
const [done] = arguments;
(async () => {
  const found = {};
  const models = await (await navigator.storage.getDirectory()).getDirectoryHandle("models", {create: true});
  for await (const [model, folder] of models)
    for await (const [name, file] of folder) found[`${model}/${name}`] = (await file.getFile()).size;
  done(found);
})();
"""
# What WebLLM has put into its caches, besides what it was given.
IN_CACHES = """
const [done] = arguments;
(async () => {
  const opened = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
  done((await Promise.all(opened.map((cache) => cache.keys()))).flat().map(({url}) => url));
})();
"""


class DownloadsDriver(PanelDriver):
    """Asks for downloads from the panel."""

    count = 0

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.refused: list[str] = []  # hosts; DevTools tells of requests that the policy stops before they are made

    def follow(self) -> None:
        """Forgets what was told before."""
        self.driver.execute_async_script(FOLLOW)

    def told(self, name: str) -> Any:
        """What was told since then: downloads, storage, engine, states or answers."""
        return self.driver.execute_script("return window.told[arguments[0]]", name)

    def send(self, kind: str, model: Any = ID, **more: Any) -> str:
        """Sends a request; returns its id."""
        DownloadsDriver.count += 1
        request = {"type": kind, "id": f"test-{self.count}", "model": model, **more}
        self.driver.execute_script("window.told.port.postMessage(arguments[0])", request)
        return request["id"]

    def ask_for(self, wish: dict[str, Any]) -> str:
        """Asks for a download as Python does; returns the request's id."""
        return self.send("models.download", wish, policy=POLICY)

    def answered(self, request: str, timeout: float = 30) -> dict[str, Any]:
        """The answer to a request."""
        return self.wait(lambda: self.told("answers").get(request), timeout, "an answer comes")

    def ask_models(self, kind: str, model: Any = ID) -> dict[str, Any]:
        """Sends a request and waits for its answer."""
        return self.answered(self.send(f"models.{kind}", model))

    def download(self, wish: str = ID) -> dict[str, Any]:
        """The download as the panels are told of it."""
        return next((each for each in self.told("downloads") or [] if each["model"] == wish), {"state": None})

    def wait_state(self, state: str, timeout: float = 40) -> dict[str, Any]:
        """Waits until the download is in a state."""
        return self.wait(lambda: (now := self.download())["state"] == state and now, timeout, f"the download is {state}")

    def wait_done(self, count: int) -> None:
        """Waits until so many bytes of the shard are on the disk."""
        self.wait(lambda: self.on_disk().get(f"{ID}/{SHARD}") == count, 30, f"{count} bytes are there")

    def on_disk(self) -> dict[str, int]:
        """All files of models, with their sizes."""
        return self.driver.execute_async_script(ON_DISK)

    def wait_model(self, model: str, timeout: float = 60) -> None:
        """Waits until a model can answer."""
        self.wait(lambda: self.is_ready(model), timeout, f"{model} is ready")

    def is_ready(self, model: str) -> bool:
        """Whether the engine has a model."""
        engine = self.told("engine") or {}
        return engine.get("model") == model and engine.get("state") == "ready"

    def in_worker(self, script: str) -> None:
        """Runs a script in the downloads' Worker."""
        assert self.watch is not None
        self.watch.run("models/worker.js", script)

    def kill(self) -> None:
        """The browser ends without a chance to do anything."""
        processes = self.cdp("SystemInfo.getProcessInfo", {})["processInfo"]
        os.kill(next(each["id"] for each in processes if each["type"] == "browser"), signal.SIGKILL)
        self.driver.service.stop()


def spec(server: ModelServer) -> dict[str, Any]:
    """What the catalogue would say of the model."""
    return {
        "id": ID,
        "name": "Tiny model from a server",
        "base": server.base,
        "lib": server.lib,
        "lib_sha256": hashlib.sha256(server.library.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
        "parameters": 1,
        "context_window": 2048,
        "vram_bytes": 10_000_000,
        "needs": [],
        "is_vision": False,
    }


@pytest.fixture(scope="module")
def extension(model_server: ModelServer) -> Path:
    """The extension, for which the test's server is one of the hosts that models come from."""
    out = BUILD / f"extension-downloads{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    shutil.rmtree(out, ignore_errors=True)
    ignored = shutil.ignore_patterns("starter", "minilm")
    shutil.copytree(TEST_EXTENSION, out, copy_function=os.link, ignore=ignored)
    page = out / "background" / "offscreen.html"
    text = page.read_text()
    known = "connect-src 'self'"
    assert known in text
    page.unlink()  # it is linked to the extension that it was copied from
    page.write_text(text.replace(known, f"{known} http://127.0.0.1:{model_server.port}"))
    return out


@pytest.fixture(scope="module")
def model_server() -> Iterator[ModelServer]:
    """The server with the tiny model."""
    with ModelServer(MODELS / "tiny", LIBRARIES / "tiny.wasm") as server:
        yield server


@pytest.fixture(scope="module")
def browser(extension: Path, pages: str) -> Iterator[DownloadsDriver]:
    """A browser with the panel open, which is watched from the start."""
    with DownloadsDriver(extension, find_browser()) as driver:
        driver.watch_all()
        driver.open(f"{pages}/short-article.html")
        driver.open_panel()
        yield driver


@pytest.fixture
def server(model_server: ModelServer) -> ModelServer:
    """The server, with no faults and nothing served yet."""
    model_server.reset()
    return model_server


@pytest.fixture
def panel(browser: DownloadsDriver, server: ModelServer) -> DownloadsDriver:
    """The panel, with nothing downloaded."""
    browser.open_panel()
    browser.follow()
    browser.wait(lambda: browser.told("engine")["models"], 30, "models are listed")
    browser.ask_models("delete")
    assert browser.on_disk() == {}
    browser.follow()
    server.reset()
    return browser


def complete(panel: DownloadsDriver, server: ModelServer) -> dict[str, Any]:
    """Downloads the model; returns the download as it is told in the end."""
    assert panel.answered(panel.ask_for(spec(server)))["type"] == "models.done"
    return panel.wait_state("complete")


def held(panel: DownloadsDriver, server: ModelServer) -> None:
    """Begins a download, which stands still in the middle of the weights."""
    server.faults[SHARD] = Fault(hold_after=HALF, times=1)
    panel.ask_for(spec(server))
    panel.wait_done(HALF)


def assert_whole_and_nothing_twice(panel: DownloadsDriver, server: ModelServer) -> None:
    """Every byte came once, and lies on the disk once."""
    sizes = {name: server.path(name).stat().st_size for name in FILES}
    assert {name: server.bytes_of(name) for name in FILES} == sizes
    stored = {f"{ID}/{'library.wasm' if name == 'tiny.wasm' else name}": size for name, size in sizes.items()}
    assert panel.on_disk() == stored
    assert "OPTIONS" not in server.methods


# -- all is well


def test_a_model_is_downloaded_and_answers_when_its_server_is_gone(panel: DownloadsDriver, server: ModelServer) -> None:
    download = complete(panel, server)
    assert_whole_and_nothing_twice(panel, server)
    total = sum(panel.on_disk().values())
    assert (download["done"], download["total"], download["error"]) == (total, total, None)
    assert "downloading" in panel.told("states")
    storage = panel.told("storage")
    assert storage["models"] == total <= storage["usage"] < storage["quota"]
    listed = {each["id"]: each for each in panel.told("engine")["models"]}
    assert (listed["tiny"]["origin"], listed[ID]["origin"]) == ("package", "downloaded")
    assert "stored" not in listed[ID]
    server.stop()
    try:
        panel.send("load")
        panel.wait_model(ID)
        panel.ask("Tell me more")
        panel.wait_streaming(5)
        panel.click("stop")
        assert panel.wait_answer() == "stopped"
        # Everything anew: the model that was chosen is loaded from the disk.
        panel.driver.execute_async_script("chrome.storage.local.set({model: arguments[0]}).then(arguments[1])", ID)
        panel.driver.execute_async_script(CLOSE_OFFSCREEN)
        panel.follow()
        panel.wait_model(ID)
        assert panel.on_disk() and server.bytes_of(SHARD) == 2 * HALF
        assert panel.driver.execute_async_script(IN_CACHES) == []
    finally:
        server.start_again()
        panel.driver.execute_async_script("chrome.storage.local.remove('model').then(arguments[0])")
        panel.send("load", "tiny")
        panel.wait_model("tiny")
        panel.new_session()


def test_deleting_frees_the_storage(panel: DownloadsDriver, server: ModelServer) -> None:
    estimate = "navigator.storage.estimate().then(({usage}) => arguments[0](usage))"
    before = panel.driver.execute_async_script(estimate)
    total = complete(panel, server)["done"]
    full = panel.driver.execute_async_script(estimate)
    assert full - before >= total
    assert panel.ask_models("delete")["type"] == "models.done"
    assert panel.on_disk() == {}
    panel.wait(lambda: panel.driver.execute_async_script(estimate) < full - total * 0.99, 20, "the storage is free")
    panel.wait(lambda: panel.told("downloads") == [], 10, "it is in no list")
    assert [each["id"] for each in panel.told("engine")["models"]] == ["tiny", "starter"]
    assert panel.answered(panel.send("load"))["code"] == "unknown-model"


# -- going on


def test_what_was_paused_goes_on_where_it_was(panel: DownloadsDriver, server: ModelServer) -> None:
    held(panel, server)
    assert panel.ask_models("pause")["type"] == "models.done"
    panel.wait_state("paused")
    server.release()
    panel.driver.execute_async_script(CLOSE_OFFSCREEN)
    panel.follow()
    panel.wait_state("paused")  # by nothing but the user's wish it goes on
    assert server.starts_of(SHARD) == [0]
    complete(panel, server)
    assert server.starts_of(SHARD) == [0, HALF]
    assert_whole_and_nothing_twice(panel, server)


@pytest.mark.fault("download: network cut at 50 %", expected="it goes on where it was, by itself")
def test_a_connection_that_is_cut_at_the_half_is_resumed(panel: DownloadsDriver, server: ModelServer) -> None:
    held(panel, server)
    server.drop_connections()
    panel.wait_state("complete")
    assert server.starts_of(SHARD) == [0, HALF]
    assert_whole_and_nothing_twice(panel, server)
    assert "waiting" in panel.told("states")


@pytest.mark.fault(
    "download: cut, and the server knows no ranges", expected="that file is fetched from its start; the model is whole"
)
def test_a_server_without_ranges_starts_the_file_over(panel: DownloadsDriver, server: ModelServer) -> None:
    server.has_ranges = False
    server.faults[SHARD] = Fault(cut_after=HALF, times=1)
    assert complete(panel, server)["error"] is None
    assert server.starts_of(SHARD) == [0, 0]
    assert panel.ask_models("verify") | {"id": ""} == {"type": "models.verified", "id": "", "missing": [], "wrong": []}


@pytest.mark.fault("download: network gone", expected="it waits, says so, and goes on by itself")
def test_a_network_that_is_gone_is_waited_for(panel: DownloadsDriver, server: ModelServer) -> None:
    held(panel, server)
    server.stop()
    waiting = panel.wait_state("waiting")
    assert waiting["error"]["code"] == "offline"
    assert f"127.0.0.1:{server.port}" in waiting["error"]["message"]
    server.faults.clear()
    server.start_again()
    panel.wait_state("complete")
    assert_whole_and_nothing_twice(panel, server)


@pytest.mark.fault("download: network slow", expected="it goes on, and says how fast it is and how long it will take")
def test_a_slow_network_is_told_by_its_rate_and_the_time_left(
    panel: DownloadsDriver, server: ModelServer, seen: Callable[[str], None]
) -> None:
    server.faults |= {name: Fault(seconds_a_piece=PIECE / SLOW_RATE) for name in FILES}
    panel.ask_for(spec(server))

    def slow() -> dict[str, Any] | None:
        now = panel.download()
        is_told = now["state"] == "downloading" and now["total"] and now["done"] > now["total"] / 2
        return now if is_told and now["seconds_left"] else None

    now = panel.wait(slow, 40, "it is told how slow it is")
    assert 0 < now["bytes_per_second"] < 2.4 * SLOW_RATE  # two files come at once
    left = now["total"] - now["done"]
    assert left / now["bytes_per_second"] == pytest.approx(now["seconds_left"], abs=1)
    assert now["error"] is None
    panel.wait_state("complete", 120)
    assert_whole_and_nothing_twice(panel, server)
    assert "waiting" not in panel.told("states")
    seen(line(now))


@pytest.mark.fault(
    "download: nothing comes any more, and the connection stays",
    expected="said after seconds; asked anew, it goes on where it was",
)
def test_a_connection_that_goes_silent_is_noticed_and_given_up(
    panel: DownloadsDriver, server: ModelServer, seen: Callable[[str], None]
) -> None:
    held(panel, server)
    quiet = panel.wait(lambda: (now := panel.download())["error"] and now, 20, "it is noticed")
    assert (quiet["state"], quiet["error"]["code"]) == ("downloading", "stalled")
    assert (quiet["bytes_per_second"], quiet["seconds_left"]) == (0, None)
    waiting = panel.wait_state("waiting", 60)
    assert waiting["error"] == {"code": "stalled", "message": f"127.0.0.1:{server.port} sent nothing for 30 seconds"}
    panel.wait_state("complete")
    assert server.starts_of(SHARD) == [0, HALF]
    assert_whole_and_nothing_twice(panel, server)
    panel.open_settings("log")
    told = [entry.text for entry in panel.driver.find_elements("css selector", ".timeline-text")]
    panel.close_settings()
    assert any(entry.endswith("the download goes on") for entry in told)
    seen(f"{line(quiet)}; then: {line(waiting)}")


@pytest.mark.fault("download: panel closed", expected="it goes on without one")
def test_a_download_goes_on_without_a_panel(panel: DownloadsDriver, server: ModelServer) -> None:
    held(panel, server)
    panel.close_panel()
    assert panel.handles(PANEL_PATH) == []
    server.release()
    panel.to_offscreen()
    panel.wait(lambda: panel.on_disk().get(f"{ID}/{SHARD}") == 2 * HALF, 30, "all is there")
    panel.driver.switch_to.window(panel.page)
    panel.open_panel()
    panel.follow()
    panel.wait_state("complete")
    assert server.starts_of(SHARD) == [0]


@pytest.mark.fault("download: offscreen document closed", expected="it goes on in another")
def test_a_download_goes_on_in_another_offscreen_document(panel: DownloadsDriver, server: ModelServer) -> None:
    held(panel, server)
    panel.driver.execute_async_script(CLOSE_OFFSCREEN)
    panel.wait_state("complete")
    assert server.starts_of(SHARD) == [0, HALF]
    assert_whole_and_nothing_twice(panel, server)


@pytest.mark.fault("download: browser killed (SIGKILL)", expected="it goes on where it was after the next start")
def test_a_download_goes_on_after_the_browser_was_killed(
    extension: Path, server: ModelServer, pages: str, tmp_path: Path
) -> None:
    first = DownloadsDriver(extension, find_browser(), profile=tmp_path)
    first.open(f"{pages}/short-article.html")
    first.open_panel()
    first.follow()
    held(first, server)
    first.kill()
    with DownloadsDriver(extension, find_browser(), profile=tmp_path) as second:
        second.open(f"{pages}/short-article.html")
        second.wait(lambda: second.handles(OFFSCREEN_PATH), 30, "the offscreen document is there by itself")
        second.wait(lambda: server.starts_of(SHARD) == [0, HALF], 30, "it goes on")
        second.open_panel()
        second.follow()
        second.wait_state("complete")
        assert_whole_and_nothing_twice(second, server)
        second.send("load")
        second.wait_model(ID)


# -- errors


@pytest.mark.fault("download: wrong bytes, once", expected="the file is fetched once more; the model is whole")
def test_a_file_that_is_wrong_is_fetched_once_more(panel: DownloadsDriver, server: ModelServer) -> None:
    server.faults[SHARD] = Fault(wrong_bytes=True, times=1)
    complete(panel, server)
    assert server.starts_of(SHARD) == [0, 0]


@pytest.mark.parametrize("name", [SHARD, "tiny.wasm", "tensor-cache.json"])
@pytest.mark.fault("download: wrong bytes again and again", expected="said with the next step; it is not taken for a model")
def test_a_file_that_stays_wrong_is_an_error_and_not_a_model(panel: DownloadsDriver, server: ModelServer, name: str) -> None:
    server.faults[name] = Fault(wrong_bytes=True, times=2)
    answer = panel.answered(panel.ask_for(spec(server)))
    assert (answer["type"], answer["code"]) == ("error", "corrupt")
    failed = panel.wait_state("error")
    assert failed["error"]["code"] == "corrupt"
    assert name in failed["error"]["message"]
    assert ID not in [each["id"] for each in panel.told("engine")["models"]]
    complete(panel, server)
    assert server.starts_of(name) == [0, 0, 0]


@pytest.mark.parametrize(("status", "code"), [(404, "not-found"), (403, "refused")])
@pytest.mark.fault("download: 404 and other final answers", expected="said with the cause and the next step")
def test_an_answer_that_is_final_is_an_error(panel: DownloadsDriver, server: ModelServer, status: int, code: str) -> None:
    server.faults[SHARD] = Fault(status=status, times=1)
    assert panel.answered(panel.ask_for(spec(server)))["code"] == code
    assert panel.wait_state("error")["error"] == {"code": code, "message": f"{status} {server.base}{SHARD}"}
    complete(panel, server)
    assert_whole_and_nothing_twice(panel, server)


@pytest.mark.fault("download: 503", expected="it waits and goes on by itself")
def test_a_server_in_trouble_is_waited_for(panel: DownloadsDriver, server: ModelServer) -> None:
    server.faults[SHARD] = Fault(status=503)
    panel.ask_for(spec(server))
    assert panel.wait_state("waiting")["error"] == {"code": "server", "message": f"503 {server.base}{SHARD}"}
    server.faults.clear()
    assert panel.wait_state("complete")["error"] is None


@pytest.mark.fault("download: redirect to another host", expected="refused and said; the other host hears nothing at all")
def test_a_redirect_to_a_host_that_the_policy_refuses_is_not_followed(panel: DownloadsDriver, server: ModelServer) -> None:
    with ModelServer(server.folder, server.library) as foreign:
        panel.refused.append(f"http://127.0.0.1:{foreign.port}")
        server.faults[SHARD] = Fault(redirect=f"http://127.0.0.1:{foreign.port}", times=1)
        answer = panel.answered(panel.ask_for(spec(server)))
        assert SHARD in server.asked
        host = f"127.0.0.1:{server.port}"
        assert answer["code"] == "moved"
        assert answer["message"] == f"{host} passes on to a host that this extension must not connect to"
        answer = panel.answered(panel.ask_for(spec(foreign)))
        refused = f"this extension must not connect to 127.0.0.1:{foreign.port}"
        assert (answer["code"], answer["message"]) == ("moved", refused)
        assert (foreign.connections, foreign.asked) == (0, [])
    complete(panel, server)


def test_the_worker_itself_reaches_not_even_a_host_of_weights(panel: DownloadsDriver, server: ModelServer) -> None:
    panel.driver.execute_script("""
        window.heard = new Promise((resolve) => {
            new BroadcastChannel("guard").onmessage = ({data}) => resolve(data);
        });
    """)
    panel.in_worker(f"""
        fetch("{server.base}{SHARD}").then(() => "fetched", String)
            .then((text) => new BroadcastChannel("guard").postMessage(text));
    """)
    heard = panel.driver.execute_async_script("window.heard.then(arguments[0])")
    assert heard == f"TypeError: this extension must not connect to 127.0.0.1:{server.port}"
    assert server.asked == []


def test_a_library_that_nobody_has_pinned_is_refused(panel: DownloadsDriver, server: ModelServer) -> None:
    answer = panel.answered(panel.ask_for(spec(server) | {"lib_sha256": None}))
    assert answer["code"] == "bad-model"
    assert server.methods == []
    packaged = spec(server) | {"lib": "models/tiny/library.wasm", "lib_sha256": None}
    assert panel.answered(panel.ask_for(packaged))["type"] == "models.done"
    assert server.bytes_of("tiny.wasm") == 0
    panel.send("load")
    panel.wait_model(ID)
    panel.send("load", "tiny")
    panel.wait_model("tiny")


@pytest.mark.fault("download: disk full", expected="said with the next step; what is here is kept")
def test_a_full_disk_is_named_and_loses_nothing(panel: DownloadsDriver, server: ModelServer) -> None:
    panel.in_worker("""
        self.realEstimate = navigator.storage.estimate.bind(navigator.storage);
        StorageManager.prototype.estimate = async () => ({usage: 1000, quota: 2000000});
    """)
    assert panel.answered(panel.ask_for(spec(server)))["code"] == "no-space"
    assert server.bytes_of(SHARD) == 0
    panel.in_worker("""
        StorageManager.prototype.estimate = self.realEstimate;
        self.realWrite = FileSystemSyncAccessHandle.prototype.write;
        FileSystemSyncAccessHandle.prototype.write = function (bytes, options) {
            if (options.at + bytes.length > 3500000) throw new DOMException("no room", "QuotaExceededError");
            return self.realWrite.call(this, bytes, options);
        };
    """)
    try:
        assert panel.answered(panel.ask_for(spec(server)))["code"] == "disk-full"
    finally:
        panel.in_worker("FileSystemSyncAccessHandle.prototype.write = self.realWrite")
    kept = panel.on_disk()[f"{ID}/{SHARD}"]
    assert HALF < kept < 3_500_000
    complete(panel, server)
    assert server.starts_of(SHARD)[-1] == kept


# -- never half for whole


@pytest.mark.parametrize("name", [SHARD, "tokenizer.json", "library.wasm"])
@pytest.mark.fault("model evicted in part", expected="noticed at the start and completed")
def test_a_model_of_which_a_file_was_evicted_is_completed_at_the_start(
    panel: DownloadsDriver, server: ModelServer, name: str
) -> None:
    complete(panel, server)
    server.reset()
    served = "tiny.wasm" if name == "library.wasm" else name
    server.faults[served] = Fault(status=503)
    panel.driver.execute_async_script(REMOVE_FILE, ID, name)
    panel.driver.execute_async_script(CLOSE_OFFSCREEN)
    panel.follow()
    panel.wait_state("waiting")
    assert "complete" not in panel.told("states")
    panel.wait(lambda: panel.told("engine")["models"], 10, "models are listed")
    assert ID not in [each["id"] for each in panel.told("engine")["models"]]
    assert panel.answered(panel.send("load"))["code"] == "unknown-model"
    server.faults.clear()
    panel.wait_state("complete")
    assert [each.name for each in server.served] == [served]
    assert ID in [each["id"] for each in panel.told("engine")["models"]]


@pytest.mark.fault("model evicted in part while it is not loaded", expected="completed before it is loaded")
def test_a_model_of_which_a_file_was_evicted_is_completed_before_it_is_loaded(
    panel: DownloadsDriver, server: ModelServer
) -> None:
    complete(panel, server)
    panel.driver.execute_async_script(REMOVE_FILE, ID, SHARD)
    panel.send("load")
    panel.wait_model(ID)  # by itself, once it is whole again
    assert server.starts_of(SHARD) == [0, 0]
    panel.send("load", "tiny")
    panel.wait_model("tiny")


def test_verifying_finds_a_changed_byte_and_mends_it(panel: DownloadsDriver, server: ModelServer) -> None:
    complete(panel, server)
    panel.in_worker("""
        navigator.storage.getDirectory()
            .then((root) => root.getDirectoryHandle("models"))
            .then((models) => models.getDirectoryHandle("tiny-fetched"))
            .then((folder) => folder.getFileHandle("params_shard_0.bin"))
            .then((file) => file.createSyncAccessHandle())
            .then((handle) => { handle.write(new Uint8Array([1, 2, 3]), {at: 1000}); handle.close();
                                new BroadcastChannel("test").postMessage("changed"); });
    """)
    panel.wait(lambda: panel.ask_models("verify").get("wrong") == [SHARD], 20, "the change is found")
    panel.wait_state("complete")
    panel.wait(lambda: panel.ask_models("verify").get("wrong") == [], 20, "it is right again")
    assert server.starts_of(SHARD) == [0, 0]


# -- at last


def test_nothing_went_out_but_to_the_server(browser: DownloadsDriver, model_server: ModelServer, pages: str) -> None:
    assert browser.watch is not None
    seen = browser.watch.seen
    assert any("models/worker.js" in context for context in seen.contexts), seen.contexts
    assert seen.outside(browser.url(""), pages, f"http://127.0.0.1:{model_server.port}", *browser.refused) == []
    exceptions = [problem for context, problem in seen.problems if "models/worker.js" in context and "exception" in problem]
    assert exceptions == []
