"""What Python may ask of the panel's page, in the real side panel with the real manifest; behind it, no session and no model."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from build_tools.drive import Browser
from build_tools.environment import find_browser
from build_tools.paths import ROOT

ASK = """
const [host, name, args, done] = arguments;
window[host](name, args).then((value) => done({value}), (error) => done({error: error.message}));
"""
OPEN_TAB = """
const [url, done] = arguments;
chrome.tabs.create({url, active: false}).then((tab) => {
  const check = async () => {
    if ((await chrome.tabs.get(tab.id)).status !== "complete") return;
    chrome.tabs.onUpdated.removeListener(check);
    done(tab.id);
  };
  chrome.tabs.onUpdated.addListener(check);
  check();
});
"""
CLOSE_TAB = "chrome.tabs.remove(arguments[0]).then(arguments[1])"
SECONDS = 20


class Panel(Browser):
    """A side panel of which only the host is there."""

    def ask(self, call: str, /, *, host: str = "host", **args: Any) -> Any:
        """Asks the page as Python does."""
        answer = self.answer(call, host=host, **args)
        assert "error" not in answer, answer
        return answer["value"]

    def answer(self, call: str, /, *, host: str = "host", **args: Any) -> dict[str, Any]:
        """The value, or the error that was raised."""
        return self.driver.execute_async_script(ASK, host, call, args)

    def open_tab(self, url: str) -> int:
        """Opens a tab behind the one in front, waits until it is loaded, and returns its id."""
        return self.driver.execute_async_script(OPEN_TAB, url)

    def close_tab(self, tab: int) -> None:
        self.driver.execute_async_script(CLOSE_TAB, tab)


def build(folder: Path, **changes: Any) -> Path:
    """An extension with our manifest, but for `changes`, whose panel is tests/browser/host_page.js."""
    manifest = json.loads((ROOT / "manifest.json").read_text())
    manifest.update(changes)
    shutil.copytree(ROOT / "icons", folder / "icons")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "sidepanel").mkdir()
    (folder / "sidepanel" / "index.html").write_text('<!doctype html><script type="module" src="panel.js"></script>')
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    for source, target, options in (
        ("tests/browser/host_page.js", "sidepanel/panel.js", ["--format=esm"]),
        ("background/service-worker.js", "background/service-worker.js", ["--format=esm"]),
        (
            "sidepanel/extract.js",
            "sidepanel/extract.js",
            ["--format=iife", "--global-name=amplifierPage", "--footer:js=amplifierPage.read();"],
        ),
    ):
        command = [esbuild, source, "--bundle", "--log-level=error", f"--outfile={folder / target}", *options]
        subprocess.run(command, check=True, cwd=ROOT)
    return folder


def panel_of(extension: Path, pages: str) -> Iterator[Panel]:
    with Panel(extension, find_browser(), webgpu=False) as panel:
        panel.open(f"{pages}/short-article.html")
        panel.open_panel()
        panel.wait(lambda: panel.driver.execute_script("return !!window.host"), 20, "the host is there")
        yield panel


@pytest.fixture(scope="module")
def plain(pages: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """As installed: nothing is granted but the tab on which the toolbar was pressed."""
    yield from panel_of(build(tmp_path_factory.mktemp("plain")), pages)


@pytest.fixture(scope="module")
def granted(pages: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """As after the user granted all that is optional: headless Chromium cannot be asked, so the manifest has it."""
    manifest = json.loads((ROOT / "manifest.json").read_text())
    grants = {
        "permissions": [*manifest["permissions"], *manifest["optional_permissions"]],
        "optional_permissions": [],
        "host_permissions": manifest["optional_host_permissions"],
        "optional_host_permissions": [],
    }
    yield from panel_of(build(tmp_path_factory.mktemp("granted"), **grants), pages)


@pytest.fixture
def other(plain: Panel, pages: str) -> Iterator[int]:
    """Another tab of the window in which nothing is granted."""
    tab = plain.open_tab(f"{pages}/sample-article.html")
    yield tab
    plain.close_tab(tab)


# ---- as installed


def test_the_tab_whose_toolbar_was_pressed_is_read(plain: Panel, pages: str) -> None:
    read = plain.ask("page.read", seconds=SECONDS)
    [front] = [tab for tab in plain.ask("tabs.list") if tab["active"]]
    assert read["url"] == f"{pages}/short-article.html"
    assert read["words"] > 20 and read["markdown"]
    assert read["tab"] == front["id"]
    assert plain.ask("page.read", seconds=SECONDS, tab=front["id"]) == read


def test_another_tab_is_neither_seen_nor_read(plain: Panel, other: int) -> None:
    [listed] = [tab for tab in plain.ask("tabs.list") if tab["id"] == other]
    assert listed == {"id": other, "title": "", "url": "", "active": False, "readable": False}
    read = plain.ask("page.read", seconds=SECONDS, tab=other)
    assert read["error"] == "refused"
    assert read["tab"] == other
    assert "Cannot access contents" in read["detail"]
    assert "markdown" not in read


def test_a_closed_tab_is_told_in_chromes_words(plain: Panel, pages: str) -> None:
    gone = plain.open_tab(f"{pages}/sample-article.html")
    plain.close_tab(gone)
    read = plain.ask("page.read", seconds=SECONDS, tab=gone)
    assert (read["error"], read["detail"]) == ("refused", f"No tab with id: {gone}")


def test_nothing_optional_is_granted_at_first(plain: Panel) -> None:
    assert not plain.ask("permissions.has", permissions=["tabs"])
    assert not plain.ask("permissions.has", origins=["http://127.0.0.1/*"])
    assert plain.ask("permissions.has", permissions=["storage"])


def test_only_what_the_user_granted_can_be_taken_back(plain: Panel, granted: Panel) -> None:
    nothing = {"permissions": [], "origins": []}
    held = plain.ask("permissions.list")
    assert held["revocable"] == nothing and held["origins"] == [] and "storage" in held["permissions"]
    held = granted.ask("permissions.list")
    assert "tabs" in held["permissions"] and held["origins"] and held["revocable"] == nothing
    assert "required" in granted.answer("permissions.remove", permissions=["tabs"])["error"]


def test_settings_outlast_the_page(plain: Panel) -> None:
    value = [{"id": "n1", "text": "Grüße, 海豹", "created": "2025-01-01T00:00:00+00:00"}]
    plain.ask("settings.set", notes=value, other=1)
    plain.driver.refresh()
    plain.wait(lambda: plain.driver.execute_script("return !!window.host"), 20, "the host is there")
    assert plain.ask("settings.get", names=["notes", "missing"]) == {"notes": value}


def test_a_text_is_downloaded(plain: Panel, tmp_path: Path) -> None:
    plain.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    text = "one line\nGrüße, 海豹\n"
    plain.ask("file.save", name="log.jsonl", text=text, mime="application/x-ndjson")
    saved = tmp_path / "log.jsonl"
    plain.wait(saved.exists, 20, "the file is there")
    assert saved.read_bytes() == text.encode()


def test_the_clock_tells_this_moment_here_and_elsewhere(plain: Panel) -> None:
    here = plain.ask("clock.now")
    tokyo = plain.ask("clock.now", zones=["tokyo", "Europe/tokyo", "Asia/tokyo", "Asia/Seoul"])
    utc = plain.ask("clock.now", zones=["utc"])
    assert tokyo["zone"] == "Asia/Tokyo" and tokyo["iso"].endswith("+09:00")
    assert utc["iso"].endswith("+00:00")
    assert here["zone"] == plain.driver.execute_script("return Intl.DateTimeFormat().resolvedOptions().timeZone")
    for told in (here, tokyo, utc):
        assert abs(datetime.fromisoformat(told["iso"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert plain.ask("clock.now", zones=["Europe/atlantis", "atlantis"]) == {"error": "unknown-zone"}


def test_an_unknown_call_is_an_error_and_others_calls_may_join(plain: Panel) -> None:
    assert plain.answer("no.such") == {"error": 'the panel has no call "no.such"'}
    assert plain.answer("sandbox.start", name="x")["error"] == 'the panel has no call "sandbox.start"'
    assert plain.ask("sandbox.start", host="hostWithSandboxes", name="x") == "started x"


# ---- when the user has granted all that is optional


def test_granted_tabs_are_listed_and_read(granted: Panel, pages: str) -> None:
    address = f"{pages}/sample-article.html"
    other = granted.open_tab(address)
    listed = {tab["id"]: tab for tab in granted.ask("tabs.list")}
    assert (listed[other]["url"], listed[other]["active"], listed[other]["readable"]) == (address, False, True)
    assert listed[other]["title"]
    read = granted.ask("page.read", seconds=SECONDS, tab=other)
    assert (read["url"], read["tab"], read["title"]) == (address, other, listed[other]["title"])
    assert read["words"] > 100
    assert granted.ask("page.read", seconds=SECONDS)["url"] == f"{pages}/short-article.html"
    assert granted.ask("permissions.has", permissions=["tabs"], origins=["http://127.0.0.1/*"])
    granted.close_tab(other)


def test_chromes_own_pages_stay_closed_even_then(granted: Panel) -> None:
    own = granted.open_tab("chrome://version/")
    [listed] = [tab for tab in granted.ask("tabs.list") if tab["id"] == own]
    assert listed["url"] == "chrome://version/" and not listed["readable"]
    read = granted.ask("page.read", seconds=SECONDS, tab=own)
    assert (read["error"], read["detail"]) == ("refused", "Cannot access a chrome:// URL")
    granted.close_tab(own)
