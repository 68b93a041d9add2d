"""Points 8 to 10: what process_hook_result makes of injections, approvals and messages."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

from amplifier_core import ContextInjection, HookResult
from amplifier_core.approval import ApprovalTimeoutError

from .observing import Approval, Context, Display, coordinator, logged, outcome


def _inject(content: str | None, **fields: Any) -> HookResult:
    return HookResult(action="inject_context", context_injection=content, **fields)


async def _processed(result: HookResult, **session: Any) -> Any:
    """The result, what was stored and shown, and the tokens counted."""
    context, display = Context(), Display()
    made = coordinator(None, display, context, **session)
    processed = await outcome(lambda: made.process_hook_result(result, "tool:post", "hk"))
    return processed, context.messages, display.shown, made._current_turn_injections


async def p08_injections_are_stored() -> Any:
    everything = {"reason": "r", "data": {"k": 1}, "suppress_output": True, "user_message": "u", "user_message_level": "error"}
    return {
        "plain": await _processed(_inject("hello")),
        "ephemeral": await _processed(_inject("hello world", ephemeral=True, append_to_last_tool_result=True)),
        "other fields": await _processed(_inject("hi", context_injection_role="user", approval_prompt="p", **everything)),
        "empty": await _processed(_inject("", reason="r", context_injection_role="user")),
        "none": await _processed(_inject(None, user_message="u")),
        "sanitized": await _processed(_inject("a\x00b\x1b[0m\tc\nd\re\x7f\x85f\u202e\u200bg")),
        "lone surrogate": await _processed(_inject("a\ud800")),
        "nothing left": await _processed(_inject("\x00", reason="r")),
        "nothing left, ephemeral": await _processed(_inject("\x00", ephemeral=True)),
    }


async def p08_size_limit() -> Any:
    return [
        await _processed(_inject("x" * 11), injection_size_limit=10),
        await _processed(_inject("é" * 10), injection_size_limit=10),
        await _processed(_inject("a\x00\x00\x00"), injection_size_limit=1),
        await _processed(_inject("x" * 11, ephemeral=True), injection_size_limit=10),
        await _processed(_inject("x"), injection_size_limit=0),
        await _processed(_inject("x"), injection_size_limit="1"),
        await _processed(_inject("x"), injection_size_limit=-1),
    ]


async def p08_budget_only_warns() -> Any:
    context = Context()
    made = coordinator(None, None, context, injection_budget_per_turn=30)
    with logged() as records:
        for _ in range(3):
            await made.process_hook_result(_inject("x" * 60), "e", "h")
    spent = made._current_turn_injections
    made.reset_turn()
    return records, spent, made._current_turn_injections, len(context.messages)


async def p08_several_injections() -> Any:
    items = [
        ContextInjection(content="p\x00", hook_name="h1", event="e1"),
        ContextInjection(content="ephemeral", ephemeral=True, role="user", hook_name="h2", event="e2"),
        ContextInjection(content="q", role="assistant"),
    ]
    result = HookResult(action="inject_context", context_injections=items, user_message="u", reason="r", data={"k": 1})
    return {
        "mixed": await _processed(result),
        "persistent": await _processed(HookResult(action="inject_context", context_injections=[items[0], items[2]])),
        "ephemeral": await _processed(HookResult(action="inject_context", context_injections=[items[1], items[1]])),
        "one over the limit": await _processed(result, injection_size_limit=5),
        "together over the limit": await _processed(
            HookResult(action="inject_context", context_injections=[items[0], items[2]]), injection_size_limit=1
        ),
    }


async def p08_contexts() -> Any:
    class SyncContext(Context):
        def add_message(self, message: Any) -> None:  # type: ignore[override]
            self.messages.append(message)

    class Broken:
        async def add_message(self, message: Any) -> None:
            raise ValueError("no room")

    seen = []
    for context in (None, SyncContext(), object(), Broken()):
        made = coordinator(None, None, context)
        result = await outcome(lambda made=made: made.process_hook_result(_inject("hello"), "e"))
        seen.append((result, getattr(context, "messages", None), made._current_turn_injections))
    return seen


async def p08_other_results_come_back_as_they_are() -> Any:
    made = coordinator()
    results = [HookResult(), HookResult(action="deny", reason="r", user_message="u"), HookResult(action="modify", data={"a": 1})]
    same = [await made.process_hook_result(result, "e") is result for result in results]
    return same, [await outcome(lambda v=value: made.process_hook_result(v, "e")) for value in (None, {}, 5)]


async def p09_no_approval_system_denies() -> Any:
    results = [HookResult(action="ask_user", approval_prompt="p", approval_default=default) for default in ("deny", "allow")]
    return [await coordinator().process_hook_result(result, "e", "hk") for result in results]


async def p09_answers() -> Any:
    answers = ("Allow", "allow once", "ALLOW ALWAYS", "Allow always ", "yes", "Deny", "", None, True, {"approved": True})
    return [
        await outcome(
            lambda a=a: coordinator(Approval(a)).process_hook_result(HookResult(action="ask_user", approval_prompt="p?"), "e")
        )
        for a in answers
    ]


async def p09_errors() -> Any:
    errors = (ApprovalTimeoutError("late"), TimeoutError("t"), ValueError("v"), asyncio.CancelledError())
    seen = []
    for error in errors:
        for default in ("deny", "allow"):
            result = HookResult(action="ask_user", approval_prompt="p?", approval_default=default)
            made = coordinator(Approval(error))
            seen.append(await outcome(lambda made=made, result=result: made.process_hook_result(result, "e")))
    return seen


async def p09_what_is_asked_and_what_is_kept() -> Any:
    questions = (
        {},
        {"approval_prompt": "", "approval_options": []},
        {"approval_prompt": "p\x00", "approval_options": ["A", "B"], "approval_timeout": 2.5, "approval_default": "allow"},
        {"reason": "r", "data": {"k": 1}, "user_message": "u", "context_injection": "c", "suppress_output": True},
    )
    seen = []
    for fields in questions:
        approval, display = Approval("Allow"), Display()
        result = await coordinator(approval, display).process_hook_result(HookResult(action="ask_user", **fields), "e")
        seen.append((result, sorted(result.model_fields_set), approval.asked, display.shown))
    return seen


async def p09_the_system_owns_its_timeout_and_may_be_sync() -> Any:
    result = HookResult(action="ask_user", approval_prompt="p", approval_timeout=0.001)

    async def slow(*args: Any) -> str:
        await asyncio.sleep(0.02)
        return "Allow"

    systems = (SimpleNamespace(request_approval=slow), SimpleNamespace(request_approval=lambda *args: "Allow"), object())
    return [await outcome(lambda s=s: coordinator(s).process_hook_result(result, "e")) for s in systems]


async def p10_messages() -> Any:
    results = (
        HookResult(user_message="m"),
        HookResult(user_message=""),
        HookResult(user_message="m", user_message_source="src", user_message_level="error"),
        HookResult(user_message="m", user_message_source=""),
        HookResult(action="deny", user_message="m\x00"),
        HookResult(action="modify", user_message="m", suppress_output=True),
        HookResult(action="ask_user", user_message="m", approval_prompt="p"),
    )
    seen = []
    for result in results:
        display = Display()
        await coordinator(None, display).process_hook_result(result, "e", "hk")
        seen.append(display.shown)
    return seen


async def p10_a_display_that_fails_or_is_missing() -> Any:
    def broken(*args: Any) -> None:
        raise ValueError("no screen")

    with logged(logging.ERROR) as records:
        results = [
            await outcome(lambda d=d: coordinator(None, d).process_hook_result(HookResult(user_message="m"), "e"))
            for d in (None, SimpleNamespace(show_message=broken))
        ]
    return results, records
