"""The recipe by which a browser rebuilds the GGUF, carried out by the browser's own code."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from starter_model.convert import convert, shape_of
from starter_model.gguf_recipe import write_gguf_of_zeros, write_recipe
from starter_model.shape import SHAPES
from starter_model.tiny_weights import write_tiny
from test_starter_model import write_gguf

RESTORE = Path(__file__).with_name("restore_gguf.mjs")


def restored(folder: Path) -> bytes:
    """The GGUF that background/engines/gguf.js makes of a model's folder."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node is needed")
    subprocess.run([node, RESTORE, folder, folder / "restored.gguf"], check=True)
    return (folder / "restored.gguf").read_bytes()


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A GGUF and the folder that it was converted to, recipe and all."""
    folder = tmp_path_factory.mktemp("model")
    write_gguf(folder / "model.gguf")
    convert(folder / "model.gguf", folder / "out")
    write_recipe(folder / "model.gguf", folder / "out")
    return folder / "model.gguf", folder / "out"


def test_a_gguf_comes_back_byte_for_byte(converted: tuple[Path, Path]) -> None:
    gguf, folder = converted
    assert restored(folder) == gguf.read_bytes()


def test_every_byte_of_the_shards_is_used_once(converted: tuple[Path, Path]) -> None:
    _gguf, folder = converted
    recipe = json.loads((folder / "gguf.json").read_text(encoding="utf-8"))
    sizes = {"q4_1.words": 16, "q4_1.meta": 4, "q8_0.words": 32, "q8_0.meta": 4, "f32": 4}
    for shard in recipe["shards"]:
        at = 0
        for piece in sorted(shard["pieces"], key=lambda piece: piece["from"]):
            assert piece["from"] == at
            at += piece["rows"] * piece["blocks"] * sizes[piece["kind"]]
        assert at == (folder / shard["file"]).stat().st_size


def test_the_tiny_model_has_a_gguf_too(converted: tuple[Path, Path], tmp_path: Path) -> None:
    gguf, folder = converted
    write_tiny(folder, tmp_path / "tiny")
    write_gguf_of_zeros(gguf, tmp_path / "tiny.gguf", SHAPES["tiny"])
    write_recipe(tmp_path / "tiny.gguf", tmp_path / "tiny")
    (tmp_path / "restored.gguf").write_bytes(restored(tmp_path / "tiny"))
    reader = GGUFReader(tmp_path / "restored.gguf")
    shape, tiny = shape_of(reader), SHAPES["tiny"]
    assert (shape.layers, shape.hidden, shape.ffn) == (tiny.layers, tiny.hidden, tiny.ffn)
    weights = {tensor.name: np.asarray(tensor.data) for tensor in reader.tensors}
    assert len(np.unique(weights["blk.0.ffn_up.weight"])) == 256  # random, no zeros of the template
    assert (weights["output_norm.weight"] == 1).all()
