"""What a hook result asks the coordinator to do: inject context, show a message, ask the user."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from amplifier_core.models import ContextInjection, HookResult

from ._engine_checks import describe, expect, now
from ._engine_results import hook_result, injection_fields, injection_items

if TYPE_CHECKING:
    from ._engine_coordinator import RustCoordinator

_log = logging.getLogger("_engine.coordinator.hook_dispatch")

_GRANTING = ("allow", "allow once", "allow always")
_UNSAFE_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def process(coordinator: RustCoordinator, result: HookResult, event: str, hook_name: str) -> Coroutine[Any, Any, HookResult]:
    """Carry out what a hook asked for: store injections, show its message, ask the user.

    Persistent injections go into the context and come back as continue; ephemeral ones come back for the orchestrator
    to use. ask_user comes back as continue or deny, and shows no message. Raises ValueError, when called, for an
    injection over the size limit, before anything is stored; the budget only warns.
    """
    expect(hook_name, str)
    if result.action == "ask_user":
        return _ask_user(coordinator.approval_system, result, hook_name)
    stored: list[ContextInjection] = []
    if result.action == "inject_context":
        items = _sanitized_items(result, event, hook_name)
        _check_sizes(items, coordinator.injection_size_limit)
        _spend_tokens(coordinator, items)
        stored = [item for item in items if not item.ephemeral]
        result = _with_remaining(result, [item for item in items if item.ephemeral])
    _show_message(coordinator.display_system, result, hook_name)
    if result.suppress_output:
        _log.debug("Hook '%s' requested output suppression", hook_name)
    return _store(coordinator.mount_points.get("context"), stored, result)


def _sanitized_items(result: HookResult, event: str, hook_name: str) -> list[ContextInjection]:
    """The result's injections without control characters; empty ones are dropped.

    Lone surrogates raise UnicodeEncodeError, as they do where upstream takes the text over from Python.
    """
    scalar = not result.context_injections
    items: list[ContextInjection] = []
    for item in injection_items(result):
        item.content.encode()
        origin = {"hook_name": hook_name, "event": event} if scalar else {}
        content = _UNSAFE_CHARACTERS.sub("", item.content)
        if content:
            items.append(item.model_copy(update={"content": content, **origin}))
    return items


def _with_remaining(result: HookResult, items: list[ContextInjection]) -> HookResult:
    action = "inject_context" if items else "continue"
    return hook_result(**result.model_dump() | injection_fields(items) | {"action": action})


def _check_sizes(items: list[ContextInjection], limit: int | None) -> None:
    if limit is None:
        return
    if limit < 0:
        raise OverflowError("can't convert negative int to unsigned")
    for item in items:
        if len(item.content) > limit:
            _log.error("Hook injection too large: %s (chars=%d, limit=%d)", item.hook_name, len(item.content), limit)
            raise ValueError(f"Context injection exceeds {limit} characters")


def _spend_tokens(coordinator: RustCoordinator, items: list[ContextInjection]) -> None:
    budget = coordinator.injection_budget_per_turn
    spent = coordinator._current_turn_injections  # pyright: ignore[reportPrivateUsage]
    for item in items:
        tokens = len(item.content) // 4  # upstream's estimate: four characters a token
        if budget is not None and spent + tokens > budget:
            _log.warning(
                "Warning: Hook injection budget exceeded (hook=%s, current=%d, attempted=%d, budget=%d)",
                item.hook_name, spent, tokens, budget,
            )  # fmt: skip
        spent += tokens
        _log.info(
            "Hook context injection (hook=%s, event=%s, chars=%d, role=%s, tokens=%d, ephemeral=%s)",
            item.hook_name, item.event, len(item.content), item.role, tokens, str(item.ephemeral).lower(),
        )  # fmt: skip
    coordinator._current_turn_injections = spent  # pyright: ignore[reportPrivateUsage]


def _show_message(display_system: Any, result: HookResult, hook_name: str) -> None:
    if not result.user_message:
        return
    source = hook_name if result.user_message_source is None else result.user_message_source
    if display_system is None:
        _log.debug("Hook message (%s): %s (hook=%s)", result.user_message_level, result.user_message, source)
        return
    try:
        display_system.show_message(result.user_message, result.user_message_level, f"hook:{source}")
    except Exception as error:
        _log.error("Error calling display_system: %s", describe(error))


def _injection_message(item: ContextInjection) -> dict[str, Any]:
    return {
        "role": item.role,
        "content": item.content,
        "metadata": {
            "source": "hook",
            "hook_name": item.hook_name,
            "event": item.event,
            "timestamp": now(),
            "requested_role": item.role,
            "ephemeral": False,
            "persisted": True,
        },
    }


async def _store(context: Any, items: list[ContextInjection], result: HookResult) -> HookResult:
    if hasattr(context, "add_message"):
        for item in items:
            added = context.add_message(_injection_message(item))
            if inspect.isawaitable(added):
                await added
    return result


async def _ask_user(approval_system: Any, result: HookResult, hook_name: str) -> HookResult:
    prompt = "Allow this operation?" if result.approval_prompt is None else result.approval_prompt
    options = ["Allow", "Deny"] if result.approval_options is None else result.approval_options
    _log.info(
        "Approval requested (hook=%s, prompt=%s, timeout=%g, default=%s)",
        hook_name, prompt, result.approval_timeout, result.approval_default,
    )  # fmt: skip
    if approval_system is None:
        _log.error("Approval requested but no approval system provided (hook=%s)", hook_name)
        return HookResult(action="deny", reason="No approval system available")
    from amplifier_core.approval import ApprovalTimeoutError

    try:
        decision = approval_system.request_approval(prompt, options, result.approval_timeout, result.approval_default)
        if inspect.isawaitable(decision):
            decision = await decision
    except ApprovalTimeoutError:
        _log.warning("Approval timeout (hook=%s, default=%s)", hook_name, result.approval_default)
        if result.approval_default == "allow":
            return HookResult(action="continue")
        return HookResult(action="deny", reason=f"Approval timeout - denied by default: {prompt}")
    return _decide(expect(decision, str), prompt, hook_name)


def _decide(decision: str, prompt: str, hook_name: str) -> HookResult:
    _log.info("Approval decision (hook=%s, decision=%s)", hook_name, decision)
    if decision.lower() in _GRANTING:
        return HookResult(action="continue")
    if decision.lower() != "deny":
        _log.warning(
            "Approval system returned unexpected decision '%s' for hook '%s' — treating as deny (fail-closed)",
            decision, hook_name,
        )  # fmt: skip
    return HookResult(action="deny", reason=f"User denied: {prompt}")
