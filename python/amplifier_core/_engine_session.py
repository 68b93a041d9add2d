"""The session: initialize, execute, cleanup."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

from ._engine_checks import cancel_requests, describe, expect, expect_optional, is_callers_cancellation
from ._engine_constants import CANCEL_COMPLETED, SESSION_END, SESSION_RESUME, SESSION_START
from ._engine_coordinator import RustCoordinator, run_cleanups
from ._engine_json import to_json_tree

_T = TypeVar("_T")
_log = logging.getLogger("_engine.session")


class RustSession:
    """One session: loads the modules of a mount plan, runs prompts through the orchestrator, cleans up."""

    __slots__ = (
        "__weakref__",
        "_cleaning",
        "_config",
        "_coordinator",
        "_initialized",
        "_is_resumed",
        "_parent_id",
        "_session_id",
        "_started",
    )  # fmt: skip

    def __init__(
        self,
        config: dict[str, Any],
        loader: Any = None,
        session_id: str | None = None,
        parent_id: str | None = None,
        approval_system: Any = None,
        display_system: Any = None,
        is_resumed: bool = False,
    ) -> None:
        """Raises ValueError if the plan is empty or names no orchestrator or context, TypeError for other shapes.

        A loader given here is ignored, as upstream does: set ``session.coordinator.loader``.
        """
        _check_config(config)
        self._config = config
        self._session_id = str(uuid.uuid4()) if session_id is None else expect(session_id, str)
        self._parent_id = expect_optional(parent_id, str)
        self._is_resumed = expect(is_resumed, bool)
        self._initialized = False
        self._started = False
        self._cleaning = asyncio.Lock()
        if loader is not None:
            _log.warning(
                "loader parameter passed to RustSession.__init__ but is not used — "
                "_session_init.py retrieves the loader from the coordinator config"
            )
        identity = SimpleNamespace(session_id=self._session_id, parent_id=parent_id, config=config)
        self._coordinator = RustCoordinator(identity, approval_system, display_system)
        self._coordinator.hooks.set_default_fields(session_id=self._session_id, parent_id=parent_id)

    @property
    def session_id(self) -> str:
        return self._session_id

    @property
    def parent_id(self) -> str | None:
        return self._parent_id

    @property
    def coordinator(self) -> RustCoordinator:
        return self._coordinator

    @property
    def config(self) -> dict[str, Any]:
        return self._config

    @property
    def is_resumed(self) -> bool:
        return self._is_resumed

    @property
    def initialized(self) -> bool:
        return self._initialized

    async def initialize(self) -> None:
        """Load and mount the modules; does nothing if that has been done. Raises RuntimeError if it fails."""
        if self._initialized:
            return
        from amplifier_core._session_init import initialize_session

        self._coordinator._set_session(self)  # pyright: ignore[reportPrivateUsage]
        await _isolated(
            initialize_session(self._config, self._coordinator, self._session_id, self._parent_id),
            "Session initialization failed",
        )
        self._initialized = True

    def execute(self, prompt: str) -> Coroutine[Any, Any, str]:
        """Run one prompt and return the orchestrator's answer.

        Raises RuntimeError before initialize(), and for whatever the orchestrator raises ("Execution failed: Type:
        message"); TypeError if it returns no string.
        """
        expect(prompt, str)
        if not self._initialized:
            raise RuntimeError("Session not initialized. Call initialize() first.")
        return self._execute(prompt)

    async def _execute(self, prompt: str) -> str:
        await self._emit_started()
        from amplifier_core._session_exec import run_orchestrator

        try:
            answer = await _isolated(run_orchestrator(self._coordinator, prompt), "Execution failed")
        except RuntimeError as failure:
            await self._emit_cancelled(str(failure).removeprefix("Execution failed: "))
            raise
        await self._emit_cancelled()
        return expect(answer, str)

    async def _emit_started(self) -> None:
        """session:start or session:resume, once in the session's life; the raw plan each time, if the plan asks for it."""
        from amplifier_core._session_exec import emit_raw_field_if_configured

        event = SESSION_RESUME if self._is_resumed else SESSION_START
        if not self._started:
            self._started = True
            payload: dict[str, Any] = {"session_id": self._session_id, "parent_id": self._parent_id}
            if metadata := self._config["session"].get("metadata"):
                payload["metadata"] = metadata
            await self._coordinator.hooks.emit(event, payload)
        await emit_raw_field_if_configured(self._coordinator, self._config, self._session_id, event)

    async def _emit_cancelled(self, error: str | None = None) -> None:
        """cancel:completed, if cancellation was requested meanwhile."""
        token = self._coordinator.cancellation
        if token.is_cancelled:
            payload: dict[str, Any] = {"was_immediate": token.is_immediate}
            if error is not None:
                payload["error"] = error
            await self._coordinator.hooks.emit(CANCEL_COMPLETED, payload)

    async def cleanup(self) -> None:
        """Emit session:end once for an initialized session, then run the cleanup functions in reverse.

        Failures are logged, never raised. A second cleanup waits for one that runs. The session may be initialized
        again afterwards.
        """
        async with self._cleaning:
            if self._initialized:
                self._initialized = False
                await self._coordinator.hooks.emit(SESSION_END, {"session_id": self._session_id})
            callbacks = self._coordinator._cleanup_fns  # pyright: ignore[reportPrivateUsage]
            await run_cleanups(callbacks, _log)

    async def __aenter__(self) -> RustSession:
        await self.initialize()
        return self

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        await self.cleanup()


def _check_config(config: Any) -> None:
    if not expect(config, dict):
        raise ValueError("Configuration is required")
    session = expect(config.get("session", {}), dict)
    for key in ("orchestrator", "context"):
        if session.get(key) is None:
            raise ValueError(f"Configuration must specify session.{key}")
    to_json_tree(config, "Invalid config JSON")


async def _isolated(work: Coroutine[Any, Any, _T], failure: str) -> _T:
    """Await work in a task of its own; whatever it raises becomes a RuntimeError, but the caller's cancellation."""
    before = cancel_requests()
    try:
        return await asyncio.create_task(work)
    except (Exception, asyncio.CancelledError) as error:
        if is_callers_cancellation(error, before):
            raise
        message = f"{failure}: {describe(error)}"
    raise RuntimeError(message)
