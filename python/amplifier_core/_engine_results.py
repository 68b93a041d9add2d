"""Hook results: parsing what handlers return, and merging injections."""

from __future__ import annotations

import json
import logging
from typing import Any

from amplifier_core.models import ContextInjection, HookResult
from pydantic import ValidationError

from ._engine_json import NotPlain, plain

_log = logging.getLogger("_engine.bridges")

_RESULT_DEFAULTS = HookResult().model_dump()
_INVALID_RESPONSE = "Hook handler returned invalid response"


def hook_result(**fields: Any) -> HookResult:
    """A HookResult with every field set, as results from the native side have."""
    return HookResult.model_validate(_RESULT_DEFAULTS | fields)


def is_bare_continue(value: Any) -> bool:
    return value is None or (type(value) is HookResult and value.action == "continue" and value.model_fields_set <= {"action"})


def parse_result(value: Any) -> HookResult:
    """What a handler returned, as a HookResult; garbage denies (a guard that speaks nonsense must not let pass)."""
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    text = json.dumps(value, default=str)
    try:
        result = HookResult.model_validate_json(text, strict=True)
        return HookResult.model_validate(plain(result.model_dump()))
    except (ValidationError, NotPlain) as error:
        why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        _log.error("SECURITY: Hook handler returned unparseable result — failing closed (Deny): %s — json: %s", why, text)
        return hook_result(action="deny", reason=_INVALID_RESPONSE)


def injection_items(result: HookResult) -> list[ContextInjection]:
    """The injections of one result: the list if it has one, else the older scalar fields as a single item."""
    if result.context_injections:
        return result.context_injections
    if result.context_injection is None:
        return []
    return [
        ContextInjection(
            content=result.context_injection,
            role=result.context_injection_role,
            ephemeral=result.ephemeral,
            append_to_last_tool_result=result.append_to_last_tool_result,
        )
    ]


def injection_fields(items: list[ContextInjection]) -> dict[str, Any]:
    """The scalar fields that stand for several injections, and the lossless list."""
    if not items:
        return {key: _RESULT_DEFAULTS[key] for key in _INJECTION_KEYS}
    return {
        "context_injection": "\n\n".join(item.content for item in items),
        "context_injection_role": items[0].role,
        "ephemeral": any(item.ephemeral for item in items),
        "append_to_last_tool_result": any(item.append_to_last_tool_result for item in items),
        "context_injections": [item.model_dump() for item in items],
    }


_INJECTION_KEYS = (
    "context_injection",
    "context_injection_role",
    "ephemeral",
    "append_to_last_tool_result",
    "context_injections",
)


def merge_injections(results: list[HookResult]) -> HookResult:
    """One inject_context result out of several; a single one keeps its message, reason and data."""
    items = [item for result in results for item in result.context_injections]
    first = results[0]
    if len(results) == 1:
        return hook_result(**first.model_dump() | injection_fields(items))
    return hook_result(action="inject_context", suppress_output=first.suppress_output, **injection_fields(items))
