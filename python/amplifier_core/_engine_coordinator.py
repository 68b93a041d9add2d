"""The coordinator: mount points, capabilities, contributions, cleanup."""

from __future__ import annotations

import asyncio
import inspect
import logging
import operator
from collections.abc import Callable, Coroutine
from typing import Any, cast

from amplifier_core.models import HookResult

from ._engine_cancellation import RustCancellationToken
from ._engine_checks import (
    cancel_requests,
    describe,
    expect,
    expect_optional,
    is_callers_cancellation,
    nothing,
)
from ._engine_hook_actions import process
from ._engine_hooks import RustHookRegistry

_log = logging.getLogger("_engine.coordinator")

_SINGLE_MOUNTS = ("orchestrator", "context", "module-source-resolver")
_NAMED_MOUNTS = ("providers", "tools")


class RustCoordinator:
    """Where modules meet: mount points, hooks, capabilities, contributions, cancellation, hook results.

    Everything is set up in ``__new__``, as in the native class: subclasses pass its arguments there and may have an
    ``__init__`` of their own that calls no other.
    """

    # __dict__ only for what subclasses and callers add: vars(coordinator) shows nothing of the kernel's.
    __slots__ = (
        "__dict__", "__weakref__", "_cancellation", "_capabilities", "_channels", "_cleanup_callbacks", "_config",
        "_hooks", "_injected_tokens", "_mount_points", "_parent_id", "_session", "_session_id", "_session_state",
        "approval_system", "display_system", "loader",
    )  # fmt: skip

    _session: Any
    _session_id: str
    _parent_id: str | None
    _config: Any
    _mount_points: dict[str, Any]
    _hooks: RustHookRegistry
    _cancellation: RustCancellationToken
    _channels: dict[str, list[dict[str, Any]]]
    _capabilities: dict[str, Any]
    _cleanup_callbacks: list[Callable[[], Any]]
    _session_state: dict[str, Any]
    _injected_tokens: int
    loader: Any
    approval_system: Any
    display_system: Any

    def __new__(cls, session: Any = None, approval_system: Any = None, display_system: Any = None) -> RustCoordinator:
        self = super().__new__(cls)
        self._session = session
        self._session_id = "" if session is None else expect(session.session_id, str)
        self._parent_id = None if session is None else expect_optional(session.parent_id, str)
        self._config = {} if session is None else session.config
        self._hooks = RustHookRegistry()
        self._cancellation = RustCancellationToken()
        self._mount_points = {
            "orchestrator": None,
            "providers": {},
            "tools": {},
            "context": None,
            "hooks": self._hooks,
            "module-source-resolver": None,
        }
        self._channels = {}
        self._capabilities = {}
        self._cleanup_callbacks = []
        self._session_state = {}
        self._injected_tokens = 0
        self.loader = None
        self.approval_system = approval_system
        self.display_system = display_system
        return self

    # Properties

    @property
    def session(self) -> Any:
        return self._session

    def _set_session(self, session: Any) -> None:
        """Replace the placeholder by the session that owns this coordinator."""
        self._session = session

    @property
    def session_id(self) -> str:
        return self._session_id

    @property
    def parent_id(self) -> str | None:
        return self._parent_id

    @property
    def config(self) -> dict[str, Any]:
        """The session's mount plan itself, not a copy."""
        return self._config

    @property
    def hooks(self) -> RustHookRegistry:
        return self._hooks

    @property
    def cancellation(self) -> RustCancellationToken:
        return self._cancellation

    @property
    def channels(self) -> dict[str, list[dict[str, Any]]]:
        return self._channels

    @property
    def mount_points(self) -> dict[str, Any]:
        """The mounted modules by mount point; open to direct access, which tests use."""
        return self._mount_points

    @mount_points.setter
    def mount_points(self, value: dict[str, Any]) -> None:
        self._mount_points = cast("dict[str, Any]", expect(value, dict))

    @property
    def session_state(self) -> dict[str, Any]:
        """A dict that callers own."""
        return self._session_state

    @session_state.setter
    def session_state(self, value: dict[str, Any]) -> None:
        self._session_state = cast("dict[str, Any]", expect(value, dict))

    @property
    def injection_budget_per_turn(self) -> int | None:
        """Tokens that hooks may inject a turn before the kernel warns; None is no limit."""
        return self._session_limit("injection_budget_per_turn")

    @property
    def injection_size_limit(self) -> int | None:
        """Characters that one injection may have; None is no limit."""
        return self._session_limit("injection_size_limit")

    def _session_limit(self, key: str) -> int | None:
        session = self._config.get("session")
        value = session.get(key) if session else None
        return None if value is None else operator.index(value)

    @property
    def _current_turn_injections(self) -> int:
        return self._injected_tokens

    @_current_turn_injections.setter
    def _current_turn_injections(self, value: int) -> None:
        self._injected_tokens = operator.index(value)

    @property
    def _cleanup_fns(self) -> list[Callable[[], Any]]:
        return list(self._cleanup_callbacks)

    # Mounting

    def mount(self, mount_point: str, module: Any, name: str | None = None) -> Coroutine[Any, Any, None]:
        """Mount a module, at once. Providers and tools go by name, by default their own; hooks are registered instead.

        Raises ValueError for an unknown mount point, hooks, or a missing name.
        """
        self._check_mount_point(mount_point)
        expect_optional(name, str)
        if mount_point == "hooks":
            raise ValueError("Hooks should be registered directly with the HookRegistry")
        if mount_point in _SINGLE_MOUNTS:
            self._mount_points[mount_point] = module
        elif mount_point in _NAMED_MOUNTS:
            self._mount_points[mount_point][_module_name(mount_point, module, name)] = module
        return nothing()

    def unmount(self, mount_point: str, name: str | None = None) -> Coroutine[Any, Any, None]:
        """Unmount, at once; what is not mounted is no error. Raises ValueError as mount() does."""
        self._check_mount_point(mount_point)
        expect_optional(name, str)
        if mount_point in _SINGLE_MOUNTS:
            self._mount_points[mount_point] = None
        elif mount_point in _NAMED_MOUNTS:
            if name is None:
                raise ValueError(f"Name required to unmount from {mount_point}")
            self._mount_points[mount_point].pop(name, None)
        return nothing()

    def get(self, mount_point: str, name: str | None = None) -> Any:
        """The module mounted there; of providers and tools the one called name, else the dict of all; or None."""
        self._check_mount_point(mount_point)
        expect_optional(name, str)
        if mount_point in _NAMED_MOUNTS:
            modules = self._mount_points[mount_point]
            return modules if name is None else modules.get(name)
        if mount_point == "hooks" or mount_point in _SINGLE_MOUNTS:
            return self._mount_points[mount_point]
        return None

    def _check_mount_point(self, mount_point: str) -> None:
        if expect(mount_point, str) not in self._mount_points:
            raise ValueError(f"Unknown mount point: {mount_point}")

    # Capabilities, contributions, cleanup

    def register_capability(self, name: str, value: Any) -> None:
        self._capabilities[expect(name, str)] = value

    def get_capability(self, name: str) -> Any:
        """The registered value, or None."""
        return self._capabilities.get(expect(name, str))

    def register_contributor(self, channel: str, name: str, callback: Callable[[], Any]) -> None:
        contributor = {"name": expect(name, str), "callback": callback}
        self._channels.setdefault(expect(channel, str), []).append(contributor)

    async def collect_contributions(self, channel: str) -> list[Any]:
        """What the channel's contributors return, sync or async; None and errors are left out."""
        from amplifier_core._collect_helper import collect_contributions

        return await collect_contributions(self._channels, channel)

    def register_cleanup(self, cleanup_fn: Callable[[], Any]) -> None:
        """Add a function, sync or async, for cleanup(); what is not callable is ignored."""
        if callable(cleanup_fn):
            self._cleanup_callbacks.append(cleanup_fn)

    async def cleanup(self) -> None:
        """Run the cleanup functions in reverse; one that fails is logged, and one that cancels is raised at the end."""
        cancelled = await run_cleanups(self._cleanup_callbacks, _log)
        if cancelled:
            raise cancelled

    def to_dict(self) -> dict[str, Any]:
        """What is mounted and registered, by name."""
        for key in ("tools", "providers", "orchestrator", "context"):
            if key not in self._mount_points:
                raise RuntimeError(f"mount_points missing '{key}'")
        return {
            "tools": list(self._mount_points["tools"]),
            "providers": list(self._mount_points["providers"]),
            "has_orchestrator": self._mount_points["orchestrator"] is not None,
            "has_context": self._mount_points["context"] is not None,
            "capabilities": list(self._capabilities),
            "has_approval_provider": self.approval_system is not None,
            "has_display_service": self.display_system is not None,
        }

    # Cancellation, turns

    async def request_cancel(self, immediate: bool = False) -> None:
        """Request it of the token; emits nothing and runs no callbacks."""
        if immediate:
            self._cancellation.request_immediate()
        else:
            self._cancellation.request_graceful()

    def reset_turn(self) -> None:
        """Start the injection budget anew; cancellation is the caller's to reset."""
        self._injected_tokens = 0

    def process_hook_result(self, result: HookResult, event: str, hook_name: str = "unknown") -> Coroutine[Any, Any, HookResult]:
        """Carry out what a hook asked for: see _engine_hook_actions.process."""
        return process(self, result, event, hook_name)


def _module_name(mount_point: str, module: Any, name: str | None) -> str:
    if name is not None:
        return name
    if not hasattr(module, "name"):
        raise ValueError(f"Name required for {mount_point}")
    return expect(module.name, str)


async def run_cleanups(callbacks: list[Callable[[], Any]], log: logging.Logger) -> asyncio.CancelledError | None:
    """Run callbacks in reverse, logging failures; returns the last cancellation that one of them raised, if any."""
    before = cancel_requests()
    cancelled: asyncio.CancelledError | None = None
    for callback in reversed(callbacks):
        try:
            result = callback()
            if inspect.isawaitable(result):
                await result
        except (Exception, asyncio.CancelledError) as error:
            if is_callers_cancellation(error, before):
                raise
            if isinstance(error, asyncio.CancelledError):
                cancelled = error
            log.error("Error during cleanup: %s", describe(error))
    return cancelled
