"""Regular expressions for what users plainly write to ask for a tool; see Traits.asked_by."""

from __future__ import annotations

import re

_POLITE = (
    r"^\s*(?:(?:please|hey|hi|hello|ok|okay|so|and|now|then|well|also)\b[\s,.!]*"
    r"|(?:can|could|would|will) you\b\s*|i(?:['’]d| would) like (?:you )?to\b\s*|i want (?:you )?to\b\s*)*"
)
_END = r"(?:,?\s*please)?[\s?.!]*$"


def asking(*phrases: str) -> tuple[str, ...]:
    """Expressions for messages that begin with one of the phrases, politely or not."""
    return tuple(rf"{_POLITE}(?:{phrase})" for phrase in phrases)


def asking_only(*phrases: str) -> tuple[str, ...]:
    """Expressions for messages that are one of the phrases and nothing else."""
    return tuple(rf"{_POLITE}(?:{phrase}){_END}" for phrase in phrases)


_SUMMARY = asking_only(r"(?:summari[sz]e|sum up) (?:this|the|the current|my) (?:page|article|tab|site|website)")


def asks_for_summary(message: str) -> bool:
    """Whether a message asks for what the button under the transcript does: the whole page summarized."""
    return any(re.search(pattern, message, re.IGNORECASE) for pattern in _SUMMARY)
