"""How a browser rebuilds the GGUF, byte for byte, out of WebLLM's shards, so that the weights ship once for both engines.

`gguf-header.bin` is the GGUF up to its first tensor. `gguf.json` says for each piece of each shard where in the GGUF it goes;
background/engines/gguf.js reads both. A piece is
`{kind, from, at, rows, blocks, heads, head_dim}`: `kind` is q4_1.words, q4_1.meta, q8_0.words, q8_0.meta or f32; `from` is the
byte in the shard, `at` the byte in the GGUF where its tensor begins; a row has `blocks` groups of 32 values (for f32: values);
where `heads` is not 0, the rows were reordered by convert.half_split_rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter, ReaderTensor

from starter_model.convert import Part, layout, shape_of
from starter_model.packing import Q4_1_BYTES, Q8_0_BYTES
from starter_model.shape import GROUP, ModelShape
from starter_model.tensor_cache import INDEX

RECIPE, HEADER = "gguf.json", "gguf-header.bin"
KINDS = {GGMLQuantizationType.Q4_1: "q4_1", GGMLQuantizationType.Q8_0: "q8_0", GGMLQuantizationType.F32: "f32"}
BYTES_A_BLOCK = {"q4_1": (16, 4), "q8_0": (32, 4)}  # in a shard: words, meta
FILE_TYPE_Q4_1 = 3  # llama.cpp's LLAMA_FTYPE_MOSTLY_Q4_1


def write_recipe(gguf: Path, folder: Path) -> None:
    """Write gguf.json and gguf-header.bin beside the shards that convert() made of `gguf` in `folder`."""
    reader = GGUFReader(gguf)
    shape = shape_of(reader)
    pieces = _pieces(reader, shape)
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    shards: list[dict[str, Any]] = []
    for shard in index["records"]:
        placed = [
            {**piece, "from": piece["from"] + record["byteOffset"]}
            for record in shard["records"]
            for piece in pieces[record["name"]]
        ]
        shards.append({"file": shard["dataPath"], "pieces": placed})
    with gguf.open("rb") as file:
        (folder / HEADER).write_bytes(file.read(reader.data_offset))
    recipe = {"header": HEADER, "bytes": gguf.stat().st_size, "shards": shards}
    (folder / RECIPE).write_text(json.dumps(recipe), encoding="utf-8")


def _pieces(reader: GGUFReader, shape: ModelShape) -> dict[str, list[dict[str, Any]]]:
    """The pieces of each record of the tensor cache; `from` counts from the record's own beginning."""
    tensors = {tensor.name.removesuffix(".weight"): tensor for tensor in reader.tensors}
    pieces: dict[str, list[dict[str, Any]]] = {}
    for name, parts in layout(shape):
        for suffix, piece in _pieces_of(parts, tensors, shape):
            pieces.setdefault(name + suffix, []).append(piece)
    return pieces


def _pieces_of(parts: list[Part], tensors: dict[str, ReaderTensor], shape: ModelShape) -> Iterator[tuple[str, dict[str, Any]]]:
    words_at = meta_at = 0
    for part in parts:
        tensor = tensors[part.source]
        kind, at = KINDS[tensor.tensor_type], int(tensor.data_offset)
        cols, rows = [*(int(size) for size in tensor.shape), 1][:2]
        if kind == "f32":
            yield "", {"kind": kind, "from": 0, "at": at, "rows": rows, "blocks": cols, "heads": 0, "head_dim": 0}
            continue
        facts = {"at": at, "rows": rows, "blocks": cols // GROUP, "heads": part.heads, "head_dim": shape.head_dim}
        yield ".words", {"kind": f"{kind}.words", "from": words_at, **facts}
        yield ".meta", {"kind": f"{kind}.meta", "from": meta_at, **facts}
        words_bytes, meta_bytes = BYTES_A_BLOCK[kind]
        words_at += rows * cols // GROUP * words_bytes
        meta_at += rows * cols // GROUP * meta_bytes


def write_gguf_of_zeros(starter: Path, path: Path, shape: ModelShape) -> None:
    """Write a GGUF of a shape, whose weights are zero, with the vocabulary of the GGUF `starter`."""
    reader = GGUFReader(starter)
    writer = GGUFWriter(path, "llama")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.ffn)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.norm_eps)
    writer.add_file_type(FILE_TYPE_Q4_1)
    writer.add_vocab_size(shape.vocab)
    writer.add_rope_dimension_count(shape.head_dim)
    for name, value in reader.fields.items():
        if name.startswith("tokenizer."):
            subtype = value.types[-1] if len(value.types) > 1 else None
            writer.add_key_value(name, value.contents(), value.types[0], subtype)
    for _name, parts in layout(shape):
        for part in parts:
            _add_zeros(writer, part.source, shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_zeros(writer: GGUFWriter, source: str, shape: ModelShape) -> None:
    name = source.rpartition(".")[2]
    if name.endswith("norm"):
        writer.add_tensor(f"{source}.weight", np.zeros(shape.hidden, dtype=np.float32))
        return
    kv_rows, head_rows = shape.kv_heads * shape.head_dim, shape.heads * shape.head_dim
    rows, cols = {
        "token_embd": (shape.vocab, shape.hidden),
        "attn_q": (head_rows, shape.hidden),
        "attn_k": (kv_rows, shape.hidden),
        "attn_v": (kv_rows, shape.hidden),
        "attn_output": (shape.hidden, head_rows),
        "ffn_gate": (shape.ffn, shape.hidden),
        "ffn_up": (shape.ffn, shape.hidden),
        "ffn_down": (shape.hidden, shape.ffn),
    }[name]
    is_embedding = name == "token_embd"
    kind = GGMLQuantizationType.Q8_0 if is_embedding else GGMLQuantizationType.Q4_1
    block = Q8_0_BYTES if is_embedding else Q4_1_BYTES
    writer.add_tensor(f"{source}.weight", np.zeros((rows, cols // GROUP * block), dtype=np.uint8), raw_dtype=kind)
