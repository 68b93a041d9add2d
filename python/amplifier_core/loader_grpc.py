"""Stands in for upstream's gRPC loader, which needs the native engine, grpcio and protobuf."""

from __future__ import annotations

from typing import Any, NoReturn


async def load_grpc_module(module_id: str, config: dict[str, Any] | None, meta: dict[str, Any], coordinator: Any) -> NoReturn:
    """Raise NotImplementedError: the loader calls this for a module whose manifest says ``transport = "grpc"``."""
    raise NotImplementedError(f"Module '{module_id}' needs gRPC, which amplifier-core's pure-Python engine does not have")
