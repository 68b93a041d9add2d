"""The page in front of the user: what extract.js read of it, or why it could not be read and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Problem = dict[str, Any]

TOOLBAR = "Click Amplifier's button in the toolbar (or press Alt+Shift+A) while that tab is in front"


@dataclass(frozen=True)
class Page:
    """A page's text as markdown, and where it is from."""

    title: str
    url: str
    markdown: str
    words: int
    method: str
    kept: float  # share of the visible text that was kept, 0 to 1

    @property
    def source(self) -> dict[str, Any]:
        """What the panel shows as the source."""
        return {"title": self.title, "url": self.url, "words": self.words}


class UnreadablePage(Exception):
    """The page cannot be read; `problem` says why and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem["title"])
        self.problem = problem


def page_of(read: dict[str, Any]) -> Page:
    """The page that the host read; raises UnreadablePage. `read` is what `page.read` of sidepanel/host.js returns."""
    if "error" in read:
        raise UnreadablePage(_problem(read))
    visible = max(1, int(read.get("visible_chars") or 1))
    return Page(
        title=str(read.get("title") or "Untitled page"),
        url=str(read.get("url") or ""),
        markdown=str(read["markdown"]),
        words=int(read.get("words") or 0),
        method=str(read.get("method") or "page"),
        kept=min(1.0, int(read.get("kept_chars") or 0) / visible),
    )


# Chrome's own words, which are all it tells -> title, next step
REFUSALS: list[tuple[str, str, str]] = [
    (
        r"extensions gallery|chromewebstore|chrome web store",
        "Chrome's web store cannot be read",
        "Chrome lets no extension read its store. Open the page you want in another tab.",
    ),
    (
        r"chrome-extension://|different extension",
        "Another extension's page cannot be read",
        "Chrome keeps extensions apart. Open an ordinary web page.",
    ),
    (
        r"(chrome|devtools|edge|about|view-source)(-untrusted)?:|chrome url",
        "Chrome's own pages cannot be read",
        "Chrome lets no extension read its settings and start pages. Open an ordinary web page and summarize that.",
    ),
    (
        r"ExtensionsSettings policy|cannot be scripted due to",
        "This page is closed to extensions",
        "Whoever manages this browser forbids extensions to read this page. Select and copy the text, then paste it here.",
    ),
    (
        r"file://|file URLs|file scheme",
        "Files need your permission",
        "Open chrome://extensions, choose Details of Amplifier Browser, switch on “Allow access to file URLs”, then try again.",
    ),
    (
        r"error page|showing error",
        "This page did not load",
        "Chrome shows an error instead of the page. Reload the tab, then summarize it again.",
    ),
    (
        r"Cannot access contents|must request permission|Cannot access",
        "Amplifier may not read this tab yet",
        f"It reads a tab only when you ask for it there. {TOOLBAR}, then summarize again.",
    ),
]


def _problem(read: dict[str, Any]) -> Problem:
    kind, detail = read["error"], str(read.get("detail") or "")
    again = {"label": "Try again", "command": {"type": "summarize"}}
    if kind == "no-tab":
        return {
            "title": "There is no page beside this panel",
            "detail": "Open a web page in this window, then summarize it.",
        }
    if kind == "pdf":
        return {
            "title": "PDF files cannot be read yet",
            "detail": "Select the text in the PDF, copy it and paste it here, then ask about it.",
        }
    if kind == "no-text":
        return {
            "title": "There is no text on this page",
            "detail": "It may still be loading, or be all pictures or video. Wait until its text is there, then try again.",
            "action": again,
        }
    if kind == "refused":
        for pattern, title, step in REFUSALS:
            if re.search(pattern, f"{detail} {read.get('url', '')}", re.I):
                return {"title": title, "detail": step, "technical": detail}
    return {
        "title": "This page could not be read",
        "detail": "Reload the tab and try again, or select the text, copy it and paste it here.",
        "technical": detail,
        "action": again,
    }
