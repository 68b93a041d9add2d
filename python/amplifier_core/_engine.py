"""Amplifier's kernel in pure Python: what the native ``_engine`` of amplifier-core 2.0.2 offers.

Laid over the wheel's own Python layer, this module and its ``_engine_*`` siblings replace the compiled one, so that
Amplifier sessions run where native code does not (Pyodide). They were written from ``_engine.pyi``, the Python layer
that calls it and the behaviour observed by running the native module; the conformance tests in ``tests/kernel`` hold
the two against each other. Class names keep upstream's ``Rust`` prefix: they are API.

Methods of which upstream does a part when they are *called*, before they are awaited (checking, mounting, serializing),
do so here too: they are plain functions that return a coroutine.

Not here: protobuf, gRPC, and hosting modules in WebAssembly. Their names exist and raise NotImplementedError.
"""

from __future__ import annotations

from ._engine_cancellation import RustCancellationToken
from ._engine_constants import *  # noqa: F403
from ._engine_constants import __all__ as _constants
from ._engine_coordinator import RustCoordinator
from ._engine_hooks import RustHookRegistry, RustUnregisterFn
from ._engine_modules import (
    WasmApproval,
    WasmContext,
    WasmHook,
    WasmOrchestrator,
    WasmProvider,
    WasmTool,
    json_to_proto_chat_response,
    load_and_mount_wasm,
    load_wasm_from_path,
    proto_chat_request_to_json,
    resolve_module,
)
from ._engine_retry import ProviderError, RetryConfig, classify_error_message, compute_delay
from ._engine_session import RustSession
from ._engine_tool_results import normalize_tool_result_content as _normalize_tool_result_content
from ._engine_tool_results import tool_result_safe_hook_presentation as _tool_result_safe_hook_presentation

__version__ = "2.0.2"
RUST_AVAILABLE = True  # upstream's name for "the engine is there"

__all__ = [
    "__version__",
    "RUST_AVAILABLE",
    "ProviderError",
    "RetryConfig",
    "RustCancellationToken",
    "RustCoordinator",
    "RustHookRegistry",
    "RustSession",
    "RustUnregisterFn",
    "WasmApproval",
    "WasmContext",
    "WasmHook",
    "WasmOrchestrator",
    "WasmProvider",
    "WasmTool",
    "_normalize_tool_result_content",
    "_tool_result_safe_hook_presentation",
    "classify_error_message",
    "compute_delay",
    "json_to_proto_chat_response",
    "load_and_mount_wasm",
    "load_wasm_from_path",
    "proto_chat_request_to_json",
    "resolve_module",
    *_constants,
]  # pyright: ignore[reportUnsupportedDunderAll]
