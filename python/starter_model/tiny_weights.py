"""Random weights for the tiny model, as its library lists them. Same seed, same bytes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from starter_model.chat_config import chat_config
from starter_model.library import FOLDER
from starter_model.shape import SHAPES
from starter_model.tensor_cache import Tensor, write_cache

PARAMS = FOLDER / "tiny.params.json"
SCALE, LOWEST = 0.02, -0.15  # 4-bit weights are then between -0.15 and 0.15
EMBEDDING_SCALE = 0.001


def _half_bits(value: float) -> int:
    return int(np.array(value, dtype=np.float16).view(np.uint16))


def _tensor(name: str, shape: list[int], dtype: str, random: np.random.Generator) -> Tensor:
    if name.endswith(".words"):
        return random.integers(0, 2**32, size=shape, dtype=np.uint32)
    if not name.endswith(".meta"):
        return np.ones(shape, dtype=np.float32)  # a norm
    if dtype == "float32":
        return np.full(shape, EMBEDDING_SCALE, dtype=np.float32)
    return np.full(shape, _half_bits(SCALE) | _half_bits(LOWEST) << 16, dtype=np.uint32)


def random_params(listing: list[dict[str, Any]]) -> Iterator[tuple[str, Tensor]]:
    """Every parameter of a library's listing (see packing for the layout)."""
    random = np.random.default_rng(0)
    for param in listing:
        yield param["name"], _tensor(param["name"], param["shape"], param["dtype"], random)


def write_tiny(full_model: Path, out: Path) -> None:
    """Write the tiny model's folder; the tokenizer is that of the full model's folder."""
    out.mkdir(parents=True, exist_ok=True)
    write_cache(out, random_params(json.loads(PARAMS.read_text(encoding="utf-8"))))
    shutil.copyfile(full_model / "tokenizer.json", out / "tokenizer.json")
    (out / "mlc-chat-config.json").write_text(json.dumps(chat_config(SHAPES["tiny"])), encoding="utf-8")
