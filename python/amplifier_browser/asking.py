"""Regular expressions for what users plainly write to ask for a tool; see Traits.asked_by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from .languages import LANGUAGES, language_called

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


_PAGE = r"(?:this|the|the current|my) (?:page|article|tab|site|website|pdf|video)"
_WHICH = r"(?:this|that|these|the|my|all|both|two|of|current|attached|open|whole)"
_THING = r"(?:page|article|tab|site|website|document|file|pdf|text|selection|attachment)s?"
_ATTACHED = rf"(?:it|this|that|these|them|both|all(?: of (?:it|this|these|them))?|(?:{_WHICH} )+{_THING})"
_TAIL = r"(?P<tail>(?:(?:\s*[:,]\s*|\s+)(?:and |but )?(?:{parts}))*)"
_COUNTED = r"(?:(?:a few|the|some|short|main|two|three|four|five|[2-9]) )*"
_STYLES = {
    "points": rf"(?:in|as|with)? ?(?:a list of )?{_COUNTED}(?:key|main|bullet) ?points"
    r"|(?:in|as) (?:a )?(?:bullets|list|bullet list|bulleted list|points)",
    "detailed": r"in (?:more |full |great )?(?:detail|depth)|at length|thoroughly|detailed",
    "questions": r"(?:as|in|with)? ?(?:a )?(?:questions? (?:and|&) answers?|q ?(?:&|and) ?as?|faq)",
    "simple": r"(?:in|with|using)? ?(?:very )?(?:simpler?|plain|easy) (?:words|terms|language|english)|simply"
    r"|for (?:a child|children|kids)",
    "short": r"briefly|in short|short|in brief",
}
_LANGUAGE = r"(?<!\w)(?:in|into) (?P<language>{names})"
_BEFORE = {
    "points": r"(?:list|give me|show me|tell me|what are) (?:the )?(?:key|main) points of",
    "detailed": r"(?:give me|write|make) an? (?:detailed|long|thorough) summary of",
    "simple": r"(?:give me|write|make) a simple summary of",
    "short": r"(?:give me|write|make) a (?:short |brief )?summary of",
    "": r"summari[sz]e|sum up",
}


@dataclass(frozen=True)
class Said:
    """What a message that asks for a summary says of it; None where it says nothing."""

    style: str | None = None
    language: str | None = None


def asks_for_summary(message: str, of_attached: bool = False) -> bool:
    """Whether a message asks for what the button under the transcript does: the whole page summarized, in some style.
    `of_attached`: something was sent with it, so that it need not be named."""
    return _summary(message, rf"(?: {_ATTACHED})?" if of_attached else f" {_PAGE}") is not None


def said_of_summary(message: str) -> Said:
    """The style and the language that a message asking for a summary names."""
    return _summary(message, rf"(?: {_ATTACHED})?") or Said()


def _summary(message: str, what: str) -> Said | None:
    for style, before in _BEFORE.items():
        if found := re.search(f"{_POLITE}(?:{before}){what}{_tail()}{_END}", message, re.IGNORECASE):
            return _said(style, found["tail"])
    return None


def _said(style: str, tail: str) -> Said | None:
    named = re.search(_language(), tail, re.IGNORECASE)
    language = language_called(named["language"]) if named else None
    styles = [
        name for name, pattern in _STYLES.items() if re.search(rf"(?<!\w)(?:{pattern})(?!\w)", _but(named, tail), re.IGNORECASE)
    ]
    return Said(styles[0] if styles else style or None, language.name if language else None)


def _but(named: re.Match[str] | None, tail: str) -> str:
    return tail if named is None else tail[: named.start()] + tail[named.end() :]


@cache
def _tail() -> str:
    """What may follow: styles and languages, and nothing else, since other words ask for something else."""
    parts = "|".join((*_STYLES.values(), _language().replace("?P<language>", "?:")))
    return _TAIL.format(parts=rf"(?:{parts})(?!\w)")


@cache
def _language() -> str:
    names = {name for language in LANGUAGES for name in (language.name, language.native)}
    return _LANGUAGE.format(names="|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)))
