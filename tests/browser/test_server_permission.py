"""What Chrome is asked for before a server is reached, when the user refuses it, and when it is taken back."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from build_tools.environment import find_browser
from build_tools.paths import BUILD, TEST_EXTENSION
from panel_driver import PanelDriver
from stand_in_server import StandIn

HOST = "http://127.0.0.1/*"
# No test can answer Chrome's question: this is what the page sees when the user says no.
REFUSE = "chrome.permissions.request = async () => false"
REFUSED = "Chrome was not allowed to reach this host"
HAS = "chrome.permissions.contains({origins: [arguments[0]]}).then(arguments[1])"


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In which Chrome has once granted the host: it stays granted, and can be taken back, where it is optional from then on."""
    return tmp_path_factory.mktemp("profile")


@pytest.fixture(scope="module")
def browser(profile: Path, pages: str) -> Iterator[PanelDriver]:
    """The package as it ships, in that profile."""
    out = BUILD / f"extension-permission{os.environ.get('PYTEST_XDIST_WORKER', '')}"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(TEST_EXTENSION, out, copy_function=os.link)
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    _write(out, {**manifest, "host_permissions": [*manifest.get("host_permissions", []), HOST]})
    with PanelDriver(out, find_browser(), profile=profile) as driver:
        driver.open(driver.url("manifest.json"))
        assert driver.driver.execute_async_script(HAS, HOST)
    _write(out, manifest)
    with PanelDriver(out, find_browser(), profile=profile) as driver:
        driver.start(f"{pages}/short-article.html")
        assert driver.driver.execute_async_script(HAS, HOST)
        yield driver


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    """A server that is asked for its models."""
    with StandIn() as found:
        found.serves()
        yield found


def _write(extension: Path, manifest: dict[str, Any]) -> None:
    (extension / "manifest.json").unlink()
    (extension / "manifest.json").write_text(json.dumps(manifest))


def fill_in(panel: PanelDriver, host: str) -> None:
    """Writes the address of a server, and waits until it is understood."""
    panel.open_settings("models")
    address = panel.wait(lambda: panel.find_all("server-address")[:1], 20, "the form is there")[0]
    address.clear()
    address.send_keys(host)
    panel.wait(lambda: panel.find("server-connect").is_enabled(), 20, "the address is understood")


def alerts(panel: PanelDriver) -> str:
    return panel.driver.execute_script("return [...document.querySelectorAll('[role=alert]')].map((a) => a.innerText).join(' ')")


def test_a_permission_that_is_taken_back_ends_a_server_and_one_that_is_refused_begins_none(
    browser: PanelDriver, server: StandIn
) -> None:
    fill_in(browser, server.host)
    asks = " ".join(browser.find("server-asks").text.split())
    assert asks.startswith("Chrome asks for 127.0.0.1 on every port") and f"connects to {server.host} and nothing else" in asks
    browser.click("server-connect")
    browser.wait(lambda: browser.find_all("server"), 20, "it is connected")
    assert server.asked

    browser.open_settings("permissions")
    browser.wait(lambda: browser.find_all("browser-permission"), 10, "it is listed")
    browser.click("browser-permission-revoke")
    browser.wait(lambda: not browser.find_all("browser-permission"), 10, "it is taken back")
    assert not browser.driver.execute_async_script(HAS, HOST)
    browser.open_settings("models")
    browser.wait(lambda: browser.find("server-check").text == "Allow", 10, "it has to be allowed again")
    assert "on every port" in browser.find("server").text
    assert not browser.find("server-model-use").is_enabled()

    server.asked.clear()
    browser.driver.execute_script(REFUSE)
    browser.click("server-check")
    browser.wait(lambda: REFUSED in alerts(browser), 10, "it says that it was refused")
    browser.click("server-remove")
    browser.click("server-remove-confirm")
    browser.wait(lambda: not browser.find_all("server"), 10, "it is removed")
    fill_in(browser, server.host)
    browser.click("server-connect")
    browser.wait(lambda: REFUSED in alerts(browser), 10, "it says that it was refused")
    assert not browser.find_all("server") and not server.asked
