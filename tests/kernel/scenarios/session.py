"""Point 14: the life of a session."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

from amplifier_core import AmplifierSession, RateLimitError, events

from .observing import done, outcome, raising, untimed


class _Loader:
    """Mounts what the plan names: orchestrator "o" (which also records events), context "c", provider "p"."""

    def __init__(self, execute: Callable[..., Any]) -> None:
        self.execute = execute
        self.events: list[Any] = []
        self.cleanups: list[Any] = []
        self.loaded: list[Any] = []
        self.failing: str | None = None

    async def load(self, module_id: str, config: Any = None, source_hint: Any = None, coordinator: Any = None) -> Any:
        self.loaded.append([module_id, config, source_hint, coordinator is not None])
        if module_id == self.failing:
            raise KeyError("missing")
        return getattr(self, f"_mount_{module_id}")

    async def _mount_o(self, coordinator: Any) -> None:
        await coordinator.mount("orchestrator", self)
        for event in (*events.ALL_EVENTS, "session:config"):
            coordinator.hooks.register(event, self._record)
        for cleanup in self.cleanups:
            coordinator.register_cleanup(cleanup)

    async def _mount_c(self, coordinator: Any) -> None:
        await coordinator.mount("context", "the context")

    async def _mount_p(self, coordinator: Any) -> None:
        await coordinator.mount("providers", "the provider", name="p")

    async def _record(self, event: str, data: Any) -> None:
        self.events.append((event, untimed(data)))

    def take(self) -> list[Any]:
        taken, self.events = self.events, []
        return taken

    def get_on_session_ready_queue(self) -> list[Any]:
        return []

    def clear_on_session_ready_queue(self) -> None: ...


def _plan(**session: Any) -> dict[str, Any]:
    return {"session": {"orchestrator": "o", "context": "c", **session}, "providers": [{"module": "p"}]}


async def _answer(**kwargs: Any) -> Any:
    return "answer"


def _made(execute: Callable[..., Any] = _answer, plan: Any = None, **options: Any) -> tuple[AmplifierSession, _Loader]:
    session = AmplifierSession(plan or _plan(), session_id="sid", **options)
    loader = _Loader(execute)
    session.coordinator.loader = loader
    return session, loader


async def p14_configuration_errors() -> Any:
    plans = (
        None, {}, [1], "text", {"session": {}}, {"session": None}, {"session": [1]}, {"other": 1},
        {"session": {"orchestrator": "o"}},
        {"session": {"orchestrator": "o", "context": None}}, {"session": {"orchestrator": "", "context": ""}},
        {"session": {"orchestrator": {"module": "x"}, "context": 5}}, {**_plan(), "n": float("nan")},
    )  # fmt: skip
    return [await outcome(lambda plan=plan: AmplifierSession(plan) and "made") for plan in plans]


async def p14_options() -> Any:
    def make(**options: Any) -> Any:
        session = AmplifierSession(_plan(), **options)
        return [session.session_id, session.parent_id, session.is_resumed, session.initialized]

    options = (
        {},
        {"session_id": ""},
        {"session_id": 5},
        {"parent_id": "p"},
        {"parent_id": ""},
        {"is_resumed": True},
        {"is_resumed": 1},
    )
    return [await outcome(lambda o=o: make(**o)) for o in options]


async def p14_life() -> Any:
    calls: list[Any] = []

    async def execute(**kwargs: Any) -> str:
        given = session.coordinator
        calls.append([sorted(kwargs), kwargs["prompt"], kwargs["context"], kwargs["providers"], kwargs["tools"]])
        calls.append([kwargs["hooks"] is given.hooks, kwargs["coordinator"] is given, given.session is session])
        return "answer"

    plan = _plan(metadata={"m": 1})
    session, loader = _made(execute, plan)
    steps: list[Any] = [session.config is plan, session.coordinator.config is plan, session.coordinator.session_id]
    for name, call in (
        ("early", lambda: session.execute("hi")), ("init", session.initialize), ("init again", session.initialize),
        ("one", lambda: session.execute("hi")), ("two", lambda: session.execute("ho")),
        ("wrong", lambda: session.execute(None)),
        ("cleanup", session.cleanup), ("cleanup again", session.cleanup), ("late", lambda: session.execute("hi")),
        ("init once more", session.initialize), ("three", lambda: session.execute("hi")), ("cleanup last", session.cleanup),
    ):  # fmt: skip
        steps.append([name, await done(call), session.initialized, loader.take(), len(loader.loaded)])
    return steps, calls, loader.loaded[:3]


async def p14_as_a_context_manager() -> Any:
    session, loader = _made()
    async with session as entered:
        inside = [entered is session, session.initialized, await session.execute("p")]
    after = [session.initialized, [event for event, _ in loader.take()]]

    async def failing() -> None:
        async with session:
            raise ValueError("inside")

    return inside, after, await outcome(failing), session.initialized


async def p14_children_resuming_raw_plans() -> Any:
    variants: tuple[tuple[dict[str, Any], Any], ...] = (
        ({"is_resumed": True, "parent_id": "pp"}, {**_plan(raw=True, metadata={"a": 1}), "api_key": "x"}),
        ({}, {**_plan(raw=True), "deep": [{"token": "t"}]}),
        ({"parent_id": "pp"}, _plan(metadata={})),
        ({"parent_id": ""}, _plan(metadata="text", raw=0)),
    )
    seen = []
    for options, plan in variants:
        session, loader = _made(plan=plan, **options)
        for call in (session.initialize, lambda: session.execute("p"), lambda: session.execute("p"), session.cleanup):  # noqa: B023
            await call()
            seen.append(loader.take())
    return seen


async def p14_answers_must_be_text() -> Any:
    seen = []
    for value in (None, 5, {"a": 1}, b"b", ""):

        async def execute(value: Any = value, **kwargs: Any) -> Any:
            return value

        session, _ = _made(execute)
        await session.initialize()
        seen.append(await outcome(lambda: session.execute("p")))  # noqa: B023
    return seen


class _Errors:
    class Silent(Exception):
        def __str__(self) -> str:
            raise ValueError("no text")


async def p14_failures_become_runtime_errors() -> Any:
    errors = (ValueError("v"), KeyError("k"), RateLimitError("rl", retry_after=3), TimeoutError(), asyncio.CancelledError("c"),
              RuntimeError("Execution failed: x"), _Errors.Silent())  # fmt: skip
    seen = []
    for error in errors:
        session, loader = _made(raising(error))
        await session.initialize()
        seen.append((await outcome(lambda: session.execute("p")), [event for event, _ in loader.take()]))  # noqa: B023
    return seen


async def p14_cancelled_runs() -> Any:
    seen = []
    for immediate in (False, True):
        for error in (None, ValueError("x"), asyncio.CancelledError("c")):

            async def execute(coordinator: Any, immediate: bool = immediate, error: Any = error, **kwargs: Any) -> str:
                await coordinator.request_cancel(immediate)
                if error:
                    raise error
                return "part"

            session, loader = _made(execute)
            await session.initialize()
            results = [await outcome(lambda: session.execute("p")) for _ in range(2)]  # noqa: B023
            seen.append((results, loader.take(), session.coordinator.cancellation.state))
    return seen


_setting: contextvars.ContextVar[str] = contextvars.ContextVar("setting", default="unset")


async def p14_the_orchestrator_has_its_own_task_and_context() -> Any:
    caller, seen = asyncio.current_task(), []

    async def execute(**kwargs: Any) -> str:
        seen.append((_setting.get(), asyncio.current_task() is caller))
        _setting.set("orchestrator")
        return "answer"

    session, _ = _made(execute)
    await session.initialize()
    _setting.set("caller")
    await session.execute("p")
    return seen, _setting.get()


async def p14_cancelling_the_caller() -> Any:
    started = asyncio.Event()

    async def execute(**kwargs: Any) -> str:
        started.set()
        await asyncio.Event().wait()
        return "never"

    session, loader = _made(execute)
    await session.initialize()
    task = asyncio.ensure_future(session.execute("p"))
    await started.wait()
    task.cancel()
    return await outcome(lambda: task), task.cancelled(), [event for event, _ in loader.take()]


async def p14_missing_mounts() -> Any:
    seen = []
    for point in ("orchestrator", "context", "providers"):
        session, loader = _made()
        await session.initialize()
        session.coordinator.mount_points[point] = {} if point == "providers" else None
        seen.append((await outcome(lambda: session.execute("p")), [event for event, _ in loader.take()]))  # noqa: B023
    return seen


async def p14_failing_to_initialize() -> Any:
    seen = []
    for failing in ("o", "c", "p"):
        session, loader = _made()
        loader.failing = failing
        result = await done(session.initialize)
        seen.append((result, session.initialized, loader.take(), await done(session.cleanup)))
    return seen


async def p14_cleanup_is_isolated() -> Any:
    order: list[Any] = []
    session, loader = _made()
    loader.cleanups = [
        lambda: order.append("first"),
        raising(ValueError()),
        raising(asyncio.CancelledError()),
        lambda: order.append("last"),
    ]
    await session.initialize()
    results = [await done(session.cleanup), await done(session.cleanup)]
    return results, order, loader.take(), session.initialized


async def p14_concurrent_cleanups_end_once() -> Any:
    order: list[str] = []

    async def slow() -> None:
        order.append("begin")
        await asyncio.sleep(0.01)
        order.append("end")

    session, loader = _made()
    loader.cleanups = [slow]
    await session.initialize()
    await asyncio.gather(session.cleanup(), session.cleanup())
    return order, loader.take()
