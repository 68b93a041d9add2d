"""Sub-sessions: the capability `session.spawn`, by which a tool has a child session do a task and gets its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from amplifier_core import AmplifierSession

from .loader import BundledLoader
from .modules.loop_streaming import TurnOptions
from .transcript import Sink

DEEPEST = 2  # levels of children under the user's session
LOOK_AGAIN = 0.2  # seconds between two looks at the parent's cancellation, which tells nobody when it is requested
GRACE = 5.0  # seconds that a child which was told to stop has to do so
MOST_SECONDS = 600.0
NOT_INHERITED = ("tool-delegate", "tool-todo")  # a helper does its task itself, and has no use for its parent's list
OWN_CAPABILITIES = frozenset(("panel.sink", "loop.turn_options", "session.depth"))

MountPlan = dict[str, Any]


class SpawnError(RuntimeError):
    """The child did not come to an answer; says why, in words for the model."""


@dataclass(frozen=True)
class ChildPlan:
    """What a child session is opened with."""

    parent: Any  # AmplifierSession
    mount_plan: MountPlan
    sink: Sink | None = None  # where its answer is drawn
    session_id: str | None = None


OpenChild = Callable[[ChildPlan], Awaitable[Any]]


async def open_child(plan: ChildPlan) -> Any:
    """An initialized session with its parent's capabilities, so that approvals and the log are the parent's; and its displays.

    Capability `session.equip` (optional): async (coordinator) -> cleanup, what else a session is given, as the user's modules."""
    above = plan.parent.coordinator
    child = AmplifierSession(
        plan.mount_plan,
        session_id=plan.session_id,
        parent_id=plan.parent.session_id,
        approval_system=above.approval_system,
        display_system=above.display_system,
    )
    coordinator = child.coordinator
    coordinator.loader = BundledLoader(coordinator)
    for name in above.to_dict()["capabilities"]:
        if name not in OWN_CAPABILITIES:
            coordinator.register_capability(name, above.get_capability(name))
    coordinator.register_capability("panel.sink", lambda: plan.sink)
    coordinator.register_capability("loop.turn_options", _turn_options(above))
    coordinator.register_capability("session.depth", depth(plan.parent) + 1)
    try:
        await child.initialize()
        if equip := above.get_capability("session.equip"):
            coordinator.register_cleanup(await equip(coordinator))
    except BaseException:
        await child.cleanup()
        raise
    return child


def _turn_options(above: Any) -> Callable[[], TurnOptions]:
    """The parent's policy on which tools are offered; how its own turn is answered is no matter of the child."""
    ask = above.get_capability("loop.turn_options")
    return lambda: TurnOptions(offer=ask().offer) if ask else TurnOptions()


def depth(session: Any) -> int:
    """How many sessions are above this one."""
    return session.coordinator.get_capability("session.depth") or 0


def spawner(open_child: OpenChild = open_child, seconds: float = MOST_SECONDS) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Makes the capability `session.spawn`. `seconds`: how long a child may take."""

    async def spawn(
        agent_name: str,
        instruction: str,
        parent_session: Any,
        agent_configs: Mapping[str, MountPlan] | None = None,
        sub_session_id: str | None = None,
        tool_inheritance: Mapping[str, Collection[str]] | None = None,
        orchestrator_config: MountPlan | None = None,
        sink: Sink | None = None,
        **_others: Any,
    ) -> dict[str, Any]:
        """Runs `instruction` in a child of `parent_session`; returns {output, session_id, status}, as upstream's does.

        `agent_name` is "self" or one of `agent_configs`, whose `instruction` and `tools` take the place of the parent's.
        Raises ValueError for an agent that is not there, SpawnError for a child that fails, is stopped or takes too long."""
        if depth(parent_session) >= DEEPEST:
            raise SpawnError(f"Helpers cannot be nested deeper than {DEEPEST}")
        if agent_name != "self" and agent_name not in (agent_configs or {}):
            raise ValueError(f"Agent '{agent_name}' not found in configuration")
        agent = (agent_configs or {}).get(agent_name, {})
        mount_plan = child_plan(parent_session.config, agent, tool_inheritance, orchestrator_config)
        child = await open_child(ChildPlan(parent_session, mount_plan, sink, sub_session_id))
        output = await _run(child, parent_session.coordinator.cancellation, instruction, seconds, sink)
        return {"output": output, "session_id": child.session_id, "status": "success"}

    return spawn


def child_plan(
    config: MountPlan,
    agent: MountPlan,
    tool_inheritance: Mapping[str, Collection[str]] | None = None,
    orchestrator_config: MountPlan | None = None,
) -> MountPlan:
    """The parent's mount plan, changed for a child; all hooks stay, since approvals must hold for it too."""
    session = dict(config["session"])
    session["orchestrator"] = _with_config(session["orchestrator"], orchestrator_config or {})
    if "instruction" in agent:
        session["context"] = _with_config(session["context"], {"system": agent["instruction"]})
    tools = agent["tools"] if "tools" in agent else _inherited(config.get("tools", []), tool_inheritance or {})
    return {**config, "session": session, "tools": tools}


def _with_config(module: str | MountPlan, changes: MountPlan) -> MountPlan:
    named: MountPlan = {"module": module} if isinstance(module, str) else module
    config: MountPlan = named.get("config") or {}
    return {**named, "config": {**config, **changes}}


def _inherited(tools: list[MountPlan], inheritance: Mapping[str, Collection[str]]) -> list[MountPlan]:
    if "inherit_tools" in inheritance:
        return [tool for tool in tools if tool["module"] in inheritance["inherit_tools"]]
    excluded = inheritance.get("exclude_tools", NOT_INHERITED)
    return [tool for tool in tools if tool["module"] not in excluded]


async def _run(child: Any, above: Any, instruction: str, seconds: float, sink: Sink | None) -> str:
    """Executes in the child, and ends it on every path. `above` is the parent's cancellation."""
    cancellation = child.coordinator.cancellation
    above.register_child(cancellation)
    running = asyncio.ensure_future(child.execute(instruction))
    try:
        is_late = not await _done(running, cancellation, seconds)
        return _outcome(running, cancellation, is_late, seconds, sink)
    finally:
        await asyncio.shield(_end(child, above, running))


async def _done(running: asyncio.Future[str], cancellation: Any, seconds: float) -> bool:
    """Waits for the answer; a child that is stopped or takes too long has a little time to end by itself. Says whether it
    was in time."""
    is_in_time = await _wait(running, seconds, lambda: cancellation.is_cancelled)
    if not running.done():
        cancellation.request_graceful()
        await _wait(running, GRACE, lambda: False)
    return is_in_time


async def _wait(running: asyncio.Future[str], seconds: float, is_over: Callable[[], bool]) -> bool:
    """Waits until it is done or over; False if neither was in time."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not running.done() and not is_over():
        left = end - loop.time()
        if left <= 0:
            return False
        await asyncio.wait([running], timeout=min(LOOK_AGAIN, left))
    return True


def _outcome(running: asyncio.Future[str], cancellation: Any, is_late: bool, seconds: float, sink: Sink | None) -> str:
    if is_late:
        raise SpawnError(f"The helper was stopped: it took more than {seconds:.0f} seconds")
    if cancellation.is_cancelled or running.cancelled():
        raise SpawnError("The user stopped the helper")
    if error := running.exception():
        raise SpawnError(f"The helper failed: {getattr(sink, 'failure', None) or _cause(error)}") from error
    return running.result()


def _cause(error: BaseException) -> str:
    """What the child's orchestrator raised; the kernel wraps it."""
    return str(error).removeprefix("Execution failed: ")


async def _end(child: Any, above: Any, running: asyncio.Future[str]) -> None:
    running.cancel()
    await asyncio.wait([running], timeout=GRACE)  # whatever it does, its parent goes on
    above.unregister_child(child.coordinator.cancellation)
    await child.cleanup()
