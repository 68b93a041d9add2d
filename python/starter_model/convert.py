"""GGUF -> WebLLM model folder, without re-quantizing: `python -m starter_model.convert MODEL.gguf OUT`.

Takes a Llama-architecture GGUF whose embedding is Q8_0, whose other matrices are Q4_1 and whose norms are F32
(SmolLM2-135M-Instruct in Q4_1). Needs numpy and gguf, no TVM.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, ReaderTensor

from starter_model.chat_config import chat_config
from starter_model.packing import pack_q4_1, pack_q8_0
from starter_model.shape import ModelShape
from starter_model.tensor_cache import Tensor, write_cache

CONTROL_TOKEN = 3  # llama.cpp's LLAMA_TOKEN_TYPE_CONTROL


def field(reader: GGUFReader, name: str) -> Any:
    """The value of one metadata field; ValueError if the file lacks it."""
    found = reader.get_field(name)
    if found is None:
        raise ValueError(f"the GGUF has no field {name}")
    return found.contents()


def shape_of(reader: GGUFReader) -> ModelShape:
    """The shape a GGUF describes; context and prefill chunk are ours, not the file's."""
    return ModelShape(
        layers=field(reader, "llama.block_count"),
        hidden=field(reader, "llama.embedding_length"),
        heads=field(reader, "llama.attention.head_count"),
        kv_heads=field(reader, "llama.attention.head_count_kv"),
        head_dim=field(reader, "llama.rope.dimension_count"),
        ffn=field(reader, "llama.feed_forward_length"),
        vocab=field(reader, "llama.vocab_size"),
        rope_theta=field(reader, "llama.rope.freq_base"),
        norm_eps=float(f"{field(reader, 'llama.attention.layer_norm_rms_epsilon'):.6g}"),  # a float32 in the file
    )


def half_split_rows(rows: Tensor, heads: int, head_dim: int) -> Tensor:
    """Reorder a query or key projection's rows from llama.cpp's RoPE order to TVM's.

    llama.cpp rotates neighbours (0, 1), (2, 3), ...; TVM, as Hugging Face, rotates (0, D/2), (1, D/2 + 1), ...
    """
    pairs = rows.reshape(heads, head_dim // 2, 2, *rows.shape[1:])
    return pairs.swapaxes(1, 2).reshape(rows.shape)


def _packed(tensor: ReaderTensor) -> tuple[Tensor, Tensor]:
    cols, rows = (int(size) for size in tensor.shape)
    blocks = np.asarray(tensor.data)
    if tensor.tensor_type == GGMLQuantizationType.Q4_1:
        return pack_q4_1(blocks, rows, cols)
    if tensor.tensor_type == GGMLQuantizationType.Q8_0:
        return pack_q8_0(blocks, rows, cols)
    raise ValueError(f"{tensor.name}: {tensor.tensor_type.name} is not supported")


def _stacked(name: str, parts: list[tuple[Tensor, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    yield f"{name}.words", np.concatenate([words for words, _ in parts])
    yield f"{name}.meta", np.concatenate([meta for _, meta in parts])


@dataclass(frozen=True)
class Part:
    """One tensor of the GGUF, by its name without ".weight"; the rows of `heads` heads are reordered (0: as they are)."""

    source: str
    heads: int = 0


def layout(shape: ModelShape) -> Iterator[tuple[str, list[Part]]]:
    """The library's parameters in order, each with the GGUF's tensors that it is stacked from. Norms end in ".weight"."""
    yield "embedding", [Part("token_embd")]
    for index in range(shape.layers):
        ours, theirs = f"layers.{index}", f"blk.{index}"
        yield f"{ours}.attention_norm.weight", [Part(f"{theirs}.attn_norm")]
        yield f"{ours}.ffn_norm.weight", [Part(f"{theirs}.ffn_norm")]
        queries, keys = Part(f"{theirs}.attn_q", shape.heads), Part(f"{theirs}.attn_k", shape.kv_heads)
        yield f"{ours}.qkv", [queries, keys, Part(f"{theirs}.attn_v")]
        yield f"{ours}.attention_out", [Part(f"{theirs}.attn_output")]
        yield f"{ours}.gate_up", [Part(f"{theirs}.ffn_gate"), Part(f"{theirs}.ffn_up")]
        yield f"{ours}.down", [Part(f"{theirs}.ffn_down")]
    yield "norm.weight", [Part("output_norm")]


def params(reader: GGUFReader, shape: ModelShape) -> Iterator[tuple[str, Tensor]]:
    """The library's parameters, by name, out of the GGUF's tensors."""
    weights = {tensor.name: tensor for tensor in reader.tensors}

    def ordered(part: Part) -> tuple[Tensor, Tensor]:
        words, meta = _packed(weights[f"{part.source}.weight"])
        if not part.heads:
            return words, meta
        return half_split_rows(words, part.heads, shape.head_dim), half_split_rows(meta, part.heads, shape.head_dim)

    for name, parts in layout(shape):
        if name.endswith(".weight"):
            yield name, np.asarray(weights[f"{parts[0].source}.weight"].data).astype(np.float32)
        else:
            yield from _stacked(name, [ordered(part) for part in parts])


def tokenizer(reader: GGUFReader) -> dict[str, Any]:
    """Hugging Face's tokenizer.json out of the GGUF's byte-level BPE vocabulary."""
    tokens: list[str] = field(reader, "tokenizer.ggml.tokens")
    types: list[int] = field(reader, "tokenizer.ggml.token_type")
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    special = [index for index, kind in enumerate(types) if kind == CONTROL_TOKEN]
    byte_level = {"type": "ByteLevel", "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": index, "content": tokens[index], **flags} for index in special],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {**byte_level, "add_prefix_space": False},
            ],
        },
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: index for index, token in enumerate(tokens)},
            "merges": field(reader, "tokenizer.ggml.merges"),
        },
    }


def convert(gguf: Path, out: Path) -> None:
    """Write params_shard_*.bin, tensor-cache.json, tokenizer.json and mlc-chat-config.json of `gguf` into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    reader = GGUFReader(gguf)
    shape = shape_of(reader)
    write_cache(out, params(reader, shape))
    for name, content in (("tokenizer.json", tokenizer(reader)), ("mlc-chat-config.json", chat_config(shape))):
        (out / name).write_text(json.dumps(content), encoding="utf-8")


def main() -> None:
    """Command line: MODEL.gguf OUT."""
    if len(sys.argv) != 3:
        sys.exit("usage: python -m starter_model.convert MODEL.gguf OUT")
    convert(Path(sys.argv[1]), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
