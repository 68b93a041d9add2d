"""What the user wished of a selection in the page, from its context menu: the line in the panel, and what the model is asked."""

from __future__ import annotations

from dataclasses import dataclass

from .prompts import fence

LONGEST_LINE = 160  # characters of the selection that the panel's line shows

# action of background/service-worker.js -> the panel's line, what the model is asked under the text
ASKED = {
    "summarize": ("Summarize", "Write a short summary of this text."),
    "explain": ("Explain", "Explain this text in simple words."),
    "translate": ("Translate into {language}", "Translate this text into {language}."),
    "rewrite": ("Rewrite", "Rewrite this text in clear, plain words."),
}


@dataclass(frozen=True)
class Wish:
    """A question about a selection: `line` for people, `prompt` for the model, with the selection in a fence."""

    line: str
    prompt: str


def wish_of(action: str, selection: str, language: str) -> Wish | None:
    """What an action on a selection asks; None for an action that is no question, or without a selection."""
    if action not in ASKED or not selection.strip():
        return None
    line, task = (text.format(language=language) for text in ASKED[action])
    text = selection.strip()
    shown = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE].rsplit(maxsplit=1)[0]}…"
    return Wish(f"{line}: “{shown}”", f"Read this text.\n\n{fence(text)}\n\n{task}")
