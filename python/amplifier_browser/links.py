"""The page behind a link that the user chose in a page's context menu: opened in a tab of its own, and read there."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .approvals import ALLOW_ONCE, DENY, PanelApprovals, Question
from .page import READ_SECONDS, TOOLBAR, Page, UnreadablePage, page_of
from .tabs import Tab
from .tooling import visible

Call = Callable[..., Awaitable[Any]]  # amplifier_browser.host.Host.call

OPEN_SECONDS = 30  # what is there of a page by then is read
ASK_SECONDS = 120
LONGEST_LINE = 120  # characters of the address that the panel's line shows


@dataclass
class Link:
    """Where a link leads, and the tab in which it was opened."""

    url: str
    tab: int | None = None

    @property
    def line(self) -> str:
        """What the panel shows as the user's wish."""
        address = visible(self.url.partition("://")[2].rstrip("/"))
        return f"Summarize {address if len(address) <= LONGEST_LINE else address[:LONGEST_LINE] + '…'}"


def link_of(url: str) -> Link | None:
    """A link that can be opened: to a web address."""
    return Link(url) if url.startswith(("http://", "https://")) and _tab(url).host else None


async def read_link(link: Link, call: Call, approvals: PanelApprovals) -> Page:
    """Opens the page, which stays open, and reads it; asks first for a site that Chrome does not let be read yet. Raises
    UnreadablePage."""
    await _ask_for(link.url, call, approvals)
    opened = await call("tabs.open", url=link.url, seconds=OPEN_SECONDS, before=link.tab)
    if "error" in opened:
        raise _not_opened(opened)
    link.tab = opened["tab"]
    if link_of(opened["url"]):  # it may have led on to another site
        await _ask_for(opened["url"], call, approvals)
    read = await call("page.read", seconds=READ_SECONDS, tab=link.tab)
    if "No tab with id" in str(read.get("detail")):
        raise _not_opened(read)
    if not opened["url"] and "Cannot access contents" in str(read.get("detail")):
        raise UnreadablePage(
            {
                "title": "The link leads on to another site",
                "detail": f"Amplifier may not read that one yet. {TOOLBAR}, then try again here.",
                "technical": str(read.get("detail") or ""),
            }
        )
    return page_of(read)


def _not_opened(answer: dict[str, Any]) -> UnreadablePage:
    return UnreadablePage(
        {
            "title": "The link could not be opened",
            "detail": "Its tab was closed, or it is a file that Chrome downloads. Try again, or attach the file.",
            "technical": str(answer.get("detail") or ""),
        }
    )


async def _ask_for(url: str, call: Call, approvals: PanelApprovals) -> None:
    """Makes sure that the site may be read; raises UnreadablePage where the user does not allow it."""
    needs = {"origins": [_tab(url).origin]}
    if await call("permissions.has", **needs):
        return
    host = _tab(url).host
    question = Question(
        title="Open a link",
        question=f"Open this link and read the page on {host}?",
        tool="open_link",
        arguments=[{"name": "address", "value": visible(url)}],
        sees=f"The page behind the link, which opens in a tab beside this one. Chrome asks you about {host} too.",
        needs=needs,
    )
    prompt = f"{question.question} [{uuid.uuid4()}]"
    approvals.describe(prompt, question)
    if await approvals.request_approval(prompt, [ALLOW_ONCE, DENY], ASK_SECONDS, DENY) == DENY:
        raise UnreadablePage(
            {
                "title": "The page behind the link was not opened",
                "detail": f"Amplifier may not read {host}. Try again and allow it, or open the link and summarize it there.",
            }
        )


def _tab(url: str) -> Tab:
    return Tab(0, "", url, active=False, readable=True)
