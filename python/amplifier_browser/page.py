"""The page in front of the user: what sidepanel/host.js read of it, or why it could not be read and what to do about it."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from .problems import document_problem
from .sections import Section

Problem = dict[str, Any]

# Chrome reads a page only once its text is all there, which a page that hangs or keeps loading never lets it.
READ_SECONDS = 10
TOOLBAR = "Click Amplifier's button in the toolbar (or press Alt+Shift+A) while that tab is in front"


LARGE_FRAMES = "which takes a large part of this page", "which take a large part of this page"
PLACE = ("page", "time", "media")
PAGE_HEADING = re.compile(r"^## Page (\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Place:
    """A part of the text that can be gone to by itself: on a page of a PDF, or from a second of a recording on."""

    text: str
    page: int | None = None  # from 1
    time: int | None = None  # seconds
    media: int | None = None  # which recording of the page, from 0

    def citation(self) -> dict[str, int]:
        """The fields that a citation has besides, for sidepanel/types.js."""
        return {name: value for name in PLACE if (value := getattr(self, name)) is not None}


@dataclass(frozen=True)
class Page:
    """A page's text as markdown, and where it is from."""

    title: str
    url: str
    markdown: str
    words: int
    method: str
    tab: int | None = field(default=None, kw_only=True)
    kept: float  # share of the visible text that was kept, 0 to 1
    language: str = field(default="", kw_only=True)  # its tag, as the page tells: "en-GB"
    places: list[Place] = field(default_factory=lambda: list[Place](), kw_only=True)  # where a citation can lead to
    notes: list[str] = field(default_factory=lambda: list[str](), kw_only=True)  # what was not read of it

    @property
    def source(self) -> dict[str, Any]:
        """What the panel shows as the source."""
        return {"title": self.title, "url": self.url, "words": self.words}

    @functools.cached_property
    def stored(self) -> dict[str, Any]:
        """As JSON, for a conversation that is kept."""
        return _adapter().dump_python(self, mode="json")

    @functools.cached_property
    def id(self) -> str:
        """Made of all that it holds: the same page has the same one."""
        return hashlib.sha256(json.dumps(self.stored, sort_keys=True).encode()).hexdigest()[:32]

    @classmethod
    def of(cls, stored: Any) -> Page:
        """From JSON; raises ValueError."""
        return _adapter().validate_python(stored)

    def place_of(self, passage: str) -> dict[str, int]:
        """Where a passage stands: {page} in a PDF, {time, media} in a transcript, else {}."""
        wanted = _squeezed(passage)
        return next((place.citation() for place in self.places if wanted and wanted in _squeezed(place.text)), {})

    def page_of(self, passage: str) -> int | None:
        """The page of a PDF on which a passage stands, from 1."""
        return self.place_of(passage).get("page")

    def retitled(self, sections: list[Section]) -> list[Section]:
        """The sections of a PDF without headings by all of their pages; others as they are."""
        return [Section(_pages(each) or each.title, each.text, each.tokens) for each in sections]


@functools.cache
def _adapter() -> TypeAdapter[Page]:
    """Built when a page is first kept, since that takes a while and the panel should be there at once."""
    return TypeAdapter(Page)


class UnreadablePage(Exception):
    """The page cannot be read; `problem` says why and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem["title"])
        self.problem = problem


async def read_page(call: Callable[..., Awaitable[dict[str, Any]]], before: Page | None = None) -> Page:
    """Reads the tab in front; raises UnreadablePage. A page read `before` is read anew if the tab still shows it and can be
    read; else it stays as it was, since the question was about that page and not about another one."""
    try:
        page = page_of(await call("page.read", seconds=READ_SECONDS))
    except UnreadablePage:
        if before is None:
            raise
        return before
    return page if before is None or page.url == before.url else before


def page_of(read: dict[str, Any]) -> Page:
    """The page that the host read; raises UnreadablePage. `read` is what `page.read` of sidepanel/host.js returns."""
    if "error" in read:
        raise UnreadablePage(_problem(read))
    visible = max(1, int(read.get("visible_chars") or 1))
    places = [_place(each) for each in [*read.get("blocks", []), *read.get("moments", [])]]
    return Page(
        title=str(read.get("title") or "Untitled page"),
        url=str(read.get("url") or ""),
        markdown=_by_pages(places) or str(read["markdown"]),
        tab=read.get("tab"),
        words=int(read.get("words") or 0),
        language=str(read.get("lang") or ""),
        method=str(read.get("method") or "page"),
        kept=min(1.0, int(read.get("kept_chars") or 0) / visible),
        places=places,
        notes=[*read.get("notes", []), *_unread_frames(read.get("unread_frames", []))],
    )


def _place(read: dict[str, Any]) -> Place:
    return Place(str(read["text"]), read.get("page"), read.get("time"), read.get("media"))


def _by_pages(places: list[Place]) -> str:
    """A PDF's text with a heading a page, if it has none of its own and more than one page; else nothing."""
    pages = {place.page for place in places if place.page}
    if len(pages) < 2 or any(place.text.startswith("#") for place in places if place.page):
        return ""
    parts: list[str] = []
    for before, place in zip([None, *places], places, strict=False):
        if before is None or before.page != place.page:
            parts.append(f"## Page {place.page}")
        parts.append(place.text)
    return "\n\n".join(parts)


def _pages(section: Section) -> str:
    numbers = [int(number) for number in PAGE_HEADING.findall(section.text)]
    return f"Pages {numbers[0]}–{numbers[-1]}" if len(numbers) > 1 else ""


def _unread_frames(sites: list[str]) -> list[str]:
    """One line about frames of other sites, by their sites where those are known."""
    if not sites:
        return []
    known = ", ".join(dict.fromkeys(site for site in sites if site))
    if len(sites) == 1:
        return [f"Not read: a frame of {known or 'another site'}, {LARGE_FRAMES[0]}."]
    return [f"Not read: {len(sites)} frames of other sites{f' ({known})' if known else ''}, {LARGE_FRAMES[1]}."]


def _squeezed(text: str) -> str:
    return "".join(text.split())


# Chrome's own words, which are all it tells, with the scheme of the address where that can be seen -> title, next step
REFUSALS: list[tuple[str, str, str]] = [
    (
        r"extensions gallery",
        "Chrome's web store cannot be read",
        "Chrome lets no extension read its store. Open the page you want in another tab.",
    ),
    (
        r"chrome-extension:",
        "Another extension's page cannot be read",
        "Chrome keeps extensions apart. Open an ordinary web page.",
    ),
    (
        r"\b(chrome|chrome-untrusted|chrome-search|devtools|edge|about|view-source):",
        "Chrome's own pages cannot be read",
        "Chrome lets no extension read its settings and start pages. Open an ordinary web page and try again there.",
    ),
    (
        r"ExtensionsSettings policy",
        "This page is closed to extensions",
        "Whoever manages this browser forbids extensions to read this page. Select and copy the text, then paste it here.",
    ),
    (
        r"\bfile:",
        "Files need your permission",
        "Attach the file: drop it onto this panel. Or open chrome://extensions, choose Details of Amplifier Browser, switch on "
        "“Allow access to file URLs”, then try again.",
    ),
    (
        r"showing error page",
        "This page did not load",
        "Chrome shows an error instead of the page. Reload the tab, then try again.",
    ),
    (
        r"Frame with ID \d+ was removed|tab was closed|No tab with id",
        "The tab went on to another page",
        "It changed while it was being read. Wait until the page you want is there, then try again.",
    ),
    (
        r"Cannot access contents",
        "Amplifier may not read this tab yet",
        f"It reads a tab only when you ask for it there. {TOOLBAR}, then try again. If that changes nothing, Chrome closes "
        "this page to extensions, as it does with files, blank tabs and the source of a page.",
    ),
]


def _refusal(detail: str, url: str) -> tuple[str, str] | None:
    """Title and next step for Chrome's refusal. Of addresses only the scheme counts; the rest of them is the page's."""
    said = re.sub(r'(url "[a-z-]+:)[^"]*', r"\1", detail)
    facts = f"{said} {url.partition(':')[0]}:"
    return next(((title, step) for pattern, title, step in REFUSALS if re.search(pattern, facts, re.I)), None)


def _problem(read: dict[str, Any]) -> Problem:
    """No action is offered: a failed answer has its own way to try again."""
    kind, detail = read["error"], str(read.get("detail") or "")
    if kind == "no-tab":
        return {
            "title": "There is no page beside this panel",
            "detail": "Open a web page in this window, then try again.",
        }
    if kind == "pdf":
        return _pdf_problem(str(read.get("reason") or "damaged"), detail)
    if kind == "no-text" and (frames := _unread_frames(read.get("unread_frames", []))):
        return {
            "title": "The text is in a frame of another site",
            "detail": f"{frames[0]} Chrome keeps frames apart: open that part in a tab of its own, then try again.",
        }
    if kind == "no-text":
        return {
            "title": "There is no text on this page",
            "detail": "It may still be loading, or be all pictures or video. Wait until its text is there, then try again.",
        }
    if kind in ("refused", "slow") and (refusal := _refusal(detail, str(read.get("url") or ""))):
        return {"title": refusal[0], "detail": refusal[1], "technical": detail}
    if kind == "slow":
        return {
            "title": "The page does not answer",
            "detail": "It is still loading, or busy: wait until it is there or reload the tab, then try again. The source of "
            "a page cannot be read at all: open the page itself.",
            "technical": detail,
        }
    return {
        "title": "This page could not be read",
        "detail": "Reload the tab and try again, or select the text, copy it and paste it here.",
        "technical": detail,
    }


# reason of sidepanel/pdf-tab.js beside those of a document -> title, next step
PDF = {
    "file": (
        "Chrome does not hand over PDFs from your disk",
        "Attach the file: drop it onto this panel, or use the paper clip.",
    ),
    "unreachable": (
        "The PDF could not be fetched once more",
        "Reload the tab, then try again; or download the file and attach it.",
    ),
}


def _pdf_problem(reason: str, detail: str) -> Problem:
    if reason in PDF:
        title, step = PDF[reason]
        return {"title": title, "detail": step, "technical": detail}
    problem = document_problem(reason, detail)
    return {**problem, "title": f"This PDF cannot be read: {problem['title']}"}
