"""The page reader in a real Chromium: what of each page in tests/pages is kept, and what is lost.

The bundle runs as the extension runs it: in an isolated world of the tab, its completion value being the answer.
"""

from __future__ import annotations

import functools
import http.server
import pathlib
import re
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ROOT / "tests" / "pages"
BUNDLE_OPTIONS = ["--bundle", "--format=iife", "--global-name=amplifierPage", "--footer:js=amplifierPage.read();"]
HIDDEN_WAYS = 12
EXTRA_FILES = {
    "/notes.txt": ("text/plain", b"plain words " * 30),
    "/paper.pdf": ("application/pdf", b"%PDF-1.4\n%%EOF\n"),
}


class PageHandler(http.server.SimpleHTTPRequestHandler):
    """Serves tests/pages and a few files that are no pages, silently."""

    def do_GET(self) -> None:
        if self.path not in EXTRA_FILES:
            super().do_GET()
            return
        kind, body = EXTRA_FILES[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Reader:
    """A browser, the pages' server and the built reader."""

    def __init__(self, driver: webdriver.Chrome, address: str, script: str) -> None:
        self.driver, self.address, self.script = driver, address, script

    def open(self, page: str) -> None:
        self.driver.get(f"{self.address}/{page}")

    def read(self) -> dict[str, Any]:
        frame = self.driver.execute_cdp_cmd("Page.getFrameTree", {})["frameTree"]["frame"]["id"]
        world = self.driver.execute_cdp_cmd("Page.createIsolatedWorld", {"frameId": frame, "worldName": "reader"})
        answer = self.driver.execute_cdp_cmd(
            "Runtime.evaluate",
            {"expression": self.script, "contextId": world["executionContextId"], "returnByValue": True},
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]

    def page(self, page: str) -> dict[str, Any]:
        self.open(page)
        return self.read()

    def dom(self) -> str:
        return self.driver.execute_script("return document.documentElement.outerHTML")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    bundle = tmp_path_factory.mktemp("reader") / "extract.js"
    esbuild = ROOT / "node_modules" / ".bin" / "esbuild"
    source = ROOT / "sidepanel" / "extract.js"
    subprocess.run([esbuild, source, *BUNDLE_OPTIONS, f"--outfile={bundle}", "--log-level=error"], check=True)
    handler = functools.partial(PageHandler, directory=str(PAGES))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1000,800"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options)
    try:
        yield Reader(driver, f"http://127.0.0.1:{server.server_port}", bundle.read_text())
    finally:
        driver.quit()
        server.shutdown()
        server.server_close()


def test_article_keeps_its_text_and_drops_the_clutter(reader: Reader) -> None:
    page = reader.page("sample-article.html#story")
    text = page["markdown"]
    assert page["method"] == "article"
    assert page["title"] == "The Grey Seal Returns to the Baltic Sea"
    assert page["url"] == f"{reader.address}/sample-article.html"
    assert (page["lang"], page["byline"]) == ("en", "Ilse Marrow")
    assert 450 <= page["words"] <= 600
    assert 0 < page["kept_chars"] < page["visible_chars"]
    for kept in (
        "## What comes next",
        "- Hunting the grey seal",
        "[image: A grey seal resting",
        "singing from the\nouter",
    ):
        assert kept.replace("\n", " ") in text
    for row in ("| Measure | Female | Male |\n| --- | --- | --- |", "| Weight | 150 kilograms | 300 kilograms |"):
        assert row in text
    for dropped in ("News desk", "Most read", "Advertisement", "newsletter", "Skip to the story", "http", ".svg", "]("):
        assert dropped not in text


def test_long_article_keeps_every_heading_in_order(reader: Reader) -> None:
    page = reader.page("long-article.html")
    reader.open("long-article.html")
    headings = reader.driver.execute_script("return [...document.querySelectorAll('h2')].map(h => h.textContent)")
    found = [line.removeprefix("## ") for line in page["markdown"].splitlines() if line.startswith("## ")]
    assert len(headings) >= 8 and found == headings
    assert page["words"] >= 2500
    assert page["markdown"].endswith("nods, and alters course.")
    assert "Front page" not in page["markdown"] and "set by hand" not in page["markdown"]


@pytest.mark.parametrize("page", ["injection.html", "sample-article.html", "app.html", "shadow.html", "table.html"])
def test_the_page_is_left_as_it_was_and_reads_the_same_twice(reader: Reader, page: str) -> None:
    reader.open(page)
    before, first = reader.dom(), reader.read()
    assert "error" not in first
    assert reader.read() == first
    assert reader.dom() == before
    assert reader.driver.execute_script("return typeof amplifierPage") == "undefined"


def test_injection_shown_markup_stays_text(reader: Reader) -> None:
    page = reader.page("injection.html")
    text = page["markdown"]
    assert page["title"] == "How <script> tags are escaped"
    assert '<script>alert("shown as text")</script>' in text
    assert "&amp; and &lt;" in text
    assert "```html\n<img src=x onerror=\"document.title = 'changed'\">\n<b>not bold</b>\n```" in text
    assert "\\# This paragraph" in text and "\\``` Three ticks" in text
    assert "This bold remark is visible again." in text
    assert "between these brackets [] there are" in text
    assert reader.driver.title == "How <script> tags are escaped"


def test_hidden_text_is_on_the_page_but_not_in_the_article(reader: Reader) -> None:
    page = reader.page("injection.html")
    assert page["method"] == "article"
    assert len(set(re.findall("HIDDEN-[A-Z]+", reader.dom()))) == HIDDEN_WAYS
    assert "HIDDEN" not in page["markdown"]


def test_hidden_text_is_not_in_the_whole_page(reader: Reader) -> None:
    reader.open("injection.html")
    reader.driver.execute_script(
        """for (let i = 0; i < 400; i++) {
          const link = document.createElement("a");
          link.href = "/" + i;
          link.textContent = `A list of links, of which this is the one numbered ${i}. `;
          document.body.append(link);
        }"""
    )
    page = reader.read()
    assert page["method"] == "page"
    assert "A list of links" in page["markdown"] and "shown as text" in page["markdown"]
    assert "HIDDEN" not in page["markdown"]


def test_an_open_banner_that_hides_the_app_from_screen_readers_does_not_lose_the_page(reader: Reader) -> None:
    reader.open("sample-article.html")
    reader.driver.execute_script("document.querySelector('.layout').setAttribute('aria-hidden', 'true')")
    assert "## What comes next" in reader.read()["markdown"]


def test_page_without_article_is_read_whole(reader: Reader) -> None:
    page = reader.page("app.html")
    text = page["markdown"]
    assert page["method"] == "page"
    assert page["kept_chars"] > 0.9 * page["visible_chars"]
    for kept in (
        "Order 5500 Oranges 1 pallets loaded\n",
        "Order 5699 ",
        "-18.5 °C",
        "Depot 7 Rotterdam",
        "Gate log\n\nYard map",
    ):
        assert kept in text
    for dropped in ("Sign out", "Refresh", "search box", "choose a depot", "Depot software", "const goods"):
        assert dropped not in text


def test_tables_lists_and_code_keep_their_form(reader: Reader) -> None:
    text = reader.page("table.html")["markdown"]
    assert (
        "Summer timetable\n\n"
        "| From | Departs | Notes |\n| --- | --- | --- |\n"
        "| Norrvik | 07:15 | weekdays; cars |\n"
        "| Norrvik | 12:40 | daily \\| no cars |\n"
        "| Stenholm | on request call ahead |  |\n"
    ) in text
    assert "|  |  |\n| --- | --- |\n| Adult | 60 crowns |\n| Child | 30 crowns |" in text
    assert "Lost property\n\nAsk at the kiosk" in text
    assert "3. Leave the train at Norrvik.\n4. Follow the blue signs:\n   - past the church,\n   - down to" in text
    assert "5. Or let a machine tell you:\n\n   ```\n   walk()\n\n   arrive()\n   ```" in text
    assert "twelve minutes, and there" in text
    assert "```text\n07:15  ####\n12:40  ##\n```" in text
    assert "[image: Map of the pier]" in text and "missing.png" not in text


def test_japanese_is_counted_in_words(reader: Reader) -> None:
    page = reader.page("cjk.html")
    assert (page["lang"], page["title"]) == ("ja", "味噌のつくり方")
    assert 100 < page["words"] < page["kept_chars"]
    assert "## 大豆を煮る" in page["markdown"] and page["markdown"].endswith("これで味噌のできあがりです。")
    assert "買い物" not in page["markdown"]


def test_a_short_japanese_page_is_no_empty_page(reader: Reader) -> None:
    reader.open("empty.html")
    reader.driver.execute_script("document.body.innerHTML = '<p>本日は大雪のため、船はすべて欠航いたします。</p>'")
    assert reader.read()["markdown"] == "本日は大雪のため、船はすべて欠航いたします。"


def test_arabic_keeps_its_order(reader: Reader) -> None:
    page = reader.page("rtl.html")
    assert page["lang"] == "ar"
    assert page["markdown"].index("## الحصاد") < page["markdown"].index("## الزيت")
    assert "في المعصرة يغسل الزيتون ويطحن ويعصر." in page["markdown"]
    assert "المتجر" not in page["markdown"] and "الحقوق" not in page["markdown"]


def test_open_shadow_roots_slots_and_frames_are_read_as_rendered(reader: Reader) -> None:
    text = reader.page("shadow.html")["markdown"]
    order = ["## Inside the shadow", "channel nine", "calm water", "Signed by the harbour master", "## From the frame"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "quarter past nine" in text
    for dropped in ("UNSLOTTED", "SECRET", "ADVERT", "color: navy"):
        assert dropped not in text


def test_forum_keeps_every_post_and_its_code(reader: Reader) -> None:
    text = reader.page("forum.html")["markdown"]
    for author in ("rye_and_shine", "old_miller", "crumb.dev"):
        assert author in text
    for post in ("paint thinner", "> Should I throw it away", "it is only hungry", "smells of yoghurt again"):
        assert post in text
    assert '```python\ndef feed(starter):\n    return {"flour": starter * 5, "water": starter * 5}\n```' in text
    for dropped in ("Like", "Report", "Powered by", "Log in"):
        assert dropped not in text


STORY = "<p>" + "The river rose in the night, and by morning the mill stood in water up to its sills. " * 6 + "</p>"


def shown(reader: Reader, body: str) -> dict[str, Any]:
    """What is read of a page with this body."""
    reader.open("empty.html")
    reader.driver.execute_script("document.body.innerHTML = arguments[0]", body)
    return reader.read()


def test_headings_and_tables_by_role_are_headings_and_tables(reader: Reader) -> None:
    def row(role: str, *cells: str) -> str:
        return f"<div role='row'>{''.join(f'<div role={role}>{cell}</div>' for cell in cells)}</div>"

    rows = row("gridcell", "7710", "Spinach") + f"<div class='pane'>{row('gridcell', '7711', 'Peas')}</div>"
    head = f"<div role='rowgroup'>{row('columnheader', 'Order', 'Goods')}</div>"
    grid = f"<div role='grid'>{head}<div role='rowgroup'>{rows}</div></div>"
    lone = row("cell", "in no table")
    text = shown(reader, f"<main><div role='heading' aria-level='3'>Orders</div>{STORY}{grid}{lone}</main>")["markdown"]
    assert "### Orders\n" in text
    assert "| Order | Goods |\n| --- | --- |\n| 7710 | Spinach |\n| 7711 | Peas |" in text
    assert "\nin no table" in text


def test_a_small_table_of_icons_is_no_layout(reader: Reader) -> None:
    cells = "<td><img src='grey-seal.svg' alt='{}'></td><td>{}</td>"
    rows = "".join(f"<tr>{cells.format(*said)}</tr>" for said in (("Door", "shut"), ("Sill", "wet")))
    links = "<table>" + "<tr><td><a href='/a'>Home</a></td><td><a href='/b'>Mills</a></td></tr>" * 2 + "</table>"
    text = shown(reader, f"<article>{STORY * 2}<div><table>{rows}</table></div>{STORY}<div>{links}</div></article>")["markdown"]
    assert "| [image: Door] | shut |\n| [image: Sill] | wet |" in text
    assert "Mills" not in text


def test_the_title_of_an_unfolded_part_is_kept_though_it_is_a_button(reader: Reader) -> None:
    parts = f"<button aria-expanded='true'>How high it stood</button><div>{STORY}</div>"
    menus = "<button aria-expanded='true' aria-haspopup='menu'>Account</button><button aria-expanded='false'>More</button>"
    text = shown(reader, f"<main>{menus}<div>{STORY}</div>{parts}</main>")["markdown"]
    assert "How high it stood\n" in text
    assert "Account" not in text and "More" not in text


def test_a_heading_is_one_line(reader: Reader) -> None:
    heading = "<h2>The mill <span><pre>2.1.0</pre></span><div>since 1840</div></h2>"
    assert "## The mill 2.1.0 since 1840\n" in shown(reader, f"<article>{STORY}{heading}{STORY}</article>")["markdown"]


def test_a_picture_that_says_what_the_text_beside_it_says_is_left_out(reader: Reader) -> None:
    mill = "<p><a><img src='grey-seal.svg' alt='Old mill'></a> Old mill, seen from the weir, with the miller's boat.</p>"
    pictures = f"{mill}<p><img src='grey-seal.svg' alt='A heron'> A bird.</p>"
    text = shown(reader, f"<article>{STORY}{pictures}{STORY}</article>")["markdown"]
    assert "[image: A heron]" in text and "[image: Old mill]" not in text


def test_words_that_are_seen_apart_are_apart(reader: Reader) -> None:
    spans = "<span>06:42</span><span style='margin-inline-start: 12px'>water</span><b>mark</b>"
    backwards = "<span dir='rtl'><b>one</b><i style='margin: 9px'>two</i></span>"
    text = shown(reader, f"<article>{STORY}<p>{spans}{backwards} is what the book says.</p>{STORY}</article>")["markdown"]
    assert "06:42 watermarkone two is" in text


def test_an_article_that_lacks_most_of_the_text_or_the_code_is_a_miss(reader: Reader) -> None:
    parts = "".join(f"<div class='sidebar'><div>{STORY.replace('river', name)}</div></div>" for name in ("brook", "beck", "burn"))
    whole = shown(reader, f"<div><article>{STORY * 2}</article></div>{parts}")
    assert whole["method"] == "page" and all(name in whole["markdown"] for name in ("brook", "beck", "burn"))
    code = "<div class='sidebar'><pre>gauge.read()</pre></div>"
    page = shown(reader, f"<nav>Mills</nav><main>{STORY * 4}{code * 2}</main><p>Another page</p>")
    assert page["markdown"].count("gauge.read()") == 2
    assert "Mills" not in page["markdown"] and "Another page" not in page["markdown"]


def test_what_floats_over_the_page_is_not_read_but_a_dialog_is(reader: Reader) -> None:
    bar = "<div style='position: fixed; bottom: 0'><p>We and our partners value your privacy.</p></div>"
    dialog = "<div role='dialog' style='position: fixed'><p>The gauge was read at six by the miller's daughter.</p></div>"
    parts = f"<div class='sidebar'>{STORY}</div>" * 3
    page = shown(reader, f"<div style='position: fixed; inset: 0'><article>{STORY}</article>{parts}{bar}{dialog}</div>")
    assert page["method"] == "page" and "up to its sills" in page["markdown"]
    assert "read at six" in page["markdown"] and "privacy" not in page["markdown"]


def test_plain_text_is_read_as_it_is(reader: Reader) -> None:
    page = reader.page("notes.txt")
    assert page["markdown"] == ("plain words " * 30).strip()
    assert page["title"].endswith("/notes.txt") and page["words"] == 60


@pytest.mark.parametrize(("page", "error"), [("empty.html", "no-text"), ("grey-seal.svg", "no-text"), ("paper.pdf", "pdf")])
def test_pages_without_text_say_why(reader: Reader, page: str, error: str) -> None:
    answer = reader.page(page)
    assert answer["error"] == error
    assert answer["detail"] and answer["title"] and answer["url"] == f"{reader.address}/{page}"
    assert "markdown" not in answer


def test_a_failure_is_an_answer_too(reader: Reader) -> None:
    reader.open("sample-article.html")
    broken = reader.script.replace("amplifierPage.read();", "Intl.Segmenter = null; amplifierPage.read();")
    intact, reader.script = reader.script, broken
    try:
        answer = reader.read()
    finally:
        reader.script = intact
    assert answer["error"] == "failed" and "Segmenter" in answer["detail"]
