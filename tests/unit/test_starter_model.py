"""Weights conversion, the tiny model and the library's manifest. Compiling the library is not tested here."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFWriter, dequantize, quantize
from starter_model import library
from starter_model.chat_config import chat_config, shape_from_config
from starter_model.convert import convert, half_split_rows
from starter_model.packing import Floats, pack_q4_1, pack_q8_0, unpack
from starter_model.reference import Reference
from starter_model.shape import SHAPES
from starter_model.tensor_cache import SHARD_BYTES, read_cache, write_cache
from starter_model.tiny_weights import write_tiny

SHAPE = SHAPES["tiny"]
Listing = dict[str, tuple[list[int], str]]


def random_matrix(rows: int, cols: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(rows, cols)).astype(np.float32)


def tiny_listing() -> Listing:
    listing = json.loads((library.FOLDER / "tiny.params.json").read_text(encoding="utf-8"))
    return {param["name"]: (param["shape"], param["dtype"]) for param in listing}


def listing_of(folder: Path) -> Listing:
    return {name: (list(tensor.shape), str(tensor.dtype)) for name, tensor in read_cache(folder)}


def write_gguf(path: Path) -> None:
    """A GGUF of the tiny shape with random weights, as llama.cpp would quantize them, and a made-up vocabulary."""
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(SHAPE.layers)
    writer.add_embedding_length(SHAPE.hidden)
    writer.add_head_count(SHAPE.heads)
    writer.add_head_count_kv(SHAPE.kv_heads)
    writer.add_rope_dimension_count(SHAPE.head_dim)
    writer.add_feed_forward_length(SHAPE.ffn)
    writer.add_vocab_size(SHAPE.vocab)
    writer.add_rope_freq_base(SHAPE.rope_theta)
    writer.add_layer_norm_rms_eps(SHAPE.norm_eps)
    writer.add_token_list([f"token{index}" for index in range(SHAPE.vocab)])
    writer.add_token_types([3, 3, 3] + [1] * (SHAPE.vocab - 3))
    writer.add_token_merges(["t o", "to k"])
    add_tensors(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_tensors(writer: GGUFWriter) -> None:
    head_rows = SHAPE.heads * SHAPE.head_dim
    kv_rows = SHAPE.kv_heads * SHAPE.head_dim
    matrices = {
        "attn_q": (head_rows, SHAPE.hidden),
        "attn_k": (kv_rows, SHAPE.hidden),
        "attn_v": (kv_rows, SHAPE.hidden),
        "attn_output": (SHAPE.hidden, head_rows),
        "ffn_gate": (SHAPE.ffn, SHAPE.hidden),
        "ffn_up": (SHAPE.ffn, SHAPE.hidden),
        "ffn_down": (SHAPE.hidden, SHAPE.ffn),
    }

    def add(name: str, matrix: Floats, kind: GGMLQuantizationType) -> None:
        writer.add_tensor(f"{name}.weight", quantize(matrix, kind), raw_dtype=kind)

    def add_norm(name: str, seed: int) -> None:
        writer.add_tensor(f"{name}.weight", 1 + random_matrix(1, SHAPE.hidden, seed)[0] / 8)

    add("token_embd", random_matrix(SHAPE.vocab, SHAPE.hidden), GGMLQuantizationType.Q8_0)
    add_norm("output_norm", 1)
    for layer in range(SHAPE.layers):
        add_norm(f"blk.{layer}.attn_norm", 10 * layer + 2)
        add_norm(f"blk.{layer}.ffn_norm", 10 * layer + 3)
        for offset, (name, size) in enumerate(matrices.items()):
            seed = 10 * layer + 4 + offset
            add(f"blk.{layer}.{name}", random_matrix(*size, seed) / np.float32(8), GGMLQuantizationType.Q4_1)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A GGUF and the folder it was converted to."""
    folder = tmp_path_factory.mktemp("model")
    write_gguf(folder / "model.gguf")
    convert(folder / "model.gguf", folder / "out")
    return folder / "model.gguf", folder / "out"


@pytest.mark.parametrize(("kind", "pack"), [(GGMLQuantizationType.Q4_1, pack_q4_1), (GGMLQuantizationType.Q8_0, pack_q8_0)])
def test_packing_keeps_every_value(kind: GGMLQuantizationType, pack: Callable[..., tuple[Any, Any]]) -> None:
    blocks = quantize(random_matrix(6, 96), kind)
    words, meta = pack(blocks, 6, 96)
    np.testing.assert_array_equal(unpack(words, meta), dequantize(blocks, kind))


def test_half_split_rows_puts_rotated_pairs_half_a_head_apart() -> None:
    rows = np.arange(16)[:, None]  # two heads of 8 rows
    assert half_split_rows(rows, 2, 8)[:, 0].tolist() == [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11, 13, 15]


def test_converted_folder_has_the_parameters_the_library_asks_for(converted: tuple[Path, Path]) -> None:
    assert listing_of(converted[1]) == tiny_listing()


def test_converted_weights_compute_what_the_gguf_computes(converted: tuple[Path, Path]) -> None:
    gguf, folder = converted
    tokens = np.random.default_rng(0).integers(0, SHAPE.vocab, size=24).tolist()
    before = Reference.from_gguf(gguf).prefill(tokens)
    after = Reference.from_folder(folder).prefill(tokens)
    np.testing.assert_allclose(after, before, atol=1e-4 * float(np.abs(before).max()))


def test_reference_decodes_as_it_prefills(converted: tuple[Path, Path]) -> None:
    model = Reference.from_folder(converted[1])
    tokens = np.random.default_rng(1).integers(0, SHAPE.vocab, size=9).tolist()
    whole = model.prefill(tokens)
    model.reset()
    model.prefill(tokens[:4])
    parts = [model.decode(token) for token in tokens[4:]]
    np.testing.assert_allclose(parts[-1], whole, atol=1e-4 * float(np.abs(whole).max()))


def test_tokenizer_has_the_vocabulary_merges_and_control_tokens(converted: tuple[Path, Path]) -> None:
    tokenizer = json.loads((converted[1] / "tokenizer.json").read_text(encoding="utf-8"))
    assert len(tokenizer["model"]["vocab"]) == SHAPE.vocab
    assert tokenizer["model"]["vocab"]["token7"] == 7
    assert tokenizer["model"]["merges"] == ["t o", "to k"]
    assert [token["id"] for token in tokenizer["added_tokens"]] == [0, 1, 2]
    assert all(token["special"] for token in tokenizer["added_tokens"])


def test_chat_config_describes_the_converted_model(converted: tuple[Path, Path]) -> None:
    config = json.loads((converted[1] / "mlc-chat-config.json").read_text(encoding="utf-8"))
    assert config == chat_config(SHAPE)
    assert shape_from_config(config) == SHAPE
    assert (config["context_window_size"], config["prefill_chunk_size"]) == (2048, 512)


def test_chat_template_ends_a_message_where_the_next_begins() -> None:
    template = chat_config(SHAPE)["conv_template"]
    assert not template["system_template"].endswith("<|im_end|>\n")
    assert template["seps"] == [""]
    assert all(role.startswith("<|im_end|>\n<|im_start|>") for role in template["roles"].values())
    assert template["system_message"]


def test_write_tiny_makes_what_the_library_asks_for_twice_the_same(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    for name in ("one", "two"):
        write_tiny(tmp_path, tmp_path / name)
    assert listing_of(tmp_path / "one") == tiny_listing()
    files = [sorted(path.name for path in (tmp_path / name).iterdir()) for name in ("one", "two")]
    assert files[0] == files[1]
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in files[0])


def test_cache_is_split_into_shards_and_read_back(tmp_path: Path) -> None:
    half_a_shard = SHARD_BYTES // 8
    tensors = {name: np.full(half_a_shard + 1, index, np.float32) for index, name in enumerate("abc")}
    write_cache(tmp_path, tensors.items())
    assert len(list(tmp_path.glob("params_shard_*.bin"))) == 3
    for name, tensor in read_cache(tmp_path):
        np.testing.assert_array_equal(tensor, tensors.pop(name))
    assert not tensors


def test_library_is_that_of_the_sources() -> None:
    assert library.check_manifest() == [], "rebuild it: python -m starter_model.library"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda package: (package / "shape.py").write_text("# other"), "source shape.py: changed"),
        (lambda package: (package / "recipe/model.py").unlink(), "source recipe/model.py: missing"),
        (lambda package: (package / "recipe/more.py").touch(), "source recipe/more.py: new"),
        (lambda package: (package / "library/tiny.wasm").write_bytes(b""), "result tiny.wasm: changed"),
        (lambda package: (package / "library/starter.wasm").unlink(), "result starter.wasm: missing"),
    ],
)
def test_manifest_check_tells_what_changed(tmp_path: Path, change: Callable[[Path], object], complaint: str) -> None:
    package = tmp_path / "starter_model"
    shutil.copytree(library.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    assert library.check_manifest(package) == library.check_manifest()
    change(package)
    assert complaint in library.check_manifest(package)
