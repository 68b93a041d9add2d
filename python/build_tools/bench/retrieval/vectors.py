"""Vectors of texts by the embedding model that ships, computed once and kept in the build folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from ... import embedding_model
from ...embedding_graph import OUTPUT
from .corpus import FOLDER

MOST_TOKENS = 256  # what the model reads; the rest of a longer text is left out
BATCH = 16

Vectors = np.ndarray[Any, np.dtype[np.float32]]


def embed(texts: list[str]) -> Vectors:
    """One vector of length 1 a text."""
    model, tokenizer = _files()
    made_by = [embedding_model.WEIGHTS_WHEEL, hashlib.sha256(model.read_bytes()).hexdigest()]
    key = hashlib.sha256("\0".join([*made_by, *texts]).encode()).hexdigest()[:16]
    kept = FOLDER / "vectors" / f"{key}.npy"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, _computed(texts, model, tokenizer))
    return np.load(kept)


def quantized(vectors: Vectors) -> Vectors:
    """Scaled to bytes, as the library keeps them (background/library/vectors.js), and to length 1 again."""
    rows = np.round(vectors / np.abs(vectors).max(axis=1, keepdims=True) * 127)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _computed(texts: list[str], model: Path, tokenizer: Path) -> Vectors:
    import onnxruntime
    from tokenizers import Tokenizer

    print(f"- embedding {len(texts):,} texts ...", flush=True)
    words = Tokenizer.from_file(str(tokenizer))
    words.enable_truncation(MOST_TOKENS)
    words.enable_padding()
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    vectors = np.zeros((len(texts), 384), np.float32)
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))  # texts of one length need little padding
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        encoded = words.encode_batch([texts[at] for at in batch])
        ids = np.array([each.ids for each in encoded], np.int64)
        mask = np.array([each.attention_mask for each in encoded], np.int64)
        pooled = np.asarray(session.run([OUTPUT], {"input_ids": ids, "attention_mask": mask})[0])
        vectors[batch] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    return vectors


def token_counts(texts: list[str]) -> list[int]:
    """Tokens of each text, by the model's own tokenizer."""
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(_files()[1]))
    words.no_truncation()
    words.no_padding()
    return [len(encoded.ids) - 2 for encoded in words.encode_batch(texts)]


def _files() -> tuple[Path, Path]:
    """The processor's model and the tokenizer, as they ship."""
    folder = embedding_model.build()
    return folder / "onnx" / "model_quantized.onnx", folder / "tokenizer.json"
