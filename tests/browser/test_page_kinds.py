"""Pages that are more than HTML in one document, read by the panel's page in a real Chromium: PDFs in a tab, recordings with
captions, frames, and pages that a link leads to."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import document_files as files
import pytest
from build_tools.environment import find_browser
from build_tools.paths import NODE_MODULES, ROOT
from build_tools.run import serve
from media import silence, wav
from test_host import Panel, build

SECONDS = 20
PARTS = ("documents/parse-worker.js", "documents/pdf-worker.js")
VTT = """WEBVTT

00:00.000 --> 00:04.000
<v Ada>The grey seal rests on the <i>skerry</i>.</v>

00:04.000 --> 00:08.000
<v Ada>It eats herring &amp; sprat.</v>

01:10.500 --> 01:14.000
<v Ben>The harbour freezes in January.</v>
"""
GERMAN = "WEBVTT\n\n00:00.000 --> 00:04.000\nDie Kegelrobbe ruht auf der Schäre.\n"
ROLLING = """WEBVTT

00:00.000 --> 00:02.000
first line of the talk

00:02.000 --> 00:04.000
first line of the talk
second line of the talk

00:04.000 --> 00:06.000
second line of the talk
third line of the talk
"""
MEDIA_STATE = """
return [...document.querySelectorAll('video, audio')].map(
  (media) => ({time: media.currentTime, modes: [...media.textTracks].map((track) => track.mode)}));
"""


def with_documents(folder: Path) -> Path:
    """The parts of the extension that parse files."""
    documents = folder / "sidepanel" / "documents"
    documents.mkdir(parents=True)
    shutil.copytree(NODE_MODULES / "pdfjs-dist" / "cmaps", documents / "cmaps")
    for part in PARTS:
        command = [NODE_MODULES / ".bin" / "esbuild", f"sidepanel/{part}", "--bundle", "--format=esm", "--log-level=error"]
        subprocess.run([*command, f"--outfile={folder / 'sidepanel' / part}"], check=True, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is served; tests put their pages there."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text(page("<p>Nothing here.</p>"))
    (folder / "talk.wav").write_bytes(wav(90))
    (folder / "inner.html").write_text(page("<h2>Innermost</h2>" + "<p>The text of the innermost frame goes on and on.</p>" * 8))
    (folder / "en.vtt").write_text(VTT)
    (folder / "de.vtt").write_text(GERMAN)
    (folder / "rolling.vtt").write_text(ROLLING)
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> str:
    return serve(site)


@pytest.fixture(scope="module")
def panel(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """As installed: nothing is granted but the tab on which the toolbar was pressed."""
    with Panel(with_documents(build(tmp_path_factory.mktemp("extension"))), find_browser(), webgpu=False) as panel:
        yield opened(panel, f"{address}/index.html")


@pytest.fixture(scope="module")
def granted(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """Every site is granted."""
    manifest = json.loads((ROOT / "manifest.json").read_text())
    folder = build(tmp_path_factory.mktemp("granted"), host_permissions=manifest["optional_host_permissions"])
    with Panel(with_documents(folder), find_browser(), webgpu=False) as panel:
        yield opened(panel, f"{address}/index.html")


def opened(panel: Panel, url: str) -> Panel:
    panel.open(url)
    panel.open_panel()
    panel.wait(lambda: panel.driver.execute_script("return !!window.host"), 20, "the host is there")
    return panel


def page(body: str, lang: str = "en") -> str:
    return f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>A page</title><body>{body}</body></html>'


def read(panel: Panel, url: str) -> dict[str, Any]:
    panel.open(url)
    panel.open_panel()
    return panel.ask("page.read", seconds=SECONDS)


def in_page(panel: Panel, script: str) -> Any:
    """What a script in the page gives; goes back to the panel."""
    handle = panel.driver.current_window_handle
    panel.driver.switch_to.window(panel.page)
    try:
        return panel.driver.execute_script(script)
    finally:
        panel.driver.switch_to.window(handle)


# ---- PDFs


def test_a_pdf_in_the_tab_is_read_with_its_pages(panel: Panel, site: Path, address: str) -> None:
    written = files.pdf_report(site / "report.pdf")
    got = read(panel, f"{address}/report.pdf#page=2")
    assert (got["method"], got["pages"], got["title"]) == ("pdf", 4, "Seals in numbers")
    assert got["url"] == f"{address}/report.pdf"
    assert got["kept_chars"] == got["visible_chars"] > 1000
    assert "## Details of part 3" in got["markdown"]
    for number in range(1, 5):
        [block] = [block for block in got["blocks"] if f"Marker{number}x2" in block["text"]]
        assert block["page"] == number
    assert got["words"] > 0.9 * len(written.all.split())
    assert panel.ask("page.read", seconds=SECONDS) == got


def test_a_page_of_a_pdf_is_shown_and_can_still_be_read(panel: Panel, site: Path, address: str) -> None:
    files.pdf_report(site / "show.pdf")
    got = read(panel, f"{address}/show.pdf")
    for number in (3, 2, 2):
        shown = panel.ask("page.show", tab=got["tab"], url=got["url"], quote="x", page=number)
        assert shown == {"found": True}
        panel.wait(
            lambda wanted=number: in_page(panel, "return location.hash") == f"#page={wanted}", 20, f"page {number} is shown"
        )
        assert panel.ask("page.read", seconds=SECONDS)["url"] == got["url"]


def test_a_large_pdf_is_handed_over_whole(panel: Panel, site: Path, address: str) -> None:
    files.pdf_report(site / "large.pdf")
    body = (site / "large.pdf").read_bytes()
    (site / "large.pdf").write_bytes(body + b"\n%" + b"x" * (9 << 20) + body[body.rindex(b"startxref") :].join([b"\n", b""]))
    got = read(panel, f"{address}/large.pdf")
    assert got["pages"] == 4, got


@pytest.mark.parametrize(
    ("maker", "reason"),
    [
        (files.pdf_locked, "encrypted"),
        (files.pdf_scanned, "scanned"),
        (files.pdf_cut_off, "damaged"),
        (files.pdf_blank, "empty"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(panel: Panel, site: Path, address: str, maker: Any, reason: str) -> None:
    maker(site / f"{reason}.pdf")
    got = read(panel, f"{address}/{reason}.pdf")
    assert (got["error"], got["reason"], got["url"]) == ("pdf", reason, f"{address}/{reason}.pdf")
    assert got["detail"] and "markdown" not in got


def test_a_pdf_that_is_too_big_or_gone_is_not_waited_for(panel: Panel, address: str, pdf_once: str) -> None:
    got = read(panel, f"{pdf_once}/once.pdf")
    assert (got["error"], got["reason"]) == ("pdf", "unreachable")
    got = read(panel, f"{pdf_once}/endless.pdf")
    assert (got["error"], got["reason"]) == ("pdf", "too-big")


@pytest.fixture
def pdf_once(tmp_path: Path) -> Iterator[str]:
    """once.pdf is there once only; endless.pdf says that it is larger than may be read."""
    body = files.pdf_report(tmp_path / "once.pdf").path.read_bytes()
    asked: list[str] = []
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            first = self.path not in asked
            asked.append(self.path)
            self.send_response(200 if first or "endless" in self.path else 410)
            self.send_header("Content-Type", "application/pdf")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Length", str((60 << 20) if "endless" in self.path else len(body)))
            self.end_headers()
            self.wfile.write(body)
            if "endless" in self.path:
                over.wait(60)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()


# ---- recordings


def test_captions_become_a_transcript_with_times(panel: Panel, site: Path, address: str) -> None:
    tracks = '<track kind="subtitles" srclang="de" src="de.vtt"><track kind="captions" srclang="en" src="en.vtt">'
    story = "The station films the seals every spring and shows the films here. " * 6
    video = f"<video src='{silence(90)}'>{tracks}</video>"
    (site / "talk.html").write_text(page(f"<article><h1>Talk</h1><p>{story}</p>{video}</article>"))
    got = read(panel, f"{address}/talk.html")
    assert got["method"] == "article"
    assert got["markdown"].endswith(
        "## Transcript\n\n"
        "[0:00] Ada: The grey seal rests on the skerry. It eats herring & sprat.\n\n"
        "[1:10] Ben: The harbour freezes in January."
    )
    assert got["markdown"].startswith("# Talk") or "The station films" in got["markdown"]
    assert [(moment["time"], moment["media"]) for moment in got["moments"]] == [(0, 0), (70, 0)]
    assert got["words"] > len(story.split()) + 15
    assert in_page(panel, MEDIA_STATE)[0]["modes"] == ["disabled", "disabled"]


def test_a_moment_is_shown(panel: Panel, address: str) -> None:
    got = read(panel, f"{address}/talk.html")
    shown = panel.ask("page.show", tab=got["tab"], url=got["url"], quote="x", media=0, time=70)
    assert shown == {"found": True}
    assert in_page(panel, MEDIA_STATE)[0]["time"] == 70
    assert panel.ask("page.show", tab=got["tab"], url=got["url"], quote="x", media=4, time=70) == {"found": False}


def test_a_page_that_is_all_recording_is_read(panel: Panel, site: Path, address: str) -> None:
    tracks = '<track kind="subtitles" srclang="en" src="en.vtt"><track kind="subtitles" srclang="de" src="de.vtt">'
    (site / "german.html").write_text(page(f"<audio controls src=talk.wav>{tracks}</audio>", "de-CH"))
    got = read(panel, f"{address}/german.html")
    assert (got["method"], got["lang"], got["title"]) == ("transcript", "de", "A page")
    assert got["markdown"] == "## Transcript\n\n[0:00] Die Kegelrobbe ruht auf der Schäre."
    assert "error" not in got


def test_recordings_in_shadow_roots_and_frames_are_heard_and_lines_that_roll_are_told_once(
    panel: Panel, site: Path, address: str
) -> None:
    (site / "player.html").write_text(page('<audio src=talk.wav><track src="rolling.vtt" default></audio>'))
    script = """document.querySelector('x-player').attachShadow({mode: 'open'}).innerHTML =
      '<video title="The seals"><track kind="captions" src="en.vtt"></video>'"""
    (site / "players.html").write_text(page(f"<x-player></x-player><iframe src=player.html></iframe><script>{script}</script>"))
    text = read(panel, f"{address}/players.html")["markdown"]
    assert "## Transcript: The seals\n\n[0:00] Ada: The grey seal" in text
    assert text.endswith(
        "## Transcript: recording 2\n\n[0:00] first line of the talk second line of the talk third line of the talk"
    )


def test_a_track_that_does_not_come_is_not_waited_for_long(panel: Panel, site: Path, address: str, endless: str) -> None:
    story = "The station films the seals every spring and shows the films here. " * 6
    tracks = f'<track kind="captions" src="{endless}/en.vtt"><track kind="captions" src="missing.vtt">'
    (site / "slow.html").write_text(page(f"<p>{story}</p><video crossorigin>{tracks}</video>"))
    got = read(panel, f"{address}/slow.html")
    assert "Transcript" not in got["markdown"] and "moments" not in got
    assert in_page(panel, MEDIA_STATE)[0]["modes"] == ["disabled", "disabled"]


@pytest.fixture
def endless() -> Iterator[str]:
    """An address that never answers while the test runs."""
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            over.wait(60)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()


def test_captions_that_the_page_shows_itself_are_told_once(panel: Panel, site: Path, address: str) -> None:
    shown = "".join(
        f"<p>{line}</p>"
        for line in ("The grey seal rests on the skerry.", "It eats herring &amp; sprat.", "The harbour freezes in January.") * 2
    )
    (site / "shown.html").write_text(page(f'<video><track src="en.vtt"></video><main>{shown}</main>'))
    got = read(panel, f"{address}/shown.html")
    assert got["markdown"].count("It eats herring & sprat.") == 2
    assert "[0:00]" not in got["markdown"]


def test_a_transcript_that_the_page_shows_beside_the_article_is_read_with_it(panel: Panel, site: Path, address: str) -> None:
    story = "".join(
        f"<p>Paragraph {i} of the article. {'It tells of the seal station, and of the sea. ' * 6}</p>" for i in range(6)
    )
    lines = "".join(f"<div><span>{i // 6}:{i % 6}0</span><span>spoken words, number {i}</span></div>" for i in range(30))
    sidebar = f'<aside class="video-Transcript"><button>Close</button><div class="sidebar">{lines}</div></aside>'
    times = "".join(f"<li>{hour}:00 a boat leaves</li>" for hour in range(6, 20))
    harbour = f'<aside class="sidebar"><ul>{times}</ul></aside>'
    (site / "list.html").write_text(page(f"<article><h1>Story</h1>{story}</article>{sidebar}{harbour}"))
    got = read(panel, f"{address}/list.html")
    assert got["method"] == "article"
    told = got["markdown"].split("## Transcript\n\n")[1]
    assert told.startswith("0:00 spoken words, number 0 0:10 spoken words")
    assert told.endswith("4:50 spoken words, number 29")
    assert all(len(paragraph) <= 350 for paragraph in told.split("\n\n"))
    assert "a boat leaves" not in got["markdown"]


# ---- frames


def test_nested_and_small_frames_are_read_where_the_text_is(panel: Panel, site: Path, address: str) -> None:
    (site / "outer.html").write_text(page("<p>Between.</p><iframe src=inner.html width=300 height=150></iframe>"))
    (site / "nested.html").write_text(
        page(
            "<h1>Around</h1><p>A few words.</p><iframe src=outer.html width=320 height=160></iframe>"
            "<iframe srcdoc='<p>ADVERT one two three four</p>' width=300 height=100></iframe>"
            "<iframe srcdoc='<p>HIDDEN words of a frame that nobody sees</p>' width=1 height=1></iframe>"
        )
    )
    got = read(panel, f"{address}/nested.html")
    text = got["markdown"]
    assert "## Innermost" in text and text.count("goes on and on") == 8
    assert "ADVERT" not in text and "HIDDEN" not in text
    assert got["unread_frames"] == []


def test_what_was_scrolled_by_in_a_frame_is_read(panel: Panel, site: Path, address: str) -> None:
    top = '<div style="position: absolute; top: 0">The top of the frame, placed by itself, comes first.</div>'
    inside = page(f'{top}<div style="height: 3000px"></div><p>{"The end of the frame. " * 20}</p>')
    (site / "scrolled-frame.html").write_text(inside)
    (site / "scrolled.html").write_text(page("<iframe src=scrolled-frame.html width=700 height=600></iframe>"))
    panel.open(f"{address}/scrolled.html")
    panel.driver.execute_script("frames[0].scrollTo(0, 3000)")
    panel.open_panel()
    assert "placed by itself" in panel.ask("page.read", seconds=SECONDS)["markdown"]


def test_large_frames_of_other_sites_are_told(panel: Panel, site: Path, address: str) -> None:
    other = address.replace("127.0.0.1", "localhost")
    (site / "foreign.html").write_text(
        page(
            f"<p>{'A few words around the frame. ' * 6}</p>"
            f"<iframe src={other}/inner.html width=700 height=600></iframe>"
            f"<iframe src={other}/inner.html width=300 height=100></iframe>"
            f"<iframe src={other}/inner.html width=700 height=600 style='display: none'></iframe>"
            f"<iframe sandbox srcdoc='<p>Sealed</p>' width=700 height=600></iframe>"
        )
    )
    got = read(panel, f"{address}/foreign.html")
    assert got["unread_frames"] == ["localhost", ""]
    assert "innermost" not in got["markdown"]
    (site / "foreign-only.html").write_text(page(f"<iframe src={other}/inner.html width=700 height=600></iframe>"))
    got = read(panel, f"{address}/foreign-only.html")
    assert (got["error"], got["unread_frames"]) == ("no-text", ["localhost"])


# ---- links


def test_a_link_is_opened_behind_the_tab_in_front_and_read(granted: Panel, site: Path, address: str) -> None:
    files.pdf_report(site / "linked.pdf")
    tabs = granted.ask("tabs.list")
    first = granted.ask("tabs.open", url=f"{address}/inner.html", seconds=SECONDS)
    assert first["loaded"] and first["url"] == f"{address}/inner.html"
    assert "## Innermost" in granted.ask("page.read", seconds=SECONDS, tab=first["tab"])["markdown"]
    second = granted.ask("tabs.open", url=f"{address}/linked.pdf", seconds=SECONDS)
    assert granted.ask("page.read", seconds=SECONDS, tab=second["tab"])["pages"] == 4
    listed = granted.ask("tabs.list")
    assert len(listed) == len(tabs) + 2
    assert [tab["id"] for tab in listed if tab["active"]] == [tab["id"] for tab in tabs if tab["active"]]
    again = granted.ask("tabs.open", url=f"{address}/inner.html", seconds=SECONDS, before=first["tab"])
    assert again == first and len(granted.ask("tabs.list")) == len(listed)
    for each in (first, second):
        granted.close_tab(each["tab"])
    anew = granted.ask("tabs.open", url=f"{address}/inner.html", seconds=SECONDS, before=first["tab"])
    assert anew["tab"] not in (first["tab"], second["tab"])
    granted.close_tab(anew["tab"])


def test_a_link_that_is_slow_a_download_or_no_page_says_so(granted: Panel, site: Path, address: str, endless: str) -> None:
    slow = granted.ask("tabs.open", url=f"{endless}/x.html", seconds=1)
    assert not slow["loaded"]
    granted.close_tab(slow["tab"])
    assert granted.ask("tabs.open", url="file:///etc/hostname", seconds=1)["error"] == "refused"
    granted.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "deny"})
    (site / "archive.zip").write_bytes(b"PK")
    before = len(granted.ask("tabs.list"))
    opened = granted.ask("tabs.open", url=f"{address}/archive.zip", seconds=5)
    if "tab" in opened:  # Chrome closes a tab that becomes a download, at once or a little later
        assert granted.ask("page.read", seconds=5, tab=opened["tab"])["error"] == "refused"
    granted.wait(lambda: len(granted.ask("tabs.list")) == before, 10, "Chrome has closed the tab")
