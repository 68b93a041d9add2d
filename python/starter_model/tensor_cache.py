"""WebLLM's tensor cache: params_shard_*.bin and the tensor-cache.json that lists what lies where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Tensor = npt.NDArray[Any]

SHARD_BYTES = 32 << 20
INDEX = "tensor-cache.json"


def write_cache(folder: Path, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Write named tensors into shards of at most 32 MiB (a larger tensor gets a shard of its own) and their index."""
    shards: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    blob = bytearray()

    def close_shard() -> None:
        name = f"params_shard_{len(shards)}.bin"
        (folder / name).write_bytes(blob)
        digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
        shard = {"dataPath": name, "format": "raw-shard", "nbytes": len(blob), "md5sum": digest}
        shards.append({**shard, "records": records.copy()})
        records.clear()
        blob.clear()

    for name, tensor in tensors:
        if blob and len(blob) + tensor.nbytes > SHARD_BYTES:
            close_shard()
        records.append(_record(name, tensor, len(blob)))
        blob += np.ascontiguousarray(tensor).tobytes()
    if blob:
        close_shard()
    metadata = {
        "ParamSize": sum(len(shard["records"]) for shard in shards),
        "ParamBytes": sum(shard["nbytes"] for shard in shards),
        "BitsPerParam": 0,
    }
    (folder / INDEX).write_text(json.dumps({"metadata": metadata, "records": shards}), encoding="utf-8")


def _record(name: str, tensor: Tensor, offset: int) -> dict[str, Any]:
    return {
        "name": name,
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype),
        "format": "raw",
        "nbytes": tensor.nbytes,
        "byteOffset": offset,
    }


def read_cache(folder: Path) -> Iterator[tuple[str, Tensor]]:
    """The named tensors of a folder that write_cache wrote, in file order."""
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    for shard in index["records"]:
        blob = (folder / shard["dataPath"]).read_bytes()
        for record in shard["records"]:
            end = record["byteOffset"] + record["nbytes"]
            tensor = np.frombuffer(blob[record["byteOffset"] : end], dtype=record["dtype"])
            yield record["name"], tensor.reshape(record["shape"])
