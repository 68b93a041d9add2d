"""Points 1 to 7: registering, dispatching, the JSON boundary, precedence, injections, collecting, correlation."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime
import decimal
import enum
from typing import Any

from amplifier_core import ContextInjection, HookRegistry, HookResult, correlation
from pydantic import BaseModel

from .observing import Recorder, done, emitted, logged, outcome, raising, registry, returning, untimed

_calls: contextvars.ContextVar[str] = contextvars.ContextVar("calls", default="unset")


async def p01_order_is_priority_then_registration() -> Any:
    hooks, order = HookRegistry(), []
    for priority, name in ((10, "late"), (0, "first"), (0, "second"), (-5, "early"), (0, None)):

        async def handler(event: str, data: Any, name: str | None = name) -> None:
            order.append(name)

        hooks.register("x", handler, priority, name)
    await hooks.emit("x", {})
    return order, hooks.list_handlers("x"), hooks.list_handlers("unknown")


async def p01_names_and_unregistering() -> Any:
    hooks = HookRegistry()
    first = hooks.register("x", returning(None), name="a")
    hooks.register("y", returning(None), name="a")
    hooks.on("y", returning(None), name="b")
    seen = [hooks.list_handlers()]
    for action in (lambda: hooks.unregister("a"), lambda: hooks.unregister("missing"), first, first):
        action()
        seen.append(hooks.list_handlers())
    return seen, repr(first)


async def p01_wrong_arguments() -> Any:
    hooks = HookRegistry()
    return [
        await done(call)
        for call in (
            lambda: hooks.register(5, returning(None)),
            lambda: hooks.register("x", returning(None), "p"),
            lambda: hooks.register("x", returning(None), 1.5),
            lambda: hooks.register("x", returning(None), 2**40),
            lambda: hooks.register("x", returning(None), name=5),
            lambda: hooks.unregister(5),
            lambda: hooks.list_handlers(5),
            lambda: hooks.emit(5, {}),
        )
    ]


async def p01_registering_during_an_emit_counts_for_the_next() -> Any:
    hooks, order = HookRegistry(), []

    async def changes(event: str, data: Any) -> None:
        order.append("changes")
        hooks.unregister("removed")
        hooks.register("x", added, name="added")

    async def removed(event: str, data: Any) -> None:
        order.append("removed")

    async def added(event: str, data: Any) -> None:
        order.append("added")

    hooks.register("x", changes, name="changes")
    hooks.register("x", removed, 1, "removed")
    await hooks.emit("x", {})
    return order, hooks.list_handlers()


async def p02_data_without_handlers_and_with() -> Any:
    hooks, recorder = HookRegistry(), Recorder()
    hooks.set_default_fields(session_id="s", parent_id=None, kind="default")
    given = {"b": 1, "kind": "own", "timestamp": "mine"}
    alone = await hooks.emit("x", given)
    hooks.register("x", recorder)
    together = await hooks.emit("x", given)
    hooks.set_default_fields(other=1)
    await hooks.emit("x", {})
    seen = [data for _, data in recorder.take()]
    return alone, alone.data is given, untimed(together.data), seen, [list(data) for data in seen]


async def p02_every_field_of_a_result_is_set() -> Any:
    alone = await HookRegistry().emit("x", {})
    return sorted(alone.model_fields_set), sorted((await emitted(None)).model_fields_set)


async def p02_data_that_is_no_dict() -> Any:
    recorder = Recorder()
    hooks = registry(recorder)
    hooks.set_default_fields(session_id="s")
    results = [await hooks.emit("x", data) for data in (None, [2, 1], "text", 5)]
    return results, [data for _, data in recorder.take()]


class _Box(BaseModel):
    z: int = 1
    at: datetime.datetime = datetime.datetime(2020, 1, 1)


class _Color(enum.StrEnum):
    RED = "red"


@dataclasses.dataclass
class _Point:
    x: int = 1


class _Opaque:
    def __str__(self) -> str:
        return "opaque"


async def p03_what_handlers_see() -> Any:
    recorder = Recorder()
    hooks = registry(recorder)
    for data in (
        {"b": 1, "a": {"d": [1, {"f": 1, "e": 2}], "c": None}},
        {"model": _Box(), "nested": [{"model": _Box()}]},
        _Box(),
        {"decimal": decimal.Decimal("1.50"), "set": {3}, "tuple": (1, 2), "bytes": b"x", "date": datetime.date(2020, 1, 2)},
        {"enum": _Color.RED, "data": _Point(), "opaque": _Opaque(), "class": _Opaque, "error": ValueError("v")},
        {1: "int", "10": "text", None: "none", False: "false", 1.5: "float"},
        {"big": 10**30, "below": -(10**19), "unsigned": 2**64 - 1, "over": 2**64, "low": -(2**63)},
        {"float": 1.0, "exponent": 1e100, "zero": -0.0, "text": "é \u2028 😀", "": "empty key"},
    ):
        await hooks.emit("x", data)
    return [(list(data), untimed(data), repr(untimed(data))) for _, data in recorder.take()]


async def p03_what_json_cannot_hold() -> Any:
    hooks = registry(returning(None))
    circular: dict[str, Any] = {}
    circular["self"] = circular
    deep: Any = 1
    for _ in range(130):
        deep = [deep]
    return [
        await outcome(lambda data=data: hooks.emit("x", data))
        for data in (
            {"n": float("nan")},
            {"n": float("inf")},
            {"n": [float("-inf")]},
            {"t": "a\ud800"},
            {"t": "a\udc00b"},
            {(1, 2): 3},
            {"deep": deep},
            {"huge": 10**400},
            circular,
        )
    ]


async def p03_each_handler_gets_a_copy_taken_at_the_call() -> Any:
    recorder = Recorder()

    async def changes(event: str, data: Any) -> None:
        data["inner"]["changed"] = True
        data["new"] = 1

    hooks = registry(changes, recorder)
    given = {"inner": {"n": 1}}
    pending = hooks.emit("x", given)
    given["inner"]["n"] = 2
    await pending
    return given, [untimed(data) for _, data in recorder.take()]


async def p04_precedence() -> Any:
    result = HookResult
    ask = result(action="ask_user", approval_prompt="first?", approval_options=["a"], approval_timeout=3.5)
    inject = result(action="inject_context", context_injection="A")
    modify = result(action="modify", data={"m": 1})
    return {
        "deny ends": await emitted(
            result(action="deny", reason="one", data={"z": 1, "a": 2}, user_message="u"), result(action="deny", reason="two")
        ),
        "deny after ask": await emitted(ask, result(action="deny", reason="no")),
        "ask over inject": await emitted(inject, ask, result(action="ask_user", approval_prompt="second?"), inject),
        "ask and modify": await emitted(modify, ask, modify),
        "inject and modify": await emitted(modify, inject),
        "modify chains": await emitted(modify, result(action="modify", data={"n": 2}, reason="r", user_message="u")),
        "modify without data": await emitted(result(action="modify")),
        "modify to nothing": await emitted(result(action="modify", data={})),
        "continue keeps data": await emitted(result(data={"q": 1}, user_message="u", suppress_output=True)),
    }


async def p04_modified_data_reaches_the_next_handler() -> Any:
    recorder = Recorder()
    changed = HookResult(action="modify", data={"q": {"b": datetime.datetime(2020, 1, 1), "a": HookResult()}})
    await registry(returning(changed), recorder).emit("x", {"a": 1})
    return recorder.take()


async def p04_what_a_handler_may_return() -> Any:
    values: tuple[Any, ...] = (
        {}, {"action": "deny", "reason": "r"}, {"action": "deny", "unknown": 1}, {"action": "modify", "data": {"b": 1, "a": 2}},
        {"action": "bogus"}, {"action": "DENY"}, {"action": None}, {"action": "deny", "reason": 5}, {"ephemeral": None},
        {"action": "modify", "data": [1]}, {"action": "modify", "data": {"n": float("nan")}}, {"context_injections": None},
        {"action": "inject_context", "context_injection": 5}, {"action": "ask_user", "approval_timeout": 5},
        {"action": "ask_user", "approval_timeout": "x"}, {"action": "ask_user", "approval_options": ["a", 1]},
        {"ephemeral": "true"}, {"ephemeral": 1}, {"action": "ask_user", "approval_timeout": "5"},
        {"approval_timeout": float("inf")},
        {"user_message_level": "bad"}, {"action": "inject_context", "context_injections": [{"content": "c"}]},
        {"action": "inject_context", "context_injections": [{"role": "user"}]}, {"action": "modify", "data": {(1, 2): 3}},
        "text", '{"action": "deny"}', 5, 0, True, False, [], [{"action": "deny"}], _Opaque(), _Box(),
        HookResult(action="deny", reason="a\ud800"), HookResult.model_construct(action="bogus"),
    )  # fmt: skip
    return [await emitted(value) for value in values]


async def p04_handlers_that_fail_are_skipped() -> Any:
    def sync_failure(event: str, data: Any) -> None:
        raise ValueError("sync")

    async def wrong_signature() -> None: ...

    deny = returning(HookResult(action="deny", reason="after"))
    failing = (sync_failure, raising(ValueError("boom")), raising(asyncio.CancelledError()), wrong_signature)
    return [[await registry(f).emit("x", {"a": 1}), await registry(f, deny).emit("x", {})] for f in failing]


async def p04_kinds_of_handler() -> Any:
    deny = HookResult(action="deny", reason="seen")

    class Callable_:
        async def __call__(self, event: str, data: Any) -> HookResult:
            return deny

        async def method(self, event: str, data: Any) -> HookResult:
            return deny

    def generator(event: str, data: Any) -> Any:
        yield deny

    kinds = (lambda e, d: deny, lambda e, d: None, lambda e, d: returning(deny)(e, d), Callable_(), Callable_().method, generator)
    return [await registry(kind).emit("x", {}) for kind in kinds]


async def p04_a_handler_runs_in_its_own_task_and_context() -> Any:
    seen: list[Any] = []
    caller = asyncio.current_task()

    async def first(event: str, data: Any) -> None:
        seen.append((_calls.get(), asyncio.current_task() is caller))
        _calls.set("first")

    async def second(event: str, data: Any) -> None:
        seen.append(_calls.get())
        task = asyncio.current_task()
        assert task
        task.cancel()
        await asyncio.sleep(1)

    def sync(event: str, data: Any) -> None:
        seen.append(_calls.get())

    _calls.set("caller")
    result = await registry(first, second, sync).emit("x", {})
    return seen, _calls.get(), untimed(result.data)


async def p04_cancelling_an_emit_cancels_its_handler() -> Any:
    started, stopped, seen = asyncio.Event(), asyncio.Event(), []

    async def waits(event: str, data: Any) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("stopped")
            stopped.set()

    async def never(event: str, data: Any) -> None:
        seen.append("never")

    task = asyncio.ensure_future(registry(waits, never).emit("x", {}))
    await started.wait()
    task.cancel()
    ended = await outcome(lambda: task)
    await stopped.wait()
    return ended, seen


async def p05_injections() -> Any:
    def inject(content: str | None, **fields: Any) -> HookResult:
        return HookResult(action="inject_context", context_injection=content, **fields)

    items = [
        ContextInjection(content="L1", hook_name="h", event="e", role="user", ephemeral=True),
        ContextInjection(content="L2"),
    ]
    listed = HookResult(action="inject_context", context_injections=items, user_message="um", reason="r")
    return {
        "one": await emitted(
            inject("A", user_message="u", suppress_output=True, context_injection_role="user", reason="r", data={"d": 1})
        ),
        "two": await emitted(
            inject("A", user_message="u", suppress_output=True, context_injection_role="user", reason="r"),
            inject("B", user_message="v", append_to_last_tool_result=True, user_message_level="error"),
        ),
        "ephemeral in the second": await emitted(inject("A"), inject("B", ephemeral=True, suppress_output=True)),
        "empty": await emitted(inject("")),
        "none": await emitted(inject(None, user_message="u")),
        "empty, none, one": await emitted(inject(""), inject(None), inject("B")),
        "list": await emitted(listed),
        "list over scalar": await emitted(inject("S", ephemeral=True, context_injections=items[1:])),
        "list and scalar": await emitted(inject("A", suppress_output=True), listed, inject("Z", ephemeral=True)),
        "list on continue": await emitted(HookResult(context_injections=items)),
    }


async def p06_collecting() -> Any:
    recorder = Recorder()
    hooks = registry(
        recorder,
        returning(HookResult(data={"b": 1, "a": {"d": 1, "c": 2}})),
        lambda event, data: HookResult(data={"sync": 1}),
        returning({"data": {"dict": 1}}),
        returning(HookResult(action="deny", data={"deny": 1})),
        returning(HookResult(data={})),
        returning(None),
        returning("garbage"),
        raising(ValueError()),
        returning({"data": {"last": 1}}),
    )
    hooks.set_default_fields(session_id="s")
    collected = await hooks.emit_and_collect("x", {"q": 1}, timeout=60.0)
    return collected, recorder.take(), await hooks.emit_and_collect("y", {})


async def p06_a_handler_that_is_too_slow_is_left_out() -> Any:
    stopped = asyncio.Event()

    async def slow(event: str, data: Any) -> HookResult:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return HookResult(data={"slow": 1})

    quick = {"data": {"quick": 1}}
    with logged() as records:
        collected = await registry(slow, returning(quick)).emit_and_collect("x", {}, timeout=0.5)
    return collected, stopped.is_set() or await stopped.wait(), records


async def p06_wrong_timeouts() -> Any:
    return [await outcome(lambda t=t: registry().emit_and_collect("x", {}, t)) for t in (None, "x", 2, True)]


async def p07_correlation() -> Any:
    hooks, recorder = HookRegistry(), Recorder()
    events = ("llm:request", "llm:response", "provider:error", "provider:retry", "provider:throttle", "provider:request",
              "llm:stream_block_delta", "x")  # fmt: skip
    for event in events:
        hooks.register(event, recorder)
    for event, data in (
        ("llm:response", {}), ("llm:request", {}), ("x", {}), ("llm:stream_block_delta", {}), ("provider:retry", {}),
        ("provider:throttle", {}), ("provider:request", {}), ("llm:response", {}), ("llm:response", {}), ("provider:retry", {}),
        ("llm:request", {}), ("provider:error", {}), ("llm:request", {"request_id": "mine"}), ("provider:retry", {}),
        ("llm:response", {"request_id": "other"}), ("llm:response", {}), ("llm:request", {"request_id": ""}),
        ("llm:response", {"request_id": None}), ("llm:request", {"request_id": 5}), ("llm:response", {"request_id": []}),
    ):  # fmt: skip
        await hooks.emit(event, data)
    return [(event, data.get("request_id", "absent")) for event, data in recorder.take()]


async def p07_correlation_without_handlers_and_in_them() -> Any:
    request = await HookRegistry().emit("llm:request", {})
    current = correlation.current_request_id()
    response = await HookRegistry().emit("llm:response", {})
    seen: list[Any] = []

    async def handler(event: str, data: Any) -> None:
        seen.append(correlation.current_request_id() == data["request_id"])

    hooks = HookRegistry()
    hooks.set_default_fields(request_id="default")
    hooks.register("llm:request", handler)
    await hooks.emit("llm:request", {})
    await hooks.emit_and_collect("llm:response", {})
    return (
        request.data["request_id"] == current == response.data["request_id"],
        seen,
        correlation.current_request_id() is not None,
        (await hooks.emit("llm:response", {})).data,
    )


async def p07_concurrent_calls_keep_their_ids() -> Any:
    hooks, recorder = HookRegistry(), Recorder()
    hooks.register("llm:request", recorder)
    hooks.register("llm:response", recorder)
    both_asked = asyncio.Event()

    async def call(name: str) -> None:
        await hooks.emit("llm:request", {"call": name})
        if len(recorder.seen) == 2:
            both_asked.set()
        await both_asked.wait()
        await hooks.emit("llm:response", {"call": name})

    await asyncio.gather(call("one"), call("two"))
    ids: dict[str, list[str]] = {}
    for _, data in recorder.take():
        ids.setdefault(data["call"], []).append(data["request_id"])
    return {name: len(set(pair)) for name, pair in ids.items()}, ids["one"][0] == ids["two"][0]
