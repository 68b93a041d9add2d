"""Tools: read the page in front or that of another tab, list the tabs, find words in the page in front.

Capabilities: `browser.call` (amplifier_browser.host.Host.call); `browser.engine` and `browser.count_tokens` for how much of a
page fits. Another tab is read only if it is the one that `traits.permission` named: between asking and reading, tabs change.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any, ClassVar

from amplifier_core import ToolResult

from ..asking import asking, asking_only
from ..engine import EngineError, context_window
from ..host import HostError
from ..lexical import pieces, plain, rank, sentences, unquoted
from ..page import READ_SECONDS, Page, UnreadablePage, page_of
from ..sections import blocks
from ..tabs import Call, NoSuchTab, Tab, Tabs
from ..tooling import Arguments, Permission, Traits, failed, shown_result, visible

__amplifier_module_type__ = "tool"

SHARE = 0.5  # of the model's context that a page may take
BESIDES = 100  # tokens of the call, the title and the marks around
CHARACTERS_A_TOKEN = 3  # where no tokenizer is at hand
MOST_TABS = 30
MOST_FOUND = 1500  # characters of what was found in a page
SNIPPET = 360  # characters of one place
CURRENT = {"", "current", "this", "here", "active", "front", "current page", "this page", "current tab", "this tab", "active tab"}

PAGE = r"(?:web ?)?(?:page|article|tab|site|website|pdf|video)"
THIS_PAGE = rf"(?:this|the|the current|my current) {PAGE}"


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts read_page, list_tabs and find_in_page."""
    reader = Reader(coordinator)
    for tool in (ReadPage(reader), ListTabs(reader), FindInPage(reader)):
        await coordinator.mount("tools", tool, name=tool.name)


class Reader:
    """What the three tools share: the way to the browser, and to the model's sense of length."""

    def __init__(self, coordinator: Any) -> None:
        self._coordinator = coordinator
        self.tabs = Tabs(self.call)

    def call(self) -> Call:
        """The way to the panel's page; raises HostError."""
        call = self._coordinator.get_capability("browser.call")
        if call is None:
            raise HostError("this session has no browser")
        return call

    async def read(self, tab: Tab | None = None) -> Page:
        """The page in front, or in another tab; raises UnreadablePage or HostError."""
        return page_of(await self.call()("page.read", seconds=READ_SECONDS, **({"tab": tab.id} if tab else {})))

    def room(self) -> int:
        """Tokens that a page may take."""
        engine = self._coordinator.get_capability("browser.engine")
        return int(context_window(engine.model if engine else None) * SHARE) - BESIDES

    async def sizes(self, texts: list[str]) -> list[int]:
        """Tokens of each text."""
        count = self._coordinator.get_capability("browser.count_tokens")
        if count is None:
            return [len(text.encode()) // CHARACTERS_A_TOKEN + 1 for text in texts]
        return await count(texts)

    async def beginning(self, markdown: str) -> str:
        """As much of a page as there is room for: whole paragraphs, then whole sentences of the next one."""
        room = self.room()
        parts = [block.text for block in blocks(markdown)]
        fitting, left = await self._first(parts, room)
        if fitting == len(parts):
            return markdown
        inside = pieces(parts[fitting])
        fitting_inside, _ = await self._first(inside, left)
        last = "".join(inside[:fitting_inside]).strip()
        if not fitting and not last:  # a sentence without an end
            return _cut(parts[0], len(parts[0]) * room * 4 // 5 // (await self.sizes(parts[:1]))[0])
        return "\n\n".join([*parts[:fitting], *([last] if last else [])])

    async def _first(self, parts: list[str], room: int) -> tuple[int, int]:
        """How many of the parts fit, and the room that is left."""
        ends = list(accumulate(size + 1 for size in await self.sizes(parts)))
        count = sum(end <= room for end in ends)
        return count, room - (ends[count - 1] if count else 0)


FREE = Permission(sees="The page you are looking at.", free=True)
NO_TAB = Permission(sees="Nothing: no open tab is meant.", free=True)
ALL_TABS = Permission(sees="The titles and addresses of all tabs in this window.", scope="tabs", needs={"permissions": ["tabs"]})


class ReadPage:
    """Gives the model a page's text, as much of it as fits."""

    name = "read_page"
    description = "Reads the page in the current tab, or in another open tab."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "tab": {
                "type": "string",
                "description": "Another tab: words of its title, its site, or its number. Empty: current tab",
            }
        },
    }

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._asked: dict[str, Tab] = {}  # the tab that each wish was last asked about
        self.traits = Traits(
            title="Read a page",
            asked_by=(
                *asking_only(
                    r"(?:read|open|look at) (?:the )?tab (?:number |no\.? ?|#)?(?P<tab>\d{1,3})",
                    r"(?:read|look at) (?:the )?(?:other )?(?:tab|page) (?:about|on|with|called|named|from) (?P<tab>.{2,80}?)",
                    r"(?:read|look at) (?:the|my) (?P<tab>(?!(?:current|other|next|whole|web) )[^?.!]{2,60}?) tab",
                ),
                *asking(
                    rf"(?:read|look at|have a look at|go through|check) {THIS_PAGE}\b(?! \d)",
                    r"read (?:this|the current one)[\s.!?]*$",
                    rf"what(?:['’]s| is| does it say| do you see)? (?:on|in) {THIS_PAGE}[\s?.!]*$",
                    rf"what(?:['’]s| is) {THIS_PAGE} (?:about|saying)\b",
                    rf"what does {THIS_PAGE} say(?! (?:about|on|of)\b)",
                    rf"(?:summari[sz]e|explain) (?:this|the current) {PAGE}\b",
                ),
            ),
            instruction="Name the tab to read; leave it empty for the current tab.",
            permission=self._permission,
        )

    async def _permission(self, arguments: Arguments) -> Permission:
        """Free for the tab in front. For another one the browser must first tell which tabs there are, then let it be read."""
        wanted = _other_tab(arguments)
        if not wanted:
            return FREE
        self._asked.pop(wanted, None)
        try:
            if not await self._reader.tabs.are_visible():
                return ALL_TABS
            tab = await self._reader.tabs.find(wanted)
        except (NoSuchTab, HostError):
            return NO_TAB  # nothing will be read: execute says why
        if tab.active:
            return FREE
        if not tab.readable:
            return NO_TAB
        self._asked[wanted] = tab
        return Permission(
            f"The page “{visible(tab.name)}” of {tab.host}, in another tab.", scope=tab.host, needs={"origins": [tab.origin]}
        )

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """Reads; says how much of the page it is."""
        wanted = _other_tab(input)
        try:
            tab = await self._other(wanted) if wanted else None
            page = await self._reader.read(tab)
            if tab and page_site(page.url) != page_site(tab.url):
                return failed("That tab went on to another site meanwhile. Ask again.")
            return await self._result(page)
        except NoSuchTab as error:
            return failed(str(error))
        except (UnreadablePage, HostError, EngineError) as error:
            return _failed(error)

    async def _other(self, wanted: str) -> Tab | None:
        """The tab that was asked about; None for the one in front."""
        if tab := self._asked.pop(wanted, None):
            return tab
        if not await self._reader.tabs.are_visible():
            raise NoSuchTab("Amplifier may not see the other tabs. Ask again and allow it, or go to that tab.")
        tab = await self._reader.tabs.find(wanted)
        if tab.active:
            return None
        if not tab.readable:
            raise NoSuchTab("That tab shows no web page, so it cannot be read. Choose another tab.")
        raise NoSuchTab(f"The user must be asked for {tab.host} first. Call {self.name} again with the same tab.")

    async def _result(self, page: Page) -> ToolResult:
        text = await self._reader.beginning(page.markdown)
        read = round(page.words * len(text) / max(1, len(page.markdown)))
        is_all = text == page.markdown
        if not text:
            return failed("The model's memory is too small for the first sentence of this page. Find words in it instead.")
        extent = (
            f"All {page.words:,} words."
            if is_all
            else f"About the first {read:,} of {page.words:,} words; the rest was left out."
        )
        title = " ".join(page.title.split())[:200]
        heading = "" if text.startswith(f"# {title}") else f"# {title}\n\n"
        return shown_result(
            f"{heading}{text}" if is_all else f"{heading}{text}\n\n({extent})",
            {"type": "text", "text": f"{title}\n{page.url}\n{extent}"},
        )


class ListTabs:
    """Lists the tabs of this window."""

    name = "list_tabs"
    description = "Lists the open tabs: their titles and sites."
    input_schema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.traits = Traits(
            title="List the open tabs",
            asked_by=asking(
                r"(?:which|what|how many) (?:other )?(?:browser )?tabs\b.{0,20}\b(?:open|there|have)\b",
                r"(?:list|show|name|tell)(?: me)? (?:all |of )*(?:my |the |open |other |browser |which |what )*tabs\b",
                r"what (?:else )?do i have open\b",
            ),
            permission=lambda _arguments: ALL_TABS,
        )

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """One numbered line a tab."""
        try:
            tabs = await self._reader.tabs.number()
        except HostError as error:
            return _failed(error)
        if not any(tab.url for tab in tabs if not tab.active):
            if len(tabs) > 1:
                return failed("Chrome does not let Amplifier see the other tabs yet. Ask again and allow it.")
            return shown_result("Only the current tab is open in this window.")
        shown, more = tabs[:MOST_TABS], max(0, len(tabs) - MOST_TABS)
        lines = [
            f"{n}. {tab.name} ({tab.host or 'no web page'}{', current tab' if tab.active else ''})"
            for n, tab in enumerate(shown, 1)
        ]
        rows = [[str(n), tab.name, tab.host] for n, tab in enumerate(shown, 1)]
        return shown_result(
            "\n".join([*lines, *([f"And {more} more."] if more else [])]),
            {"type": "table", "columns": ["", "Title", "Site"], "rows": rows, "more": more},
        )


class FindInPage:
    """Finds words in the page in front, as they stand there; else what comes nearest."""

    name = "find_in_page"
    description = "Finds words or a passage in the current page."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"text": {"type": "string", "description": "The words to find"}},
        "required": ["text"],
    }

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.traits = Traits(
            title="Find in this page",
            asked_by=asking_only(
                rf"(?:find|search for|look for|locate)(?: the words?| the phrase)? (?P<text>.{{1,200}}?) (?:on|in) {THIS_PAGE}",
                rf"(?:search|look through|scan) {THIS_PAGE} for (?P<text>.{{1,200}}?)",
                rf"does {THIS_PAGE} (?:say|mention|contain|talk)(?: anything| something)?(?: about)? (?P<text>.{{1,200}}?)",
                rf"what does {THIS_PAGE} say (?:about|on|of) (?P<text>.{{1,200}}?)",
                rf"(?:is|are) (?P<text>.{{1,200}}?) (?:mentioned|named|discussed|written)(?: anywhere)? (?:on|in) {THIS_PAGE}",
                rf"where (?:on|in) {THIS_PAGE} (?:is|are|does it (?:say|mention|talk about)) (?P<text>.{{1,200}}?)",
            ),
            instruction="Write the words to find.",
            raw_argument="text",
            permission=lambda _arguments: FREE,
        )

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """The sentences in which the words stand, and how often they do."""
        wanted = unquoted(input.get("text") or "")
        if not plain(wanted):
            return failed("No words to find were given. Write the words to find.")
        try:
            page = await self._reader.read()
        except (UnreadablePage, HostError) as error:
            return _failed(error)
        parts = [block.text for block in blocks(page.markdown)]
        places = [place for part in parts for place in _places(part, plain(wanted), whole=True)]
        places = places or [place for part in parts for place in _places(part, plain(wanted), whole=False)]
        if places:
            times = sum(count for _, count in places)
            said = f"“{wanted}” stands {_times(times)} {_on(page)}"
            return _found(said, [text for text, _ in places], page)
        passages = [passage for part in parts for passage in _passages(part)]
        nearest = [passages[i] for i in rank(wanted, passages)][:3]
        if not nearest:
            return shown_result(f"“{wanted}” does not stand {_on(page)}, nor does anything like it.", _source(page))
        return _found(f"“{wanted}” does not stand {_on(page)} word for word. Nearest to it", nearest, page)


def page_site(url: str) -> str:
    """Scheme and host."""
    return Tab(0, "", url, False, False).origin


def _other_tab(arguments: Arguments) -> str:
    wanted = str(arguments.get("tab") or "").strip()
    return "" if plain(unquoted(wanted)) in CURRENT else wanted


def _failed(error: Exception) -> ToolResult:
    if isinstance(error, UnreadablePage):
        return failed(f"{error.problem['title']}. {error.problem['detail']}")
    if isinstance(error, EngineError):
        return failed("The model could not measure the page. Try again.")
    return failed(f"The browser did not do it: {error}. Try again.")


def _places(part: str, wanted: str, whole: bool) -> list[tuple[str, int]]:
    """The sentences of a paragraph in which the words stand, in one or across several, and how often."""
    lines = sentences(part)
    plains = [plain(line) for line in lines]
    ends = list(accumulate(len(line) + 1 for line in plains))
    text = " ".join(plains)
    found: dict[tuple[int, int], list[int]] = {}
    start = text.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if not whole or not (_is_word(text[start - 1 : start], wanted[0]) or _is_word(text[end : end + 1], wanted[-1])):
            first = sum(place <= start for place in ends)
            last = sum(place < end for place in ends)
            found.setdefault((first, last), []).append(start - (ends[first - 1] if first else 0))
        start = text.find(wanted, end)
    return [
        (_around(" ".join(lines[first : last + 1]), offsets[0] / len(" ".join(plains[first : last + 1]))), len(offsets))
        for (first, last), offsets in found.items()
    ]


def _is_word(outside: str, inside: str) -> bool:
    """Whether a word goes on from one character to the other."""
    return outside.isalnum() and inside.isalnum() and outside.isascii() == inside.isascii()


def _around(text: str, share: float) -> str:
    """The text; if it is long, what stands around this share of it."""
    if len(text) <= SNIPPET:
        return text
    start = max(0, min(int(len(text) * share) - SNIPPET // 2, len(text) - SNIPPET))
    if start:
        start = max(0, text.rfind(" ", start - 40, start)) or start
    cut = _cut(text[start:], SNIPPET)
    return f"{'… ' if start else ''}{cut.strip()}{' …' if start + len(cut) < len(text) else ''}"


def _cut(text: str, length: int) -> str:
    """The beginning of a text, to the end of a word if there is one near."""
    if len(text) <= length:
        return text
    return text[: max(text.rfind(" ", length - 40, length + 1), text.rfind("\n", length - 40, length + 1), 0) or length]


def _passages(part: str) -> list[str]:
    """A paragraph in pieces that can be shown whole."""
    passages: list[str] = []
    for line in sentences(part):
        if passages and len(passages[-1]) + len(line) < SNIPPET:
            passages[-1] += f" {line}"
        else:
            passages += [line[at : at + SNIPPET] for at in range(0, len(line), SNIPPET)]
    return passages


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _found(said: str, texts: list[str], page: Page) -> ToolResult:
    """As many of the places as can be shown."""
    shown = max(1, sum(end <= MOST_FOUND for end in accumulate(len(text) for text in texts)))
    lines = [f"{number}. {_numbered(text, page)}" for number, text in enumerate(texts[:shown], 1)]
    more = [f"And in {len(texts) - shown} more sentences."] if shown < len(texts) else []
    return shown_result(
        "\n".join([f"{said}:", *lines, *more]), _source(page), {"type": "text", "text": "\n".join([*lines, *more])}
    )


def _on(page: Page) -> str:
    return "in this PDF" if page.method == "pdf" else "on this page"


def _numbered(text: str, page: Page) -> str:
    """What was found, with the page of a PDF where it stands."""
    number = page.page_of(text.removeprefix("… ").removesuffix(" …"))
    return f"{text} (page {number})" if number else text


def _source(page: Page) -> dict[str, Any]:
    return {"type": "text", "text": f"{page.title}\n{page.url}"}
