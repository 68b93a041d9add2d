"""What the model is told. Short, since a small model reads slowly and forgets fast; whatever a page says stands in a fence."""

from __future__ import annotations

import hashlib
import re
from itertools import count

SYSTEM = "You are a helpful AI assistant."
TITLE_CHARACTERS = 200  # a page may have any title


def fence(text: str, mark: str | None = None) -> str:
    """Text that is data, never instructions: between marks that do not stand in the text. The same text has the same mark, so
    that the same question gets the same answer, and what a model has read of it before can be used again."""
    mark = mark or _mark(text)
    return f"<text-{mark}>\n{text.strip()}\n</text-{mark}>"


def _mark(text: str) -> str:
    """Made from the text, so that a page can hardly know it; the next one if the text holds it all the same."""
    said = text.casefold()
    texts = (f"{turn} {text}".encode(errors="surrogatepass") for turn in count())
    marks = (hashlib.sha256(each).hexdigest()[:8] for each in texts)
    return next(mark for mark in marks if mark not in said)


def about_article(title: str, text: str, task: str) -> str:
    """Asks for something to be made of a page."""
    return f"Read this article.\n\n{_titled(title, text)}\n\n{task}"


def about_part(title: str, text: str, task: str) -> str:
    """Asks for something to be made of one section of a page."""
    return f"Read this part of an article.\n\n{_titled(title, text)}\n\n{task}"


def about_notes(title: str, notes: str, task: str) -> str:
    """Asks for something to be made of a whole page, from what was made of its sections."""
    return f"Read these notes on an article, part by part.\n\n{_titled(title, notes)}\n\n{task}"


def ask_text(text: str, question: str) -> str:
    """Asks a question of a text, in the words that small models answer best."""
    return f"Read this text.\n\n{fence(text)}\n\nAnswer this question in one sentence: {question.strip()}"


def summarize_text(text: str) -> str:
    """Asks for the summary of texts that a question was sent with."""
    task = "Write a short summary of this text. What is it about, and what are its main points?"
    return f"Read this text.\n\n{fence(text)}\n\n{task}"


def summarized(title: str) -> str:
    """What stands in the conversation for a page whose text is too long to be kept in it."""
    return f"Write a short summary of this article.\n\n{fence(_short(title))}"


def _titled(title: str, text: str) -> str:
    """The title is the page's own words too."""
    return fence(f"# {_short(title)}\n\n{text}")


def _short(title: str) -> str:
    return title if len(title) <= TITLE_CHARACTERS else f"{title[:TITLE_CHARACTERS]}…"


# Tokens by which models tell who speaks, where a text ends and what is code: ChatML's, Llama's, Mistral's, Gemma's, DeepSeek's,
# SmolLM's. A tokenizer takes such a word for the token wherever it stands, so text that holds one could forge a message.
_NAMES = (
    r"s|bos|eos|pad|unk|mask|cls|sep|start_of_turn|end_of_turn|start_header_id|end_header_id|begin_of_text|end_of_text|eot_id"
    r"|tool_calls?|tool_response|tools|think|reponame|repo_name|file_sep|filename|gh_stars|empty_output|fim_\w+|issue_\w+"
    r"|jupyter_\w+|image_soft_token|unused\d+"
)
_CONTROL = re.compile(
    rf"<(?=[|｜]|/?[|｜]?(?:{_NAMES})[|｜]?>|</?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)


def without_control_tokens(text: str) -> str:
    """Text with a space in whatever a tokenizer might take for one of its control tokens."""
    return _CONTROL.sub(r"\g<0> ", text)
