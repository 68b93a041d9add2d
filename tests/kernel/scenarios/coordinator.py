"""Points 11 to 13: mounting, capabilities, contributions, cleanup, cancellation."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

from amplifier_core import CancellationToken, ModuleCoordinator
from amplifier_core.testing import MockCoordinator

from .observing import Recorder, coordinator, done, logged, outcome, raising


class _Named:
    def __init__(self, name: Any) -> None:
        self.name = name


def _mounted(made: ModuleCoordinator) -> dict[str, Any]:
    def shown(value: Any) -> Any:
        return {key: shown(item) for key, item in value.items()} if isinstance(value, dict) else getattr(value, "name", value)

    return {key: shown(value) for key, value in made.mount_points.items() if key != "hooks"}


async def p11_construction() -> Any:
    identities = (
        None,
        SimpleNamespace(session_id="s", parent_id="p", config={"session": {"x": 1}}),
        SimpleNamespace(session_id=5, parent_id=None, config={}),
        SimpleNamespace(session_id="s", parent_id=5, config={}),
        SimpleNamespace(),
    )

    def make(identity: Any) -> Any:
        made = ModuleCoordinator(identity, "approval", "display")
        return [made.session_id, made.parent_id, made.config, made.session is identity, made.approval_system, made.display_system]

    return [await outcome(lambda identity=identity: make(identity)) for identity in identities]


def p11_what_a_new_coordinator_has() -> Any:
    identity = SimpleNamespace(session_id="s", parent_id=None, config={"session": {"injection_size_limit": 5}})
    made = ModuleCoordinator(identity)
    identity.config["session"]["injection_budget_per_turn"] = 9
    return {
        "mounted": _mounted(made),
        "same": [
            made.config is identity.config,
            made.hooks is made.mount_points["hooks"],
            made.cancellation is made.cancellation,
        ],
        "limits": [made.injection_size_limit, made.injection_budget_per_turn, made._current_turn_injections],
        "rest": [made.loader, made.channels, made.session_state, made._cleanup_fns, vars(made)],
        "to_dict": made.to_dict(),
    }


async def p11_attributes() -> Any:
    made = coordinator()
    made.loader, made.approval_system, made.display_system, made._current_turn_injections = "l", "a", "d", 7
    made.extra = "own"  # type: ignore[attr-defined]
    readonly = ("session", "hooks", "config", "session_id", "channels", "cancellation")
    errors = [(await outcome(lambda name=name: setattr(made, name, 1))).split(":")[0] for name in readonly]
    typed = [await outcome(lambda name=name: setattr(made, name, 1)) for name in ("mount_points", "session_state")]
    kept = [made.loader, made.approval_system, made.display_system, made._current_turn_injections, vars(made)]
    return kept, errors, typed, await outcome(lambda: setattr(made, "_current_turn_injections", "x"))


def p11_subclasses_construct_in_new() -> Any:
    class Own(ModuleCoordinator):
        def __init__(self, *args: Any) -> None:
            self.extra = len(args)

    made, mock = Own(SimpleNamespace(session_id="s", parent_id=None, config={}), "a"), MockCoordinator()
    return made.extra, made.session_id, made.approval_system, mock.session_id, mock.config, mock.mount_history


async def p11_mounting() -> Any:
    made = coordinator()
    mounts: tuple[tuple[Any, ...], ...] = (
        ("orchestrator", _Named("o")), ("orchestrator", _Named("o2"), "ignored"), ("context", _Named("c")),
        ("module-source-resolver", _Named("r")), ("providers", _Named("p1")), ("providers", _Named("p2"), "alias"),
        ("tools", object()), ("tools", _Named(5)), ("tools", _Named("")), ("tools", None, "nothing"), ("hooks", _Named("h")),
        ("agents", _Named("a")), (5, _Named("z")), ("tools", _Named("t"), 5),
    )  # fmt: skip
    results = [await done(lambda args=args: made.mount(*args)) for args in mounts]
    pending = made.mount("tools", _Named("early"))
    at_once = "early" in made.mount_points["tools"]
    await pending
    return results, at_once, _mounted(made), made.to_dict()


async def p11_getting_and_unmounting() -> Any:
    made = coordinator(context=_Named("c"))
    for point, name in (("orchestrator", "o"), ("providers", "p"), ("tools", "t")):
        await made.mount(point, _Named(name))
    asked = (("orchestrator",), ("orchestrator", "x"), ("context",), ("providers", "p"), ("providers", "x"), ("tools", "t"),
             ("module-source-resolver",), ("agents",))  # fmt: skip
    got = [getattr(value := await outcome(lambda a=a: made.get(*a)), "name", value) for a in asked]
    same = [made.get("providers") is made.mount_points["providers"], made.get("hooks") is made.hooks]
    undone = (
        ("orchestrator",),
        ("context", "x"),
        ("providers",),
        ("providers", "p"),
        ("providers", "x"),
        ("hooks",),
        ("agents",),
    )
    results = [await done(lambda a=a: made.unmount(*a)) for a in undone]
    made.mount_points["custom"] = {}
    custom = [await done(lambda: made.mount("custom", 1, "n")), made.get("custom"), await done(lambda: made.unmount("custom"))]
    del made.mount_points["tools"]
    missing = [await done(lambda: made.get("tools")), await done(lambda: made.mount("tools", _Named("t")))]
    return got, same, results, _mounted(made), custom, missing, await outcome(made.to_dict)


async def p11_errors_are_raised_by_the_call() -> Any:
    made, raised = coordinator(), []
    for call in (lambda: made.mount("agents", 1), lambda: made.unmount("agents")):
        try:
            call()
        except ValueError as error:
            raised.append(str(error))
    return raised


async def p12_capabilities() -> Any:
    made = coordinator()

    async def capability() -> None: ...

    for name, value in (("b", 1), ("a", 2), ("b", 3), ("f", capability)):
        made.register_capability(name, value)
    return (
        made.get_capability("b"), made.get_capability("f") is capability, made.get_capability("missing"),
        made.to_dict()["capabilities"], await outcome(lambda: made.register_capability(5, 1)),
    )  # fmt: skip


async def p12_contributions() -> Any:
    made = coordinator()

    async def asynchronous() -> Any:
        return {"a": 1}

    def failing() -> Any:
        raise ValueError("x")

    for name, callback in (("async", asynchronous), ("sync", lambda: [1]), ("failing", failing), ("none", lambda: None),
                           ("coroutine", lambda: asynchronous()), ("not callable", 5)):  # fmt: skip
        made.register_contributor("channel", name, callback)
    with logged() as records:
        collected = await made.collect_contributions("channel")
    names = {channel: [[*sorted(c), c["name"]] for c in contributors] for channel, contributors in made.channels.items()}
    return collected, await made.collect_contributions("other"), names, records


async def p12_cleanup() -> Any:
    made, order = coordinator(), []

    def step(name: str, error: BaseException | None = None) -> Any:
        async def run() -> None:
            order.append(name)
            if error:
                raise error

        return run

    def sync_failing() -> None:
        order.append("sync")
        raise ValueError("s")

    for callback in (step("first"), lambda: order.append("plain"), sync_failing, None, 5, step("fails", ValueError("f")),
                     lambda: step("coroutine")(), step("last")):  # fmt: skip
        made.register_cleanup(callback)
    with logged(logging.ERROR) as records:
        ended = [await done(made.cleanup), await done(made.cleanup)]
    return len(made._cleanup_fns), ended, order, records


async def p12_cancelling_a_cleanup_ends_it() -> Any:
    made, started, order = coordinator(), asyncio.Event(), []

    async def waits() -> None:
        started.set()
        await asyncio.Event().wait()

    for callback in (lambda: order.append("never"), waits, lambda: order.append("last")):
        made.register_cleanup(callback)
    task = asyncio.ensure_future(made.cleanup())
    await started.wait()
    task.cancel()
    return await outcome(lambda: task), order


async def p12_cleanup_that_cancels() -> Any:
    made, order = coordinator(), []
    made.register_cleanup(lambda: order.append("first"))
    made.register_cleanup(raising(asyncio.CancelledError()))
    made.register_cleanup(lambda: order.append("last"))
    return await done(made.cleanup), order


def _state(token: CancellationToken) -> list[Any]:
    return [token.state, token.is_cancelled, token.is_graceful, token.is_immediate]


def p13_states() -> Any:
    token = CancellationToken()
    seen: list[Any] = [_state(token)]
    for action in ("request_graceful", "request_graceful", "request_immediate", "request_immediate", "request_graceful",
                   "request_cancellation", "reset", "request_cancellation", "reset", "request_immediate"):  # fmt: skip
        seen.append((action, getattr(token, action)(), _state(token)))
    return seen


def p13_running_tools() -> Any:
    token = CancellationToken()
    for call, name in (("1", "t1"), ("2", "t2"), ("1", "t1b")):
        token.register_tool_start(call, name)
    seen = [(token.running_tools, sorted(token.running_tool_names))]
    token.request_immediate()
    token.register_tool_complete("1")
    token.register_tool_complete("unknown")
    seen.append((token.running_tools, token.running_tool_names))
    token.reset()
    return *seen, token.running_tools, token.running_tool_names


def p13_children() -> Any:
    parent, child, grandchild, late, sooner = (CancellationToken() for _ in range(5))
    parent.register_child(child)
    child.register_child(grandchild)
    sooner.request_immediate()
    parent.register_child(sooner)
    tokens = (parent, child, grandchild, late, sooner)
    seen = []

    def see(what: str) -> None:
        seen.append((what, [token.state for token in tokens]))

    parent.request_graceful()
    see("graceful")
    parent.register_child(late)
    see("late")
    child.reset()
    parent.request_graceful()
    see("again")
    parent.request_immediate()
    see("immediate")
    parent.reset()
    see("reset")
    child.reset()
    late.reset()
    parent.unregister_child(late)
    parent.unregister_child(late)
    parent.request_graceful()
    see("after unregistering late")
    return seen


async def p13_requests_emit_nothing_and_run_no_callbacks() -> Any:
    made, recorder, called = coordinator(), Recorder(), []
    made.hooks.register("cancel:requested", recorder)
    made.cancellation.on_cancel(lambda: called.append("callback"))
    states = []
    for immediate in (False, True, False):
        await made.request_cancel(immediate)
        states.append(made.cancellation.state)
    made.reset_turn()
    return states, made.cancellation.state, recorder.take(), called


async def p13_callbacks() -> Any:
    token, child, called = CancellationToken(), CancellationToken(), []
    token.register_child(child)

    def callback(name: str, error: BaseException | None = None) -> Any:
        async def run() -> None:
            called.append(name)
            if error:
                raise error

        return run

    child.on_cancel(callback("child"))
    for entry in (callback("first"), callback("fails", ValueError()), lambda: called.append("sync"),
                  callback("cancels", asyncio.CancelledError()), 5, callback("last")):  # fmt: skip
        token.on_cancel(entry)
    await token.trigger_callbacks()
    token.reset()
    await token.trigger_callbacks()
    return called, await outcome(lambda: token.register_child(5))
