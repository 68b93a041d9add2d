"""Following: while the user wants it, each question is asked with the page of the tab that is then in front."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .attached_pages import address, site
from .attachments import Attachment

Message = dict[str, Any]

FOLLOWED = "followed-tab"
IN_FRONT = "The tab in front"
ALL_SITES = ("http://*/*", "https://*/*")
ENDED = "Amplifier may not see all tabs and sites any more, so it does not follow the tab in front any longer."


class FollowedTab:
    """The chip that stands for whichever tab is in front, and the pages that it stood for when questions were asked."""

    def __init__(self, emit: Callable[[Message], None]) -> None:
        self._emit = emit
        self._front: Message | None = None  # id, title, url; None where the extension may not see it
        self._chip: Attachment | None = None
        self._asked: list[Attachment] = []  # one a page, in order; all of this conversation
        self._count = 0

    @property
    def is_on(self) -> bool:
        """Whether the user wants it."""
        return self._chip is not None

    @property
    def asked(self) -> list[Attachment]:
        """The pages that questions of this conversation were asked with."""
        return self._asked

    def follow(self, value: bool) -> None:
        """Begins or ends it."""
        if value:
            self._chip = Attachment(FOLLOWED, "tab", IN_FRONT, state="ready", follows=True)
            self._show()
        else:
            self._chip = None
            self._emit({"type": "attachment-removed", "id": FOLLOWED})

    def tab_changed(self, tab: Message | None) -> None:
        """Another tab came to the front, or another page into it."""
        self._front = tab
        if self._chip:
            self._show()

    def permissions_changed(self, granted: Message) -> None:
        """Chrome granted something, or takes it back: without all sites there is no following."""
        sees_tabs = "tabs" in granted["permissions"]
        sees_sites = "<all_urls>" in granted["origins"] or all(site in granted["origins"] for site in ALL_SITES)
        if self._chip and not (sees_tabs and sees_sites):
            self.follow(False)
            self._emit({"type": "notice", "level": "warning", "text": ENDED})

    def ask(self) -> Attachment | None:
        """The page in front, for the question that is asked now; None without following. It is read anew."""
        if self._chip is None:
            return None
        url = address(self._front["url"]) if self._front else ""
        tab = self._front["id"] if self._front else None
        same = next((each for each in self._asked if tab is not None and (each.tab, address(each.url)) == (tab, url)), None)
        if same:
            same.read_at = None
            return same
        self._count += 1
        page = Attachment(f"{FOLLOWED}-{self._count}", "tab", self._name, self._site, tab=tab, url=url)
        self._asked.append(page)
        return page

    def forget_conversation(self) -> list[Attachment]:
        """A new one begins, with following as it is; returns the pages of the old one."""
        asked, self._asked = self._asked, []
        return asked

    @property
    def _name(self) -> str:
        return (self._front or {}).get("title") or IN_FRONT

    @property
    def _site(self) -> str:
        return site((self._front or {}).get("url") or "")

    def _show(self) -> None:
        if self._chip:
            self._chip.name, self._chip.detail = self._name, self._site
            self._emit({"type": "attachment", "attachment": self._chip.message()})
