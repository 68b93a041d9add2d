"""What a compiled model library was compiled for: two models of one shape run with the same library."""

from __future__ import annotations

from typing import Any

# Settings of mlc-chat-config.json's model_config that are chosen when a model is loaded, or that only bound what is allocated.
NOT_COMPILED = {"context_window_size", "prefill_chunk_size", "max_batch_size", "tensor_parallel_shards", "sliding_window_size"}


class NoShape(Exception):
    """The text is not the configuration of a model in MLC format."""


def shape(config: Any) -> str:
    """Model type, quantization and dimensions of an mlc-chat-config.json, as one comparable line. Raises NoShape."""
    try:
        dimensions: dict[str, Any] = config["model_config"]
        named = [f"{name}={_plain(dimensions[name])}" for name in sorted(dimensions) if name not in NOT_COMPILED]
        return " ".join([f"{config['model_type']} {config['quantization']}", *named])
    except (KeyError, TypeError, AttributeError) as error:
        raise NoShape(str(error)) from error


def _plain(value: Any) -> str:
    """One text for equal values: 1e6 and 1000000 are, as dictionaries in any order are."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}:{_plain(each)}" for name, each in sorted(value.items(), key=str)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_plain(each) for each in value) + "]"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.12g}"
    return str(value)
