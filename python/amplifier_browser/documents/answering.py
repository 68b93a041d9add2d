"""From passages to an answer with its sources: what fits the model, how it is told of them, and what its citations point to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ..citations import Citation, Origin, cite_sources, quotable
from ..page import Page
from ..prompts import TITLE_CHARACTERS, fence
from .chunks import Chunk, chunks, estimated_tokens, markdown_blocks
from .library import Document
from .ranking import Ranked

Count = Callable[[list[str]], Awaitable[list[int]]]
Message = dict[str, Any]

SHARE = 0.5  # of the model's context that sources may take
BESIDES = 160  # tokens of the instructions and the question
NOT_FOUND = "That is not in your documents."


@dataclass(frozen=True)
class Source:
    """What the model is shown under a number, from 1: a passage of a document or page, or all of a text that fits."""

    number: int
    chunk: Chunk
    title: str  # of the document or page
    page: Page | None = None  # of a tab, that it is from
    is_whole: bool = False

    @property
    def place(self) -> str:
        """Where the passage stands, for people and the model: "Report, page 3: Costs"."""
        page = f", page {self.chunk.page}" if self.chunk.page else ""
        heading = f": {_short(self.chunk.heading)}" if self.chunk.heading else ""
        return f"{_short(self.title)}{page}{heading}"

    def origins(self) -> list[Origin]:
        """What sentences of an answer are laid beside. Of a page single passages are quoted, since they can be marked in it."""
        whole = chunks(markdown_blocks(self.chunk.text), self.chunk.document) if self.is_whole else [self.chunk]
        return [Origin(self.number, each.text, quotable(each.text) if self.page else ()) for each in whole]

    def citation(self, cited: Citation) -> Message:
        """Citation of sidepanel/types.js."""
        if self.page:
            where: Message = {"url": self.page.url, "tab": self.page.tab, **self.page.place_of(cited.quote)}
        else:
            where = {"document": self.chunk.document, **({"page": self.chunk.page} if self.chunk.page else {})}
        return {"number": cited.number, "quote": cited.quote, "name": self.title, **where}

    def seen(self) -> Message:
        """Seen of sidepanel/types.js."""
        page = {"page": self.chunk.page} if self.chunk.page else {}
        return {"number": self.number, "name": self.title, "heading": self.chunk.heading, "text": self.chunk.text, **page}


def room(context_window: int, besides: int = 0) -> int:
    """Tokens that sources may take; `besides`: what the conversation takes already."""
    return max(0, min(int(context_window * SHARE), context_window * 3 // 4 - besides) - BESIDES)


async def sources(
    ranked: Sequence[Ranked], documents: Mapping[str, Document], limit: int, count: Count | None = None
) -> list[Source]:
    """The best passages that fit together in `limit` tokens, each whole.

    `count` is the model's tokenizer; without it, an estimate serves.
    """
    numbered = [
        Source(number, each.chunk, documents[each.chunk.document].title if each.chunk.document in documents else "Document")
        for number, each in enumerate(ranked, 1)
    ]
    texts = [written(source, "00000000") for source in numbered]
    sizes = await count(texts) if count and texts else [estimated_tokens(text) for text in texts]
    fitting = sum(end <= limit for end in accumulate(size + 1 for size in sizes))
    return numbered[:fitting]


def written(source: Source, mark: str | None = None) -> str:
    """A source as the model reads it. Its title and headings are the document's words too, so they stand within the fence."""
    return f"[{source.number}]\n{fence(_body(source), mark)}"


def prompt(question: str, shown: Sequence[Source], not_found: str = NOT_FOUND) -> str:
    """Asks a question that is to be answered from the sources alone."""
    task = f'If they do not answer it, write: "{not_found}"\n\nQuestion: {question.strip()}'
    if not is_numbered(shown):
        return f"Read this text.\n\n{fence(_body(shown[0]))}\n\nAnswer the question from this text only. {task}"
    listed = "\n\n".join(written(source) for source in shown)
    return (
        f"Read these passages from the user's documents.\n\n{listed}\n\n"
        f"Answer the question from these passages only. After each sentence write the number of its passage, like [1]. {task}"
    )


def is_numbered(shown: Sequence[Source]) -> bool:
    """Whether `prompt` tells of numbers. Where in a single text a sentence is from is found out afterwards."""
    return len(shown) > 1 or not all(source.is_whole for source in shown)


def cited(answer: str, shown: Sequence[Source], numbered: bool = True) -> tuple[str, list[Message]]:
    """The answer with its citations marked, and the citations. `numbered`: the model knew the sources' numbers."""
    origins = [origin for source in shown for origin in source.origins()]
    text, citations = cite_sources(answer, origins, numbered)
    by_number = {source.number: source for source in shown}
    return text, [by_number[each.source].citation(each) for each in citations]


def _body(source: Source) -> str:
    return f"{source.place}\n\n{source.chunk.text}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= TITLE_CHARACTERS else f"{text[:TITLE_CHARACTERS]}…"
