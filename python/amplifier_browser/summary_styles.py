"""The kinds of summary that one can ask for. Their wording is tried on a model of 135M parameters, which the largest then follow
too: one short task, and for a list the beginning of its first line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from . import prompts

ENGLISH = "English"
_SHORT = "Write a short summary of this article. What is it about, and what are its main points?"


@dataclass(frozen=True)
class Style:
    """One kind of summary: `page`, `section` and `notes` are what the model is told to make of each."""

    id: str
    name: str
    detail: str
    page: str
    section: str
    notes: str = ""  # of the sections; none: the sections under their headings are the summary
    begins: str = ""  # how the model's answer begins
    tokens: int = 200  # the longest summary
    section_tokens: int = 120
    penalty: float = 1.03  # of repetition; ends the loops that a small model falls into, and makes it stray from the page
    most_read: int | None = None  # tokens of a section, so that the summary grows with the page, whatever the model could read

    def sampling(self, is_section: bool = False) -> dict[str, Any]:
        """Fields of ChatRequest. The likeliest word each time: a small model that summarizes should add nothing of its own."""
        tokens = self.section_tokens if is_section else self.tokens
        return {"temperature": 0.0, "repetition_penalty": self.penalty, "max_output_tokens": tokens}


STYLES = {
    style.id: style
    for style in (
        Style(
            "short",
            "Short",
            "A paragraph",
            page=_SHORT,
            section="Write a short summary of this part in two sentences.",
            notes=_SHORT,
        ),
        Style(
            "points",
            "Key points",
            "A list",
            page="List the key points of this article as bullet points.",
            section="List the key points of this part as bullet points.",
            notes="List the key points of this article as bullet points.",
            begins="-",
            tokens=240,
            penalty=1.08,
        ),
        Style(
            "detailed",
            "Detailed",
            "Part by part",
            page="Write a detailed summary of this article. Tell all of its facts in full sentences.",
            section="Write a detailed summary of this part with all important facts, names and numbers.",
            tokens=400,
            section_tokens=200,
            penalty=1.05,
            most_read=600,
        ),
        Style(
            "questions",
            "Questions and answers",
            "What it answers",
            page="Write three questions that this article answers, each with its answer.",
            section="Write two questions that this part answers, each with its answer.",
            begins="**Question:**",
            tokens=300,
            section_tokens=160,
            penalty=1.08,
            most_read=600,
        ),
        Style(
            "simple",
            "Simpler words",
            "Short sentences",
            page="Write a short summary of this article in simple words and short sentences.",
            section="Write a short summary of this part in two sentences, in simple words.",
            notes="Write a short summary of this article in simple words and short sentences.",
            penalty=1.08,
        ),
    )
}
DEFAULT = STYLES["short"]


@dataclass(frozen=True)
class Choice:
    """A style, and the language to answer in by its English name; "" leaves that to the model."""

    style: Style = DEFAULT
    language: str = ""

    @property
    def line(self) -> str:
        """The user's line in the panel."""
        style = "" if self.style is DEFAULT else f": {_lower(self.style.name)}"
        language = f"{',' if style else ''} in {self.language}" if self.language else ""
        return f"Summarize this page{style}{language}"

    @property
    def begins(self) -> str:
        """How the model's answer begins; an English word would lead it to English."""
        is_english = self.language in ("", ENGLISH)
        return self.style.begins if is_english or not re.search(r"\w", self.style.begins) else ""

    def page(self, title: str, text: str) -> str:
        """Asks for the summary of a page that fits the context."""
        return prompts.about_article(title, text, self._task(self.style.page))

    def section(self, title: str, text: str) -> str:
        """Asks for the summary of one section of a page."""
        return prompts.about_part(title, text, self._task(self.style.section))

    def notes(self, title: str, notes: str) -> str:
        """Asks for the summary of a whole page from the summaries of its sections."""
        return prompts.about_notes(title, notes, self._task(self.style.notes))

    def _task(self, task: str) -> str:
        return f"{task} Write in {self.language}." if self.language else task


def joined(notes: list[tuple[str, str]]) -> str:
    """The summaries of sections under their headings, as one text. `notes`: title and summary of each."""
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in notes)


_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+")
_ANSWER = re.compile(r"(?<=\S)[ \t]*\n(?=\W*(?:Answer|A)\b\W*:)")


def tidied(text: str) -> str:
    """A summary without the list items that repeat one before them, and with each answer in a paragraph of its own."""
    kept: list[str] = []
    seen: set[str] = set()
    for line in text.split("\n"):
        item = _ITEM.sub("", line).strip().casefold() if _ITEM.match(line) else ""
        if item in seen:
            continue
        if item:
            seen.add(item)
        kept.append(line)
    return _ANSWER.sub("\n\n", "\n".join(kept))


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]
