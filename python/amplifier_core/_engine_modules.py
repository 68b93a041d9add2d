"""How a module's folder is to be loaded, and the kinds of module that this engine cannot host."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NoReturn, cast

from ._engine_checks import expect

_MODULE_TYPES = ("tool", "hook", "context", "approval", "provider", "orchestrator", "resolver")


def resolve_module(source_path: str) -> dict[str, Any]:
    """How the module in a folder is to be loaded: its amplifier.toml, else a Python package in it.

    Returns transport, module_type, artifact_type and what the transport needs. Raises RuntimeError if the path does not
    exist, the manifest is invalid, or nothing there is a module.
    """
    path = Path(expect(source_path, str))
    if not source_path or not path.exists():
        raise RuntimeError(f"module path does not exist: {source_path}")
    if (path / "amplifier.toml").is_file():
        try:
            return _resolve_manifest(path)
        except (ValueError, OSError) as error:  # TOMLDecodeError is a ValueError
            raise RuntimeError(f"failed to parse amplifier.toml at {source_path}: {error}") from None
    if path.is_dir():
        if any(path.glob("*.wasm")):
            leave_out(f"the WebAssembly module at {source_path}")
        for package in (path, *sorted(item for item in path.iterdir() if item.is_dir())):
            if (package / "__init__.py").is_file():
                name = package.name.replace("-", "_") if package == path else package.name
                return _resolved("python", "tool", package_name=name)
    raise RuntimeError(
        f"could not detect module transport at {source_path}. "
        "Expected: .wasm file, amplifier.toml, or Python package (__init__.py)."
    )


def _resolve_manifest(path: Path) -> dict[str, Any]:
    manifest = tomllib.loads((path / "amplifier.toml").read_text(encoding="utf-8"))
    module = manifest.get("module")
    if not isinstance(module, dict):
        raise ValueError("missing [module] section")
    fields = cast("dict[str, Any]", module)
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise ValueError("missing 'type' field in [module] section")
    if kind not in _MODULE_TYPES:
        raise ValueError(f"unknown module type: {kind}")
    transport = fields.get("transport")
    if transport == "grpc":
        endpoint = manifest.get("grpc", {}).get("endpoint")
        if not isinstance(endpoint, str):
            raise ValueError("gRPC transport requires [grpc] section with 'endpoint' field")
        return _resolved("grpc", kind, endpoint=endpoint)
    if transport == "rust":
        if not isinstance(fields.get("crate"), str):
            raise ValueError("Rust transport requires 'crate' field in [module] section")
        return _resolved("rust", kind, crate_name=fields["crate"])
    if transport == "wasm":
        return _resolved("wasm", kind, artifact_path=str(path / "module.wasm"))
    return _resolved("python", kind, package_name=path.name)


def _resolved(transport: str, module_type: str, **details: str) -> dict[str, Any]:
    return {"transport": transport, "module_type": module_type, "artifact_type": transport, **details}


def leave_out(what: str) -> NoReturn:
    raise NotImplementedError(
        f"{what} needs amplifier-core's native engine; this pure-Python engine has no protobuf, gRPC or WebAssembly hosting"
    )


def load_wasm_from_path(source_path: str) -> dict[str, Any]:
    """Left out; raises NotImplementedError."""
    leave_out(f"load_wasm_from_path({source_path!r})")


def load_and_mount_wasm(coordinator: Any, path: str) -> dict[str, Any]:
    """Left out; raises NotImplementedError."""
    leave_out(f"load_and_mount_wasm(..., {path!r})")


def proto_chat_request_to_json(proto_bytes: bytes) -> str:
    """Left out; raises NotImplementedError."""
    leave_out("proto_chat_request_to_json()")


def json_to_proto_chat_response(json_str: str) -> bytes:
    """Left out; raises NotImplementedError."""
    leave_out("json_to_proto_chat_response()")


class _LeftOut:
    """A class of the native engine that is left out: making one raises NotImplementedError."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        leave_out(cls.__name__)


class WasmTool(_LeftOut):
    """Left out."""


class WasmProvider(_LeftOut):
    """Left out."""


class WasmHook(_LeftOut):
    """Left out."""


class WasmContext(_LeftOut):
    """Left out."""


class WasmOrchestrator(_LeftOut):
    """Left out."""


class WasmApproval(_LeftOut):
    """Left out."""
