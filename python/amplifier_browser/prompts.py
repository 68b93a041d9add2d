"""What the model is told. Short, since a small model reads slowly and forgets fast; untrusted text stands in a fence."""

from __future__ import annotations

import secrets

SYSTEM = "You are a helpful AI assistant."


def fence(text: str, nonce: str | None = None) -> str:
    """Text that is data, never instructions: between marks that the text itself cannot guess."""
    mark = nonce or secrets.token_hex(4)
    return f"<text-{mark}>\n{text.strip()}\n</text-{mark}>"


def summarize_page(title: str, text: str) -> str:
    """Asks for the summary of a page that fits the context."""
    return (
        f"Read this article.\n\n{fence(text)}\n\n"
        f"Write a short summary of the article “{title}”. What is it about, and what are its main points?"
    )


def summarize_section(title: str, text: str) -> str:
    """Asks for the summary of one section of a page."""
    return f"Read this part of the article “{title}”.\n\n{fence(text)}\n\nWrite a short summary of this part in two sentences."


def summarize_notes(title: str, notes: str) -> str:
    """Asks for the summary of a whole page from the summaries of its sections."""
    return (
        f"Read these notes on an article, part by part.\n\n{fence(notes)}\n\n"
        f"Write a short summary of the article “{title}”. What is it about, and what are its main points?"
    )
