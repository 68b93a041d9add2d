"""PDFs in a tab, transcripts, frames of other sites and links in the real panel: what the user sees, and where citations lead.
The engine is scripted."""

from __future__ import annotations

from typing import Any

import document_files as files
import pytest
from build_tools.run import serve
from media import silence
from panel_driver import ScriptedDriver
from reportlab.pdfgen.canvas import Canvas

HIGHLIGHTED = "return CSS.highlights.has('amplifier-citation')"
WISH = """
const [action, link, done] = arguments;
chrome.windows.getCurrent().then(({id}) => chrome.storage.session.set({[`wish-${id}`]: {
  action, text: '', link, url: location.href, title: '', id: crypto.randomUUID(), at: Date.now() }})).then(() => done());
"""
# Chrome lists no menus, but an update of one that is not there fails.
HAS_MENU = """
const [name, done] = arguments;
chrome.contextMenus.update(name, {}, () => done(!chrome.runtime.lastError));
"""
TABS = "chrome.tabs.query({currentWindow: true}).then(arguments[0])"
SENTENCES = {
    1: "The grey seal lives on the coasts of the Baltic Sea.",
    2: "A pup drinks milk for eighteen days in spring.",
    3: "Fishermen of Stenholm built a lighthouse from red granite.",
}
STORY = "".join(
    f"<p>The lighthouse keeper wrote letter number {i} to his sister about the weather of the week.</p>" for i in range(9)
)
VTT = """WEBVTT

00:00.000 --> 00:05.000
The lighthouse was lit in the year of the great flood.

00:35.000 --> 00:40.000
Its keeper raised geese behind the northern wall.
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of the pages of these tests."""
    folder = tmp_path_factory.mktemp("site")
    canvas = Canvas(str(folder / "seals.pdf"), pageCompression=0)
    canvas.setTitle("Seals and lights")
    for text in SENTENCES.values():
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    files.pdf_locked(folder / "locked.pdf")
    (folder / "talk.vtt").write_text(VTT)
    talk = f'<audio controls src="{silence(60)}"><track kind="captions" srclang="en" src="talk.vtt"></audio>'
    (folder / "talk.html").write_text(f"<!doctype html><html lang=en><title>A talk</title><article>{STORY}{talk}</article>")
    (folder / "light.html").write_text(f"<!doctype html><html lang=en><title>A light</title><article>{STORY}</article>")
    return serve(folder)


@pytest.fixture(scope="module")
def other_site(tmp_path_factory: pytest.TempPathFactory, site: str) -> str:
    """A page with a large frame of another site than its own."""
    folder = tmp_path_factory.mktemp("other")
    frame = f'<iframe src="{site.replace("127.0.0.1", "localhost")}/light.html" width=700 height=600></iframe>'
    (folder / "around.html").write_text(f"<!doctype html><html lang=en><title>Around</title><article>{STORY}</article>{frame}")
    return serve(folder)


@pytest.fixture(autouse=True)
def in_new_session(scripted: ScriptedDriver) -> None:
    """Every test begins with a new session, and no tab but the one in front."""
    for handle in scripted.driver.window_handles:
        scripted.driver.switch_to.window(handle)
        if handle != scripted.page and scripted.driver.current_url.startswith("http"):
            scripted.driver.close()
    scripted.to_panel()
    scripted.new_session()


def show(scripted: ScriptedDriver, url: str) -> None:
    scripted.open(url)
    scripted.to_panel()


def summarize(scripted: ScriptedDriver, *answers: str) -> str:
    scripted.script(*answers)
    scripted.click("summarize-tab")
    return scripted.wait_answer()


def in_page(scripted: ScriptedDriver, script: str) -> Any:
    scripted.driver.switch_to.window(scripted.page)
    try:
        return scripted.driver.execute_script(script)
    finally:
        scripted.to_panel()


def test_a_pdf_in_the_tab_is_summarized_and_cited_by_its_pages(scripted: ScriptedDriver, site: str) -> None:
    show(scripted, f"{site}/seals.pdf")
    assert summarize(scripted, f"{SENTENCES[3]} {SENTENCES[2]}") == "done"
    assert "Seals and lights" in scripted.find("source").text and "read all" in scripted.find("source").text
    assert all(sentence in scripted.prompts() for sentence in SENTENCES.values())
    first, second = scripted.find_all("citation")
    assert first.get_attribute("title") == f"Page 3: “{SENTENCES[3]}”"
    assert second.get_attribute("title") == f"Page 2: “{SENTENCES[2]}”"
    scripted.picture_in_both("pdf-summary")
    for citation, number in ((first, 3), (second, 2)):
        citation.click()
        scripted.wait(
            lambda wanted=number: in_page(scripted, "return location.hash") == f"#page={wanted}", 20, f"page {number} is shown"
        )
    assert not scripted.notices()


def test_the_pages_of_a_pdf_are_found_by_a_tool(scripted: ScriptedDriver, site: str) -> None:
    show(scripted, f"{site}/seals.pdf")
    scripted.script("A pup drinks milk.")
    scripted.ask("find “eighteen days” in this pdf")
    assert scripted.wait_answer() == "done"
    assert f"{SENTENCES[2]} (page 2)" in scripted.step_output("find_in_page")


def test_a_locked_pdf_says_what_to_do(scripted: ScriptedDriver, site: str) -> None:
    show(scripted, f"{site}/locked.pdf")
    assert summarize(scripted) == "error"
    assert "This PDF cannot be read: it is locked" in scripted.error()
    assert "without one, and attach that" in scripted.error()
    assert not scripted.requests()


def test_a_moment_of_a_recording_is_cited_and_gone_to(scripted: ScriptedDriver, site: str) -> None:
    show(scripted, f"{site}/talk.html")
    assert summarize(scripted, "The keeper raised geese behind the northern wall.") == "done"
    assert "[0:35] Its keeper raised geese" in scripted.prompts()
    [citation] = scripted.find_all("citation")
    assert (citation.get_attribute("title") or "").startswith("At 0:35: “")
    citation.click()
    scripted.wait(
        lambda: in_page(scripted, "return document.querySelector('audio').currentTime") == 35, 10, "the moment is there"
    )


def test_a_large_frame_of_another_site_is_told(scripted: ScriptedDriver, other_site: str) -> None:
    show(scripted, f"{other_site}/around.html")
    assert summarize(scripted, "The keeper wrote letters to his sister about the weather.") == "done"
    notes = scripted.texts("note")
    assert any("Not read: a frame of localhost, which takes a large part of this page." in note for note in notes)


@pytest.mark.parametrize("name", ["light.html", "seals.pdf"])
def test_the_page_behind_a_link_is_summarized_beside(scripted: ScriptedDriver, site: str, pages: str, name: str) -> None:
    show(scripted, f"{pages}/short-article.html")
    said = SENTENCES[2] if name == "seals.pdf" else "The lighthouse keeper wrote letter number 3 to his sister."
    scripted.script(said)
    scripted.driver.execute_async_script(WISH, "summarize-link", f"{site}/{name}")
    assert scripted.wait_answer() == "done"
    assert scripted.messages("user")[0].text.startswith(f"Summarize {site.removeprefix('http://')}/{name}")
    front, behind = scripted.driver.execute_async_script(TABS)
    assert front["active"] and front["url"] == f"{pages}/short-article.html"
    assert behind["url"] == f"{site}/{name}"
    assert ("Seals and lights" if name == "seals.pdf" else "A light") in scripted.find("source").text
    scripted.find("citation").click()
    scripted.wait(lambda: scripted.driver.execute_async_script(TABS)[1]["active"], 10, "the page is in front")
    if name == "seals.pdf":
        scripted.wait(lambda: scripted.driver.execute_async_script(TABS)[1]["url"].endswith("#page=2"), 20, "its page is shown")
    else:
        scripted.wait(lambda: is_marked(scripted, behind["url"]), 10, "the passage is marked")


def is_marked(scripted: ScriptedDriver, url: str) -> bool:
    """Whether a passage is marked in the tab at `url`."""
    for handle in scripted.driver.window_handles:
        scripted.driver.switch_to.window(handle)
        if scripted.driver.current_url == url:
            marked = bool(scripted.driver.execute_script(HIGHLIGHTED))
            scripted.to_panel()
            return marked
    raise AssertionError(f"no tab shows {url}")


@pytest.mark.parametrize(("name", "is_there"), [("summarize-link", True), ("summarize-page", True), ("summarize-moon", False)])
def test_the_menu_has_what_the_panel_knows(scripted: ScriptedDriver, name: str, is_there: bool) -> None:
    assert scripted.driver.execute_async_script(HAS_MENU, name) is is_there
