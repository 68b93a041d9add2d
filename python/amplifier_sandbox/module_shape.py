"""What a tool of a user's module may be called and take. The session asks this again of what a sandbox told it.

Of JSON Schema only what needs no engine of its own: a pattern or a reference could keep the session busy for ever, and the
model's grammar is made from the schema too.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, cast

TOOL_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
ARGUMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
TYPES = frozenset(("string", "number", "integer", "boolean", "array", "object", "null"))
TEXTS = frozenset(("description", "title"))
NUMBERS = frozenset(("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"))
OTHERS = frozenset(("type", "properties", "required", "items", "enum", "default", "examples", "additionalProperties"))
DEEPEST = 4
LONGEST = 4000  # characters of JSON


def name_problem(name: str) -> str | None:
    """What is wrong with a tool's name."""
    if TOOL_NAME.fullmatch(name):
        return None
    return f"“{name[:60]}” cannot be a tool's name: small letters, digits and _, at most 40, a letter first"


def schema_problem(schema: Any) -> str | None:
    """What is wrong with an input_schema."""
    if not isinstance(schema, dict):
        return "input_schema must be a dict (JSON Schema)"
    if not schema:
        return None
    try:
        size = len(json.dumps(schema, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        return f"input_schema is not JSON: {error}"
    if size > LONGEST:
        return f"input_schema has {size} characters; {LONGEST} are allowed"
    facts = cast("dict[str, Any]", schema)
    if facts.get("type") != "object":
        return 'input_schema must be of the type "object", with the arguments as its properties'
    return _schema_problem(facts, "input_schema", 0)


def _schema_problem(schema: Any, where: str, depth: int) -> str | None:
    if not isinstance(schema, dict) or depth > DEEPEST:
        return f"{where} must be a dict" if depth <= DEEPEST else f"{where} is nested too deeply"
    for key, value in cast("dict[Any, Any]", schema).items():
        problem = _keyword_problem(key, value, where, depth)
        if problem:
            return problem
    return None


def _keyword_problem(key: Any, value: Any, where: str, depth: int) -> str | None:
    if key in TEXTS:
        return None if isinstance(value, str) else f"{where}: {key} must be a text"
    if key in NUMBERS:
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return None if is_number else f"{where}: {key} must be a number"
    if key not in OTHERS:
        return f"{where}: “{key}” is not supported here"
    if key == "type":
        types = cast("list[Any]", value) if isinstance(value, list) else [value]
        is_known = bool(types) and all(isinstance(each, str) and each in TYPES for each in types)
        return None if is_known else f"{where}: there is no type {value}"
    if key == "items":
        return _schema_problem(value, f"{where}: items", depth + 1)
    if key == "properties":
        return _properties_problem(value, where, depth)
    if key == "required":
        return None if _is_list_of(value, str) else f"{where}: required must be a list of names"
    if key == "enum":
        return None if value and _is_list_of(value, (str, int, float)) else f"{where}: enum must be a list of texts or numbers"
    if key == "additionalProperties" and not isinstance(value, bool):
        return f"{where}: additionalProperties must be True or False"
    return None


def _properties_problem(properties: Any, where: str, depth: int) -> str | None:
    if not isinstance(properties, dict):
        return f"{where}: properties must be a dict"
    for name, schema in cast("dict[Any, Any]", properties).items():
        if not isinstance(name, str) or not ARGUMENT_NAME.fullmatch(name):
            return f"{where}: “{str(name)[:60]}” cannot be an argument's name"
        if problem := _schema_problem(schema, f"{where}: {name}", depth + 1):
            return problem
    return None


def _is_list_of(value: Any, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, list) and all(isinstance(each, kinds) for each in cast("list[Any]", value))
