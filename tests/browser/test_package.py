"""What the browser itself makes of the package: which permissions it grants, and what the policy keeps out."""

from __future__ import annotations

import pytest
from build_tools.drive import extension_id
from build_tools.paths import TEST_EXTENSION
from panel_driver import PanelDriver

# Resolves to the directive that stopped it, or to what happened instead.
TRY = """
const [attempt, address, done] = arguments;
document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective), {once: true});
const add = (name, facts) => {
  const element = Object.assign(document.createElement(name), facts);
  element.onload = () => done(`${name} loaded`);
  document.body.append(element);
};
const attempts = {
  fetch: () => fetch(address).then(() => done("fetched"), () => {}),
  socket: () => { new WebSocket(address.replace("http", "ws")).onopen = () => done("connected"); },
  script: () => add("script", {src: address}),
  import: () => import(address).then(() => done("imported"), () => {}),
  inline: () => { add("script", {textContent: "window.inlineRan = true"}); if (window.inlineRan) done("ran"); },
  image: () => add("img", {src: address}),
  frame: () => add("iframe", {src: address}),
  style: () => add("link", {rel: "stylesheet", href: address}),
};
attempts[attempt]();
"""


@pytest.mark.parametrize(
    ("attempt", "stopped_by"),
    [
        ("fetch", "connect-src"),
        ("socket", "connect-src"),
        ("script", "script-src-elem"),
        ("import", "script-src-elem"),
        ("inline", "script-src-elem"),
        ("image", "img-src"),
        ("frame", "frame-src"),
        ("style", "style-src-elem"),
    ],
)
def test_the_policy_stops_what_would_go_out_or_come_in(tiny: PanelDriver, pages: str, attempt: str, stopped_by: str) -> None:
    tiny.to_panel()
    assert tiny.driver.execute_async_script(TRY, attempt, f"{pages}/grey-seal.svg") == stopped_by


EVALUATE = """
const [attempt, done] = arguments;
const attempts = {
  eval: () => eval("1"),
  Function: () => new Function("return 1")(),
  timer: () => { if (!setTimeout("window.timerRan = true")) throw new Error("no timer"); },
};
// In a task of the page's own: DevTools lifts the policy for what it runs itself.
setTimeout(() => { try { attempts[attempt](); done("ran"); } catch (error) { done(error.name); } });
"""


@pytest.mark.parametrize(("attempt", "error"), [("eval", "EvalError"), ("Function", "EvalError"), ("timer", "Error")])
def test_text_never_becomes_code(tiny: PanelDriver, attempt: str, error: str) -> None:
    tiny.to_panel()
    assert tiny.driver.execute_async_script(EVALUATE, attempt) == error


def test_the_browser_grants_what_is_asked_for_and_no_site(tiny: PanelDriver) -> None:
    tiny.to_panel()
    granted = tiny.driver.execute_async_script("chrome.permissions.getAll().then(arguments[0])")
    assert granted["origins"] == []
    needed = ["activeTab", "contextMenus", "offscreen", "scripting", "sidePanel", "storage", "system.memory", "unlimitedStorage"]
    assert sorted(granted["permissions"]) == needed


def test_the_browser_shows_no_warning_for_the_permissions(tiny: PanelDriver) -> None:
    """What the user is asked at installation: nothing."""
    tiny.open("chrome://extensions")
    info = tiny.driver.execute_async_script(
        "const [id, done] = arguments; chrome.developerPrivate.getExtensionInfo(id).then(done)", tiny.id
    )
    assert info["permissions"]["simplePermissions"] == []
    assert info["manifestErrors"] == []
    assert info["runtimeErrors"] == []


def test_the_extension_keeps_its_identity_where_it_lies(tiny: PanelDriver) -> None:
    """A build takes the place of the one before, so that a browser that loaded the folder still knows it."""
    assert tiny.id == extension_id(TEST_EXTENSION)
    tiny.to_panel()
    assert tiny.driver.execute_script("return chrome.runtime.id") == tiny.id
