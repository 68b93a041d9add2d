"""One question and its answer, and how it is kept on the disk."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .history.records import BadRecord, Kept
from .links import Link
from .page import Page
from .sections import Section

Message = dict[str, Any]

MOST_INTERRUPTIONS = 2  # an answer is gone on with by itself so often


@dataclass
class Turn:
    """One question and its answer. `before` is the conversation as it was when the turn began."""

    question_id: str
    text: str
    is_summary: bool = False
    attachments: list[Message] = field(default_factory=lambda: list[Message]())
    prompt: str = ""  # what the model is asked, where it is not the user's line: a stranger's text is in it
    answer_id: str = ""
    is_from_documents: bool = False
    page: Page | None = None
    sections: list[Section] = field(default_factory=lambda: list[Section]())  # of the page as cut, until its summary is done
    link: Link | None = None  # the page behind it is meant, not the one in front
    style: str | None = None  # of a summary; what is not said is the saved preference, from when it is first answered on
    language: str | None = None
    reread: bool = True  # before it is answered: the page may have changed since
    before: list[Message] | None = None
    is_retried: bool = False  # another answer is wanted than the one there was
    prefix: str = ""  # what an interrupted answer had come to, to go on with
    notes: list[str] = field(default_factory=list)  # summaries of those sections that are done
    interruptions: int = 0  # how often the panel or the browser went while it was answered

    def stored(self) -> Message:
        """As JSON, with its page's id. Of the conversation before it only the length is kept, since it is the beginning of the
        one now."""
        return {
            **_adapter().dump_python(self, mode="json", exclude={"before", "page"}),
            "page": self.page and self.page.id,
            "before": None if self.before is None else len(self.before),
        }

    @classmethod
    def of(cls, stored: Message, kept: Kept) -> Turn:
        """From JSON; `kept`: the conversation that it is of. A page that is not there is read anew. Raises BadRecord."""
        name = stored.get("page")
        page = kept.pages.get(name) if isinstance(name, str) else None
        try:
            turn = _adapter().validate_python({**stored, "before": None, "page": page})
        except ValidationError as error:
            raise BadRecord(f"a question of it cannot be read ({error.errors()[0]['msg']})") from error
        before = stored.get("before")
        turn.before = list(kept.memory["context"][:before]) if isinstance(before, int) else None
        return turn


def resumable(turns: Sequence[Turn], messages: Sequence[Message]) -> list[Turn]:
    """Those whose answer was cut off, to be gone on with; one that was cut off too often may be what does it."""
    states = {message["id"]: message.get("state") for message in messages}
    cut_off = [turn for turn in turns if states.get(turn.answer_id) in ("streaming", "queued")]
    for turn in cut_off:
        turn.interruptions += 1
    return [turn for turn in cut_off if turn.interruptions <= MOST_INTERRUPTIONS]


@functools.cache
def _adapter() -> TypeAdapter[Turn]:
    """Built when a conversation is first kept, since that takes a while and the panel should be there at once."""
    return TypeAdapter(Turn)
