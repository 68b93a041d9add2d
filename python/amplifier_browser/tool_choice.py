"""Policy: which tools a request offers the model, and which it must use.

A model below a billion parameters cannot be trusted to choose among tools, nor has it room to hear of many: it is offered a
tool only when the user's words ask for it, and then must call it. Larger models hear of all tools and choose themselves.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from .tooling import Traits, traits_of

SMALL = 1000  # millions of parameters
LONGEST_REQUEST = 4000  # characters; what is longer is a text that was pasted, whose words ask for nothing


@dataclass(frozen=True)
class Round:
    """One tool call of a turn that is over."""

    tool: str
    is_ok: bool
    is_final: bool = False  # the user said no, or stopped it


@dataclass(frozen=True)
class Offer:
    """What one request to the model offers."""

    tools: tuple[str, ...] | None = None  # names; None: all that are mounted
    choice: str | dict[str, Any] | None = None  # ChatRequest.tool_choice
    call: tuple[str, dict[str, Any]] | None = None  # a call that the user's own words spell out; no model is asked
    answer_prefix: str = ""  # how the answer begins


def is_small(model: Mapping[str, Any] | None) -> bool:
    """Whether a model, as models/index.json lists it, is small; one that does not say its size is."""
    return model is None or model.get("parameters", 0) < SMALL


def offer(prompt: str, tools: Mapping[str, Any], rounds: list[Round], small: bool) -> Offer:
    """What the next request of a turn offers, after `rounds`, to a small or a larger model."""
    asked = asked_for(prompt, tools)
    if not rounds and asked:
        name, arguments = asked
        if arguments is not None:
            return Offer(call=(name, arguments))
        if small or prompt.lstrip().startswith("/"):
            return _must_call(name)
    if not small:
        return Offer(choice="auto" if tools else None)
    if rounds and not rounds[-1].is_ok and not rounds[-1].is_final:
        return _must_call(rounds[-1].tool)
    used = tools.get(rounds[-1].tool) if rounds and rounds[-1].is_ok else None
    return Offer(tools=(), answer_prefix=traits_of(used).answer_prefix if used else "")


def _must_call(name: str) -> Offer:
    return Offer(tools=(name,), choice={"type": "function", "function": {"name": name}})


def asked_for(prompt: str, tools: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None] | None:
    """The tool that a message asks for, and its arguments where the words say them all."""
    if named := re.match(r"\s*/([a-z][a-z0-9_]*)\b\s*(.*)", prompt, re.DOTALL):
        name, rest = named.groups()
        return (name, _arguments(tools[name], traits_of(tools[name]), {}, rest.strip())) if name in tools else None
    if len(prompt) > LONGEST_REQUEST:
        return None
    for name, tool in tools.items():
        traits = traits_of(tool)
        for pattern in traits.asked_by:
            if found := _compiled(pattern).search(prompt):
                return name, _arguments(tool, traits, found.groupdict(), "")
    return None


def prepare(tools: Mapping[str, Any]) -> Iterator[None]:
    """Compiles what `asked_for` holds messages against, one expression at a time."""
    for tool in tools.values():
        for pattern in traits_of(tool).asked_by:
            _compiled(pattern)
            yield


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _arguments(tool: Any, traits: Traits, said: dict[str, str | None], rest: str) -> dict[str, Any] | None:
    """The arguments as the user said them; None if one that is needed was not said."""
    arguments: dict[str, Any] = {name: value.strip() for name, value in said.items() if value}
    required: list[str] = tool.input_schema.get("required", [])
    if rest and traits.raw_argument and (traits.language != "python" or _is_code(rest)):
        arguments[traits.raw_argument] = rest
    is_all_said = all(name in arguments for name in required) and not (rest and not arguments)
    return arguments if is_all_said else None


def _is_code(text: str) -> bool:
    """Whether it is Python rather than a wish in words; a single word is no code."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return not (len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Name))
