"""What a tool may say of itself beyond Amplifier's contract: how people and small models are told of it, and what a call needs.

A tool has it as one attribute, `traits`. Tools that say nothing (a user's own, say) are treated with caution: each call asks,
and what they return counts as text that anybody may have written.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from amplifier_core import ToolResult

Arguments = dict[str, Any]
Display = dict[str, Any]  # one thing shown to people; the kinds are in sidepanel/types.js

# Characters that show nothing though Unicode counts them among letters, marks and symbols.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


@dataclass(frozen=True)
class Permission:
    """What one call needs. A lasting grant covers the tool's calls with the same `scope`."""

    sees: str  # what the call gets to see, or changes, in a sentence for the user
    free: bool = False  # nobody need be asked: it only looks at what the user looks at
    scope: str = ""  # a site, say; empty for the tool as a whole
    needs: dict[str, list[str]] = field(default_factory=dict)  # chrome.permissions.Permissions that the browser must grant


def ask_always(_arguments: Arguments) -> Permission:
    """What is asked for a tool that does not say what it needs."""
    return Permission(sees="This tool does not say what it sees.")


@dataclass(frozen=True)
class Traits:
    """What the panel and the provider know of a tool."""

    title: str  # what it does, for people, as "Run Python code"
    # Regular expressions: a message that one of them finds asks for this tool. Named groups are arguments; where they are
    # all that the tool needs, the call is made as the user said it.
    asked_by: tuple[str, ...] = ()
    instruction: str = ""  # what a small model is told so that it writes the call; empty: the tool's description
    raw_argument: str = ""  # the one string argument that a model writes as it is, in a code fence, instead of as JSON
    language: str = "text"  # of that code fence
    answer_prefix: str = ""  # how a small model's answer begins after it, so that it says the result
    is_trusted: bool = False  # what it returns is neither a page's nor a stranger's text
    permission: Callable[[Arguments], Permission | Awaitable[Permission]] = ask_always


def traits_of(tool: Any) -> Traits:
    """A tool's traits, or cautious ones."""
    traits = getattr(tool, "traits", None)
    return traits if isinstance(traits, Traits) else Traits(title=str(tool.name).replace("_", " ").capitalize())


def shown_result(text: str, *display: Display) -> ToolResult:
    """A result of which the model gets `text` and people see more."""
    return ToolResult(success=True, output={"text": text, "display": list(display)})


def failed(message: str) -> ToolResult:
    """A result that tells the model what went wrong, in words."""
    return ToolResult(success=False, error={"message": message})


def shown_arguments(traits: Traits | None, arguments: Arguments) -> list[dict[str, str]]:
    """Arguments as people see them, before and after a call: whole, and with nothing in them invisible."""

    def shown(name: str, value: Any) -> dict[str, str]:
        if isinstance(value, str):
            code = {"code": traits.language} if traits and name == traits.raw_argument else {}
            return {"name": visible(name), "value": visible(value), **code}
        code = {"code": "json"} if isinstance(value, dict | list) else {}
        return {"name": visible(name), "value": visible(json.dumps(value, ensure_ascii=False, indent=2)), **code}

    return [shown(str(name), value) for name, value in arguments.items()]


def visible(text: str) -> str:
    """A text in which every character that hides itself or moves others is shown as its code point."""
    return "".join(f"⟨U+{ord(each):04X}⟩" if _hides(each) else each for each in text.replace("\r\n", "\n"))


def _hides(character: str) -> bool:
    if character in "\n\t":
        return False
    code = ord(character)
    selects_variant = 0xFE00 <= code <= 0xFE0E or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F
    category = unicodedata.category(character)
    return selects_variant or character in INVISIBLE or category[0] == "C" or category in ("Zl", "Zp")
