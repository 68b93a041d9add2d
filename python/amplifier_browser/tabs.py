"""The tabs of this window, and which one somebody means by a number, a title or a site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .lexical import plain, unquoted

Call = Callable[..., Awaitable[Any]]  # amplifier_browser.host.Host.call

TITLE_CHARACTERS = 80  # a page may have any title


class NoSuchTab(Exception):
    """No tab, or more than one, is meant; its text says so and what to do."""


@dataclass(frozen=True)
class Tab:
    """A tab as the browser shows it; title and address are empty where the extension may not see them."""

    id: int
    title: str
    url: str
    active: bool
    readable: bool  # by its address: a web page

    @property
    def host(self) -> str:
        """Its site, as people name it."""
        return urlsplit(self.url).hostname or ""

    @property
    def origin(self) -> str:
        """The match pattern by which the browser grants its site."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{urlsplit(self.url).scheme}://{host}/*"

    @property
    def name(self) -> str:
        """Its title, as short as can be shown."""
        title = " ".join(self.title.split()) or "Untitled page"
        return title if len(title) <= TITLE_CHARACTERS else f"{title[:TITLE_CHARACTERS].rstrip()}…"


class Tabs:
    """Remembers the numbers under which tabs were last listed."""

    def __init__(self, call: Callable[[], Call]) -> None:
        self._call = call
        self._numbered: list[int] = []

    async def are_visible(self) -> bool:
        """Whether the user lets the extension see titles and addresses of all tabs."""
        return bool(await self._call()("permissions.has", permissions=["tabs"]))

    async def all(self) -> list[Tab]:
        """The tabs of this window in their order."""
        listed = await self._call()("tabs.list")
        return [Tab(tab["id"], tab["title"], tab["url"], tab["active"], tab["readable"]) for tab in listed]

    async def number(self) -> list[Tab]:
        """The tabs of this window; from now on numbers mean them, from 1."""
        tabs = await self.all()
        self._numbered = [tab.id for tab in tabs]
        return tabs

    async def find(self, wanted: str) -> Tab:
        """The tab that a number or words of its title or site mean; raises NoSuchTab."""
        tabs = await self.all()
        asked = plain(unquoted(wanted))
        number = asked.removeprefix("tab").strip(" #.")
        if number.isdecimal():
            return self._by_number(tabs, int(number))
        found = _by_words(tabs, asked)
        if not found:
            raise NoSuchTab(f"No open tab is called “{wanted}”. List the tabs and use a number of the list.")
        if len(found) > 1:
            names = "; ".join(f"{tab.name} ({tab.host})" for tab in found[:5])
            raise NoSuchTab(f"{len(found)} open tabs fit “{wanted}”: {names}. Use more words of the title.")
        return found[0]

    def _by_number(self, tabs: list[Tab], number: int) -> Tab:
        numbered = self._numbered or [tab.id for tab in tabs]
        open_tabs = {tab.id: tab for tab in tabs}
        if not 1 <= number <= len(numbered) or numbered[number - 1] not in open_tabs:
            raise NoSuchTab(f"There is no tab {number}. List the tabs again.")
        return open_tabs[numbered[number - 1]]


def _by_words(tabs: list[Tab], asked: str) -> list[Tab]:
    """By the whole title or site; else by words in a row; else by words anywhere."""
    tests: list[Callable[[Tab], bool]] = [
        lambda tab: asked in (plain(tab.title), tab.host, tab.host.removeprefix("www."), plain(tab.url)),
        lambda tab: asked in plain(tab.title) or asked in tab.host,
        lambda tab: all(word in f"{plain(tab.title)} {tab.host}" for word in asked.split()),
    ]
    return next((found for test in tests if asked and (found := [tab for tab in tabs if test(tab)])), [])
