"""Tools: keep what the user wants remembered, and find it again.

Capability `browser.storage` (amplifier_browser.storage.Storage).
"""

from __future__ import annotations

from typing import Any, ClassVar

from amplifier_core import ToolResult

from ..asking import asking, asking_only
from ..host import HostError
from ..notes import Note, NoteError, Notes
from ..tooling import Permission, Traits, failed, shown_result

__amplifier_module_type__ = "tool"

MOST_FOUND = 5
MOST_NEWEST = 10
MOST_CHARACTERS = 1500  # of what the model gets

NO_STORAGE = "This session has nowhere to keep notes."


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts remember and recall."""
    for tool in (Remember(coordinator), Recall(coordinator)):
        await coordinator.mount("tools", tool, name=tool.name)


def _notes(coordinator: Any) -> Notes | None:
    storage = coordinator.get_capability("browser.storage")
    return Notes(storage) if storage else None


class Remember:
    """Keeps a text as a note."""

    name = "remember"
    description = "Keeps a note for later conversations."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"text": {"type": "string", "description": "What to remember"}},
        "required": ["text"],
    }
    traits = Traits(
        title="Remember",
        asked_by=(
            *asking(
                r"remember (?:that|this:?|for me:?|for later:?)[\s:]+(?P<text>\S.*)",
                r"remember:?\s+(?P<text>(?:to|my|our|i|i['’]m|i['’]ve|i['’]ll|we|we['’]re)\b.*)",
                r"don['’]t forget (?:that )?(?P<text>(?:to|my|our|i|i['’]m|we)\b.*)",
                r"(?:make|take|save|add|write) (?:me )?(?:a|this as a) (?:new )?note(?: that| of| to|:)?\s+(?P<text>\S.*)",
                r"note down(?: that|:)?\s+(?P<text>\S.*)",
            ),
            *asking_only(r"(?:remember|note down|save) this(?: as a note| for later)?", r"(?:make|take) a note(?: of this)?"),
        ),
        instruction="Write what to remember, in one sentence.",
        raw_argument="text",
        is_trusted=True,  # it returns only how many notes there are
        permission=lambda _arguments: Permission(sees="Keeps this text until you delete it in Settings."),
    )

    def __init__(self, coordinator: Any) -> None:
        self._coordinator = coordinator

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """Keeps it; the same text is kept once."""
        notes = _notes(self._coordinator)
        if notes is None:
            return failed(NO_STORAGE)
        try:
            note = await notes.add(str(input.get("text") or ""))
        except NoteError as error:
            return failed(str(error))
        except HostError as error:
            return failed(f"The note was not kept: {error}. Try again.")
        return shown_result("The note is kept. The user can delete it in Settings.", {"type": "text", "text": note["text"]})


class Recall:
    """Finds notes."""

    name = "recall"
    description = "Finds notes that were kept earlier."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"about": {"type": "string", "description": "Words of the notes; empty for the newest notes"}},
    }
    traits = Traits(
        title="Recall notes",
        asked_by=(
            *asking_only(
                r"what do you (?:remember|know) about (?P<about>(?!me\b|us\b)(?:my|our)\b.{2,100}?)",
                r"what do you remember (?:about|of) (?P<about>(?!me\b|us\b|this\b|that\b).{2,100}?)",
                r"do you (?:still )?remember (?P<about>(?:my|our|what i|when i|where i|which|that i)\b.{2,100}?)",
                r"what (?:did|have) i (?:tell|told) you about (?P<about>.{2,100}?)",
                r"what did i (?:ask|tell) you to remember about (?P<about>.{2,100}?)",
                r"(?:search|look in|look through|check|find in) (?:my|your|the) notes (?:for|about|on) (?P<about>.{2,100}?)",
                r"(?:find|show|list|recall|read)(?: me)? (?:all )?(?:my|your|the) notes (?:about|on) (?P<about>.{2,100}?)",
                r"recall (?P<about>(?:my|our|what)\b.{2,100}?)",
            ),
            *asking_only(
                r"what do you (?:still )?remember(?: about (?:me|us))?",
                r"what do you know about (?:me|us)",
                r"what did i (?:ask|tell) you to remember",
                r"(?:find|show|list|recall|read|open)(?: me)? (?:all )?(?:of )?(?:my|your|the) notes",
                r"what (?:are|is in) (?:my|your) notes",
            ),
        ),
        instruction="Write a few words about what to recall; leave it empty for the newest notes.",
        permission=lambda _arguments: Permission(sees="Your notes, which Amplifier remembers for you."),
    )

    def __init__(self, coordinator: Any) -> None:
        self._coordinator = coordinator

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """One line a note."""
        about = str(input.get("about") or "").strip()
        notes = _notes(self._coordinator)
        if notes is None:
            return failed(NO_STORAGE)
        try:
            found = await (notes.search(about) if about else notes.list())
        except HostError as error:
            return failed(f"The notes could not be read: {error}. Try again.")
        if not found:
            return shown_result(f"No note is about “{about}”." if about else "There are no notes yet.")
        return _listed(found, MOST_FOUND if about else MOST_NEWEST)


def _listed(found: list[Note], most: int) -> ToolResult:
    """As many notes as a small model has room for, at least one."""
    lines: list[str] = []
    for note in found[:most]:
        line = f"- {' '.join(note['text'].split())} ({note['created'][:10]})"
        if lines and sum(map(len, lines)) + len(line) > MOST_CHARACTERS:
            break
        lines.append(line)
    more = len(found) - len(lines)
    text = "\n".join([*lines, *([f"And {more} more."] if more else [])])
    return shown_result(text, {"type": "text", "text": text})
