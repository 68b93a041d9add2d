"""A text as its author wrote it: what a page is made from, and what is looked for in what a reader made of the page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["heading", "text", "item", "code", "row"]


@dataclass(frozen=True)
class Part:
    """A paragraph, list item, heading, piece of code or row of a table; a row's `text` is its cells, joined by spaces."""

    kind: Kind
    text: str
    level: int = 0
    cells: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """The parts in their order. What is in `allowed` may be there or not, as dates, authors or labels of the site's theme."""

    title: str
    parts: tuple[Part, ...]
    language: str = "en"
    allowed: tuple[str, ...] = field(default=())

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def row(*cells: str) -> Part:
    """A row of a table."""
    return Part("row", " ".join(cells), cells=cells)


def from_json(text: str) -> Document:
    """What `to_json` wrote."""
    fields: dict[str, Any] = json.loads(text)
    parts = [
        Part(each["kind"], each["text"], each["level"], tuple(each["cells"]), tuple(each["links"])) for each in fields["parts"]
    ]
    return Document(fields["title"], tuple(parts), fields["language"], tuple(fields["allowed"]))


def squeezed(text: str) -> str:
    """With single spaces."""
    return " ".join(text.split())
