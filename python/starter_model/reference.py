"""The model in plain numpy: what the library's kernels must agree with.

Reads a converted folder or, independently of the conversion, a GGUF through gguf's own dequantizer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGUFReader, dequantize

from starter_model.chat_config import shape_from_config
from starter_model.convert import shape_of
from starter_model.packing import unpack
from starter_model.shape import ModelShape
from starter_model.tensor_cache import read_cache

Floats = npt.NDArray[np.floating[Any]]  # float32 throughout, which numpy's type stubs lose sight of


@dataclass
class LayerWeights:
    """One layer's matrices (outputs, inputs) and norms."""

    attention_norm: Floats
    q: Floats
    k: Floats
    v: Floats
    attention_out: Floats
    ffn_norm: Floats
    gate: Floats
    up: Floats
    down: Floats


@dataclass
class Weights:
    """A whole model. interleaved: RoPE rotates rows (0, 1), (2, 3), ... of a head instead of (0, D/2), (1, D/2 + 1)."""

    shape: ModelShape
    embedding: Floats
    layers: list[LayerWeights]
    norm: Floats
    interleaved: bool


def weights_from_folder(folder: Path) -> Weights:
    """Dequantized weights of a folder that convert or write_tiny wrote."""
    shape = shape_from_config(json.loads((folder / "mlc-chat-config.json").read_text(encoding="utf-8")))
    tensors = dict(read_cache(folder))

    def matrix(name: str) -> Floats:
        return unpack(tensors[f"{name}.words"], tensors[f"{name}.meta"])

    def layer(name: str) -> LayerWeights:
        q_end = shape.heads * shape.head_dim
        k_end = q_end + shape.kv_heads * shape.head_dim
        q, k, v = np.split(matrix(f"{name}.qkv"), [q_end, k_end])
        gate, up = np.split(matrix(f"{name}.gate_up"), 2)
        return LayerWeights(
            attention_norm=tensors[f"{name}.attention_norm.weight"],
            q=q,
            k=k,
            v=v,
            attention_out=matrix(f"{name}.attention_out"),
            ffn_norm=tensors[f"{name}.ffn_norm.weight"],
            gate=gate,
            up=up,
            down=matrix(f"{name}.down"),
        )

    layers = [layer(f"layers.{index}") for index in range(shape.layers)]
    return Weights(shape, matrix("embedding"), layers, tensors["norm.weight"], interleaved=False)


def weights_from_gguf(gguf: Path) -> Weights:
    """Dequantized weights of a GGUF, in its own row order."""
    reader = GGUFReader(gguf)
    shape = shape_of(reader)
    tensors = {tensor.name: tensor for tensor in reader.tensors}

    def matrix(name: str) -> Floats:
        tensor = tensors[f"{name}.weight"]
        return dequantize(tensor.data, tensor.tensor_type).astype(np.float32)

    def layer(name: str) -> LayerWeights:
        return LayerWeights(
            attention_norm=matrix(f"{name}.attn_norm"),
            q=matrix(f"{name}.attn_q"),
            k=matrix(f"{name}.attn_k"),
            v=matrix(f"{name}.attn_v"),
            attention_out=matrix(f"{name}.attn_output"),
            ffn_norm=matrix(f"{name}.ffn_norm"),
            gate=matrix(f"{name}.ffn_gate"),
            up=matrix(f"{name}.ffn_up"),
            down=matrix(f"{name}.ffn_down"),
        )

    layers = [layer(f"blk.{index}") for index in range(shape.layers)]
    return Weights(shape, matrix("token_embd"), layers, matrix("output_norm"), interleaved=True)


class Reference:
    """One sequence with its own KV cache. Tokens in, the last token's logits (vocab,) float32 out."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.shape = weights.shape
        self.reset()

    @classmethod
    def from_folder(cls, folder: Path) -> Reference:
        """A reference over a converted folder."""
        return cls(weights_from_folder(folder))

    @classmethod
    def from_gguf(cls, gguf: Path) -> Reference:
        """A reference over a GGUF."""
        return cls(weights_from_gguf(gguf))

    def reset(self) -> None:
        """Forget the sequence."""
        empty = np.zeros((0, self.shape.kv_heads, self.shape.head_dim), dtype=np.float32)
        self.length = 0
        self.keys: list[Floats] = [empty] * self.shape.layers
        self.values: list[Floats] = [empty] * self.shape.layers

    def prefill(self, tokens: list[int]) -> Floats:
        """Append tokens; the logits after the last."""
        x = self.weights.embedding[tokens]
        positions = np.arange(self.length, self.length + len(tokens))
        for index, layer in enumerate(self.weights.layers):
            normed = self._norm(x, layer.attention_norm)
            x = x + self._attention(index, layer, normed, positions) @ layer.attention_out.T
            x = x + _feed_forward(layer, self._norm(x, layer.ffn_norm))
        self.length += len(tokens)
        return self._norm(x[-1], self.weights.norm) @ self.weights.embedding.T

    def decode(self, token: int) -> Floats:
        """Append one token; the logits after it."""
        return self.prefill([token])

    def greedy(self, prompt: list[int], count: int, stop: int) -> list[int]:
        """At most `count` most probable tokens after a fresh prompt, the stop token included."""
        self.reset()
        logits = self.prefill(prompt)
        tokens = [int(logits.argmax())]
        while len(tokens) < count and tokens[-1] != stop:
            tokens.append(int(self.decode(tokens[-1]).argmax()))
        return tokens

    def _norm(self, x: Floats, weight: Floats) -> Floats:
        mean_square = np.mean(x * x, axis=-1, keepdims=True)
        return x / np.sqrt(mean_square + np.float32(self.shape.norm_eps)) * weight

    def _attention(self, index: int, layer: LayerWeights, x: Floats, positions: np.ndarray) -> Floats:
        """(tokens, hidden) -> (tokens, heads * head_dim), with the new keys and values appended to the cache."""
        shape = self.shape
        q = self._rotate((x @ layer.q.T).reshape(-1, shape.heads, shape.head_dim), positions)
        k = self._rotate((x @ layer.k.T).reshape(-1, shape.kv_heads, shape.head_dim), positions)
        v = (x @ layer.v.T).reshape(-1, shape.kv_heads, shape.head_dim)
        self.keys[index] = np.concatenate([self.keys[index], k])
        self.values[index] = np.concatenate([self.values[index], v])
        group = shape.heads // shape.kv_heads
        keys, values = (cache[index].repeat(group, axis=1) for cache in (self.keys, self.values))
        scores = np.einsum("qhd,khd->hqk", q, keys) / np.float32(np.sqrt(shape.head_dim))
        visible = np.arange(len(keys)) <= positions[:, None]
        scores = np.where(visible, scores, np.float32(-np.inf))
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares = weights / weights.sum(axis=-1, keepdims=True)
        return np.einsum("hqk,khd->qhd", shares, values).reshape(len(x), -1)

    def _rotate(self, x: Floats, positions: np.ndarray) -> Floats:
        """RoPE on (tokens, heads, head_dim)."""
        dim = self.shape.head_dim
        frequencies = self.shape.rope_theta ** (-np.arange(0, dim, 2) / dim)
        angles = (positions[:, None] * frequencies)[:, None].astype(np.float32)
        cos, sin = np.cos(angles), np.sin(angles)
        if self.weights.interleaved:
            first, second = x[..., 0::2], x[..., 1::2]
        else:
            first, second = x[..., : dim // 2], x[..., dim // 2 :]
        turned = (first * cos - second * sin, first * sin + second * cos)
        return np.stack(turned, axis=-1).reshape(x.shape) if self.weights.interleaved else np.concatenate(turned, axis=-1)


def _feed_forward(layer: LayerWeights, x: Floats) -> Floats:
    gate = x @ layer.gate.T
    return (gate / (np.float32(1) + np.exp(-gate)) * (x @ layer.up.T)) @ layer.down.T
