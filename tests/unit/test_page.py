"""What the panel says of a page that cannot be read: every one of Chrome's refusals has its own words and next step."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser.page import PDF, REFUSALS, Page, UnreadablePage, page_of, read_page
from amplifier_browser.problems import DOCUMENT
from amplifier_browser.sections import Section, blocks, pack

# Chromium 156's own messages, taken from a browser that shows each of these pages.
NO_HOST = "Cannot access contents of the page. Extension manifest must request permission to access the respective host."
NO_HOST_OF_URL = 'Cannot access contents of url "{}". Extension manifest must request permission to access this host.'

READ = {
    "title": "Seals",
    "url": "https://seals.example/a",
    "markdown": "# Seals\n\nThey swim.",
    "words": 3,
    "method": "article",
    "visible_chars": 200,
    "kept_chars": 50,
}


def problem(**read: Any) -> dict[str, Any]:
    with pytest.raises(UnreadablePage) as refused:
        page_of(read)
    return refused.value.problem


@pytest.mark.parametrize(
    ("detail", "url", "title", "step"),
    [
        ("Cannot access a chrome:// URL", "", "Chrome's own pages", "ordinary web page"),
        ("The extensions gallery cannot be scripted.", "https://chromewebstore.google.com/", "web store", "another tab"),
        ("Cannot access a chrome-extension:// URL of different extension", "", "Another extension's page", "ordinary web page"),
        ("This page cannot be scripted due to an ExtensionsSettings policy.", "https://x.example/", "closed to ext", "paste"),
        ("Frame with ID 0 is showing error page", "http://127.0.0.1:9/", "did not load", "Reload the tab"),
        ("Frame with ID 0 was removed.", "https://x.example/", "went on", "Wait until"),
        ("The tab was closed.", "https://x.example/", "went on", "Wait until"),
        (NO_HOST, "", "may not read this tab yet", "button in the toolbar"),
        (NO_HOST_OF_URL.format("https://x.example/"), "", "may not read this tab yet", "Alt+Shift+A"),
        (NO_HOST_OF_URL.format("file:///home/a.html"), "", "Files need", "Allow access to file URLs"),
        (NO_HOST, "file:///home/a.html", "Files need", "Allow access to file URLs"),
        (NO_HOST, "view-source:https://x.example/", "Chrome's own pages", "ordinary web page"),
        (NO_HOST, "about:blank", "Chrome's own pages", "ordinary web page"),
        (NO_HOST, "devtools://devtools/bundled/inspector.html", "Chrome's own pages", "ordinary web page"),
        (NO_HOST, "chrome-extension://abcdefghijklmnop/page.html", "Another extension's page", "ordinary web page"),
        ("Something new in Chrome 200", "https://x.example/", "could not be read", "copy it and paste it"),
    ],
)
def test_each_refusal_of_chrome_says_what_to_do(detail: str, url: str, title: str, step: str) -> None:
    told = problem(error="refused", detail=detail, url=url, title="")
    assert title in told["title"]
    assert step in told["detail"]
    assert told["technical"] == detail


def test_no_two_kinds_of_refusal_are_told_alike() -> None:
    titles = [title for _, title, _ in REFUSALS]
    titles += [problem(error=kind)["title"] for kind in ("no-tab", "no-text", "slow", "failed")]
    titles += [problem(error="pdf", reason=reason)["title"] for reason in (*DOCUMENT, *PDF)]
    titles += [problem(error="no-text", unread_frames=["a.example"])["title"]]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("address", ["https://x.example/?to=chrome://flags", "https://x.example/file://a?about:blank"])
def test_an_address_within_an_address_misleads_nobody(address: str) -> None:
    assert "may not read" in problem(error="refused", detail=NO_HOST, url=address)["title"]
    assert "may not read" in problem(error="refused", detail=NO_HOST_OF_URL.format(address), url="")["title"]


def test_chromes_advice_on_tabs_that_stay_closed_is_told_with_the_way_to_ask() -> None:
    # Chrome tells a tab without a grant from a blank tab, a file or a page's source by nothing but the next press.
    assert "If that changes nothing" in problem(error="refused", detail=NO_HOST, url="")["detail"]


def test_what_the_page_itself_says() -> None:
    assert problem(error="pdf", reason="encrypted", detail="x")["title"] == "This PDF cannot be read: it is locked"
    assert "drop it onto this panel" in problem(error="pdf", reason="file")["detail"]
    assert problem(error="pdf", reason="unreachable", detail="410")["technical"] == "410"
    assert problem(error="no-text", detail="3 words")["title"].startswith("There is no text")
    assert problem(error="no-tab")["title"].startswith("There is no page")
    assert problem(error="slow", detail="15 s")["title"].startswith("The page does not answer")
    assert problem(error="failed", detail="TypeError: x")["technical"] == "TypeError: x"


def test_a_page_knows_how_much_of_it_was_kept() -> None:
    page = page_of(READ)
    assert page.kept == 0.25
    assert page.source == {"title": "Seals", "url": "https://seals.example/a", "words": 3}
    assert page_of({**READ, "kept_chars": 300}).kept == 1.0
    assert page_of({"markdown": "text"}).title == "Untitled page"


def pdf(*blocks: tuple[str, int], **read: Any) -> Page:
    texts = [{"text": text, "page": page} for text, page in blocks]
    return page_of({**READ, "method": "pdf", "markdown": "\n\n".join(text for text, _ in blocks), "blocks": texts, **read})


def test_a_pdf_knows_on_which_page_a_passage_stands() -> None:
    page = pdf(("## Seals", 1), ("Seals swim.\nThey eat\nfish.", 1), ("- Pups  drink milk.\n- Cows rest.", 2))
    assert page.markdown.startswith("## Seals\n\nSeals swim.")
    assert page.place_of("They eat fish.") == {"page": 1}
    assert page.page_of("Pups drink milk.") == 2
    assert page.page_of("Nobody says this.") is None and page.page_of("") is None


def test_a_pdf_without_headings_is_cut_along_its_pages() -> None:
    page = pdf(*((f"{'word ' * 40}of page {number}.", number) for number in range(1, 7)), ("More of page 6.", 6))
    assert page.markdown.startswith("## Page 1\n\nword")
    assert page.markdown.count("## Page 6") == 1 and page.markdown.endswith("of page 6.\n\nMore of page 6.")
    parts = blocks(page.markdown)
    sections = page.retitled(pack(parts, [len(part.text.split()) for part in parts], 100))
    assert [section.title for section in sections] == ["Pages 1–2", "Pages 3–4", "Pages 5–6"]
    assert pdf(("One page.", 1)).markdown == "One page."
    [plain] = page.retitled([Section("Costs", "## Costs\n\n## Page 3", 3)])
    assert plain.title == "Costs"


def test_a_transcript_knows_when_something_is_said() -> None:
    moments = [
        {"text": "[0:00] Hello there.", "time": 0, "media": 1},
        {"text": "[1:10] The sea freezes.", "time": 70, "media": 1},
    ]
    page = page_of({**READ, "markdown": "Text.\n\n## Transcript\n\n[0:00] Hello there.", "moments": moments})
    assert page.markdown.startswith("Text.")
    assert page.place_of("The sea freezes.") == {"time": 70, "media": 1}
    assert page.place_of("Hello there.") == {"time": 0, "media": 1}
    assert page.page_of("Hello there.") is None


def test_what_was_not_read_is_told() -> None:
    assert page_of({**READ, "unread_frames": []}).notes == []
    [one] = page_of({**READ, "unread_frames": ["maps.example"]}).notes
    assert one == "Not read: a frame of maps.example, which takes a large part of this page."
    [unknown] = page_of({**READ, "unread_frames": [""]}).notes
    assert "a frame of another site" in unknown
    [many] = page_of({**READ, "unread_frames": ["a.example", "", "a.example"]}).notes
    assert many == "Not read: 3 frames of other sites (a.example), which take a large part of this page."
    told = problem(error="no-text", unread_frames=["docs.example"])
    assert "frame of another site" in told["title"] and "docs.example" in told["detail"]
    assert pdf(("Text.", 1), notes=["Pages without text: 2."]).notes == ["Pages without text: 2."]


class Tab:
    """A tab in front that shows what it is told to."""

    def __init__(self, **shown: Any) -> None:
        self.shown = {**READ, **shown}

    async def call(self, name: str, seconds: float) -> dict[str, Any]:
        assert name == "page.read"
        return self.shown


BEFORE = page_of({**READ, "markdown": "as it was"})


@pytest.mark.parametrize(
    ("tab", "before", "expected"),
    [
        (Tab(markdown="as it is"), None, "as it is"),
        (Tab(markdown="as it is"), BEFORE, "as it is"),  # the same page, changed
        (Tab(markdown="of another", url="https://other.example/"), BEFORE, "as it was"),
        (Tab(error="refused", detail=NO_HOST), BEFORE, "as it was"),
    ],
)
async def test_a_page_is_read_anew_only_while_it_is_in_front(tab: Tab, before: Page | None, expected: str) -> None:
    assert (await read_page(tab.call, before)).markdown == expected


async def test_without_an_earlier_reading_a_refusal_is_told() -> None:
    with pytest.raises(UnreadablePage):
        await read_page(Tab(error="refused", detail=NO_HOST).call)
