"""Summarizing the current tab in the real panel with the tiny model, whose words mean nothing: what is tested is what it is
sent, what the user sees meanwhile, and what is said of pages that cannot be read."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from build_tools.run import serve
from panel_driver import PanelDriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.keys import Keys

FENCED = re.compile(r"<text-([0-9a-f]{8})>\n(.*)\n</text-\1>", re.S)

# What Python sends to the engine passes the panel as JSON text.
RECORD = """
window.sentToEngine = [];
if (!window.plainParse) {
  window.plainParse = JSON.parse;
  JSON.parse = (...given) => {
    const value = window.plainParse(...given);
    if (value?.type === "to-engine") window.sentToEngine.push(value.message);
    return value;
  };
}
"""
READ_TAB = """
const done = arguments[0];
chrome.tabs.query({active: true, currentWindow: true})
  .then(([tab]) => chrome.scripting.executeScript({target: {tabId: tab.id}, files: ["sidepanel/extract.js"]}))
  .then(([injection]) => done(injection.result));
"""


@pytest.fixture(autouse=True)
def fresh(tiny: PanelDriver, pages: str) -> None:
    """Every test begins with the sample article in the only tab, the toolbar pressed on it, and an empty panel."""
    tiny.to_panel()
    if tiny.is_busy():
        tiny.find("composer").send_keys(Keys.ESCAPE)
    tiny.new_session()
    tiny.driver.execute_script(RECORD)
    go(tiny, f"{pages}/sample-article.html")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Another origin, with a page and a PDF that is cut off."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "owls.html").write_text("<!doctype html><title>Owls elsewhere</title><p>" + "The owl hunts at night. " * 20)
    (folder / "leaflet.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    return serve(folder)


@pytest.fixture
def endless() -> Iterator[str]:
    """Address of a page that never stops loading while the test runs."""
    over = threading.Event()

    class Endless(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Endless</title><p>" + b"word " * 300)
            self.wfile.flush()
            over.wait(120)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    over.set()
    server.shutdown()


def go(tiny: PanelDriver, url: str, press: bool = True) -> None:
    """Shows `url` in the only tab, presses the toolbar there, and goes back to the panel."""
    tiny.open(url)
    if press:
        tiny.press_toolbar()
    tiny.to_panel()


def summarize(tiny: PanelDriver) -> None:
    tiny.click("summarize-tab")
    tiny.wait(lambda: tiny.messages("assistant"), 30, "an answer begins")


def refused(tiny: PanelDriver) -> str:
    """Title and next step of the refusal that a summary ends with."""
    summarize(tiny)
    assert tiny.wait_answer(timeout=40) == "error"
    return tiny.error()


def prompts(tiny: PanelDriver) -> list[str]:
    """The last user message of every completion that the engine was asked for."""
    sent: list[dict[str, Any]] = tiny.driver.execute_script("return window.sentToEngine")
    asked = [message["request"]["messages"] for message in sent if message["type"] == "complete"]
    return [next(m["content"] for m in reversed(messages) if m["role"] == "user") for messages in asked]


def data(prompt: str) -> str:
    """What stands in a prompt's fence, without the title."""
    found = FENCED.search(prompt)
    assert found
    return found[2].partition("\n\n")[2]


def states(tiny: PanelDriver) -> list[str | None]:
    return tiny.attributes("data-state", "section")


# ---- pages that can be read


def test_the_article_is_summarized_with_its_source(tiny: PanelDriver, pages: str) -> None:
    article = tiny.driver.execute_async_script(READ_TAB)
    summarize(tiny)
    tiny.wait_streaming(10)
    source = tiny.find("source")
    assert article["title"] in source.text
    assert pages.removeprefix("http://") in source.text
    assert f"{article['words']} words" in source.text
    size = "return getComputedStyle(document.querySelector('[data-testid=message-text]')).fontSize"
    assert tiny.driver.execute_script(size) == "14px"  # Chrome's own for pages of extensions is 10.5
    tiny.picture("summary-streaming")
    assert tiny.wait_answer() == "done"
    tiny.picture("summary-done")
    assert tiny.messages("user")[0].text.startswith("Summarize this page")
    assert [data(prompt) for prompt in prompts(tiny)] == [article["markdown"]]


def test_a_long_article_is_read_section_by_section_stopped_and_gone_on_with(tiny: PanelDriver, pages: str) -> None:
    go(tiny, f"{pages}/long-article.html")
    article = tiny.driver.execute_async_script(READ_TAB)
    summarize(tiny)
    tiny.wait(lambda: states(tiny)[1:2] == ["streaming"], 90, "the second section is read")
    count = len(states(tiny))
    assert f"Reading section 2 of {count}" in tiny.find("progress").text
    assert states(tiny) == ["done", "streaming", *["waiting"] * (count - 2)]
    tiny.wait(lambda: tiny.find_all("section")[1].find_elements("css selector", "p"), 60, "its summary streams")
    tiny.picture("summary-sections")
    tiny.click("stop")
    assert tiny.wait_answer(timeout=20) == "stopped"
    assert states(tiny) == ["done", "stopped", *["waiting"] * (count - 2)]
    tiny.picture("summary-stopped")
    tiny.click("continue", tiny.answer())
    tiny.wait(lambda: tiny.answer_state() != "stopped", 20, "it goes on")
    assert tiny.wait_answer(timeout=180) == "done"
    assert states(tiny) == ["done"] * count
    assert tiny.answer_text()
    tiny.picture("summary-sections-done")
    *sections, whole = prompts(tiny)
    assert data(sections[1]) == data(sections[2])  # the one that was stopped, again
    read = " ".join(data(section) for section in [sections[0], *sections[2:]])
    assert read.split() == article["markdown"].split()
    assert "these notes" in whole


def test_what_a_page_hides_is_not_read_and_what_it_shows_is_only_text(tiny: PanelDriver, pages: str) -> None:
    title = tiny.driver.title
    go(tiny, f"{pages}/injection.html")
    summarize(tiny)
    tiny.wait_streaming()
    tiny.click("stop")
    tiny.wait_answer()
    [prompt] = prompts(tiny)
    assert '<script>alert("shown as text")</script>' in prompt
    assert "HIDDEN" not in prompt
    assert not re.search("[\U000e0000-\U000e007f\u200b\u00ad]", prompt)
    assert "<script>" not in FENCED.sub("", prompt)
    assert "How <script> tags are escaped" in tiny.find("source").text
    made = "return document.querySelectorAll('[data-testid=transcript] :is(script, img, b, iframe)').length"
    assert tiny.driver.execute_script(made) == 0
    assert tiny.driver.title == title


# ---- pages that cannot


@pytest.mark.parametrize(
    ("address", "title", "step"),
    [
        ("chrome://version", "Chrome's own pages cannot be read", "ordinary web page"),
        ("{pages}/empty.html", "There is no text on this page", "Wait until its text is there"),
        ("{elsewhere}/leaflet.pdf", "This PDF cannot be read: it is damaged", "save it again, and attach that"),
        ("about:blank", "Amplifier may not read this tab yet", "blank tabs"),
    ],
)
def test_a_page_that_cannot_be_read_says_why_and_what_to_do(
    tiny: PanelDriver, pages: str, elsewhere: str, address: str, title: str, step: str
) -> None:
    go(tiny, address.format(pages=pages, elsewhere=elsewhere))
    told = refused(tiny)
    tiny.picture(f"summary-refused-{title.split()[-3]}")
    assert title in told
    assert step in told
    assert prompts(tiny) == []


def test_the_source_of_a_page_cannot_be_read(tiny: PanelDriver, pages: str) -> None:
    """The grant holds, since it is of the same origin, and then Chrome never answers."""
    go(tiny, f"view-source:{pages}/sample-article.html", press=False)
    assert "source of a page cannot be read" in refused(tiny)


def test_an_error_page_is_told_from_a_page(tiny: PanelDriver) -> None:
    tiny.driver.switch_to.window(tiny.page)
    with pytest.raises(WebDriverException):
        tiny.driver.get("http://nowhere.invalid/")
    tiny.press_toolbar("http://nowhere.invalid/")
    tiny.to_panel()
    told = refused(tiny)
    assert "This page did not load" in told
    assert "Reload the tab" in told


def test_a_page_that_never_stops_loading_does_not_keep_the_user_waiting(tiny: PanelDriver, endless: str) -> None:
    # From the panel: Selenium itself would wait for the page.
    move = (
        "chrome.tabs.query({active: true, currentWindow: true}).then(([tab]) => chrome.tabs.update(tab.id, {url: arguments[0]}))"
    )
    tiny.driver.execute_script(move, endless)
    targets = lambda: tiny.cdp("Target.getTargets", {"filter": [{"type": "tab"}]})["targetInfos"]  # noqa: E731
    tiny.wait(lambda: any(target["url"] == endless for target in targets()), 20, "the page begins to load")
    tiny.press_toolbar(endless)
    assert "The page does not answer" in refused(tiny)


def test_another_tab_is_read_only_when_the_toolbar_is_pressed_there(tiny: PanelDriver, elsewhere: str) -> None:
    shown = lambda: tiny.find("summarize-tab").text  # noqa: E731
    tiny.wait(lambda: "Owl" in shown() or "Seal" in shown(), 20, "the button names the tab in front")
    tiny.driver.switch_to.new_window("tab")
    other = tiny.driver.current_window_handle
    try:
        tiny.driver.get(f"{elsewhere}/owls.html")
        tiny.to_panel()
        tiny.wait(lambda: shown() == "Summarize this page", 20, "the button names no page it may not see")
        told = refused(tiny)
        assert "Amplifier may not read this tab yet" in told
        assert "button in the toolbar" in told
        tiny.picture("summary-not-granted")
        tiny.press_toolbar(elsewhere)
        tiny.wait(lambda: "Owls elsewhere" in shown(), 20, "the button names the tab in front")
        failed = tiny.answer().get_attribute("data-id")
        tiny.click("retry", tiny.answer())
        tiny.wait(lambda: tiny.answer().get_attribute("data-id") != failed, 20, "a new answer begins")
        tiny.wait_streaming()
        assert "Owls elsewhere" in tiny.find("source").text
        assert len(tiny.messages()) == 2
        tiny.click("stop")
        tiny.wait_answer()
    finally:
        tiny.driver.switch_to.window(other)
        tiny.driver.close()
        tiny.driver.switch_to.window(tiny.page)
