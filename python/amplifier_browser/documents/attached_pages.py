"""Pages of tabs that the user attached: read when they are attached, and again with each question, since pages change."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from ..host import HostError
from ..page import READ_SECONDS, Page, UnreadablePage, page_of
from .attachments import Attachment

Call = Callable[..., Awaitable[Any]]  # amplifier_browser.host.Host.call

RECENT = 5.0  # seconds for which a reading holds


async def read_tab(call: Call, attachment: Attachment) -> Page:
    """Reads the attachment's tab into it, unless that was done a moment ago. Raises UnreadablePage.

    A tab that cannot be read any more, or shows another page, keeps the text that it had; the attachment's note says so.
    """
    async with attachment.lock:
        if attachment.page and attachment.read_at is not None and time.monotonic() - attachment.read_at < RECENT:
            return attachment.page
        attachment.note = ""
        try:
            page = await _read(call, attachment.tab)
        except UnreadablePage as unreadable:
            if attachment.page is None:
                raise
            attachment.note = _from_before(attachment, f"could not be read again ({unreadable.problem['title']})")
            return attachment.page
        return _taken(attachment, page)


def _taken(attachment: Attachment, page: Page) -> Page:
    before = attachment.page
    if before and address(page.url) != address(before.url):
        attachment.note = _from_before(attachment, "is not in its tab any more")
        return before
    if before and before.markdown == page.markdown:  # nothing that was made of it is lost
        page = before
    attachment.page, attachment.read_at = page, time.monotonic()
    attachment.tab, attachment.url = page.tab, page.url
    attachment.name = page.title or attachment.name
    attachment.detail = " · ".join(part for part in (site(page.url), f"{page.words:,} words") if part)
    return page


async def _read(call: Call, tab: int | None) -> Page:
    which = {} if tab is None else {"tab": tab}
    try:
        return page_of(await call("page.read", seconds=READ_SECONDS, **which))
    except HostError as error:
        return page_of({"error": "failed", "detail": str(error)})  # raises


def _from_before(attachment: Attachment, why: str) -> str:
    return f"“{attachment.title}” {why}, so its text as it was before has been used."


def address(url: str) -> str:
    """Of a page, without the place in it."""
    return url.partition("#")[0]


def site(url: str) -> str:
    """As people name it."""
    return (urlsplit(url).hostname or "").removeprefix("www.")
